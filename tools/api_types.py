"""Make the web client's types from the OpenAPI description, or tell whether they are what it would give.

python -m tools.api_types
python -m tools.api_types --check
"""

import argparse
import filecmp
import json
import sys
import tempfile
from pathlib import Path

from sightline.app.http import build_api
from tools import npm

DESCRIPTION = npm.WEB / "openapi.json"
TYPES = npm.WEB / "src" / "api" / "schema.ts"


def describe() -> str:
    """Return the OpenAPI description of `/api` as it is kept."""
    return json.dumps(build_api().openapi(), indent=1, sort_keys=True) + "\n"


def generate(folder: Path) -> None:
    """Write the types into `folder`."""
    status = npm.main(["run", "--silent", "api", "--", "--output", str(folder), "--silent"])
    if status:
        raise SystemExit(status)


def are_current() -> bool:
    """Tell whether the types that are committed are those that the description gives."""
    with tempfile.TemporaryDirectory(prefix="sightline-types-") as folder:
        generate(Path(folder))
        return filecmp.cmp(Path(folder, TYPES.name), TYPES, shallow=False)


def main(arguments: list[str] | None = None) -> int:
    """Write description and types, or compare them."""
    parser = argparse.ArgumentParser(description="Make the web client's types from the OpenAPI description.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    if not parser.parse_args(arguments).check:
        DESCRIPTION.write_text(describe())
        generate(TYPES.parent)
        return 0
    if DESCRIPTION.read_text() != describe() or not are_current():
        print("The web client's types are not those of the API; run `make openapi`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
