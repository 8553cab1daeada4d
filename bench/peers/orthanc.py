"""Orthanc to measure against: `with orthanc() as peer:`; `bench/peers/orthanc.py --fetch` gets the newest.

The newest that Debian has (sid) is fetched with apt into a cache folder, checked by Debian's keys, and run by
its own loader beside whatever is installed; without it the installed one is taken. It runs with
`TCP_NODELAY=1`, DICOMweb and a folder of its own, on loopback, and ends with the `with`.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sightline-bench" / "orthanc"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
TITLE = "ORTHANC"
BOUNDED_S = 3600


@dataclass(frozen=True)
class Orthanc:
    """A running Orthanc."""

    version: str
    dicom_port: int
    http_port: int
    pid: int

    @property
    def dicom_web(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/dicom-web"

    def count_instances(self) -> int:
        """Return how many instances it holds."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/statistics", timeout=30) as answer:
            return int(json.load(answer)["CountInstances"])


@contextmanager
def orthanc(folder: Path | None = None, **options: object) -> Iterator[Orthanc]:
    """Run Orthanc in a folder of its own under `folder`; `options` go into its configuration."""
    command, plugins, version = _program()
    with tempfile.TemporaryDirectory(dir=folder, prefix="orthanc-") as own:
        dicom_port, http_port = free_port(), free_port()
        configuration = _configuration(Path(own), dicom_port, http_port, plugins) | options
        (Path(own) / "orthanc.json").write_text(json.dumps(configuration))
        bounded = [shutil.which("timeout") or "timeout", str(BOUNDED_S)]
        with (Path(own) / "log").open("wb") as log:
            process = subprocess.Popen(
                [*bounded, *command, str(Path(own) / "orthanc.json")],
                stdout=log,
                stderr=log,
                env=os.environ | {"TCP_NODELAY": "1"} | _dictionaries(),
                start_new_session=True,
            )
        try:
            _await(process, http_port, Path(own) / "log")
            yield Orthanc(version, dicom_port, http_port, _child_of(process.pid))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _configuration(own: Path, dicom_port: int, http_port: int, plugins: Path) -> dict[str, object]:
    return {
        "Name": TITLE,
        "DicomAet": TITLE,
        "StorageDirectory": str(own / "storage"),
        "IndexDirectory": str(own / "storage"),
        "DicomPort": dicom_port,
        "HttpPort": http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowEcho": True,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowGet": True,
        "DicomCheckCalledAet": False,
        "Plugins": [str(plugins / "libOrthancDicomWeb.so")],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }


def _program() -> tuple[list[str], Path, str]:
    """Return command, folder of plug-ins and version of the newest Orthanc here."""
    root = CACHE / "root"
    program, libraries = root / "usr/sbin/Orthanc", root / "usr/lib/x86_64-linux-gnu"
    if program.exists():
        path = f"{libraries}:{libraries}/orthanc:{root}/usr/lib"
        command = [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", path, str(program)]
        plugins = root / "usr/lib/orthanc"
        if version := _version(command):
            return command, _unversioned(plugins), f"{version} (Debian sid)"
    installed = shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if installed is None:
        sys.exit("Orthanc is not installed: apt-get install orthanc orthanc-dicomweb")
    return [installed], Path("/usr/share/orthanc/plugins"), f"{_version([installed])} (installed)"


def _dictionaries() -> dict[str, str]:
    """Name DCMTK's dictionary, which a package that is only unpacked does not find."""
    here = [*(CACHE / "root").rglob("dicom.dic"), *Path("/usr/share").glob("*dcmtk*/dicom.dic")]
    return {"DCMDICTPATH": str(here[0])} if here and (CACHE / "root").exists() else {}


def _unversioned(folder: Path) -> Path:
    """Make names without a version, which its configuration wants."""
    made = CACHE / "plugins"
    made.mkdir(exist_ok=True)
    for library in folder.glob("*.so.*"):
        link = made / (library.name.split(".so")[0] + ".so")
        if not link.exists():
            link.symlink_to(library)
    return made


def _version(command: list[str]) -> str:
    try:
        told = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.split("\n")[0].split()[-1]


def fetch() -> None:
    """Download the newest Orthanc of Debian sid with all libraries it needs, and unpack it apart."""
    apt = CACHE / "apt"
    shutil.rmtree(CACHE, ignore_errors=True)
    for part in ("lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True)
    (apt / "sources.list").write_text(f"deb [signed-by={KEYS}] {_mirror()} sid main\n")
    (apt / "status").touch()
    (apt / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{apt}/sources.list";\nDir::Etc::sourceparts "{apt}/none";\n'
        f'Dir::State::lists "{apt}/lists";\nDir::State::status "{apt}/status";\n'
        f'Dir::Cache "{apt}/cache";\nAPT::Sandbox::User "root";\n'
    )
    own = os.environ | {"APT_CONFIG": str(apt / "apt.conf")}
    wanted = ["--download-only", "--no-install-recommends", "orthanc", "orthanc-dicomweb"]
    for command in (["update", "-qq"], ["install", "-y", "-qq", *wanted]):
        subprocess.run(["apt-get", *command], check=True, timeout=600, env=own)
    for package in sorted((apt / "cache/archives").glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(package), str(CACHE / "root")], check=True, timeout=120)
    shutil.rmtree(apt)


def _mirror() -> str:
    """Return where this machine has its Debian packages from."""
    asked = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    return next((site for site in told if not site.rstrip("/").endswith("-security")), "")


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"Orthanc did not start:\n{log.read_text(errors='replace')[-2000:]}")
        with suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/system", timeout=5).close()
            return
        time.sleep(0.1)
    sys.exit("Orthanc did not answer within 60 s.")


def _child_of(pid: int) -> int:
    """Return the process under `timeout`."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Fetch, or tell which would run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fetch", action="store_true", help="download the newest of Debian sid")
    if parser.parse_args().fetch:
        fetch()
    with orthanc() as peer:
        print(f"Orthanc {peer.version} answers")


if __name__ == "__main__":
    main()
