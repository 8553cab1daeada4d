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
from tests.care.clinic import FIRST, SECOND, make_slice

SIDE, SLICES, MM = 40, 36, 4.0
PET_SIDE, PET_MM = 20, 8.0
SHIFT_MM = np.array([8.0, -8.0, 8.0])
"""How the patient lies now against then: what was at p lies at p + SHIFT now."""
HOT_MM = np.array([60.0, 92.0, 72.0])
SPREAD = np.array([16.0, 13.0, 12.0])


@pytest.fixture
def database(sqlite):
    """What is tested is the choice of series and the map; the statements are tested on both elsewhere."""
    return sqlite


def places(side, mm, shift):
    """Return where the voxels of a volume lay in the prior, LPS mm, (z, y, x, 3)."""
    z, y, x = np.indices((round(SLICES * MM / mm), side, side)) * mm
    return np.stack([x, y, z], -1) - shift


def trunk(shift):
    """Return HU of a trunk with lungs, spine, ribs and vessels: one place can be told from another."""
    p = places(SIDE, MM, shift)
    x, y, z = (p[..., k] for k in range(3))
    body = ((x - 80) / 70) ** 2 + ((y - 80) / 55) ** 2 < 1
    lungs = sum(
        ((x - c) / 24) ** 2 + ((y - 76) / 32) ** 2 + ((z - 80) / 66) ** 2 < 1 for c in (48, 112)
    ).astype(bool)
    bone = (np.hypot(x - 80, y - 122) < 11) & (np.sin(z / 5) > -0.6)
    shell = ((x - 80) / 66) ** 2 + ((y - 80) / 51) ** 2
    ribs = (shell > 0.85) & (shell < 1) & (np.sin((z + 0.3 * y) / 5) > 0.5)
    vessels = lungs & (np.sin(x / 5) * np.sin(y / 6) * np.sin(z / 7) > 0.4)
    hu = np.where(body, 40.0, -1000.0)
    hu = np.where(lungs, -850.0, hu)
    return np.where(vessels, 30.0, np.where(bone | ribs, 500.0, hu)) + np.random.default_rng(3).normal(
        0, 8, x.shape
    )


def uptake(shift):
    """Return Bq/ml of the trunk with one hot spot."""
    p = places(PET_SIDE, PET_MM, shift)
    away = (((p - HOT_MM) / SPREAD) ** 2).sum(-1)
    return 1000 + 20000 * np.exp(-away / 2)


def keep_series(store, values, study, number, mm, date, **told):
    series = f"{study}.{number}"
    made = [
        make_slice(
            n + 1, study, series, StudyDate=date, Rows=values.shape[1], Columns=values.shape[2],
            PixelSpacing=[mm, mm], SliceThickness=mm, ImagePositionPatient=[0, 0, mm * n],
            PixelData=np.rint(values[n]).astype("<i2").tobytes(), SeriesNumber=number,
            StudyDescription="PET/CT chest", **told,
        )
        for n in range(len(values))
    ]  # fmt: skip
    source = archive.Source("import", "test", access.operator("tester"))
    outcomes = archive.take_in(store, [archive.Incoming("a slice", data) for data in made], source)
    assert {outcome.status for outcome in outcomes} == {"stored"}


@pytest.fixture
def hybrids(store):
    """Two PET/CT studies of one patient, who lies elsewhere in the second."""
    for study, date, shift in (("1.1", FIRST, np.zeros(3)), ("1.2", SECOND, SHIFT_MM)):
        keep_series(store, trunk(shift), study, 1, MM, date)
        keep_series(
            store, uptake(shift), study, 2, PET_MM, date,
            SOPClassUID=PositronEmissionTomographyImageStorage, Modality="PT", Units="BQML",
            SeriesDescription="PET", RescaleType="BQML",
        )  # fmt: skip


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
    image = lesions.Image("1.2.2", f"1.2.2.{round((HOT_MM + SHIFT_MM)[2] / PET_MM) + 1}")

    drawn = lesions.paired_on_slice(on, "1.2", "1.1", image, by=radiologist)

    assert told.alignment.verdict in ("good", "care")
    assert told.alignment.method.startswith("carried by its frame of reference")
    assert "of the image within the aligned one" in [test["name"] for test in told.alignment.tests]
    assert found.map_points(HOT_MM + SHIFT_MM)[0] == pytest.approx(HOT_MM, abs=MM)
    hot = np.nan_to_num(drawn.values - 1000).clip(0) ** 2
    rows, columns = np.indices(hot.shape)
    centre = np.array([(columns * hot).sum(), (rows * hot).sum()]) / hot.sum() * PET_MM
    assert centre == pytest.approx((HOT_MM + SHIFT_MM)[:2], abs=PET_MM / 2)


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
