"""The aligned prior on a slice of the study."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from sightline.care import lesions
from sightline.care.lesions import paired_on_slice, prior_on_slice
from sightline.intelligence import routing
from sightline.intelligence.routing._following import find_pair
from sightline.record import archive
from sightline.science.alignment import Alignment
from sightline.science.geometry import Grid
from sightline.trust import access
from tests.care.lesions.conftest import CT, PRIOR, SIDE, STEP_MM, STUDY

pytestmark = pytest.mark.usefixtures("reads")

SHIFT = np.array([6.0, 0.0, 0.0], np.float32)
GRID = Grid((12, 12, 12), (6.0, 6.0, 6.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


@pytest.fixture
def compared(scan, clinic, store, db):
    """A ball that lies 6 mm further left now, and an alignment that knows."""
    scan(PRIOR, [(42.0, 36.0, 36.0, 9.0)])
    scan(STUDY, [(36.0, 36.0, 36.0, 9.0)])
    field = np.broadcast_to(SHIFT, (*GRID.shape_zyx, 3)).astype(np.float32)
    found = Alignment("good", "", (), GRID, field, np.ones(GRID.shape_zyx, np.float32), "made up")
    store.blobs.put_if_absent("alignments/x.npz", found.to_bytes())
    comparison = clinic.compare(STUDY, PRIOR)
    db.commit()
    return comparison


def test_the_prior_lies_where_alignment_puts_it(compared, on, radiologist):
    slice_at = round(36 / STEP_MM)

    found = prior_on_slice(on, compared.id, CT, f"{CT}.{slice_at + 1}", 1, by=radiologist)

    assert found.values.shape == (SIDE, SIDE)
    y, x = np.nonzero(np.nan_to_num(found.values, nan=-100) > 20)
    assert np.array([x.mean(), y.mean()]) * STEP_MM == pytest.approx([36, 36], abs=0.5)
    assert np.isnan(found.values[:, -1]).all()  # 6 mm beyond what the prior shows


def test_any_earlier_study_is_laid_on_a_slice_once_it_is_aligned(compared, store, on, radiologist, log_in):
    wanted = lesions.Image(CT, f"{CT}.{round(36 / STEP_MM) + 1}")
    with pytest.raises(lesions.NotAligned, match="not asked for"):
        paired_on_slice(on, STUDY, PRIOR, wanted, by=radiologist)
    with store.database.reading() as reading:
        told = routing.alignment_state(store, reading, STUDY, PRIOR, by=radiologist)
    assert told.status == "none"
    with store.database.reading() as reading:
        key = find_pair(reading, STUDY, PRIOR).key
    about = asdict(GRID)
    both = {"current": about, "prior": about, "thickness_mm": STEP_MM, "modality": "CT", "differs": []}
    store.blobs.put_if_absent(f"{key}.json", json.dumps(both).encode())
    store.blobs.put_if_absent(f"{key}.npz", store.blobs.get("alignments/x.npz"))

    found = paired_on_slice(on, STUDY, PRIOR, wanted, by=radiologist)
    answer = log_in("radiologist").get(
        f"/api/studies/{STUDY}/priors/{PRIOR}/slice", params={"series": CT, "image": wanted.sop_uid}
    )

    same = prior_on_slice(on, compared.id, CT, wanted.sop_uid, 1, by=radiologist)
    assert found.values == pytest.approx(same.values, nan_ok=True)
    assert answer.headers["sightline-shape"] == f"{SIDE},{SIDE}"


def test_a_failed_alignment_is_refused_with_its_reason(compared, clinic, db, on, radiologist):
    failed = clinic.compare(STUDY, PRIOR, verdict="failed")
    db.commit()

    with pytest.raises(lesions.NotAligned, match=r"not aligned: all tests passed .*side by side"):
        prior_on_slice(on, failed.id, CT, f"{CT}.1", 1, by=radiologist)


def test_over_http_what_is_not_there_is_not_found_and_nonsense_refused(compared, log_in):
    reader = log_in("radiologist")
    address, wanted = "/api/comparisons/nothing/prior", {"series": CT, "image": f"{CT}.20"}

    assert reader.get(address, params=wanted).status_code == 404
    assert log_in().get(address, params=wanted).status_code == 401
    assert reader.get(address, params={**wanted, "image": "a"}).status_code == 422


def test_who_may_not_read_and_what_the_series_does_not_hold(compared, receive, on, radiologist):
    nobody = access.Person("p9", "No One", "noone", frozenset({"administrator"}), "main")

    with pytest.raises(access.NotAllowed):
        prior_on_slice(on, compared.id, CT, f"{CT}.1", 1, by=nobody)
    with pytest.raises(archive.InstanceNotHeld):
        prior_on_slice(on, compared.id, CT, "9.9", 1, by=radiologist)
    receive("1.9", series="1.9.1")
    with pytest.raises(archive.SeriesNotHeld):
        prior_on_slice(on, compared.id, "1.9.1", "1.9.1.1", 1, by=radiologist)
