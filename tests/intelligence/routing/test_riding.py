"""PET over time goes by its CT: the CTs are aligned, what shares their frame of reference rides along."""

import numpy as np
import pytest
from pydicom.uid import PositronEmissionTomographyImageStorage

from sightline.care import display, lesions
from sightline.intelligence import routing
from sightline.intelligence.routing import _comparing as comparing
from sightline.intelligence.routing import _ondemand as ondemand
from sightline.intelligence.routing._following import find_pair
from sightline.intelligence.routing._pair import compared_pair
from sightline.record import archive
from sightline.science.alignment import Alignment
from sightline.science.geometry import Grid
from sightline.trust import access
from tests.care.clinic import FIRST, SECOND
from tests.care.hybrids import HOT_MM, MM, PET_MM, STEP_MM, hybrid

SHIFT_MM = (8.0, -8.0, 7.5)
"""How the patient lies now against then."""


@pytest.fixture
def database(sqlite):
    """What is tested is the choice of series and the map; the statements are tested on both elsewhere."""
    return sqlite


@pytest.fixture
def hybrids(store):
    """Two PET/CT studies of one patient, who lies elsewhere in the second."""
    source = archive.Source("import", "test", access.operator("tester"))
    for study, date, shift in (("1.1", FIRST, (0.0, 0.0, 0.0)), ("1.2", SECOND, SHIFT_MM)):
        images = [archive.Incoming("an image", data) for data in hybrid(study, date, shift)]
        assert {outcome.status for outcome in archive.take_in(store, images, source)} == {"stored"}


def receive_hybrid(receive, study, date, *, frame="", **of_pet):
    """Take in few CT slices and more PET slices, so that the PET would be chosen."""
    receive(study, date, series=f"{study}.1", slices=3)
    receive(
        study, date, series=f"{study}.2", slices=9, Modality="PT",
        SOPClassUID=PositronEmissionTomographyImageStorage,
        FrameOfReferenceUID=frame or f"{study}.9", **of_pet,
    )  # fmt: skip


def chosen(db):
    pair = find_pair(db, "1.2", "1.1")
    return pair.series_uid, pair.prior_series_uid, pair.riders


def test_where_both_hold_pet_with_its_ct_the_cts_are_aligned_and_the_pets_ride(receive, db):
    for study, date in (("1.1", FIRST), ("1.2", SECOND)):
        receive_hybrid(receive, study, date)

    assert chosen(db) == ("1.2.1", "1.1.1", ("1.2.2", "1.1.2"))


def test_a_pet_in_another_space_than_its_ct_does_not_ride(receive, db):
    receive_hybrid(receive, "1.1", FIRST)
    receive_hybrid(receive, "1.2", SECOND, frame="1.2.99")

    assert chosen(db)[2] is None


def test_the_pair_of_a_kept_comparison_is_the_same_again(receive, clinic, db):
    for study, date in (("1.1", FIRST), ("1.2", SECOND)):
        receive_hybrid(receive, study, date)
    comparison = clinic.compare("1.2", "1.1")

    assert compared_pair(db, comparison).key == find_pair(db, "1.2", "1.1").key


def test_pet_now_and_pet_then_show_the_same_place_by_the_alignment_of_their_cts(
    store, hybrids, reads, radiologist
):
    ondemand.keep_alignment(store, "1.2", "1.1")
    with store.database.reading() as db:
        told = ondemand.alignment_state(store, db, "1.2", "1.1", by=radiologist)
        pair = find_pair(db, "1.2", "1.1")
    assert told.alignment is not None
    found, _ = comparing.made_alignment(store, pair)
    on = display.open_context(store, display.DisplaySettings())
    lies = HOT_MM + SHIFT_MM
    image = lesions.Image("1.2.2", f"1.2.2.{round(lies[2] / STEP_MM) + 1}")

    drawn = lesions.paired_on_slice(on, "1.2", "1.1", image, by=radiologist)

    assert told.alignment.verdict in ("good", "care")
    assert told.alignment.method.startswith("carried by its frame of reference")
    assert "of the image within the aligned one" in [test["name"] for test in told.alignment.tests]
    assert found.map_points(lies)[0] == pytest.approx(HOT_MM, abs=MM)
    hot = np.nan_to_num(drawn.values - 1000).clip(0) ** 2
    rows, columns = np.indices(hot.shape)
    centre = np.array([(columns * hot).sum(), (rows * hot).sum()]) / hot.sum() * PET_MM
    assert centre == pytest.approx(lies[:2], abs=PET_MM / 2)


def test_what_shows_the_same_in_the_prior_is_of_the_same_modality_and_space(receive, db):
    for study, date in (("1.1", FIRST), ("1.2", SECOND)):
        receive_hybrid(receive, study, date)

    assert routing.same_in_prior(db, "1.1", "1.1.1", "PT") == "1.1.2"
    assert routing.same_in_prior(db, "1.1", "1.1.1", "CT") == "1.1.1"
    assert routing.same_in_prior(db, "1.1", "1.1.1", "MR") is None


def test_counts_are_not_laid_onto_activity(store, receive, reads, radiologist):
    receive_hybrid(receive, "1.1", FIRST, Units="CNTS", RescaleType="CNTS")
    receive_hybrid(receive, "1.2", SECOND, Units="BQML", RescaleType="BQML")
    with store.database.reading() as db:
        key = find_pair(db, "1.2", "1.1").key
    grid = Grid((3, 8, 8), (4.0, 4.0, 5.0), (0.0, 0.0, 5.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    still = np.zeros((*grid.shape_zyx, 3), np.float32)
    found = Alignment("good", "", (), grid, still, np.ones(grid.shape_zyx, np.float32), "made up")
    store.blobs.put_if_absent(f"{key}.npz", found.to_bytes())
    on = display.open_context(store, display.DisplaySettings())

    with pytest.raises(lesions.NotAligned, match="different units"):
        lesions.paired_on_slice(on, "1.2", "1.1", lesions.Image("1.2.2", "1.2.2.2"), by=radiologist)
