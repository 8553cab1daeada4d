"""Giving objects out with what was corrected: the header is written anew, all else is as it came."""

import io
import json
import random
import warnings

import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)
from sqlalchemy import update

from sightline.record import archive
from sightline.record.archive import _store
from sightline.record.archive._giving import open_place
from sightline.record.archive._scan import scan
from sightline.record.archive._store import series as series_table
from sightline.record.archive._store import studies as studies_table

CORRECTED = {
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]},
    "00100020": {"vr": "LO", "Value": ["0815"]},
    "00100021": {"vr": "LO", "Value": ["NORTH"]},
    "00100040": None,
}


@pytest.fixture
def laid_over(store):
    """Lay changes over all that is held."""

    def lay(overlay=CORRECTED, of_series=None):
        with store.database.transaction() as db:
            if overlay is not None:
                db.execute(update(studies_table).values(overlay=overlay))
            if of_series is not None:
                db.execute(update(series_table).values(overlay=of_series))

    return lay


def opened(store, uid="1.2.3.1.1", **how):
    with store.database.reading() as db:
        return archive.open_instance(store, db, uid, **how)


def read(content):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(content))


def rewritten(content, syntax):
    ds = pydicom.dcmread(io.BytesIO(content))
    ds.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian)
    return buffer.getvalue()


def test_what_was_not_corrected_is_given_out_byte_for_byte(store, take, make_slice):
    take(make_slice(1))

    given = opened(store)

    assert given.is_as_received
    assert given.read() == make_slice(1)
    assert (given.size, given.transfer_syntax) == (len(make_slice(1)), ExplicitVRLittleEndian)
    assert b"".join(given.chunks(7, start=5, length=100)) == make_slice(1)[5:105]


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        DeflatedExplicitVRLittleEndian,
        ExplicitVRBigEndian,
    ],
)
def test_a_corrected_header_leaves_all_else_as_it_came(store, take, make_slice, laid_over, syntax):
    content = rewritten(make_slice(1), syntax)
    assert take(content)[0].status == "stored"
    laid_over()

    given = opened(store).read()

    ds, before = read(given), read(content)
    assert (ds.PatientName, ds.PatientID, ds.IssuerOfPatientID) == ("Doe^Jane", "0815", "NORTH")
    assert "PatientSex" not in ds
    assert ds.PixelData == before.PixelData
    for element in before:
        if element.keyword not in {"PatientName", "PatientID", "PatientSex"}:
            assert ds[element.tag] == element


def test_compressed_pixels_are_not_touched(store, take, make_slice, laid_over):
    ds = read(make_slice(1))
    ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
    frames = [b"\xff\x4f\xff\x51" + random.Random(n).randbytes(99) for n in range(3)]
    ds.NumberOfFrames, ds.PixelData = 3, encapsulate(frames)
    ds["PixelData"].VR = "OB"
    buffer = io.BytesIO()
    ds.save_as(buffer)
    content = buffer.getvalue()
    take(content)
    laid_over()

    given = opened(store).read()

    start = content.index(b"\xe0\x7f\x10\x00OB")
    assert given.endswith(content[start:])
    assert b"".join(opened(store).dataset_chunks(11)) == given[opened(store).dataset_from :]


def test_a_name_that_its_character_set_cannot_hold_makes_the_header_utf_8(store, take, make_slice, laid_over):
    take(make_slice(1, SpecificCharacterSet="ISO_IR 100", ReferringPhysicianName="Über^Arzt"))
    laid_over({"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Yamada", "Ideographic": "山田"}]}})

    ds = read(opened(store).read())

    assert ds.SpecificCharacterSet == "ISO_IR 192"
    assert (ds.PatientName, ds.ReferringPhysicianName) == ("Yamada=山田", "Über^Arzt")


def test_text_inside_sequences_becomes_utf_8_too(store, take, make_slice, laid_over):
    item = pydicom.Dataset()
    item.CodeMeaning = "Schädel"
    take(make_slice(1, SpecificCharacterSet="ISO_IR 100", ProcedureCodeSequence=[item], PatientName="Groß^A"))
    laid_over({"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Łukasz"}]}})

    ds = read(opened(store).read())

    assert (ds.PatientName, ds.ProcedureCodeSequence[0].CodeMeaning) == ("Łukasz", "Schädel")


def test_a_name_that_fits_keeps_the_character_set(store, take, make_slice, laid_over):
    take(make_slice(1, SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Jörg"))
    laid_over({"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Möller^Jörg"}]}})

    ds = read(opened(store).read())

    assert (ds.SpecificCharacterSet, ds.PatientName) == ("ISO_IR 100", "Möller^Jörg")


