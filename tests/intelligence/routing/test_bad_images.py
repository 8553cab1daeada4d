"""Scans that can be aligned, and mislead: half of the chest, contrast medium, metal, another body part.

Simulated chests, whose truth is known by formula, as the archive holds them: each scan has a frame of
reference of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from sightline.app.demo import simulated
from sightline.intelligence.routing import _comparing as comparing
from sightline.intelligence.routing import _following as following
from sightline.intelligence.routing._answer import ChangeAnswer
from sightline.intelligence.routing.commands import commands
from sightline.record import archive
from sightline.science import simulation
from sightline.trust import access
from tests.proofs import LONG

NOW, PRIOR = simulated.uid("study", 2), simulated.uid("study", 1)
OURS = archive.Source("import", "test", access.operator("tester"))


@pytest.fixture
def database(sqlite):
    """What is said does not depend on the kind of database."""
    return sqlite


@pytest.fixture(scope="module")
def chests():
    """The first two visits at 2.8 x 2.8 x 4 mm: enough for alignment, an eighth of the work."""
    return {
        visit: simulation.simulate_chest(visit, spacing_xyz_mm=(2.8, 2.8, 4.0), shape_zyx=(60, 128, 128))
        for visit in (1, 2)
    }


def enhanced(array):
    """Blood and organs as after an injection: 100 HU more."""
    return np.where((array > 0) & (array < 150), array + 100, array).astype(np.int16)


def with_metal(array):
    """A pacemaker's worth of metal in the left chest wall, with streaks across its slices."""
    z, y, x = np.indices(array.shape)
    away = np.hypot(y - 40, x - 100)
    streaks = 300 * np.cos(24 * np.arctan2(y - 40, x - 100)) * np.exp(-away / 40)
    near = np.abs(z - 45) < 4
    metal = near & (away < 5)
    return np.where(metal, 3000, np.where(near, array + streaks, array)).astype(np.int16)


def legs(array):
    """Two legs: muscle with a bone in each."""
    _, y, x = np.indices(array.shape)
    made = np.full(array.shape, -1000, dtype=np.int16)
    for middle in (40, 88):
        away = np.hypot(y - 64, x - middle)
        made[away < 20] = 50
        made[away < 5] = 700
    return made


def same(array):
    return array


@dataclass(frozen=True)
class Case:
    """What is unusual about the study now and the prior; `from_slice`: the prior shows no more below it."""

    name: str
    now: Callable[[np.ndarray], np.ndarray] = same
    prior: Callable[[np.ndarray], np.ndarray] = same
    from_slice: int = 0


HALF = Case("half of the chest", from_slice=36)
CONTRAST = Case("contrast medium now and none then", now=enhanced)
METAL = Case("metal now and none then", now=with_metal)
LEGS = Case("legs", prior=legs)


@pytest.fixture
def change(store, chests, monkeypatch):
    """Return a function that sends a pair, points at every nodule of the study, and gives the answers."""
    for module in (comparing, following):  # aligned and followed here as in the child process of a server
        monkeypatch.setattr(module.processes, "run_capped", lambda work, args, **_: work(*args))

    def send(visit, alter, from_slice=0):
        scan = replace(chests[visit], array=alter(chests[visit].array))
        for z, ds in enumerate(simulated.build_series(scan, visit)):
            if z >= from_slice:
                file = BytesIO()
                ds.save_as(file, enforce_file_format=True)
                archive.take_in(store, [archive.Incoming("a slice", file.getvalue())], OURS)

    def change(case):
        send(1, case.prior, case.from_slice)
        send(2, case.now)
        nodules = chests[2].nodules
        at = [f"--at={','.join(f'{v:.1f}' for v in one.centre_lps_mm)}" for one in nodules]
        here = SimpleNamespace(store=store, operator=access.operator("tester"))
        told = CliRunner().invoke(commands, ["change", NOW, "--prior", PRIOR, *at, "--json"], obj=here)
        assert told.exit_code == 0
        answer = ChangeAnswer.model_validate_json(told.stdout)
        return answer.alignment, {one.name: said for one, said in zip(nodules, answer.lesions, strict=True)}

    return change


@pytest.mark.parametrize("case", [CONTRAST, pytest.param(METAL, marks=LONG)], ids=lambda case: case.name)
def test_what_shines_now_and_did_not_then_makes_no_lesion_new(case, change):
    alignment, lesions = change(case)

    assert alignment.verdict in {"good", "care"}
    assert {name: one.link for name, one in lesions.items()} == {"growing": "linked", "stable": "linked"}
    assert lesions["stable"].change in {"stable", "cannot-tell"}
    assert lesions["growing"].change in {"grown", "cannot-tell"}


def test_of_a_lesion_in_the_half_that_the_prior_does_not_show_nothing_is_claimed(change):
    """Whether or not the halves can be aligned."""
    alignment, lesions = change(HALF)

    (below,) = (one for name, one in lesions.items() if name == "stable")
    assert (below.link, below.change, below.percent) == ("not-covered", "cannot-tell", None)
    assert lesions["growing"].change not in {"new", "vanished"}
    assert alignment.verdict != "failed" or "the alignment failed" in below.reason


def test_another_part_of_the_body_is_refused_by_its_images(change):
    """Where no description tells: both say chest."""
    alignment, lesions = change(LEGS)

    assert alignment.verdict == "failed"
    assert alignment.reason.startswith("Not to be used: ")
    assert {one.change for one in lesions.values()} == {"cannot-tell"}
    assert all("the alignment failed" in one.reason for one in lesions.values())
