"""Signing the tree: what was signed can no longer be rewritten without being noticed.

The key lives in the data folder, apart from the database; each signed checkpoint goes to a file beside it
and to the database. Whoever copies `checkpoints.txt` and `key.pub` elsewhere can prove later, without
trusting this machine, that nothing before their copy was changed.

A database restored from a backup is shorter than what was signed after it, and is not signed on: keep the
folder under another name, so that it still proves what was, and a new key begins with the next start.
"""

import fcntl
import os
import re
import threading
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from sqlalchemy.exc import SQLAlchemyError

from sightline.runtime.db import Database, Db
from sightline.trust.audit import _store as store
from sightline.trust.audit._merkle import Frontier
from sightline.trust.audit._model import TrailBroken
from sightline.trust.audit._note import (
    Checkpoint,
    open_checkpoint,
    sign_checkpoint,
    split_notes,
    verifier_key,
)

KEY = "key.pem"
PUBLIC_KEY = "key.pub"
CHECKPOINTS = "checkpoints.txt"
INTERVAL_S = 60
TAIL_BYTES = 4096  # longer than any note
_SIGNATURE_LINE = re.compile(rb"^\xe2\x80\x94 [^\n]+\n", re.MULTILINE)
log = structlog.get_logger(__name__)


class Seal:
    """Signs the tree of one installation whenever it has grown; `folder` holds key and checkpoints."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.folder = folder
        self._database = database
        self._key = open_key(folder)
        self._lock = threading.Lock()
        self._frontier: Frontier | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def sign(self) -> Checkpoint | None:
        """Sign what is committed now; None when it has not grown since the last time.

        Raises
        ------
        TrailBroken
            If the tree is not a continuation of what was signed last. A log must never sign both.
        """
        with self._lock, self._database.reading() as db:
            head = store.get_head(db)
            frontier = self._frontier or self._resume(db)
            if head.size == frontier.size and head.root == frontier.root().hex():
                return None
            self._frontier = None
            frontier.extend(store.stream_leaves(db, frontier.size, head.size))
            if frontier.size != head.size or frontier.root().hex() != head.root:
                raise TrailBroken(
                    "The audit trail does not continue what was signed last; run sightline audit verify.",
                    size=str(head.size),
                )
            checkpoint = self._publish(frontier)
            self._frontier = frontier
            return checkpoint

    def start(self) -> None:
        """Begin to sign once a minute."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._keep_signing, name="audit-seal", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Sign for the last time and end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._try_sign()

    def _keep_signing(self) -> None:
        while not self._stopping.wait(INTERVAL_S):
            self._try_sign()

    def _try_sign(self) -> None:
        try:
            self.sign()
        except (TrailBroken, SQLAlchemyError, OSError) as error:
            log.error("audit trail not signed", error=type(error).__name__, detail=str(error))

    def _resume(self, db: Db) -> Frontier:
        """Rebuild the tree as it was signed last, and refuse when the trail no longer gives that root."""
        last = self._last_signed()
        frontier = Frontier()
        if last is None:
            return frontier
        frontier.extend(store.stream_leaves(db, 0, last.size))
        if frontier.size != last.size or frontier.root() != last.root:
            raise TrailBroken(
                "The audit trail is not what was signed; run sightline audit verify.", size=str(last.size)
            )
        return frontier

    def _last_signed(self) -> Checkpoint | None:
        path = self.folder / CHECKPOINTS
        notes, _ = split_notes(read_notes(path))
        signed = [c for note in notes if (c := open_checkpoint(note, verifier_key(self._key)))]
        return max(signed, key=lambda checkpoint: checkpoint.size, default=None)

    def _publish(self, frontier: Frontier) -> Checkpoint:
        """Write the note to the file first, so that what the database calls signed is outside it too."""
        note = sign_checkpoint(self._key, frontier.size, frontier.root())
        append_note(self.folder / CHECKPOINTS, note)
        with self._database.transaction() as db:
            store.add_checkpoint(db, frontier.size, note)
        return Checkpoint(verifier_key(self._key).name, frontier.size, frontier.root())


def read_notes(path: Path) -> str:
    """Return the file of notes; empty when there is none yet."""
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def open_key(folder: Path) -> Ed25519PrivateKey:
    """Return the signing key of the installation, made at the first start and readable by its owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / KEY
    if not path.exists():
        _make_key(path)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{KEY} holds no Ed25519 key; restore the key of this installation.")
    if path.stat().st_mode & 0o077:
        log.warning("the audit key can be read by others; set its mode to 600")
    public = folder / PUBLIC_KEY
    if not public.exists():
        public.write_text(f"{verifier_key(key)}\n", encoding="utf-8")
    return key


def _make_key(path: Path) -> None:
    """Write a new key beside its place and link it there, so that two starts at once agree on one."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, pem)
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # the other start was first; its key is the key
    finally:
        draft.unlink()


def append_note(path: Path, note: str) -> None:
    """Add a note to the file of notes and sync it; the torn end that a power cut left is cut off first."""
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        start = max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES)
        file.seek(start)
        ends = [matched.end() for matched in _SIGNATURE_LINE.finditer(file.read())]
        whole = start + ends[-1] if ends else start
        file.truncate(whole)
        file.write((b"\n" if whole else b"") + note.encode())
        file.flush()
        os.fsync(file.fileno())
