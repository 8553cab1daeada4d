"""What becomes of bytes over the years: proved, mended, copied, made quick to serve."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.record import archive, upkeep
from sightline.record.upkeep import _transcoding
from sightline.runtime.blobs import LocalBlobs
from sightline.trust import access, audit

OPERATOR = access.operator("tester")


@pytest.fixture
def cold(tmp_path):
    opened = LocalBlobs(tmp_path / "cold")
    yield opened
    opened.close()


@pytest.fixture
def keeping(store, tmp_path, cold):
    settings = upkeep.UpkeepSettings(cold_url=str(tmp_path / "cold"), transcode_modalities="CT, MR")
    return upkeep.Keeping(store, settings, cold)


@pytest.fixture
def slices(take, make_slice):
    take(*(make_slice(n) for n in range(1, 6)))
    return [f"1.2.3.1.{n}" for n in range(1, 6)]


def run(keeping, task):
    with keeping.store.database.transaction() as db:
        begun = upkeep.start_task(db, task, keeping.settings, by=OPERATOR)
    return upkeep.run_task(keeping, task, begun.number)


def harm(store, sop_uid):
    """Change one byte in the pixels, as a failing disk does."""
    with store.database.reading() as db:
        path = store.blobs.open_local_path(archive.get_instance(db, sop_uid).blob)
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.chmod(0o640)
    path.write_bytes(content)
    return path


def damages(store, **asked):
    with store.database.reading() as db:
        return upkeep.list_damages(db, by=OPERATOR, **asked)


def test_objects_that_are_as_they_were_are_found_so(keeping, slices):
    done = run(keeping, "scrub")

    assert (done.state, done.done, done.total, done.found) == ("done", 5, 5, 0)
    assert damages(keeping.store) == []


def test_a_changed_and_a_missing_object_are_named_where_there_is_no_second_copy(keeping, slices):
    keeping.cold = None
    harm(keeping.store, slices[1])
    harm(keeping.store, slices[3]).unlink()

    done = run(keeping, "scrub")

    assert (done.found, done.repaired) == (2, 0)
    assert {(d.sop_uid, d.kind) for d in damages(keeping.store)} == {
        (slices[1], "damaged"),
        (slices[3], "missing"),
    }
    with keeping.store.database.reading() as db:
        assert [e.facts["kind"] for e in audit.trail(db) if e.act == "upkeep.damage"] == [
            "missing",
            "damaged",
        ]


def test_harmed_objects_are_mended_from_the_second_copy(keeping, slices, make_slice):
    run(keeping, "cold-copy")
    harm(keeping.store, slices[1])
    harm(keeping.store, slices[3]).unlink()

    done = run(keeping, "scrub")

    assert (done.found, done.repaired) == (2, 2)
    assert damages(keeping.store) == []
    with keeping.store.database.reading() as db:
        assert archive.instance_bytes(keeping.store, db, slices[1]) == make_slice(2)
        assert archive.instance_bytes(keeping.store, db, slices[3]) == make_slice(4)
    assert run(keeping, "scrub").found == 0


def test_a_harmed_second_copy_mends_nothing(keeping, slices, cold):
    run(keeping, "cold-copy")
    path = harm(keeping.store, slices[0])
    with keeping.store.database.reading() as db:
        blob = archive.get_instance(db, slices[0]).blob
    other = cold.open_local_path(blob)
    other.chmod(0o640)
    other.write_bytes(other.read_bytes()[:-4])
    before = path.read_bytes()

    done = run(keeping, "scrub")

    assert (done.found, done.repaired) == (1, 0)
    assert path.read_bytes() == before


def test_every_object_gets_a_second_copy_once(keeping, slices, cold, make_slice):
    assert (run(keeping, "cold-copy").bytes > 0, len(list(cold.list("")))) == (True, 5)

    again = run(keeping, "cold-copy")

    assert (again.done, again.bytes) == (5, 0)
    with keeping.store.database.reading() as db:
        assert upkeep.copies_of(db, "1.2.3") == 5
        assert cold.get(archive.get_instance(db, slices[0]).blob) == make_slice(1)


def test_a_harmed_object_is_not_copied(keeping, slices, cold):
    harm(keeping.store, slices[2])

    done = run(keeping, "cold-copy")

    assert done.found == 1
    assert len(list(cold.list(""))) == 4


def test_the_served_copy_decodes_to_the_same_pixels_and_the_original_stays(keeping, slices, make_slice):
    import imagecodecs

    done = run(keeping, "transcode")

    assert (done.state, done.found) == ("done", 0)
    with keeping.store.database.reading() as db:
        copy = upkeep.served_frames(keeping.store, slices[0])
        (original,) = archive.read_frames(keeping.store, archive.get_frames(keeping.store, slices[0]), [1])
        assert archive.instance_bytes(keeping.store, db, slices[0]) == make_slice(1)
    assert copy.transfer_syntax == "1.2.840.10008.1.2.4.202"
    (encoded,) = archive.read_frames(keeping.store, copy, [1])
    assert imagecodecs.htj2k_decode(encoded).tobytes() == original


def test_the_served_copy_is_a_file_that_others_read(keeping, slices, tmp_path):
    from io import BytesIO

    from pydicom import dcmread

    run(keeping, "transcode")
    with keeping.store.database.reading() as db:
        copy = upkeep.served_frames(keeping.store, slices[2])
        held = archive.read_dataset(keeping.store, db, slices[2])

    ds = dcmread(BytesIO(keeping.store.blobs.get(copy.blob)))

    assert ds.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.202"
    assert np.array_equal(ds.pixel_array, held.pixel_array)


@pytest.mark.parametrize("kind", ["u1", "i1", "<u2", "<i2"])
def test_a_frame_of_every_type_comes_back_bit_by_bit(kind):
    import imagecodecs

    kind = np.dtype(kind)
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    frame = np.random.default_rng(1).integers(low, high, (37, 53), endpoint=True).astype(kind)

    encoded = _transcoding.encode_frame(frame.tobytes(), frame.shape, kind)

    assert np.array_equal(imagecodecs.htj2k_decode(encoded), frame)


def test_only_the_modalities_of_the_setting_get_a_served_copy(keeping, slices):
    keeping.settings = upkeep.UpkeepSettings(transcode_modalities="MR")

    run(keeping, "transcode")

    assert upkeep.served_frames(keeping.store, slices[0]) is None


def test_a_task_goes_on_where_a_killed_process_left_it(keeping, slices, monkeypatch):
    from sightline.record.upkeep import _service

    monkeypatch.setattr(_service, "PAGE", 2)
    checks = iter([None, None])

    def killed():
        if next(checks, "end") == "end":
            raise KeyboardInterrupt

    with keeping.store.database.transaction() as db:
        begun = upkeep.start_task(db, "scrub", keeping.settings, by=OPERATOR)
    with pytest.raises(KeyboardInterrupt):
        upkeep.run_task(replace(keeping, check=killed), "scrub", begun.number)
    with keeping.store.database.reading() as db:
        assert upkeep.list_tasks(db, by=OPERATOR)[0].done == 4

    done = upkeep.run_task(keeping, "scrub", begun.number)

    assert (done.state, done.done) == ("done", 5)


def test_a_stopped_task_stops_and_can_be_begun_again(keeping, slices, monkeypatch):
    from sightline.record.upkeep import _service

    monkeypatch.setattr(_service, "PAGE", 2)
    with keeping.store.database.transaction() as db:
        begun = upkeep.start_task(db, "scrub", keeping.settings, by=OPERATOR)

    def stop():
        with keeping.store.database.transaction() as db:
            upkeep.stop_task(db, "scrub", by=OPERATOR)

    assert upkeep.run_task(replace(keeping, check=stop), "scrub", begun.number).state == "stopped"
    assert run(keeping, "scrub").state == "done"


def test_a_task_is_not_begun_twice_and_not_by_everybody(keeping, slices):
    with keeping.store.database.transaction() as db:
        upkeep.start_task(db, "scrub", keeping.settings, by=OPERATOR)
    with keeping.store.database.transaction() as db, pytest.raises(upkeep.UpkeepUnderWay):
        upkeep.start_task(db, "scrub", keeping.settings, by=OPERATOR)
    reader = access.Person("r", "R", "r", frozenset({"radiologist"}), "*")
    with keeping.store.database.transaction() as db, pytest.raises(access.NotAllowed):
        upkeep.start_task(db, "transcode", keeping.settings, by=reader)


def test_a_task_without_its_setting_says_which(store):
    with store.database.transaction() as db, pytest.raises(upkeep.NotSetUp, match="COLD_URL"):
        upkeep.start_task(db, "cold-copy", upkeep.UpkeepSettings(), by=OPERATOR)
    with store.database.transaction() as db, pytest.raises(upkeep.NotSetUp, match="MODALITIES"):
        upkeep.start_task(db, "transcode", upkeep.UpkeepSettings(), by=OPERATOR)


def test_bytes_without_a_row_are_named(keeping, slices):
    keeping.store.blobs.put_if_absent(f"instances/20200101/07/{'0' * 64}.dcm", b"nobody's")

    assert run(keeping, "scrub").found == 1
    assert [d.kind for d in damages(keeping.store)] == ["orphan"]


def test_what_is_due_is_begun_by_itself_and_once(keeping, slices):
    keeper = upkeep.Keeper(keeping.store, keeping.settings)

    assert keeper.begin_due()
    assert not keeper.begin_due()


def test_a_study_that_has_settled_is_copied_at_once(keeping, slices, cold):
    upkeep.keep_study(keeping, "1.2.3")

    assert len(list(cold.list(""))) == 5
    assert upkeep.served_frames(keeping.store, slices[4]) is not None
