"""Two studies of one patient with balls in them, made up so that every size is known."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from sightline.care import display
from sightline.record import archive
from sightline.trust import access
from tests.care.clinic import FIRST, SECOND, make_slice

STUDY, PRIOR = "1.2", "1.1"
CT, CT_BEFORE = "1.2.1", "1.1.1"
SIDE, STEP_MM = 48, 1.5
Ball = tuple[float, float, float, float]  # x, y, z (LPS) and radius, mm


@pytest.fixture
def database(sqlite):
    """One kind of database: the statements are tested on both where they are kept."""
    return sqlite


@pytest.fixture
def on(store) -> display.Context:
    return display.open_context(store, display.DisplaySettings())


@pytest.fixture
def scan(store) -> Callable[..., str]:
    """Take in a CT of voxels of 1.5 mm: balls in something even, with a little noise."""
    source = archive.Source("import", "test", access.operator("tester"))

    def scan(
        study: str = STUDY, balls: Sequence[Ball] = (), *, inside: float = 60, around: float = -20, **told
    ) -> str:
        z, y, x = np.indices((SIDE, SIDE, SIDE)) * STEP_MM
        values = np.full(z.shape, around) + np.random.default_rng(7).normal(0, 4, z.shape)
        for cx, cy, cz, radius in balls:
            away = np.sqrt((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2)
            values += (inside - around) * np.clip((radius - away) / STEP_MM + 0.5, 0, 1)
        told = {"StudyDate": SECOND if study == STUDY else FIRST, **told}
        made = [
            make_slice(
                n + 1, study, f"{study}.1", Rows=SIDE, Columns=SIDE, PixelSpacing=[STEP_MM, STEP_MM],
                SliceThickness=STEP_MM, ImagePositionPatient=[0, 0, STEP_MM * n],
                PixelData=np.rint(values[n]).astype("<i2").tobytes(), **told,
            )
            for n in range(SIDE)
        ]  # fmt: skip
        outcomes = archive.take_in(store, [archive.Incoming("a slice", data) for data in made], source)
        assert {outcome.status for outcome in outcomes} == {"stored"}
        return study

    return scan
