"""What the viewer shows of files that others made is what the standard wants, pixel by pixel."""

from pathlib import Path

import pytest

from tests.pictures.conftest import sample
from tests.pictures.files import Held
from tests.pictures.judging import KNOWN, judge
from tests.pictures.looking import Looker

pytestmark = pytest.mark.journey

OBJECTS = [
    pytest.param(
        held,
        id=held.name,
        marks=[pytest.mark.xfail(strict=True, reason=KNOWN[held.name])] if held.name in KNOWN else [],
    )
    for held in sample()
]


@pytest.mark.parametrize("held", OBJECTS)
def test_it_shows_what_the_standard_wants_or_says_why_not(
    looker: Looker, held: Held, differences: Path
) -> None:
    verdict = judge(looker, held)

    if verdict.difference:
        verdict.difference.save(differences / "shown-wanted-difference.png")
    assert verdict.right, f"{verdict}; see {differences}"
