"""Check the changelog fragments, and gather them into CHANGELOG.md at a release.

A fragment is ``changelog.d/<issue>.<kind>.md``: what a user will notice, in the past tense.

    python -m tools.fragments check
    python -m tools.fragments gather 0.2.0
"""

import argparse
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
KINDS = ("security", "added", "changed", "fixed", "removed")
NAME = re.compile(rf"(?P<issue>\d+)(\.\d+)?\.(?P<kind>{'|'.join(KINDS)})\.md")


def problems(folder: Path) -> list[str]:
    """Return what is wrong with the fragments in `folder`, one sentence each."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name == "README.md":
            continue
        if not NAME.fullmatch(path.name):
            found.append(f"{path.name}: call it <issue>.<kind>.md, where kind is one of {', '.join(KINDS)}.")
        elif not path.read_text().strip():
            found.append(f"{path.name}: is empty; say in a sentence what a user will notice.")
    return found


def gathered(folder: Path, version: str, day: str) -> str:
    """Return the section of the changelog that the fragments in `folder` make up, kind by kind."""
    lines = [f"## {version} ({day})", ""]
    for kind in KINDS:
        matches = [(NAME.fullmatch(path.name), path) for path in sorted(folder.iterdir())]
        paths = [path for match, path in matches if match and match["kind"] == kind]
        if paths:
            lines += [f"### {kind.capitalize()}", ""]
            for path in paths:
                lines += [path.read_text().strip(), ""]
    return "\n".join(lines)


def gather(root: Path, version: str) -> None:
    """Write the fragments into CHANGELOG.md above the older releases, and remove them."""
    folder, changelog = root / "changelog.d", root / "CHANGELOG.md"
    section = gathered(folder, version, datetime.now(UTC).date().isoformat())
    head, mark, older = changelog.read_text().partition("\n## ")
    changelog.write_text(f"{head.rstrip()}\n\n{section}{mark}{older}")
    for path in folder.iterdir():
        if NAME.fullmatch(path.name):
            path.unlink()


def main(arguments: list[str] | None = None) -> int:
    """Check, or gather for a release."""
    parser = argparse.ArgumentParser(description="Check or gather the changelog fragments.")
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("check")
    steps.add_parser("gather").add_argument("version")
    chosen = parser.parse_args(arguments)
    found = problems(ROOT / "changelog.d")
    if found:
        print("\n".join(found), file=sys.stderr)
        return 1
    if chosen.step == "gather":
        gather(ROOT, chosen.version)
    return 0


if __name__ == "__main__":
    sys.exit(main())
