"""One server and one browser for all pictures of a run."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sightline.app.http import STATIC
from tests.pictures import files
from tests.pictures.looking import Looker, looking

SEED = 20240131
OF_EACH = 6
# Each shows another way from bytes to grey or colour; these are in every run, and need no shared data.
ALWAYS = (
    "CT_small.dcm", "MR_small_jp2klossless.dcm", "examples_palette.dcm", "examples_rgb_color.dcm",
    "examples_overlay.dcm", "SC_rgb_small_odd.dcm", "emri_small_RLE.dcm", "no_pixel_data.dcm",
)  # fmt: skip


def sample() -> list[files.Held]:
    """Return the objects that are looked at in every run; the others are for `bench/viewer/pictures.py`."""
    chance = random.Random(SEED)
    bundled = files.bundled()
    chosen = [p for p in bundled if p.name in ALWAYS]
    chosen += chance.sample([p for p in bundled if p.name not in ALWAYS], OF_EACH)
    if (data := files.shared_folder()) is not None:
        chosen += chance.sample(files.shared(data), OF_EACH)
    return [held for path in chosen if (held := files.as_own_study(path))]


@pytest.fixture(scope="module")
def looker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looker]:
    """A page in front of a Sightline that holds the sample."""
    if not (STATIC / "index.html").is_file():
        pytest.skip("the web app is not built: run make setup")
    if shutil.which("chromium") is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with looking(tmp_path_factory.mktemp("pictures"), sample()) as found:
        yield found


@pytest.fixture
def differences(tmp_path: Path) -> Path:
    """Where the pictures of a failed comparison are left."""
    return tmp_path
