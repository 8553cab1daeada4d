"""Every picture against numpy: `PYTHONPATH=. python bench/viewer/pictures.py [--all] [NAME …]`.

Each file of the shared data that was chosen for how it is displayed, and each that comes with pydicom, is
opened in the viewer, and its middle frame compared pixel by pixel with what the standard wants; what has no
picture has to say why. Only what is wrong is listed, or everything with `--all`; pictures of what differs
(shown, wanted, four times the difference) are left in a folder. Status 1 when something is wrong that is not
known to be, or the other way round.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from sightline.app.http import STATIC
from tests.pictures import files
from tests.pictures.judging import KNOWN, judge
from tests.pictures.looking import looking, refusals


def main() -> int:
    """Look at all and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only files whose name contains one of these")
    parser.add_argument("--all", action="store_true", help="list what is right, too")
    parser.add_argument("--keep", type=Path, default=None, help="where the pictures of differences are left")
    args = parser.parse_args()
    if shutil.which("chromium") is None or not (STATIC / "index.html").is_file():
        print("Skipped: needs chromium and the built web app (make setup).")
        return 0
    data = files.shared_folder()
    paths = [*files.bundled(), *(files.shared(data) if data else [])]
    objects = [held for path in paths if (held := files.as_own_study(path))]
    objects = [held for held in objects if not args.names or any(name in held.name for name in args.names)]
    kept = args.keep or Path(tempfile.mkdtemp(prefix="sightline-pictures-"))
    with tempfile.TemporaryDirectory(prefix="sightline-looked-") as folder:
        return look_at_all(objects, Path(folder), kept, everything=args.all)


def look_at_all(objects: list[files.Held], folder: Path, kept: Path, *, everything: bool) -> int:
    """Judge each object that was taken in; return 1 when one is wrong that should not be."""
    wrong = unknown = looked = 0
    with looking(folder, objects) as looker:
        refused = {one["name"]: one["reason"] for one in refusals(folder)["refused"]}
        for number, held in enumerate(objects):
            if reason := refused.get(f"{number:04d}.dcm"):
                if everything:
                    print(f"refused  {held.name}: {reason}")
                continue
            verdict = judge(looker, held)
            looked += 1
            wrong += not verdict.right
            unknown += verdict.right == (held.name in KNOWN)
            if verdict.right and not everything:
                continue
            print(f"{'right' if verdict.right else 'WRONG':<8} {held.name}: {verdict}", flush=True)
            if verdict.difference and not verdict.right:
                verdict.difference.save(kept / f"{held.path.name}.png")
    print(f"{looked} looked at, {looked - wrong} right, {wrong} wrong; {len(refused)} refused at the door")
    print(f"{unknown} otherwise than known; differences in {kept}")
    return int(unknown > 0)


if __name__ == "__main__":
    sys.exit(main())
