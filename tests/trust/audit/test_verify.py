"""Proving that the trail is whole, and naming the record when it is not."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from sightline.trust import audit
from sightline.trust.audit._merkle import Frontier, hash_leaf
from sightline.trust.audit._note import verifier_key

from .conftest import tamper, write


def forge(database, seq: int, *, until: int | None = None) -> None:
    """Rewrite one entry with its hash, and the head with it: all that someone with the database can do."""
    with database.transaction() as db:
        entry = json.loads(db.scalar(text("select entry from audit where seq = :s"), {"s": seq}))
        entry["facts"] = {"number": 99}
        forged = json.dumps(entry, sort_keys=True, separators=(",", ":"))
        leaf = hash_leaf(forged.encode())
        db.execute(
            text("update audit set entry = :e, leaf = :l where seq = :s"), {"e": forged, "l": leaf, "s": seq}
        )
        if until is not None:
            db.execute(text("delete from audit where seq >= :u"), {"u": until})
    mend_head(database)


def mend_head(database) -> None:
    with database.transaction() as db:
        tree = Frontier()
        tree.extend(bytes(leaf) for leaf in db.scalars(text("select leaf from audit order by seq")))
        db.execute(
            text("update audit_head set size = :n, root = :r, frontier = :f"),
            {"n": tree.size, "r": tree.root().hex(), "f": json.dumps([h.hex() for h in tree.hashes])},
        )


def test_a_whole_trail_is_whole_and_was_held_against_every_checkpoint(database, sealed, folder):
    verdict = audit.verify(database, folder)

    assert (verdict.ok, verdict.size, verdict.checkpoints, verdict.problem) == (True, 12, 3, None)


def test_an_empty_trail_is_whole(database, folder):
    verdict = audit.verify(database, folder)

    assert (verdict.ok, verdict.size, verdict.root) == (True, 0, Frontier().root().hex())


def test_entries_after_the_last_checkpoint_are_proved_by_the_head(database, sealed, folder):
    write(database, 3)

    assert audit.verify(database, folder).size == 15


def test_verifying_is_remembered_only_when_the_trail_is_whole(database, sealed, folder):
    tamper(database, "update audit set act = 'test.read' where seq = 3")
    audit.verify_and_remember(database, folder)
    with database.reading() as db:
        assert audit.head(db).verified_at is None

    tamper(database, "update audit set act = 'test.write' where seq = 3")
    audit.verify_and_remember(database, folder)
    with database.reading() as db:
        assert audit.head(db).verified_at is not None


@pytest.mark.parametrize("seq", [0, 5, 11])
def test_a_flipped_byte_names_its_record(database, sealed, folder, seq):
    tamper(database, "update audit set entry = replace(entry, 'Ada', 'Aba') where seq = :s", s=seq)

    verdict = audit.verify(database, folder)

    assert (verdict.ok, verdict.record) == (False, seq)
    assert verdict.problem == f"record {seq} was changed: its content does not give its hash"


@pytest.mark.parametrize(
    "change",
    ["act = 'test.read'", "person = 'p-ben'", "subject = 'study-2'", "at = '2020-01-01 00:00:00.000000'"],
)
def test_a_changed_column_names_its_record(database, sealed, folder, change):
    tamper(database, f"update audit set {change} where seq = 5")

    verdict = audit.verify(database, folder)

    assert (verdict.ok, verdict.record) == (False, 5)


def test_a_changed_hash_names_its_record(database, sealed, folder):
    tamper(database, "update audit set leaf = (select leaf from audit where seq = 6) where seq = 5")

    assert audit.verify(database, folder).record == 5


@pytest.mark.parametrize("seq", [0, 5, 10])
def test_a_deleted_record_is_named(database, sealed, folder, seq):
    tamper(database, "delete from audit where seq = :s", s=seq)

    verdict = audit.verify(database, folder)

    assert (verdict.ok, verdict.record, verdict.problem) == (False, seq, f"record {seq} is missing")


def test_a_deleted_record_whose_followers_moved_up_is_named(database, sealed, folder):
    tamper(database, "delete from audit where seq = 5")
    for seq in range(6, 12):
        tamper(database, "update audit set seq = :new where seq = :old", new=seq - 1, old=seq)
    mend_head(database)

    verdict = audit.verify(database, folder)

    assert verdict.problem == "record 5 was moved: it holds the content of record 6"


def test_records_that_changed_places_are_named(database, sealed, folder):
    for old, new in ((3, 100), (7, 3), (100, 7)):
        tamper(database, "update audit set seq = :new where seq = :old", new=new, old=old)

    verdict = audit.verify(database, folder)

    assert (verdict.ok, verdict.record) == (False, 3)
    assert verdict.problem == "record 3 was moved: it holds the content of record 7"


def test_a_trail_cut_short_names_the_first_record_that_is_gone(database, sealed, folder):
    write(database, 2)
    tamper(database, "delete from audit where seq >= 13")

    verdict = audit.verify(database, folder)

    assert (verdict.ok, verdict.record) == (False, 13)
    assert "its head counts 14" in (verdict.problem or "")


def test_a_trail_cut_short_with_its_head_is_found_by_what_was_signed(database, sealed, folder):
    tamper(database, "delete from audit where seq >= 10")
    mend_head(database)

    verdict = audit.verify(database, folder)

    assert (verdict.ok, verdict.record) == (False, 10)
    assert "12 were signed" in (verdict.problem or "")


def test_a_trail_emptied_altogether_is_found_by_what_was_signed(database, sealed, folder):
    for table in ("audit", "audit_head", "audit_checkpoints"):
        tamper(database, f"delete from {table}")

    verdict = audit.verify(database, folder)

    assert (verdict.ok, verdict.record) == (False, 0)


def test_a_forged_record_is_found_between_two_checkpoints(database, sealed, folder):
    forge(database, 5)

    verdict = audit.verify(database, folder)

    assert (verdict.ok, verdict.record) == (False, 4)
    assert verdict.problem == "a record from 4 to 7 was rewritten: the trail does not fit what was signed"


def test_a_forged_record_signed_on_its_own_is_named(database, seal, folder):
    for _ in range(3):
        write(database, 1)
        seal.sign()
    forge(database, 1)

    assert audit.verify(database, folder).problem == "record 1 was rewritten: it does not fit what was signed"


def test_a_forged_record_not_yet_signed_does_not_fit_the_head(database, sealed, folder):
    write(database, 1)
    with database.reading() as db:
        head = audit.head(db)
    forge(database, 12)
    tamper(database, "update audit_head set root = :r", r=head.root)

    verdict = audit.verify(database, folder)

    assert verdict.problem == "record 12 was rewritten: it does not fit the head of the tree"


def test_a_fork_that_goes_on_from_an_old_record_is_found(database, sealed, folder):
    forge(database, 9, until=10)
    write(database, 6)

    verdict = audit.verify(database, folder)

    assert (verdict.ok, verdict.record) == (False, 8)
    assert "a record from 8 to 11 was rewritten" in (verdict.problem or "")


def test_a_record_added_beside_the_tree_is_named(database, sealed, folder):
    tamper(
        database,
        "insert into audit (seq, at, act, person, subject, entry, leaf)"
        " select 12, at, act, person, subject, replace(entry, '\"seq\"\\:11', '\"seq\"\\:12'), leaf"
        " from audit where seq = 11",
    )
    with database.transaction() as db:
        entry = db.scalar(text("select entry from audit where seq = 12"))
        db.execute(text("update audit set leaf = :l where seq = 12"), {"l": hash_leaf(entry.encode())})

    verdict = audit.verify(database, folder)

    assert (verdict.record, verdict.ok) == (12, False)
    assert "added beside the tree" in (verdict.problem or "")


def test_a_changed_frontier_is_found(database, sealed, folder):
    tamper(database, "update audit_head set frontier = :f", f=json.dumps(["00" * 32, "00" * 32]))

    assert "frontier" in (audit.verify(database, folder).problem or "")


def test_checkpoints_deleted_from_the_database_are_still_in_the_file(database, sealed, folder):
    forge(database, 5)
    tamper(database, "delete from audit_checkpoints")

    assert audit.verify(database, folder).record == 4


def test_checkpoints_deleted_from_the_file_are_still_in_the_database(database, sealed, folder):
    forge(database, 5)
    (folder / "checkpoints.txt").unlink()

    assert audit.verify(database, folder).record == 4


def test_a_checkpoint_changed_after_signing_is_found(database, sealed, folder):
    path = folder / "checkpoints.txt"
    path.write_text(path.read_text().replace("\n8\n", "\n9\n"))

    assert "signature of a checkpoint is false" in (audit.verify(database, folder).problem or "")


def test_a_checkpoint_that_became_text_is_found(database, sealed, folder):
    path = folder / "checkpoints.txt"
    path.write_text(path.read_text().replace("— ", "- ", 1))

    assert "no checkpoint" in (audit.verify(database, folder).problem or "")


def test_a_missing_public_key_is_not_taken_for_proof(database, sealed, folder):
    (folder / "key.pub").unlink()

    assert "no signature can be checked" in (audit.verify(database, folder).problem or "")


def test_a_copy_kept_elsewhere_proves_what_a_forged_installation_hides(database, sealed, folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("key.pub", "checkpoints.txt"):
        (elsewhere / name).write_text((folder / name).read_text())
    forge(database, 5)
    tamper(database, "delete from audit_checkpoints")
    for path in folder.iterdir():
        path.unlink()
    audit.Seal(database, folder).sign()  # a new key signs the forged history

    assert audit.verify(database, folder).ok
    assert audit.verify(database, elsewhere).record == 4


def test_checkpoints_of_another_server_are_left_to_its_own_folder(database, sealed, folder, tmp_path):
    other = audit.Seal(database, tmp_path / "other")
    write(database, 1)
    other.sign()

    assert audit.verify(database, folder).checkpoints == 3
    assert audit.verify(database, other.folder).checkpoints == 1


def test_verifying_reads_and_writes_nothing(database, sealed, folder):
    before = (folder / "checkpoints.txt").read_bytes()
    audit.verify(database, folder)

    assert (folder / "checkpoints.txt").read_bytes() == before
    with database.reading() as db:
        assert audit.head(db).size == 12


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seq=st.integers(0, 11), place=st.integers(0, 10_000), bit=st.integers(0, 6))
def test_any_flipped_bit_of_any_entry_is_found_and_named(sqlite, folder, seq, place, bit):
    if not folder.exists():
        seal = audit.Seal(sqlite, folder)
        write(sqlite, 12)
        seal.sign()
    with sqlite.transaction() as db:
        entry = db.scalar(text("select entry from audit where seq = :s"), {"s": seq})
    raw = bytearray(entry.encode())
    raw[place % len(raw)] ^= 1 << bit
    tamper(sqlite, "update audit set entry = :e where seq = :s", e=raw.decode(errors="replace"), s=seq)

    verdict = audit.verify(sqlite, folder)
    tamper(sqlite, "update audit set entry = :e where seq = :s", e=entry, s=seq)

    assert (verdict.ok, verdict.record) == (False, seq)


def test_the_summary_is_one_line_that_says_which_record(database, sealed, folder):
    tamper(database, "delete from audit where seq = 5")

    line = audit.summarise(audit.verify(database, folder))

    assert line == "THE AUDIT TRAIL IS NOT WHOLE: record 5 is missing."


def test_the_key_has_a_name_of_its_own(folder, sqlite, tmp_path):
    one, two = audit.Seal(sqlite, folder), audit.Seal(sqlite, tmp_path / "two")

    assert verifier_key(one._key).name != verifier_key(two._key).name
