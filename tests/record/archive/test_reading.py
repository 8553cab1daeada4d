"""Reading what is held: frames, metadata, datasets, pages of studies."""

import gzip
import io
import json

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from sightline.record import archive
from sightline.record.archive import _giving
from sightline.runtime.blobs import StoreFull, StoreUnavailable, open_blobs
from sightline.trust import access


def encapsulated(content, frames, *, extended=False, table=True, fragments=1):
    ds = pydicom.dcmread(io.BytesIO(content))
    ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
    ds.NumberOfFrames = len(frames)
    if extended:
        ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(frames)
    else:
        ds.PixelData = encapsulate(frames, has_bot=table, fragments_per_frame=fragments)
    ds["PixelData"].VR = "OB"
    buffer = io.BytesIO()
    ds.save_as(buffer)
    return buffer.getvalue()


FRAMES = [b"\xff\x4f\xff\x51" + bytes([n]) * (20 + 2 * n) for n in range(1, 5)]


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"table": False},
        {"extended": True},
        {"fragments": 3},
        {"fragments": 3, "table": False},
    ],
    ids=["basic table", "no table", "extended table", "fragments", "fragments, no table"],
)
def test_each_encapsulated_frame_is_found(store, take, make_slice, how):
    take(encapsulated(make_slice(1), FRAMES, **how))

    with store.database.reading() as db:
        found = [archive.frame(store, db, "1.2.3.1.1", n) for n in range(1, 5)]
    assert [data.rstrip(b"\0") for data, _ in found] == FRAMES
    assert {syntax for _, syntax in found} == {JPEG2000Lossless}


def test_a_frame_is_one_read_of_its_own_bytes(store, take, make_slice, monkeypatch):
    take(make_slice(1, NumberOfFrames=2, PixelData=bytes(512) + b"\1" * 512))
    read = []
    real = store.blobs.get_range
    monkeypatch.setattr(store.blobs, "get_range", lambda *a: (read.append(a[2]), real(*a))[1])

    with store.database.reading() as db:
        assert archive.frame(store, db, "1.2.3.1.1", 2)[0] == b"\1" * 512
    assert read == [512]


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_frame_that_is_not_there_is_refused(store, take, make_slice, number):
    take(make_slice(1))

    with store.database.reading() as db, pytest.raises(archive.FrameNotHeld, match=r"1 frame\(s\)"):
        archive.frame(store, db, "1.2.3.1.1", number)


def test_frames_of_single_bits_come_packed(store, take, make_slice):
    bits = np.zeros(2 * 9, np.uint8)
    bits[[0, 9, 17]] = 1
    one_bit = {
        "Rows": 3,
        "Columns": 3,
        "NumberOfFrames": 2,
        "BitsAllocated": 1,
        "BitsStored": 1,
        "HighBit": 0,
    }
    take(make_slice(1, **one_bit, PixelData=np.packbits(bits, bitorder="little").tobytes() + b"\0"))

    with store.database.reading() as db:
        second = archive.frame(store, db, "1.2.3.1.1", 2)[0]
    assert np.unpackbits(np.frombuffer(second, np.uint8), bitorder="little")[:9].tolist() == [1] + [0] * 7 + [
        1
    ]


def test_datasets_come_along_the_slice_normal(store, take, make_slice):
    take(*(make_slice(n) for n in (2, 3, 1)))

    with store.database.reading() as db:
        datasets = archive.read_datasets(store, db, "1.2.3.1")
        headers = archive.read_datasets(store, db, "1.2.3.1", pixels=False)
    assert [ds.ImagePositionPatient[2] for ds in datasets] == [-15, -10, -5]
    assert ["PixelData" in ds for ds in headers] == [False] * 3


def test_an_exported_series_is_a_copy_that_cannot_change_what_is_held(store, take, make_slice, tmp_path):
    take(make_slice(1), make_slice(2))

    with store.database.reading() as db:
        files = archive.export_series(store, db, "1.2.3.1", tmp_path)
        files[0].chmod(0o600)
        files[0].write_bytes(b"changed")
        assert archive.instance_bytes(store, db, "1.2.3.1.2") == make_slice(2)
    assert [f.name for f in files] == ["000000.dcm", "000001.dcm"]


def test_our_own_object_is_held_when_it_is_stored_again_and_leaves_the_study_settled(store, take, make_slice):
    take(make_slice(1))
    with store.database.transaction() as db:
        archive.settle_now(db, ["1.2.3"])
    own = pydicom.dcmread(io.BytesIO(make_slice(9, series="1.2.3.9", Modality="SR")))
    source = archive.Source("internal", "test", access.SYSTEM)

    statuses = [archive.store_dataset(store, own, source).status for _ in range(2)]

    assert statuses == ["stored", "held"]
    with store.database.reading() as db:
        study = archive.get_study(db, "1.2.3")
    assert study.settled_at is not None
    assert study.modalities == ("CT", "SR")


def test_our_own_object_is_never_lost_in_silence(store, take, make_slice, monkeypatch):
    def full(*_args, **_options):
        raise StoreFull("The disk is full; nothing was stored. Free space and send again.")

    take(make_slice(1))
    source = archive.Source("internal", "test", access.SYSTEM)

    with pytest.raises(archive.ObjectInConflict):
        archive.store_dataset(store, _dataset(make_slice(1, PatientComments="other")), source)
    monkeypatch.setattr(store.blobs, "_write", full)
    with pytest.raises(StoreUnavailable, match="disk is full"):
        archive.store_dataset(store, _dataset(make_slice(2)), source)


