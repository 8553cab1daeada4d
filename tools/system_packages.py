"""Make sure that the programs and libraries which pip cannot bring are on the machine.

Runs before the virtual environment exists, so it needs nothing but Python itself. As root on Debian or
Ubuntu it installs what is missing; elsewhere it says what is missing, what each part is for, and goes on.

    python3 tools/system_packages.py product
    python3 tools/system_packages.py tests
"""

import argparse
import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Need:
    """A Debian package, what it is for, and how to tell that its content is there."""

    package: str
    purpose: str
    is_met: Callable[[], bool]


def library(name: str) -> Callable[[], bool]:
    """Return a question whether the shared library `name` can be loaded."""
    return lambda: ctypes.util.find_library(name) is not None


def program(name: str) -> Callable[[], bool]:
    """Return a question whether the program `name` can be run."""
    return lambda: shutil.which(name) is not None


def module(name: str) -> Callable[[], bool]:
    """Return a question whether this Python has the module `name`."""
    return lambda: importlib.util.find_spec(name) is not None


def files(pattern: str) -> Callable[[], bool]:
    """Return a question whether a file below the root matches `pattern`."""
    return lambda: next(Path("/").glob(pattern), None) is not None


PRODUCT = (
    Need("python3-venv", "makes the virtual environment", module("ensurepip")),
    Need("libpango-1.0-0", "sets the text of PDF reports", library("pango-1.0")),
    Need("libpangoft2-1.0-0", "draws the text of PDF reports", library("pangoft2-1.0")),
    Need("libharfbuzz-subset0", "keeps the fonts in PDF reports small", library("harfbuzz-subset")),
    Need("fonts-dejavu-core", "is the font of PDF reports", files("usr/share/fonts/**/DejaVuSans.ttf")),
)
TESTS = (
    Need("chromium", "is the browser that the journeys drive", program("chromium")),
    Need("dcmtk", "sends DICOM to Sightline as others do", program("storescu")),
    Need("libgdcm-tools", "stores and asks as another implementation of DICOM", program("gdcmscu")),
    Need("orthanc", "is the peer that Sightline is tested and measured against", program("Orthanc")),
    Need("orthanc-dicomweb", "lets that peer speak DICOMweb", files("usr/share/orthanc/plugins/*DicomWeb*")),
    Need("dicom3tools", "judges the DICOM objects that Sightline writes", program("dciodvfy")),
    Need("orthanc", "is another archive, to send to and to take over from", program("Orthanc")),
    Need("postgresql", "is the second database of the tests", files("usr/lib/postgresql/*/bin/initdb")),
    Need("poppler-utils", "reads the PDF reports back", program("pdftotext")),
    Need("swift-proxy", "is the front of the tests' S3 endpoint", program("swift-proxy-server")),
    Need("swift-account", "keeps the accounts of that endpoint", program("swift-account-server")),
    Need("swift-container", "keeps the buckets of that endpoint", program("swift-container-server")),
    Need("swift-object", "keeps the objects of that endpoint", program("swift-object-server")),
)
SETS = {"product": PRODUCT, "tests": PRODUCT + TESTS}
INSTALL_LIMIT_S = 900


def missing_of(needs: Iterable[Need]) -> list[Need]:
    """Return the needs that this machine does not meet."""
    return [need for need in needs if not need.is_met()]


def install(packages: list[str]) -> bool:
    """Install Debian packages without asking anything; tell whether it worked."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    steps = (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    )
    for step in steps:
        done = subprocess.run(
            step,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_LIMIT_S,
            check=False,
        )
        # A stale mirror may still hold what is needed, so only the installation itself decides.
        if done.returncode and "install" in step:
            print(done.stdout + done.stderr, file=sys.stderr)
            return False
    return True


def report(missing: list[Need], *, can_install: bool) -> str:
    """Return what is missing, what it is for, and the command that brings it."""
    width = max(len(need.package) for need in missing)
    lines = [f"  {need.package.ljust(width)}  {need.purpose}" for need in missing]
    command = "apt-get install " + " ".join(need.package for need in missing)
    advice = "Installing them failed" if can_install else "Install them as root on Debian or Ubuntu"
    return "\n".join(["Missing on this machine:", *lines, f"{advice}: {command}"])


def main(arguments: list[str] | None = None) -> int:
    """Meet the needs of the chosen set, or say what stays missing; never stop the set-up for it."""
    parser = argparse.ArgumentParser(description="Install or name the system packages that Sightline needs.")
    parser.add_argument("set", choices=sorted(SETS))
    wanted = SETS[parser.parse_args(arguments).set]
    missing = missing_of(wanted)
    can_install = os.geteuid() == 0 and shutil.which("apt-get") is not None
    if missing and can_install:
        print(f"Installing {', '.join(need.package for need in missing)} ...")
        if install([need.package for need in missing]):
            missing = missing_of(missing)
    if missing:
        print(report(missing, can_install=can_install), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
