"""A backup of a running installation, restored elsewhere: the same objects, the same trail."""

import json

import pytest

from sightline.app import backup
from sightline.app.installation import open_installation
from sightline.app.settings import Settings
from sightline.record import archive
from sightline.runtime import jobs
from sightline.runtime.settings import ServerSettings
from sightline.trust import access, audit
from tests.s3 import s3_endpoint, s3_url  # noqa: F401


@pytest.fixture(params=["sqlite", "postgresql"])
def addresses(request, postgresql_url_of):
    """The addresses of two databases: the one that is backed up, and the one that it is restored to."""
    if request.param == "sqlite":
        return None, None
    return postgresql_url_of("live"), postgresql_url_of("restored")


@pytest.fixture
def postgresql_url_of(request):
    from tests.conftest import _on

    made = []

    def make(word):
        import uuid

        server = request.getfixturevalue("postgresql_server")
        name = f"{word}_{uuid.uuid4().hex[:12]}"
        _on(server, f"create database {name}")
        made.append((server, name))
        return server.rsplit("/", 1)[0] + f"/{name}"

    yield make
    jobs.close_queues()
    for server, name in made:
        _on(server, f"drop database if exists {name} with (force)")


def settings_of(folder, address):
    return Settings(server=ServerSettings(data=str(folder), database_url=address))


@pytest.fixture
def live(tmp_path, addresses, make_slice):
    """An installation with one study of three slices."""
    opened = open_installation(settings_of(tmp_path / "live", addresses[0]))
    source = archive.Source("import", "test", access.operator("tester"))
    archive.take_in(opened.store, [archive.Incoming(f"{n}", make_slice(n)) for n in (1, 2, 3)], source)
    opened.seal().sign()
    yield opened
    opened.close()


def test_a_restored_installation_serves_the_same_objects_and_proves_its_trail(
    live, addresses, tmp_path, make_slice
):
    manifest = backup.take_backup(live, str(tmp_path / "backup"), by=live.operator)
    assert (manifest.studies, manifest.objects, manifest.copied) == (1, 3, 3)

    elsewhere = settings_of(tmp_path / "restored", addresses[1])
    backup.restore(str(tmp_path / "backup"), elsewhere)

    restored = open_installation(elsewhere)
    try:
        with restored.database.reading() as db:
            for number in (1, 2, 3):
                held = archive.instance_bytes(restored.store, db, f"1.2.3.1.{number}")
                assert held == make_slice(number)
            assert archive.get_study(db, "1.2.3").instance_count == 3
            assert any(e.act == "system.restore" for e in audit.trail(db))
        restored.seal().sign()
        assert audit.verify(restored.database, restored.folder / audit.FOLDER).ok
        source = archive.Source("import", "test", access.operator("tester"))
        again = archive.take_in(restored.store, [archive.Incoming("4", make_slice(4))], source)
        assert again[0].status == "stored"
    finally:
        restored.close()


def test_a_second_backup_copies_only_what_is_new_and_the_first_can_still_be_restored(
    live, addresses, tmp_path, make_slice
):
    place = str(tmp_path / "backup")
    first = backup.take_backup(live, place, by=live.operator)
    source = archive.Source("import", "test", access.operator("tester"))
    archive.take_in(live.store, [archive.Incoming("4", make_slice(4))], source)

    second = backup.take_backup(live, place, by=live.operator)

    assert (second.objects, second.copied) == (4, 1)
    elsewhere = settings_of(tmp_path / "restored", addresses[1])
    backup.restore(place, elsewhere, snapshot=first.snapshot)
    restored = open_installation(elsewhere)
    with restored.database.reading() as db:
        assert archive.get_study(db, "1.2.3").instance_count == 3
    restored.close()


def test_a_backup_is_restored_into_an_empty_installation_only(live, tmp_path):
    backup.take_backup(live, str(tmp_path / "backup"), by=live.operator)

    with pytest.raises(backup.NotEmpty):
        backup.restore(str(tmp_path / "backup"), live.settings)