def _dataset(content):
    return pydicom.dcmread(io.BytesIO(content))


def test_pages_of_studies_are_found_by_key_without_gap_or_double(store, take, make_slice):
    take(
        *(
            make_slice(1, study=f"1.{n}", series=f"1.{n}.1", StudyDate=f"202401{n % 3 + 1:02d}")
            for n in range(7)
        )
    )

    seen, after = [], None
    with store.database.reading() as db:
        while True:
            page = archive.find_studies(db, archive.StudyQuery(), limit=3, after=after)
            seen += [(s.date, s.uid) for s in page]
            after = page.next
            if after is None:
                break
    assert len(seen) == 7
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"name": "mull"}, 1),
        ({"name": "MÜLLER^J"}, 1),
        ({"name": "jorg"}, 0),
        ({"name": "*jorg"}, 1),
        ({"name": "m?ller*"}, 1),
        ({"name": "%"}, 0),
        ({"modality": "CT", "since": "20240101", "until": "20241231"}, 1),
        ({"modality": "MR"}, 0),
        ({"modality": "CT", "patient_id": "4711"}, 1),
        ({"study_uids": ["1.2.3", "9.9"]}, 1),
        ({"until": "20230101"}, 0),
    ],
)
def test_studies_are_found_by_what_is_asked(store, take, make_slice, query, found):
    take(make_slice(1))

    with store.database.reading() as db:
        assert len(archive.find_studies(db, archive.StudyQuery(**query))) == found


def test_every_compressed_image_decodes_to_what_it_was(store, take, make_slice):
    ds = pydicom.dcmread(io.BytesIO(make_slice(1)))
    before = ds.pixel_array.copy()
    ds.compress(RLELossless, generate_instance_uid=False)
    buffer = io.BytesIO()
    ds.save_as(buffer)
    take(buffer.getvalue())

    with store.database.reading() as db:
        pixels, header = archive.read_pixels(store, db, "1.2.3.1.1")
    assert (pixels == before).all()
    assert header.Modality == "CT"


def test_metadata_of_an_instance_name_its_transfer_syntax_and_pixels(store, take, make_slice):
    take(make_slice(1))

    with store.database.reading() as db:
        found = json.loads(archive.metadata_json(db, archive.InstanceQuery(series="1.2.3.1")))[0]
    assert found["00083002"]["Value"] == ["1.2.840.10008.1.2.1"]
    assert found["7FE00010"] == {
        "vr": "OW",
        "BulkDataURI": "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1/bulkdata/7FE00010",
    }


def test_metadata_are_built_anew_after_the_index_was_rebuilt(store, take, make_slice):
    from sightline.runtime.db import metadata

    take(make_slice(1))
    with store.database.reading() as db:
        before = archive.series_metadata_gz(store, db, "1.2.3.1")
    with store.database.transaction() as db:
        for table in ("instances", "study_modalities", "series", "studies"):
            db.execute(metadata.tables[table].delete())
    take(make_slice(1, PatientComments="other"))

    with store.database.reading() as db:
        after = archive.series_metadata_gz(store, db, "1.2.3.1")
    assert before[1] != after[1]
    assert b"other" in gzip.decompress(after[0])


def test_metadata_can_be_read_when_the_disk_is_full(store, take, make_slice, monkeypatch):
    def full(*_args, **_options):
        raise StoreFull("The disk is full; nothing was stored. Free space and send again.")

    take(make_slice(1))
    monkeypatch.setattr(store.blobs, "put_if_absent", full)

    with store.database.reading() as db:
        assert archive.series_metadata_gz(store, db, "1.2.3.1")[0]


def test_an_archive_on_an_object_store_reads_and_recovers_like_one_on_a_disk(database, source, make_slice):
    store = archive.Store(database, open_blobs("memory:///"), archive.ArchiveSettings())
    archive.take_in(store, [archive.Incoming(str(n), make_slice(n)) for n in (1, 2)], source)
    store.blobs.put_if_absent("instances/20240131/07/later.dcm", make_slice(3))

    assert archive.recover(store, everything=True) == 1
    with store.database.reading() as db:
        assert (
            archive.frame(store, db, "1.2.3.1.1")[0] == archive.read_dataset(store, db, "1.2.3.1.1").PixelData
        )
        assert len(archive.read_datasets(store, db, "1.2.3.1")) == 3
        assert archive.read_pixels(store, db, "1.2.3.1.3")[0].shape == (16, 16)


@pytest.mark.parametrize("most", [100, 40_000])  # less than is held, and less than it becomes
def test_what_is_too_large_to_be_rewritten_is_refused_and_given_as_held(
    store, take, make_slice, monkeypatch, most
):
    ds = pydicom.dcmread(io.BytesIO(make_slice(1)))
    ds.compress(RLELossless, generate_instance_uid=False)
    buffer = io.BytesIO()
    ds.save_as(buffer)
    take(buffer.getvalue())
    size = int(ds.Rows) * int(ds.Columns) * 2
    monkeypatch.setattr(_giving, "MOST_REWRITTEN", min(most, size - 1))

    with store.database.reading() as db:
        with pytest.raises(archive.FrameNotDecodable, match="too large"):
            archive.open_instance(store, db, ds.SOPInstanceUID, transfer_syntax=ExplicitVRLittleEndian)
        assert archive.open_instance(store, db, ds.SOPInstanceUID).read() == buffer.getvalue()
