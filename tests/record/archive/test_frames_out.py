"""Frames and long values given out: one row, then ranges of the bytes, on both kinds of database."""

import io
import threading

import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from sightline.record import archive
from sightline.runtime.blobs import open_blobs

UID = "1.2.3.1.1"


def compressed(content, fragments):
    ds = pydicom.dcmread(io.BytesIO(content))
    ds.file_meta.TransferSyntaxUID = RLELossless
    ds.PixelData = encapsulate([bytes(range(200))], fragments_per_frame=fragments)
    ds["PixelData"].VR = "OB"
    buffer = io.BytesIO()
    ds.save_as(buffer)
    return buffer.getvalue()


def test_a_frame_is_found_where_its_instance_is_held_and_nowhere_else(store, take, make_slice):
    take(make_slice(1))

    held = archive.get_frames(store, UID, study="1.2.3", series="1.2.3.1")

    assert (held.frames, held.rows, held.columns, held.is_native) == (1, 16, 16, True)
    for elsewhere in ({"study": "9.9"}, {"series": "9.9"}):
        with pytest.raises(archive.InstanceNotHeld, match="not held in this study"):
            archive.get_frames(store, UID, **elsewhere)
    with pytest.raises(archive.InstanceNotHeld):
        archive.get_frames(store, "9.9")


def test_what_came_a_moment_ago_is_found_by_every_thread(store, take, make_slice):
    found = []

    def look():
        found.append(archive.get_frames(store, UID).sop_uid)

    with pytest.raises(archive.InstanceNotHeld):
        archive.get_frames(store, UID)
    take(make_slice(1))
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    look()

    assert found == [UID, UID]


@pytest.mark.parametrize("wait", [True, False])
def test_a_frame_is_read_straight_between_what_stands_around_it(store, take, make_slice, wait):
    take(make_slice(1))
    held = archive.get_frames(store, UID)

    body = archive.read_between(store, held, 1, b"before", b"after", wait=wait)

    pixels = pydicom.dcmread(io.BytesIO(make_slice(1))).PixelData
    assert body == b"before" + pixels + b"after" or (body is None and not wait)  # None: it would have to wait
    assert archive.read_frames(store, held, (1,)) == [pixels]


def test_a_frame_of_several_fragments_is_left_to_who_can_join_them(store, take, make_slice):
    take(compressed(make_slice(1), 3))
    held = archive.get_frames(store, UID)

    assert archive.read_between(store, held, 1, b"", b"", wait=True) is None
    assert archive.read_frames(store, held, (1,))[0] == bytes(range(200))


def test_a_frame_in_an_object_store_is_left_to_ranged_reads(database, source, make_slice):
    store = archive.Store(database, open_blobs("memory:///"), archive.ArchiveSettings())
    archive.take_in(store, [archive.Incoming("x", make_slice(1))], source)
    held = archive.get_frames(store, UID)

    assert archive.read_between(store, held, 1, b"", b"", wait=True) is None
    assert len(archive.read_frames(store, held, (1,))[0]) == 512
    assert b"".join(archive.find_bulk(store, held, 0x7FE00010).chunks(store, 510)) == b"\0\1"
    store.blobs.close()


def test_frames_of_a_series_are_told_by_number(store, take, make_slice):
    take(*(make_slice(n) for n in (3, 1, 2)))

    with store.database.reading() as db:
        found = archive.frames_under(db, study="1.2.3", series="1.2.3.1")

    assert [one.sop_uid for one in found] == [f"1.2.3.1.{n}" for n in (1, 2, 3)]


def test_the_state_of_a_series_changes_when_it_grows(store, take, make_slice):
    assert archive.series_state(store, "1.2.3.1") is None
    take(make_slice(1))
    before = archive.series_state(store, "1.2.3.1")
    take(make_slice(2))

    after = archive.series_state(store, "1.2.3.1")

    assert (before[0], after[0]) == ("1.2.3", "1.2.3")
    assert before != after


def test_fragments_and_long_values_are_told_apart(store, take, make_slice):
    take(compressed(make_slice(1, EncapsulatedDocument=bytes(2000)), 2))
    held = archive.get_frames(store, UID)

    assert archive.bulk_tags(store, held) == [0x00420011]
    assert archive.find_bulk(store, held, 0x00420011).size == 2000
    assert len(archive.find_fragments(store, held)) == 2
    with pytest.raises(archive.FrameNotAddressable):
        archive.find_bulk(store, held, 0x7FE00010)
    with pytest.raises(archive.FrameNotHeld):
        archive.find_bulk(store, held, 0x00091010)