@pytest.mark.parametrize("addresses", ["sqlite"], indirect=True)
def test_a_damaged_object_is_found_before_anything_is_served(live, tmp_path):
    backup.take_backup(live, str(tmp_path / "backup"), by=live.operator)
    stored = next((tmp_path / "backup" / "objects").rglob("*.dcm"))
    stored.chmod(0o640)
    stored.write_bytes(stored.read_bytes()[:-2] + b"\xff\xff")

    with pytest.raises(backup.BackupDamaged):
        backup.restore(str(tmp_path / "backup"), settings_of(tmp_path / "restored", None))

    assert not (tmp_path / "restored" / "sightline.db").exists()


@pytest.mark.parametrize("addresses", ["sqlite"], indirect=True)
def test_a_restore_that_was_cut_off_goes_on(live, tmp_path, monkeypatch):
    backup.take_backup(live, str(tmp_path / "backup"), by=live.operator)
    elsewhere = settings_of(tmp_path / "restored", None)

    def cut(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(backup, "_restore_audit", cut)
        with pytest.raises(KeyboardInterrupt):
            backup.restore(str(tmp_path / "backup"), elsewhere)
    backup.restore(str(tmp_path / "backup"), elsewhere)

    restored = open_installation(elsewhere)
    with restored.database.reading() as db:
        assert archive.get_study(db, "1.2.3").instance_count == 3
    restored.close()


@pytest.mark.parametrize("addresses", ["sqlite"], indirect=True)
def test_bytes_that_came_after_the_snapshot_of_the_database_get_their_rows(
    live, tmp_path, make_slice, monkeypatch
):
    real = backup._copy_objects

    def late(*arguments):
        source = archive.Source("import", "test", access.operator("tester"))
        archive.take_in(live.store, [archive.Incoming("9", make_slice(9))], source)
        return real(*arguments)

    monkeypatch.setattr(backup, "_copy_objects", late)
    backup.take_backup(live, str(tmp_path / "backup"), by=live.operator)
    elsewhere = settings_of(tmp_path / "restored", None)
    backup.restore(str(tmp_path / "backup"), elsewhere)

    restored = open_installation(elsewhere)
    with restored.database.reading() as db:
        assert archive.get_study(db, "1.2.3").instance_count == 4
    restored.close()


@pytest.mark.parametrize("addresses", ["sqlite"], indirect=True)
def test_a_backup_goes_to_an_object_store_and_comes_back(live, tmp_path, s3_url):  # noqa: F811
    manifest = backup.take_backup(live, s3_url, by=live.operator)
    elsewhere = settings_of(tmp_path / "restored", None)

    assert backup.restore(s3_url, elsewhere).snapshot == manifest.snapshot

    restored = open_installation(elsewhere)
    with restored.database.reading() as db:
        assert archive.get_study(db, "1.2.3").instance_count == 3
    restored.close()


@pytest.mark.parametrize("addresses", ["sqlite"], indirect=True)
def test_a_backup_tells_no_secret_in_its_manifest(tmp_path, live):
    manifest = backup.take_backup(live, str(tmp_path / "backup"), by=live.operator)

    told = json.loads((tmp_path / "backup" / "snapshots" / manifest.snapshot / "manifest.json").read_text())
    assert set(told["settings"]) <= {"SIGHTLINE_DATA"}


def test_only_who_maintains_the_system_takes_a_backup(live, tmp_path):
    reader = access.Person("r", "R", "r", frozenset({"radiologist"}), "*")

    with pytest.raises(access.NotAllowed):
        backup.take_backup(live, str(tmp_path / "backup"), by=reader)

    assert not (tmp_path / "backup").exists()


def test_a_place_without_a_backup_is_named(tmp_path):
    (tmp_path / "nothing").mkdir()

    with pytest.raises(backup.NotABackup, match="no such backup"):
        backup.restore(str(tmp_path / "nothing"), settings_of(tmp_path / "restored", None))
