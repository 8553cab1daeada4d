"""Uploads in pieces: what is acknowledged is here, and an upload goes on where it stood."""

import pytest

from sightline.runtime import jobs
from sightline.trust import access, audit
from sightline.wire import media
from sightline.wire.media import _uploading
from tests.wire.media.test_import import zip_of

SETTINGS = media.MediaSettings()


@pytest.fixture
def tech():
    return access.Person("p2", "Tom", "tom", frozenset({"technologist"}), "main")


@pytest.fixture
def begin(store, tech):
    return lambda content, name="a.dcm": media.begin_upload(
        store, name, len(content), by=tech, settings=SETTINGS
    )


@pytest.fixture
def send(store, tech):
    def send(upload, offset, piece, by=tech):
        return media.add_piece(store, upload.id, offset, piece, by=by, settings=SETTINGS)

    return send


def test_a_file_in_pieces_is_taken_in_with_its_last_piece(store, begin, send, make_slice):
    content = make_slice(1)
    upload = begin(content)

    first = send(upload, 0, content[:300])
    last = send(upload, 300, content[300:])

    assert (first.offset, first.state) == (300, "receiving")
    assert (last.offset, last.state) == (len(content), "done")
    assert [(r["status"], r["study_uid"]) for r in last.results] == [("stored", "1.2.3")]
    assert list(store.blobs.list("uploads/")) == []


def test_a_piece_that_was_kept_but_never_acknowledged_does_no_harm(store, begin, send, make_slice):
    content = make_slice(1)
    upload = begin(content)
    store.blobs.put_if_absent(_uploading._key(upload.id, 0, 100), content[:100])

    send(upload, 0, content[:300])
    last = send(upload, 300, content[300:])

    assert [r["status"] for r in last.results] == ["stored"]


def test_a_piece_at_the_wrong_place_is_refused_and_changes_nothing(store, begin, send, make_slice):
    content = make_slice(1)
    upload = begin(content)
    send(upload, 0, content[:300])

    with pytest.raises(media.WrongOffset, match="stands at 300"):
        send(upload, 0, content[:300])
    with pytest.raises(media.UploadTooLarge):
        send(upload, 300, content)

    assert send(upload, 300, content[300:]).state == "done"


def test_each_bad_file_of_a_zip_is_named(tmp_path, begin, send, make_slice):
    content = zip_of(tmp_path / "cd.zip", **{"1": make_slice(1), "readme": b"hello"}).read_bytes()

    done = send(begin(content, "cd.zip"), 0, content)

    assert [(r["status"], r["name"]) for r in done.results] == [("refused", "cd.zip: readme"), ("stored", "")]


def test_another_persons_upload_is_not_there(store, begin, send, make_slice):
    stranger = access.Person("p9", "Eve", "eve", frozenset({"technologist"}), "main")
    upload = begin(make_slice(1))

    with pytest.raises(media.UploadNotKnown):
        send(upload, 0, b"x", by=stranger)


def test_who_may_not_store_may_not_upload(store):
    referrer = access.Person("p9", "Eve", "eve", frozenset({"referrer"}), "main")

    with pytest.raises(access.NotAllowed):
        media.begin_upload(store, "a.dcm", 10, by=referrer, settings=SETTINGS)


def test_more_than_is_taken_in_one_upload_is_refused_at_once(store, tech):
    small = media.MediaSettings(max_upload_gib=0.000001)

    with pytest.raises(media.UploadTooLarge):
        media.begin_upload(store, "a.zip", 10**6, by=tech, settings=small)


def test_a_large_file_is_taken_in_by_a_job(store, begin, send, make_slice, monkeypatch):
    import sightline.app.registry  # noqa: F401

    monkeypatch.setattr(_uploading, "AT_ONCE", 10)
    content = make_slice(1)

    waiting = send(begin(content), 0, content)

    assert waiting.state == "waiting"
    assert jobs.open_queue(store.database).counts()["waiting"] == 1


def test_what_was_left_alone_is_dropped_by_the_next_upload(store, tech, begin, send, make_slice):
    left = begin(make_slice(1))
    send(left, 0, b"x")

    impatient = media.MediaSettings(upload_days=1e-9)
    media.begin_upload(store, "b.dcm", 10, by=tech, settings=impatient)

    assert list(store.blobs.list(f"uploads/{left.id}/")) == []
    with store.database.reading() as db, pytest.raises(media.UploadNotKnown):
        media.get_upload(db, left.id, by=tech)


def test_beginning_and_end_are_in_the_trail(store, tech, begin, send, make_slice):
    content = make_slice(1)
    upload = begin(content)
    send(upload, 0, content)

    with store.database.reading() as db:
        acts = [entry.act for entry in audit.trail(db, on=upload.id)]

    assert sorted(acts) == ["media.upload-begin", "media.upload-end"]
