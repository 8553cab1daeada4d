"""The archive on PostgreSQL and a real S3 endpoint: what holds on a folder holds there."""

import gzip
import json

import pytest

from sightline.record import archive
from sightline.runtime.blobs import open_blobs
from tests.s3 import s3_endpoint, s3_url  # noqa: F401


@pytest.fixture
def store(database, s3_url):  # noqa: F811
    blobs = open_blobs(s3_url)
    yield archive.Store(database, blobs, archive.ArchiveSettings())
    blobs.close()


@pytest.fixture(params=["postgresql"])
def database(request, postgresql_template, postgresql_server):
    import uuid

    from tests.conftest import _on, _opened

    name = f"t{uuid.uuid4().hex[:12]}"
    _on(postgresql_server, f"create database {name} template {postgresql_template}")
    yield from _opened(postgresql_server.rsplit("/", 1)[0] + f"/{name}")
    _on(postgresql_server, f"drop database if exists {name} with (force)")


def test_objects_are_stored_once_and_given_back_as_they_came(store, take, make_slice):
    content = [make_slice(n) for n in range(1, 21)]

    assert {o.status for o in take(*content)} == {"stored"}
    assert {o.status for o in take(*content)} == {"held"}
    with store.database.reading() as db:
        for number in (1, 20):
            assert archive.instance_bytes(store, db, f"1.2.3.1.{number}") == content[number - 1]


def test_another_object_under_a_held_uid_is_kept_aside(store, take, make_slice):
    take(make_slice(1))

    (outcome,) = take(make_slice(1, PixelData=b"\1" * 512))

    assert outcome.status == "conflict"
    with store.database.reading() as db:
        assert archive.instance_bytes(store, db, "1.2.3.1.1") == make_slice(1)


def test_a_frame_and_the_metadata_of_a_series_are_read(store, take, make_slice):
    import numpy as np

    take(*(make_slice(n) for n in (1, 2, 3)))

    with store.database.reading() as db:
        frame, _ = archive.frame(store, db, "1.2.3.1.2")
        pixels, _ = archive.read_pixels(store, db, "1.2.3.1.3")
        packed, tag = archive.series_metadata_gz(store, db, "1.2.3.1")
        again, same = archive.series_metadata_gz(store, db, "1.2.3.1")
    assert frame == (np.arange(256, dtype="<u2") + 2).tobytes()
    assert pixels[0, 0] == 3
    assert len(json.loads(gzip.decompress(packed))) == 3
    assert (again, same) == (packed, tag)


def test_bytes_whose_row_was_never_written_are_found_again(store, take, make_slice):
    take(make_slice(1))
    key = next(iter(store.blobs.list("instances/")))
    found, length = archive.hash_of([make_slice(2)])
    store.blobs.put_if_absent(f"{key.rsplit('/', 1)[0]}/{found}.dcm", make_slice(2))

    assert archive.recover(store) == 1
    with store.database.reading() as db:
        assert archive.get_study(db, "1.2.3").instance_count == 2
    assert length == len(make_slice(2))


def test_a_store_that_is_away_refuses_and_goes_on_when_it_is_back(store, take, make_slice, monkeypatch):
    from sightline.runtime.blobs import StoreUnavailable

    def away(*_arguments, **_options):
        raise StoreUnavailable("The object store does not answer; nothing was stored.")

    with monkeypatch.context() as patch:
        patch.setattr(store.blobs, "put_if_absent", away)
        patch.setattr(store.blobs, "put_many", away)
        assert [o.code for o in take(make_slice(1))] == ["store-unavailable"]

    assert [o.status for o in take(make_slice(1))] == ["stored"]
