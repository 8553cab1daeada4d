"""A map of change on demand: made once, kept as DICOM in the study, or refused with the reason."""

import json
from dataclasses import asdict

import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread
from scipy import ndimage

from sightline.intelligence.routing import _mapping as mapping
from sightline.intelligence.routing._comparing import Pair
from sightline.intelligence.routing._service import find_image_series, main_series
from sightline.kernel import clock
from sightline.record import archive, timeline
from sightline.runtime import jobs
from sightline.science import alignment as aligning
from sightline.science.geometry import Grid
from sightline.trust import access, audit
from tests.care.clinic import FIRST, SECOND, make_slice

SIDE, SLICES, MM = 48, 20, 3.0
GRID = Grid((SLICES, SIDE, SIDE), (MM, MM, MM), (0.0, 0.0, MM), (1, 0, 0, 0, 1, 0, 0, 0, 1))
LESION_ZYX = (10, 20, 26)


def values(seed, *, lesion):
    """Return HU of a cylinder in air with noise of 10 HU, and a lesion of 80 HU and 12 mm or none."""
    rng = np.random.default_rng(seed)
    z, y, x = np.indices(GRID.shape_zyx) * MM
    hu = np.where(np.hypot(y - 70, x - 70) < 60, 40.0, -1000.0)
    hu = hu + 10 * ndimage.gaussian_filter(rng.normal(size=hu.shape), 0.5) / 0.35
    if lesion:
        centre = np.array(LESION_ZYX) * MM
        hu = hu + 80 * np.clip(
            0.5 - (np.linalg.norm(np.stack([z, y, x], -1) - centre, axis=-1) - 6) / MM, 0, 1
        )
    return np.round(hu).astype("<i2")


def keep(store, study, date, seed, *, lesion=False, **overrides):
    stack = values(seed, lesion=lesion)
    made = [
        make_slice(
            n + 1, study, f"{study}.1", StudyDate=date, Rows=SIDE, Columns=SIDE, PixelSpacing=[MM, MM],
            SliceThickness=MM, ImagePositionPatient=[0, 0, MM * (n + 1)], PixelData=stack[n].tobytes(),
            **overrides,
        )
        for n in range(SLICES)
    ]  # fmt: skip
    source = archive.Source("import", "test", access.operator("tester"))
    archive.take_in(store, [archive.Incoming("a slice", data) for data in made], source)


def compared(store, *, verdict="good"):
    """Keep a comparison of the two studies, and an alignment in which nobody moved."""
    coarse = GRID.resampled((12.0, 12.0, 12.0))
    still = aligning.Alignment(
        verdict, "as made up", (), coarse, np.zeros((*coarse.shape_zyx, 3), np.float32),
        np.ones(coarse.shape_zyx, np.float32), "made up",
    )  # fmt: skip
    with store.database.transaction() as db:
        patient = archive.get_study(db, "1.2").patient
        summary = timeline.AlignmentSummary(verdict, "as made up", (), "made up", "x", None)
        comparison = timeline.Comparison(
            "c1", "1.2", "1.1", patient, "1.2.1", "1.1.1", "same region", 182, summary, (), clock.now()
        )
        timeline.record_comparison(db, comparison, by=access.SYSTEM)
        pair: Pair = mapping._pair(db, comparison)
    about = {
        "current": asdict(GRID),
        "prior": asdict(GRID),
        "thickness_mm": MM,
        "modality": "CT",
        "differs": [],
    }
    store.blobs.put_if_absent(f"{pair.key}.json", json.dumps(about).encode())
    store.blobs.put_if_absent(f"{pair.key}.npz", still.to_bytes())


@pytest.fixture
def two_scans(store):
    keep(store, "1.1", FIRST, 1)
    keep(store, "1.2", SECOND, 2, lesion=True)
    compared(store)


def state(store, person):
    with store.database.reading() as db:
        return mapping.map_state(store, db, "1.2", by=person)


