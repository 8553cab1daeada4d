"""An alignment leaves as a DICOM registration, and one from elsewhere maps points."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner

from sightline.care import reading
from sightline.intelligence import routing
from sightline.intelligence.routing import jobs as chain
from sightline.intelligence.routing._following import AlignmentRefused, find_pair
from sightline.intelligence.routing._registering import keep_registration, map_by, register
from sightline.intelligence.routing.commands import UnusablePoints, commands
from sightline.record import archive, derived, timeline
from sightline.science.alignment import Alignment
from sightline.science.geometry import Grid
from sightline.trust import access, audit
from sightline.wire import peers, transfers
from tests.care.clinic import FIRST, SECOND
from tests.dciodvfy import errors_of
from tests.orthanc import TITLE, orthanc

__all__ = ["orthanc"]

STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
VOXELS = Grid((4, 16, 16), (2.0, 2.0, 5.0), (0.0, 0.0, 5.0), STRAIGHT)
COARSE = VOXELS.resampled((4.0, 4.0, 4.0))


@pytest.fixture
def aligned(store, receive):
    """Return a function that keeps an alignment of two studies, shifted by 1 mm along x, as a job would."""
    receive("1.1", FIRST)
    receive("1.2", SECOND)

    return lambda verdict="good", matrix=None: keep_aligned(store, verdict, matrix)


def keep_aligned(store, verdict="good", matrix=None):
    field = np.zeros((*COARSE.shape_zyx, 3), np.float32)
    field[..., 0] = 1.0
    error = np.ones(COARSE.shape_zyx, np.float32)
    found = Alignment(verdict, "all is told", (), COARSE, field, error, "a test", matrix)
    with store.database.reading() as db:
        pair = find_pair(db, "1.2")
    grid = {name: getattr(VOXELS, name) for name in VOXELS.__slots__}
    about = {"current": grid, "prior": grid, "thickness_mm": 5.0, "modality": "CT", "differs": []}
    store.blobs.put_if_absent(f"{pair.key}.json", json.dumps(about).encode())
    store.blobs.put_if_absent(f"{pair.key}.npz", found.to_bytes())


def test_an_alignment_leaves_as_an_object_that_a_validator_takes(store, aligned, radiologist, tmp_path):
    aligned()

    content, _ = register(store, "1.2", "1.1", by=radiologist)

    ds = pydicom.dcmread(io.BytesIO(content))
    assert ds.SOPClassUID.name == "Deformable Spatial Registration Storage"
    assert (ds.StudyInstanceUID, ds.FrameOfReferenceUID) == ("1.2", "1.2.9")
    assert errors_of(content, tmp_path) == []


def test_points_go_by_a_registration_from_elsewhere(store, aligned, radiologist):
    shift = np.eye(4)
    shift[:3, 3] = (1.0, 0.0, 0.0)
    aligned(matrix=shift)
    content, _ = register(store, "1.2", "1.1", by=radiologist)

    assert map_by(store, "1.2", "1.1", [(4.0, 5.0, 6.0)], content, by=radiologist) == [
        (pytest.approx(5.0, abs=1e-6), pytest.approx(5.0), pytest.approx(6.0))
    ]


def test_a_point_that_the_registration_leaves_undefined_is_refused(store, aligned, radiologist):
    aligned()
    content, _ = register(store, "1.2", "1.1", by=radiologist)

    with pytest.raises(AlignmentRefused, match="point 1"):
        map_by(store, "1.2", "1.1", [(900.0, 0.0, 0.0)], content, by=radiologist)


def test_a_failed_alignment_makes_no_object(store, aligned, radiologist):
    aligned("failed")

    with pytest.raises(AlignmentRefused, match="failed: all is told"):
        register(store, "1.2", "1.1", by=radiologist)


def test_a_file_that_is_no_registration_maps_nothing(store, aligned, radiologist):
    with pytest.raises(derived.UnusableRegistration, match="cannot be read"):
        map_by(store, "1.2", "1.1", [(0.0, 0.0, 0.0)], b"not DICOM", by=radiologist)


@pytest.fixture
def run(store, radiologist):
    here = SimpleNamespace(store=store, operator=radiologist)
    return lambda *arguments: CliRunner().invoke(commands, ["align", "1.2", "1.1", *arguments], obj=here)


def test_the_command_writes_an_object_and_maps_by_it(run, aligned, tmp_path):
    aligned()
    file, points = tmp_path / "out.dcm", tmp_path / "points.csv"
    points.write_text("x,y,z\n4,5,10\n")

    written = run("--registration", str(file))
    mapped = run("--points", str(points), "--by", str(file))

    assert (written.exit_code, written.stdout) == (0, "")
    assert pydicom.dcmread(file).Modality == "REG"
    assert mapped.stdout == "5.000,5.000,10.000\n"
    assert "not tested" in mapped.stderr


@pytest.mark.parametrize("arguments", [[], ["--by", "x.dcm"], ["--by", "x.dcm", "--registration", "y.dcm"]])
def test_the_command_says_what_it_needs(run, aligned, arguments):
    answer = run(*arguments)

    assert isinstance(answer.exception, UnusablePoints)


def compare(store, database):
    with database.transaction() as db:
        for study in ("1.1", "1.2"):
            routing.request_analysis(db, study, by=access.SYSTEM)
    chain._compare(store, "1.2")


def registrations(store):
    with store.database.reading() as db:
        return [s for s in archive.series_of_study(db, "1.2") if s.modality == "REG"]


def test_the_job_keeps_the_alignment_in_the_study_once_and_nothing_takes_it_for_images(
    store, database, aligned, radiologist, reads, tmp_path
):
    aligned("care")
    with database.transaction() as db:
        archive.settle_now(db, ["1.1", "1.2"])
    compare(store, database)
    for _ in range(2):
        keep_registration(store, "1.2")
        compare(store, database)

    [series] = registrations(store)
    assert (series.instance_count, series.frame_count) == (1, 0)
    with database.reading() as db:
        [uid] = archive.sop_uids_of(db, series.uid)
        content = archive.instance_bytes(store, db, uid)
        acts = [entry.act for entry in audit.trail(db, on="1.2")]
        opened = reading.open_study(db, "1.2", by=radiologist)
        assert [s.uid for s in routing.find_image_series(db, "1.2")] == ["1.2.1"]
        assert archive.count_unsettled(db) == 0
        assert archive.list_conflicts(store, db, by=access.operator("t")).items == ()
        out = tmp_path / "out"
        out.mkdir()
        archive.export_series(store, db, series.uid, out)
    assert acts.count("registration.store") == 1
    assert [s.modality for s in opened.series] == ["CT"]
    ds = pydicom.dcmread(io.BytesIO(content))
    assert ds.ContentDescription == "care: all is told"
    assert errors_of(content, tmp_path) == []
    assert [path.read_bytes() for path in out.iterdir()] == [content]


def test_a_failed_alignment_leaves_nothing_in_the_study(store, database, aligned):
    aligned("failed")
    compare(store, database)
    keep_registration(store, "1.2")

    assert registrations(store) == []


def test_a_prior_that_is_gone_meanwhile_leaves_nothing(store, database, aligned):
    aligned()
    compare(store, database)
    with database.transaction() as db:
        archive.trash_study(db, "1.1", reason="a test", by=access.operator("t"), trash_days=1)
    keep_registration(store, "1.2")

    assert registrations(store) == []


def test_one_that_a_person_has_rejected_does_not_come_back(store, database, aligned, radiologist):
    aligned()
    compare(store, database)
    keep_registration(store, "1.2")
    [series] = registrations(store)
    archive.reject(store, "1.2", "113001", note="", series_uids=[series.uid], by=access.operator("t"))
    keep_registration(store, "1.2")

    assert registrations(store) == []


def test_images_that_name_no_frame_of_reference_leave_nothing_and_the_comparison_stays(
    store, database, receive
):
    receive("1.1", FIRST, FrameOfReferenceUID="")
    receive("1.2", SECOND, FrameOfReferenceUID="")
    keep_aligned(store)
    compare(store, database)
    keep_registration(store, "1.2")

    assert registrations(store) == []
    with database.reading() as reading_db:
        assert timeline.comparison_of(reading_db, "1.2") is not None


def test_a_registration_that_is_kept_goes_to_another_archive_by_c_store(store, database, aligned, orthanc):
    aligned()
    with store.database.reading() as db:
        images = len(archive.sop_uids_of(db, find_pair(db, "1.2").series_uid))
    compare(store, database)
    keep_registration(store, "1.2")
    tester = access.operator("tester")
    with store.database.transaction() as db:
        peers.put_peer(db, peers.Peer(TITLE, "127.0.0.1", orthanc.dicom_port), by=tester)
        [asked] = transfers.start_transfers(db, "send", TITLE, ["1.2"], by=tester)

    ended = transfers.run_transfer(store, asked.id, transfers.TransferSettings(attempts=2, retry_s=0.01))

    assert (ended.state, ended.done, ended.failed) == ("done", images + 1, 0)
    there = [orthanc.call(f"/series/{one}")["MainDicomTags"]["Modality"] for one in orthanc.call("/series")]
    assert sorted(there) == ["CT", "REG"]