def test_an_assumed_character_set_is_stated_where_there_was_none(store, take, make_slice, laid_over):
    bare = make_slice(1, SpecificCharacterSet=None, PatientName="x")
    raw = "Люкceмбypг".encode("iso8859_5")
    length = len(raw) + len(raw) % 2
    place = bare.index(b"\x10\x00\x10\x00PN")
    bare = bare[: place + 6] + length.to_bytes(2, "little") + raw.ljust(length) + bare[place + 10 :]
    take(bare)
    laid_over({"00080005": {"vr": "CS", "Value": ["ISO_IR 144"]}})

    given = read(opened(store).read())

    assert (given.SpecificCharacterSet, given.PatientName) == ("ISO_IR 144", "Люкceмбypг")
    with store.database.reading() as db:
        shown = archive.attributes_of(db, "1.2.3.1.1")
    assert shown["00100010"]["Value"] == [{"Alphabetic": "Люкceмбypг"}]


def test_private_attributes_are_left_out_at_every_level(store, take, make_slice, laid_over):
    ds = read(make_slice(1))
    ds.private_block(0x11, "OURS", create=True).add_new(1, "LO", "secret")
    item = pydicom.Dataset()
    item.CodeValue = "1"
    item.private_block(0x13, "OURS", create=True).add_new(1, "LO", "secret")
    ds.ProcedureCodeSequence = [item]
    ds.add_new(0x7FE10010, "LO", "OURS")
    ds.add_new(0x7FE11001, "OB", b"secret")
    buffer = io.BytesIO()
    ds.save_as(buffer)
    take(buffer.getvalue())
    laid_over({"private": None})

    given = opened(store).read()

    assert b"secret" not in given
    assert read(given).PixelData == ds.PixelData
    assert read(given).ProcedureCodeSequence[0].CodeValue == "1"
    with store.database.reading() as db:
        assert "secret" not in json.dumps(archive.attributes_of(db, "1.2.3.1.1"))


def test_new_uids_are_said_everywhere(store, take, make_slice, laid_over):
    take(make_slice(1))
    uids = {"0020000D": "2.25.1", "0020000E": "2.25.2", "00080018": "2.25.3"}
    laid_over(None, {tag: {"vr": "UI", "Value": [uid]} for tag, uid in uids.items()})

    ds = read(opened(store).read())

    assert (ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID) == ("2.25.1", "2.25.2", "2.25.3")
    assert ds.file_meta.MediaStorageSOPInstanceUID == "2.25.3"
    with store.database.reading() as db:
        link = archive.attributes_of(db, "1.2.3.1.1")["7FE00010"]["BulkDataURI"]
    assert link == "/dicom-web/studies/2.25.1/series/2.25.2/instances/2.25.3/bulkdata/7FE00010"


def test_datasets_and_exports_are_corrected_too(store, take, make_slice, laid_over, tmp_path):
    take(make_slice(1), make_slice(2))
    laid_over()

    with store.database.reading() as db:
        datasets = archive.read_datasets(store, db, "1.2.3.1")
        header = archive.read_pixels(store, db, "1.2.3.1.1")[1]
        files = archive.export_series(store, db, "1.2.3.1", tmp_path)
        metadata = json.loads(archive.metadata_json(db, archive.InstanceQuery(study="1.2.3")))
    named = [ds.PatientID for ds in (*datasets, header, *(pydicom.dcmread(f) for f in files))]
    assert named == ["0815"] * 5
    assert [m["00100020"]["Value"] for m in metadata] == [["0815"]] * 2


def test_an_object_is_given_in_explicit_little_endian_on_request(store, take, make_slice, laid_over):
    take(rewritten(make_slice(1), ImplicitVRLittleEndian))
    laid_over()

    given = opened(store, transfer_syntax=ExplicitVRLittleEndian)

    assert given.transfer_syntax == ExplicitVRLittleEndian
    assert read(given.read()).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert read(given.read()).PatientID == "0815"
    with pytest.raises(archive.FrameNotDecodable):
        opened(store, transfer_syntax=JPEG2000Lossless)


def test_real_files_differ_in_what_was_corrected_only(store, take, test_data):
    """One file of each folder of the shared data, every transfer syntax and quirk among them."""
    taken = {}
    for folder in sorted({p.parent for p in test_data.rglob("*.dcm")}):
        path = min(folder.glob("*.dcm"), key=lambda p: p.stat().st_size)
        if path.stat().st_size < 300_000 and (outcome := take(path.read_bytes())[0]).status == "stored":
            taken[outcome.sop_uid] = path
    assert len(taken) > 3
    for uid, path in taken.items():
        with store.database.reading() as db:
            place = _store.place_of(db, uid)
        corrected = {**CORRECTED, "0020000D": {"vr": "UI", "Value": ["2.25.7"]}}
        given = open_place(store, place._replace(overlay=corrected)).read()
        before, after = scan(path.read_bytes()), scan(given)
        assert read(given).StudyInstanceUID == "2.25.7", path.name
        assert pixels(before, path.read_bytes()) == pixels(after, given), path.name


def pixels(found, content):
    if found.pixels is None or found.deflated:
        return None
    span = found.pixels.span
    return content[span.offset : span.offset + span.length]
