"""STOW-RS: objects that come in a multipart body."""

import pytest

from sightline.record import archive

TYPE = 'multipart/related; type="application/dicom"; boundary=XX'


def body_of(*parts, kind="application/dicom", end=b"--XX--\r\n"):
    head = f"--XX\r\nContent-Type: {kind}\r\n\r\n".encode()
    return b"".join(head + part + b"\r\n" for part in parts) + end


def post(client, body, path="/studies", content_type=TYPE):
    return client.post(path, content=body, headers={"Content-Type": content_type})


def test_objects_are_stored_and_their_address_is_told(client, store, make_slice):
    response = post(client, body_of(make_slice(1), make_slice(2)))

    assert response.status_code == 200
    first = response.json()["00081199"]["Value"][0]
    assert first["00081155"]["Value"] == ["1.2.3.1.1"]
    assert client.get(first["00081190"]["Value"][0]).status_code == 200
    with store.database.reading() as db:
        assert archive.instance_bytes(store, db, "1.2.3.1.1") == make_slice(1)


def test_storing_again_succeeds_and_changes_nothing(client, store, make_slice):
    post(client, body_of(make_slice(1)))

    assert post(client, body_of(make_slice(1))).status_code == 200
    assert len(list(store.blobs.list("instances/"))) == 1


def test_some_refused_is_202_with_the_reasons(client, make_slice):
    response = post(client, body_of(make_slice(1), b"not dicom", make_slice(2)[:-50]))

    assert response.status_code == 202
    assert len(response.json()["00081199"]["Value"]) == 1
    assert [f["00081197"]["Value"][0] for f in response.json()["0008119A"]["Value"]] == [0xC000, 0xC000]


def test_all_refused_is_409(client):
    assert post(client, body_of(b"not dicom")).status_code == 409


def test_a_conflict_is_told_as_a_duplicate(client, make_slice):
    post(client, body_of(make_slice(1)))

    response = post(client, body_of(make_slice(1, PatientComments="other")))

    assert response.status_code == 409
    assert response.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0x0111]


def test_what_belongs_to_another_study_is_refused_and_not_stored(client, store, make_slice):
    response = post(client, body_of(make_slice(1)), path="/studies/1.9")

    assert response.status_code == 409
    assert list(store.blobs.list("instances/")) == []


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/octet-stream", 415),
        ('multipart/related; type="image/jpeg"; boundary=XX', 415),
        ('multipart/related; type="application/dicom"', 415),
    ],
)
def test_other_bodies_are_415(client, make_slice, content_type, status):
    assert post(client, body_of(make_slice(1)), content_type=content_type).status_code == status


@pytest.mark.parametrize(
    "body", [b"", b"no boundary at all", b"--XX\r\nContent-Type: application/dicom\r\n\r\nab"]
)
def test_a_body_that_is_cut_off_is_400_and_leaves_nothing(client, store, body):
    assert post(client, body).status_code == 400
    assert list(store.blobs.scratch().iterdir()) == []


def test_a_large_part_goes_through_a_file_and_leaves_none(client, store, make_slice):
    pixels = bytes(2 * 1600 * 1600)
    big = make_slice(1, Rows=1600, Columns=1600, PixelData=pixels)

    assert post(client, body_of(big)).status_code == 200
    assert list(store.blobs.scratch().iterdir()) == []
    with store.database.reading() as db:
        assert archive.instance_bytes(store, db, "1.2.3.1.1") == big


def test_an_object_larger_than_allowed_is_413(client, store, make_slice, monkeypatch):
    object.__setattr__(store, "settings", archive.ArchiveSettings(max_instance_mib=1))

    response = post(client, body_of(make_slice(1, Rows=1024, Columns=1024, PixelData=bytes(2 << 20))))

    assert response.status_code == 413


def test_who_may_only_read_stores_nothing(client, store, make_slice):
    from datetime import timedelta

    from sightline.trust import access, identity

    with store.database.transaction() as db:
        by = access.operator("tester")
        identity.create_user(db, "reader", "Reader", frozenset({"referrer"}), by=by)
        token = identity.create_token(db, "reader", by=by, expires=timedelta(hours=1))

    response = client.post(
        "/studies",
        content=body_of(make_slice(1)),
        headers={"Content-Type": TYPE, "Authorization": f"Bearer {token}"},
    )

    assert response.status_code == 403
    assert list(store.blobs.list("")) == []
