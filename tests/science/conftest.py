"""Simulated visits shared by the science tests; made once, because each takes seconds."""

import os
from pathlib import Path

import pytest

from sightline.science import simulation, volumes


@pytest.fixture(scope="session")
def data_folder():
    folder = Path(os.environ.get("SIGHTLINE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not folder.exists():
        pytest.skip("the shared test data is not here; set SIGHTLINE_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def real_ct(data_folder):
    folder = data_folder / "ct" / "crlm-ct-1004-abdomen" / "image"
    if not folder.exists():
        pytest.skip("the real CT is not in the shared test data")
    return volumes.read_volume(sorted(folder.glob("*.dcm")))


@pytest.fixture(scope="session")
def visits():
    return {visit: simulation.simulate_chest(visit) for visit in (1, 3)}


@pytest.fixture(scope="session")
def coarse_visits():
    """Return visits 1 and 2 at 2.8 x 2.8 x 4 mm: enough for alignment, an eighth of the work."""
    return {
        visit: simulation.simulate_chest(visit, spacing_xyz_mm=(2.8, 2.8, 4.0), shape_zyx=(60, 128, 128))
        for visit in (1, 2)
    }


def as_volume(scan):
    return volumes.Volume(scan.array, scan.grid)
