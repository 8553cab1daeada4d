"""Files, folders and ZIPs that people bring, good and bad."""

import os
import zipfile

import pytest

from sightline.record import archive
from sightline.wire import media


@pytest.fixture
def bring(store, source):
    def bring(*paths, **options):
        return media.import_paths(store, paths, source, **options)

    return bring


def zip_of(path, **entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive_:
        for name, content in entries.items():
            archive_.writestr(name, content)
    return path


def test_a_folder_is_taken_with_all_below_it_and_the_rest_is_named(tmp_path, bring, make_slice):
    folder = tmp_path / "cd"
    (folder / "DICOM" / "A").mkdir(parents=True)
    (folder / "DICOM" / "A" / "1").write_bytes(make_slice(1))
    (folder / "DICOM" / "2.dcm").write_bytes(make_slice(2))
    (folder / "DICOMDIR").write_bytes(b"index")
    (folder / ".DS_Store").write_bytes(b"junk")
    (folder / "readme.txt").write_bytes(b"hello")
    (folder / "empty.dcm").write_bytes(b"")

    summary = bring(folder)

    assert (summary.stored, summary.studies) == (2, {"1.2.3": 2})
    assert [name for name, _ in summary.skipped] == [".DS_Store", "DICOMDIR"]
    assert [(n, r.split(".")[0]) for n, r in sorted(summary.refused)] == [
        ("empty.dcm", "The file is empty (0 bytes)"),
        ("readme.txt", "This is not a DICOM file: the mark DICM at byte 128 is missing"),
    ]


def test_importing_again_finds_everything_held(tmp_path, bring, make_slice):
    (tmp_path / "a.dcm").write_bytes(make_slice(1))
    bring(tmp_path / "a.dcm")

    summary = bring(tmp_path / "a.dcm")

    assert (summary.stored, summary.held, summary.refused) == (0, 1, [])


def test_two_objects_with_one_uid_and_other_content_are_named_as_a_conflict(tmp_path, bring, make_slice):
    (tmp_path / "a.dcm").write_bytes(make_slice(1))
    (tmp_path / "b.dcm").write_bytes(make_slice(1, PatientComments="other"))

    summary = bring(tmp_path / "a.dcm", tmp_path / "b.dcm")

    assert (summary.stored, [name for name, _ in summary.conflicts]) == (1, ["b.dcm"])


def test_an_imported_study_settles_at_once(tmp_path, bring, store, make_slice):
    (tmp_path / "a.dcm").write_bytes(make_slice(1))

    bring(tmp_path)

    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3").settled_at is not None


def test_a_zip_is_taken_entry_by_entry(tmp_path, bring, make_slice):
    path = zip_of(tmp_path / "s.zip", **{"a/1": make_slice(1), "a/2": make_slice(2), "a/note.txt": b"hello"})

    summary = bring(path)

    assert summary.stored == 2
    assert [name for name, _ in summary.refused] == ["s.zip: note.txt"]


@pytest.mark.parametrize(
    "name", ["../x.dcm", "/etc/x.dcm", "a/../../x.dcm", "..\\x.dcm", "C:\\x.dcm", "\\\\h\\x.dcm"]
)
def test_a_path_that_leads_out_of_a_zip_is_refused_and_the_rest_goes_on(tmp_path, bring, make_slice, name):
    path = zip_of(tmp_path / "s.zip", **{name: make_slice(1), "fine": make_slice(2)})

    summary = bring(path)

    assert summary.stored == 1
    assert summary.refused[0][0] == "s.zip: x.dcm"
    assert "leads out of the ZIP" in summary.refused[0][1]
    assert sorted(p.name for p in tmp_path.rglob("x.dcm")) == []


def test_a_zip_bomb_is_refused_by_its_ratio(tmp_path, bring, make_slice):
    path = zip_of(tmp_path / "s.zip", bomb=bytes(65 << 20), fine=make_slice(1))

    summary = bring(path)

    assert summary.stored == 1
    assert "ZIP bomb" in summary.refused[0][1]


def test_a_zip_that_unpacks_to_more_than_allowed_stops_there(tmp_path, bring, make_slice):
    path = zip_of(tmp_path / "s.zip", one=make_slice(1), two=os.urandom(3 << 20), three=make_slice(3))

    summary = bring(path, settings=media.MediaSettings(max_unpacked_gib=2 / 1024))

    assert summary.stored == 1
    assert summary.refused[0][0] == "s.zip: two"
    assert "more than" in summary.refused[0][1]


def test_a_zip_of_too_many_files_is_refused(tmp_path, bring):
    path = zip_of(tmp_path / "s.zip", **{str(n): b"" for n in range(11)})

    summary = bring(path, settings=media.MediaSettings(max_entries=10))

    assert "holds 11 files, more than 10" in summary.refused[0][1]


def test_a_zip_within_a_zip_is_passed_over_with_its_reason(tmp_path, bring, make_slice):
    inner = zip_of(tmp_path / "inner.zip", a=make_slice(1)).read_bytes()

    summary = bring(zip_of(tmp_path / "s.zip", inner=inner))

    assert summary.skipped == [
        ("s.zip: inner", "It is a ZIP within a ZIP. Unpack the outer one and import the folder.")
    ]


def test_a_damaged_zip_and_a_damaged_entry_are_refused_and_the_rest_goes_on(tmp_path, bring, make_slice):
    good = zip_of(tmp_path / "good.zip", a=make_slice(1), b=make_slice(2)).read_bytes()
    (tmp_path / "cut.zip").write_bytes(good[:-30])
    at = good.index(b"DICM") if b"DICM" in good else 60
    (tmp_path / "flip.zip").write_bytes(good[:at] + bytes([good[at] ^ 255]) + good[at + 1 :])

    summary = bring(tmp_path / "cut.zip", tmp_path / "flip.zip")

    assert summary.stored == 1
    assert [name for name, _ in summary.refused] == ["cut.zip", "flip.zip: a"]


def test_an_encrypted_entry_is_refused(tmp_path, bring, make_slice):
    content = bytearray(zip_of(tmp_path / "s.zip", a=make_slice(1)).read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "s.zip").write_bytes(content)

    assert "encrypted" in bring(tmp_path / "s.zip").refused[0][1]


def test_a_path_that_does_not_exist_is_refused_by_name(tmp_path, bring):
    assert bring(tmp_path / "gone.dcm").refused[0][0] == "gone.dcm"


def test_what_is_neither_file_nor_folder_is_passed_over(tmp_path, bring):
    os.mkfifo(tmp_path / "pipe")

    assert bring(tmp_path).skipped == [("pipe", "It is neither a file nor a folder.")]


def test_an_upload_arrives_in_pieces_and_leaves_no_file(tmp_path, store, source, make_slice):
    content = zip_of(tmp_path / "s.zip", a=make_slice(1)).read_bytes()
    pieces = (content[at : at + 50] for at in range(0, len(content), 50))

    summary = media.import_stream(store, "s.zip", pieces, source)

    assert summary.stored == 1
    assert list(store.blobs.scratch().iterdir()) == []


def test_a_full_disk_stops_the_import_and_says_so(tmp_path, bring, store, make_slice, monkeypatch):
    from sightline.runtime.blobs import StoreFull

    for n in range(1, 4):
        (tmp_path / f"{n}.dcm").write_bytes(make_slice(n))

    def full(*_args, **_options):
        raise StoreFull("The disk is full; nothing was stored. Free space and send again.")

    monkeypatch.setattr(store.blobs, "_write", full)
    summary = bring(tmp_path)

    assert summary.stored == 0
    assert "disk is full" in summary.stopped


def test_the_summary_grows_while_it_goes(tmp_path, bring, make_slice):
    (tmp_path / "cd").mkdir()
    for n in range(1, 4):
        (tmp_path / "cd" / f"{n}.dcm").write_bytes(make_slice(n))
    seen = []

    bring(tmp_path / "cd", progress=lambda s: seen.append(s.seen))

    assert seen == [1, 2, 3]
