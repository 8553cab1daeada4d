"""Signing the tree."""

import base64
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sightline.trust import audit
from sightline.trust.audit._note import (
    _signed_by,
    open_checkpoint,
    parse_verifier_key,
    sign_checkpoint,
    split_notes,
    verifier_key,
)
from sightline.trust.audit._seal import append_note

from .conftest import tamper, write
from .test_verify import forge


def test_a_checkpoint_is_a_signed_note_that_any_ed25519_tool_can_check(database, sealed, folder):
    note = split_notes((folder / "checkpoints.txt").read_text())[0][-1]
    body, signature = note.split("\n\n")
    origin, size, root = body.splitlines()
    dash, name, encoded = signature.split()
    vkey_name, key_hash, key = (folder / "key.pub").read_text().strip().split("+", 2)

    raw = base64.b64decode(encoded)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:])
    public.verify(raw[4:], f"{body}\n".encode())
    with database.reading() as db:
        head = audit.head(db)
    assert (dash, origin, name, int(size)) == ("—", vkey_name, vkey_name, 12)
    assert raw[:4].hex() == key_hash
    assert base64.b64decode(root).hex() == head.root


def test_the_published_example_of_a_signed_note_is_verified():
    # The example key and note of the Go module golang.org/x/mod/sumdb/note.
    key = parse_verifier_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = (
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2p"
        "ZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )

    assert key is not None
    assert _signed_by(key, text, signature)
    assert not _signed_by(key, text.replace("answer", "Answer"), signature)


def test_a_tree_that_has_not_grown_is_not_signed_again(database, sealed, folder):
    before = (folder / "checkpoints.txt").read_bytes()

    assert sealed.sign() is None
    assert audit.Seal(database, folder).sign() is None
    assert (folder / "checkpoints.txt").read_bytes() == before


def test_an_empty_tree_is_not_signed(seal, folder):
    assert seal.sign() is None
    assert not (folder / "checkpoints.txt").exists()


def test_signing_goes_on_after_a_restart(database, sealed, folder):
    write(database, 5)

    checkpoint = audit.Seal(database, folder).sign()

    assert checkpoint is not None
    assert checkpoint.size == 17
    assert audit.verify(database, folder).checkpoints == 4


def test_a_history_rewritten_behind_the_back_of_a_running_server_is_not_signed(database, sealed, folder):
    tamper(database, "delete from audit where seq >= 10")
    tamper(database, "update audit_head set size = 10")
    before = (folder / "checkpoints.txt").read_bytes()

    with pytest.raises(audit.TrailBroken, match="audit verify"):
        sealed.sign()
    assert (folder / "checkpoints.txt").read_bytes() == before


def test_a_history_rewritten_while_the_server_was_down_is_not_signed(database, sealed, folder):
    forge(database, 5)
    write(database, 1)

    with pytest.raises(audit.TrailBroken, match="is not what was signed"):
        audit.Seal(database, folder).sign()


def test_stopping_signs_what_was_written_last(database, seal, folder):
    seal.start()
    write(database, 3)
    seal.stop()

    assert audit.verify(database, folder).checkpoints == 1


def test_a_trail_that_cannot_be_signed_does_not_end_the_server(database, sealed):
    forge(database, 5)
    tamper(database, "update audit_head set size = 11")

    sealed.stop()


def test_the_key_is_made_once_and_only_its_owner_may_read_it(seal, database, folder):
    first = (folder / "key.pem").read_bytes()
    audit.Seal(database, folder)

    assert (folder / "key.pem").read_bytes() == first
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.iterdir()) == ["key.pem", "key.pub"]


def test_the_torn_note_of_a_power_cut_is_cut_off_and_signing_goes_on(database, sealed, folder):
    path = folder / "checkpoints.txt"
    whole = path.read_text()
    for cut in (1, 40, 100, 150):
        path.write_text(whole[:-cut])
        append_note(path, sign_checkpoint(sealed._key, 0, bytes(32)))
        notes, other = split_notes(path.read_text())
        assert len(notes) == 3
        assert not other


def test_a_torn_note_alone_does_not_break_the_proof(database, sealed, folder):
    path = folder / "checkpoints.txt"
    path.write_text(path.read_text() + "\nsightline-audit-00\n99")

    assert audit.verify(database, folder).ok


@pytest.mark.parametrize(
    "note",
    [
        "",
        "nonsense",
        "a\n1\nAAAA\n\n— a AAAA\n",
        "a\n-1\nAAAA\n\n— a !!!\n",
        "\n\n\n— \n",
        "a\n1\n",
    ],
)
def test_what_is_no_checkpoint_is_not_opened(note):
    assert open_checkpoint(note, verifier_key(Ed25519PrivateKey.generate())) is None


@pytest.mark.parametrize(
    "text", ["", "a", "a+b", "a+00000000+AAAA", "a+00000000+" + "A" * 44, "+c74f20a3+ARpc2Q=="]
)
def test_what_is_no_public_key_is_not_taken_for_one(text):
    assert parse_verifier_key(text) is None


def test_one_key_does_not_open_what_another_signed():
    one, two = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    note = sign_checkpoint(one, 7, bytes(32))
    opened = open_checkpoint(note, verifier_key(one))

    assert opened is not None
    assert opened.size == 7
    assert open_checkpoint(note, verifier_key(two)) is None
