"""Refuse what belongs to one machine and not to the project: paths, package indexes, secrets.

Reads every file that is, or would be, committed. A clone must build anywhere, so no file may name a home
folder, a private package index, or hold a key.

    python -m tools.strays
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAX_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Stray:
    """A pattern that may not occur, and what to do instead."""

    pattern: re.Pattern[str]
    advice: str


STRAYS = (
    Stray(
        re.compile(r"(?<![\w.:/-])/(?:home|Users|root|work|workspace|workspaces)/[\w.-]+"),
        "a path of one machine; write it relative to the checkout",
    ),
    Stray(
        re.compile(r"(?m)^\s*--?(?:extra-)?index-url|^\s*--find-links|^\s*registry\s*=", re.MULTILINE),
        "the address of a package index; leave it to the machine's own configuration",
    ),
    Stray(
        re.compile(r'"resolved":\s*"https?://'),
        "npm's download addresses; write the lock with omit-lockfile-registry-resolved=true",
    ),
    Stray(
        re.compile(r"https?://[^\s\"')]*(?:/simple/|artifactory|/nexus/|devpi)"),
        "the address of a package index; leave it to the machine's own configuration",
    ),
    Stray(
        re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\n[A-Za-z0-9+/=]"),
        "a private key; make keys at run time",
    ),
)


def committed(root: Path) -> Iterator[Path]:
    """Yield the files that git holds or would add, as paths below `root`."""
    git = shutil.which("git") or "git"
    listing = subprocess.run(
        [git, "-c", f"safe.directory={root}", "ls-files", "-z", "-c", "-o", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    yield from (Path(name) for name in listing.stdout.split("\0") if name)


def strays_in(text: str) -> list[tuple[int, str]]:
    """Return line number and advice for everything in `text` that may not be there."""
    return [
        (text.count("\n", 0, match.start()) + 1, stray.advice)
        for stray in STRAYS
        for match in stray.pattern.finditer(text)
    ]


def main() -> int:
    """Print every stray with its file and line; return 1 if there is one."""
    found = 0
    for name in committed(ROOT):
        path = ROOT / name
        if not path.is_file() or path.is_symlink() or path.stat().st_size > MAX_BYTES:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # pictures and DICOM: no text to read
        for line, advice in strays_in(text):
            print(f"{name}:{line}: {advice}", file=sys.stderr)
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