def test_a_map_is_kept_in_the_study_and_refers_to_both_scans(store, two_scans, radiologist):
    mapping.make_map(store, "1.2", "2026-01-02T03:04:05+00:00")
    told = state(store, radiologist)

    assert (told.status, told.text) == ("done", "places beyond noise: 1 increased")
    assert [(o.kind, o.label) for o in told.objects] == [
        ("PM", "Change, z score"), ("PM", "Growth, log of volume now to then"),
        ("SEG", "Change, significant clusters"),
    ]  # fmt: skip
    with store.database.reading() as db:
        kept = [archive.read_dataset(store, db, o.sop_uid) for o in told.objects]
    for ds in kept:
        assert (ds.StudyInstanceUID, ds.FrameOfReferenceUID, ds.PatientID) == ("1.2", "1.2.9", "4711")
        [series] = ds.ReferencedSeriesSequence
        assert series.SeriesInstanceUID == "1.2.1"
        [other] = ds.StudiesContainingOtherReferencedInstancesSequence
        assert other.StudyInstanceUID == "1.1"
        assert len(other.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == SLICES
    _lies_at_the_lesion(kept[0], kept[2])
    assert [o.content for o in told.objects] == ["CHANGE_Z", "GROWTH_LOGJAC", "CHANGE"]
    with store.database.reading() as db:
        assert [s.uid for s in find_image_series(db, "1.2")] == ["1.2.1"], "maps are no images to analyse"
        assert main_series(db, "1.2") == "1.2.1"


def _lies_at_the_lesion(z, seg):
    volume = hd.pm.ParametricMap.from_dataset(z).get_volume()
    peak = np.unravel_index(np.nanargmax(volume.array), volume.array.shape)
    lesion = GRID.to_lps_mm(LESION_ZYX)[0]
    mask = hd.seg.Segmentation.from_dataset(seg).get_volume(segment_numbers=[1], combine_segments=True)
    centre = mask.map_indices_to_reference(np.argwhere(mask.array > 0)).mean(axis=0)

    assert np.linalg.norm(volume.map_indices_to_reference(np.array([peak]))[0] - lesion) < 5
    assert np.linalg.norm(centre - lesion) < 3
    assert [s.SegmentLabel for s in seg.SegmentSequence] == ["Increase"]
    assert seg.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeValue == "35105006"


def test_each_place_is_told_with_volume_difference_interval_and_q(store, two_scans, log_in):
    mapping.make_map(store, "1.2", "2026-01-02T03:04:05+00:00")
    told = log_in("radiologist").get("/api/studies/1.2/change-map").json()

    assert (told["series_uid"], told["since"], told["increases"]) == ("1.2.1", None, 1)
    [place] = told["clusters"]
    assert place["sign"] == "increase"
    assert np.linalg.norm(place["centre_lps_mm"] - GRID.to_lps_mm(LESION_ZYX)[0]) < 3
    assert (place["volume"]["unit"], place["difference"]["unit"]) == ("mm3", "[hnsf'U]")
    assert place["difference"]["low"] < place["difference"]["value"] < place["difference"]["high"]
    assert place["peak_z"] > 3
    assert 0 <= place["q"] <= 0.05
    assert all(told[name] for name in ("method", "source"))
    assert place["volume"]["method"] == "voxels beyond |z| 3"


def test_a_map_waits_then_is_being_made_then_says_what_came_of_it(store, two_scans, radiologist, monkeypatch):
    seen = [mapping.request_map(store, "1.2", by=radiologist)]
    run = mapping._run

    def watched(*given):
        seen.append(state(store, radiologist))
        return run(*given)

    monkeypatch.setattr(mapping, "_run", watched)
    mapping.make_map(store, "1.2", seen[0].since)
    seen.append(state(store, radiologist))

    assert [one.status for one in seen] == ["waiting", "making", "done"]
    assert "about a minute" in seen[1].text
    assert seen[1].since >= seen[0].since


def test_two_scans_without_change_make_maps_and_no_segmentation(store, radiologist):
    keep(store, "1.1", FIRST, 1)
    keep(store, "1.2", SECOND, 2)
    compared(store)
    mapping.make_map(store, "1.2", "2026-01-02T03:04:05+00:00")
    told = state(store, radiologist)

    assert told.text == "nothing changed beyond noise"
    assert {o.kind for o in told.objects} == {"PM"}
    assert told.clusters == ()


@pytest.mark.parametrize(
    ("verdict", "overrides", "why"),
    [
        ("failed", {}, "could not be aligned"),
        ("good", {"ContrastBolusAgent": "Iohexol"}, "Contrast differs: given now, none then"),
    ],
)
def test_scans_that_cannot_be_compared_are_refused_once_and_nothing_is_kept(
    store, radiologist, verdict, overrides, why
):
    keep(store, "1.1", FIRST, 1)
    keep(store, "1.2", SECOND, 2, **overrides)
    compared(store, verdict=verdict)
    mapping.make_map(store, "1.2", "2026-01-02T03:04:05+00:00")
    told = state(store, radiologist)

    assert told.status == "refused"
    assert why in told.text
    assert told.objects == ()
    with store.database.reading() as db:
        assert len(archive.series_of_study(db, "1.2")) == 1


def test_asking_twice_waits_for_one_job_and_is_audited(store, two_scans, log_in):
    reader = log_in("radiologist")
    answers = [reader.post("/api/studies/1.2/change-map") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert [answer.json()["status"] for answer in answers] == ["waiting", "waiting"]
    assert jobs.open_queue(store.database).counts()["waiting"] == 1
    assert reader.get("/api/studies/1.2/change-map").json()["status"] == "waiting"
    with store.database.reading() as db:
        assert "change-map.request" in [entry.act for entry in audit.trail(db, on="1.2")]


def test_a_map_that_failed_is_made_again_when_asked(store, two_scans, radiologist):
    with store.database.reading() as db:
        held = mapping._comparison(db, "1.2")
    mapping._keep(store, held, mapping.MapState("failed", "a child process crashed", "1.1"))

    assert state(store, radiologist).status == "failed"
    assert mapping.request_map(store, "1.2", by=radiologist).status == "waiting"
    assert jobs.open_queue(store.database).counts()["waiting"] == 1


def test_without_a_comparison_there_is_nothing_to_map(store, log_in):
    keep(store, "1.2", SECOND, 2)
    refused = log_in("radiologist").post("/api/studies/1.2/change-map")

    assert refused.status_code == 404
    assert "not compared with a prior" in refused.json()["detail"]


def test_the_objects_are_written_into_a_folder_and_nothing_is_stored(store, two_scans, radiologist, tmp_path):
    told, written = mapping.write_maps(store, "1.2", tmp_path / "out", by=radiologist)

    assert told.increases == 1
    assert [path.name for path in written] == ["0-change_z.dcm", "1-growth_logjac.dcm", "2-change.dcm"]
    assert dcmread(written[2]).Modality == "SEG"
    with store.database.reading() as db:
        assert len(archive.series_of_study(db, "1.2")) == 1
