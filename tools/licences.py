"""Refuse licences that the product may not carry, in Python and in the browser.

The product set (``requirements.lock``, and what the web app ships) is judged strictly: a licence that is
forbidden or unknown fails. The development set never reaches a user, so there GPL tools are listed and
AGPL and source-available ones fail. What the metadata does not say clearly stands in `REVIEWED`, with the
licence as read from the package's own files and where it was read.

    python -m tools.licences            judge, print what needs attention, exit 1 on a refusal
    python -m tools.licences --list     print every package with its licence
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]

PERMISSIVE = frozenset(
    [
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "BlueOak-1.0.0",
        "CC-BY-4.0",
        "CC0-1.0",
        "HPND",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "PSF-2.0",
        "Python-2.0",
        "Unlicense",
        "Zlib",
    ]
)
# BSL-1.0 above is the Boost licence; the Business Source License is BUSL.
# Copyleft that ends at the file or at the library's border: used unchanged, it asks nothing of us.
BOUNDED = frozenset({"LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MPL-1.1", "MPL-2.0"})
ALLOWED = PERMISSIVE | BOUNDED
# Refused even in tools, because a network user or a vendor's terms would reach us.
NEVER = re.compile(r"AGPL|Affero|BUSL|BSL-1\.1|Business Source|SSPL|Commons Clause", re.IGNORECASE)

CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
VAGUE_CLASSIFIERS = {"OSI Approved", "DFSG approved"}


@dataclass(frozen=True, slots=True)
class Review:
    """A licence that a person read where the metadata does not tell."""

    licence: str
    reason: str


REVIEWED = {
    "cedarpy": Review("Apache-2.0", "the metadata names none; the wheel's LICENSE is Apache-2.0"),
    "pyphen": Review(
        "MPL-1.1", "the wheel's LICENSE offers GPL-2.0+, LGPL-2.1+ or MPL-1.1 at the user's choice"
    ),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One package, its licence, and whether it may be there."""

    package: str
    version: str
    licence: str
    problem: str | None = None


def is_allowed(expression: str) -> bool:
    """Tell whether an SPDX expression can be met with allowed licences alone.

    >>> is_allowed("MIT AND (GPL-3.0-only OR Zlib)"), is_allowed("MIT AND GPL-3.0-only")
    (True, False)
    """
    tokens = re.findall(r"\(|\)|[^\s()]+", expression)
    allowed, rest = _either(tokens)
    return allowed and not rest


def _either(tokens: list[str]) -> tuple[bool, list[str]]:
    allowed, tokens = _both(tokens)
    while tokens[:1] == ["OR"]:
        other, tokens = _both(tokens[1:])
        allowed = allowed or other
    return allowed, tokens


def _both(tokens: list[str]) -> tuple[bool, list[str]]:
    allowed, tokens = _one(tokens)
    while tokens[:1] == ["AND"]:
        other, tokens = _one(tokens[1:])
        allowed = allowed and other
    return allowed, tokens


def _one(tokens: list[str]) -> tuple[bool, list[str]]:
    if not tokens:
        return False, []
    if tokens[0] == "(":
        allowed, rest = _either(tokens[1:])
        return allowed and rest[:1] == [")"], rest[1:]
    name, rest = tokens[0], tokens[1:]
    if rest[:1] == ["WITH"]:  # an exception only ever adds freedom
        rest = rest[2:]
    return name in ALLOWED, rest


def licence_of(dist: Distribution) -> str:
    """Return the SPDX expression of an installed distribution, or the words it uses instead."""
    reviewed = REVIEWED.get(canonicalize_name(dist.name))
    if reviewed:
        return reviewed.licence
    metadata = dist.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    classifiers = [c for c in metadata.get_all("Classifier") or [] if c.startswith("License ::")]
    names = [c.rsplit(" :: ", 1)[-1] for c in classifiers]
    classified = [CLASSIFIERS.get(name, name) for name in names if name not in VAGUE_CLASSIFIERS]
    if classified:
        return " AND ".join(classified)
    words = str(metadata["License"] or "")  # a missing field reads as None
    return words.strip().split("\n")[0][:80] or "unknown"


def judge(name: str, version: str, licence: str, *, strictly: bool) -> Verdict:
    """Return the verdict on one package."""
    if NEVER.search(licence) and not is_allowed(licence):
        return Verdict(name, version, licence, f"{name} is under {licence}, which is never allowed")
    if strictly and not is_allowed(licence):
        return Verdict(
            name,
            version,
            licence,
            f"{name} is under '{licence}': replace it, or read its licence and enter it in REVIEWED",
        )
    return Verdict(name, version, licence)


def locked_names(lock: str) -> Iterator[str]:
    """Yield the names that a lock file asks for on this machine."""
    for line in lock.splitlines():
        if line and not line.startswith((" ", "#", "-")):
            requirement = Requirement(line.rstrip("\\ "))
            if requirement.marker is None or requirement.marker.evaluate():
                yield canonicalize_name(requirement.name)


def python_verdicts(lock: Path, *, strictly: bool) -> list[Verdict]:
    """Judge every distribution that a lock file names; one that is not installed cannot be judged."""
    verdicts = []
    for name in locked_names(lock.read_text()):
        try:
            dist = distribution(name)
        except PackageNotFoundError:
            verdicts.append(Verdict(name, "-", "-", f"{name} is in {lock.name} but not installed"))
            continue
        verdicts.append(judge(name, dist.version, licence_of(dist), strictly=strictly))
    return verdicts


def browser_verdicts(web: Path) -> list[Verdict]:
    """Judge what the web app ships: the packages of the npm lock that are not for development only."""
    packages = json.loads((web / "package-lock.json").read_text())["packages"]
    verdicts = []
    for path, entry in sorted(packages.items()):
        if path == "":
            continue
        manifest = web / path / "package.json"
        if manifest.is_file():
            entry = {**entry, **json.loads(manifest.read_text())}  # noqa: PLW2901  what is installed counts
        elif entry.get("optional"):
            continue
        strictly = not entry.get("dev", False)
        name = path.rsplit("node_modules/", 1)[-1]
        verdicts.append(judge(name, entry["version"], _npm_licence(entry), strictly=strictly))
    return verdicts


def _npm_licence(entry: dict[str, object]) -> str:
    """Return the licence of an npm manifest; old manifests hold an object or a list of objects."""
    licence = entry.get("license") or entry.get("licenses") or "unknown"
    if isinstance(licence, list):
        return " OR ".join(_npm_licence({"license": one}) for one in licence)
    if isinstance(licence, dict):
        return str(licence.get("type", "unknown"))
    return str(licence)


def main(arguments: list[str] | None = None) -> int:
    """Judge everything; return 1 if anything may not be there."""
    parser = argparse.ArgumentParser(description="Judge the licences of all that is installed.")
    parser.add_argument("--list", action="store_true", help="print every package, not only refusals")
    listing = parser.parse_args(arguments).list
    verdicts = python_verdicts(ROOT / "requirements.lock", strictly=True)
    known = {verdict.package for verdict in verdicts}
    development = python_verdicts(ROOT / "requirements-dev.lock", strictly=False)
    verdicts += [verdict for verdict in development if verdict.package not in known]
    verdicts += browser_verdicts(ROOT / "web")
    if listing:
        for verdict in sorted(verdicts, key=lambda verdict: verdict.package):
            print(f"{verdict.package} {verdict.version}: {verdict.licence}")
    problems = [verdict.problem for verdict in verdicts if verdict.problem]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(verdicts)} packages judged, {len(problems)} refused.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
