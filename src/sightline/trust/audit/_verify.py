"""Proving that the trail is whole: every entry hashed again, and the tree held against every signature.

An entry that was changed, moved or taken out is named. One that was rewritten together with its hash and
the head of the tree fits the database, but no longer what was signed: then the range between two
checkpoints is named.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sightline.kernel import clock
from sightline.runtime.db import Database, Db
from sightline.trust.audit import _store as store
from sightline.trust.audit._merkle import Frontier, hash_leaf
from sightline.trust.audit._model import Head, Verdict
from sightline.trust.audit._note import (
    Checkpoint,
    VerifierKey,
    names_key,
    open_checkpoint,
    parse_verifier_key,
    split_notes,
)
from sightline.trust.audit._seal import CHECKPOINTS, PUBLIC_KEY, read_notes


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and the first record that is not as it was."""

    problem: str
    record: int | None = None


@dataclass(slots=True)
class Walk:
    """One pass through the trail: the tree so far, and its root wherever a checkpoint asks for it."""

    wanted: frozenset[int]
    tree: Frontier = field(default_factory=Frontier)
    roots: dict[int, bytes] = field(default_factory=dict)

    def step(self, leaf: bytes) -> None:
        """Grow by one leaf."""
        self.tree.add(leaf)
        self.keep()

    def keep(self) -> None:
        """Keep the present root if a checkpoint asks for it."""
        if self.tree.size in self.wanted:
            self.roots[self.tree.size] = self.tree.root()


def verify(database: Database, folder: Path) -> Verdict:
    """Hash the whole trail again and hold it against its head and every signed checkpoint.

    Parameters
    ----------
    database : Database
        The installation's database; it is only read, in one snapshot.
    folder : Path
        Holds ``key.pub`` and ``checkpoints.txt``: the installation's own, or a copy kept elsewhere, which
        proves more, because nobody with access to the installation could have changed it.

    Returns
    -------
    Verdict
        Whether all fits; if not, what does not and the first record concerned.
    """
    text = read_notes(folder / CHECKPOINTS)  # before the snapshot, so that it holds all that the file signs
    with database.reading() as db:
        if not database.is_sqlite:
            db.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        signed, fault = _read_checkpoints(text, store.find_notes(db), _read_keys(folder))
        if fault is not None:
            head = store.get_head(db)
            return Verdict(False, head.size, head.root, len(signed), fault.problem, fault.record)
        return _verify_snapshot(db, signed)


def verify_and_remember(database: Database, folder: Path) -> Verdict:
    """Verify, and when all is whole keep the time for the reader of the trail."""
    verdict = verify(database, folder)
    if verdict.ok:
        with database.transaction() as db:
            store.set_verified(db, clock.now())
    return verdict


def _verify_snapshot(db: Db, signed: list[Checkpoint]) -> Verdict:
    head = store.get_head(db)
    walk = Walk(frozenset(checkpoint.size for checkpoint in signed))
    walk.keep()
    fault = (
        _walk(store.stream_rows(db), walk)
        or _compare_signed(signed, walk)
        or _compare_head(head, store.get_frontier(db), walk.tree, max(walk.roots, default=0))
    )
    tree = walk.tree
    if fault is None:
        return Verdict(True, tree.size, tree.root().hex(), len(signed))
    return Verdict(False, tree.size, tree.root().hex(), len(signed), fault.problem, fault.record)


def _walk(rows: Iterable[store.Row], walk: Walk) -> Fault | None:
    """Grow the tree row by row; stop at the first that is not as it was."""
    for expected, row in enumerate(rows):
        fault = _check_row(row, expected)
        if fault is not None:
            return fault
        walk.step(row.leaf)
    return None


def _check_row(row: store.Row, expected: int) -> Fault | None:
    if row.seq != expected:
        return Fault(f"record {expected} is missing", expected)
    if hash_leaf(row.entry.encode()) != row.leaf:
        return Fault(f"record {expected} was changed: its content does not give its hash", expected)
    try:
        entry = store.decode_entry(row.entry)
    except (ValueError, TypeError, KeyError):
        return Fault(f"record {expected} was changed: its content is no entry", expected)
    if entry.seq != expected:
        return Fault(f"record {expected} was moved: it holds the content of record {entry.seq}", expected)
    if (entry.at, entry.act, entry.by, entry.on) != (row.at, row.act, row.person, row.subject):
        return Fault(f"record {expected} was changed: its columns do not say what its content says", expected)
    return None


def _compare_signed(signed: list[Checkpoint], walk: Walk) -> Fault | None:
    """Hold the tree against each checkpoint, smallest first, and name what lies between good and bad."""
    good = 0
    for checkpoint in sorted(signed, key=lambda c: c.size):
        if checkpoint.size > walk.tree.size:
            cut = walk.tree.size
            return Fault(
                f"record {cut} is missing: the trail ends before it, but {checkpoint.size} were signed", cut
            )
        if walk.roots[checkpoint.size] != checkpoint.root:
            return Fault(_rewritten(good, checkpoint.size, "what was signed"), good)
        good = checkpoint.size
    return None


def _compare_head(head: Head, frontier: tuple[str, ...], tree: Frontier, signed: int) -> Fault | None:
    if tree.size < head.size:
        cut = tree.size
        return Fault(
            f"record {cut} is missing: the trail ends before it, but its head counts {head.size}", cut
        )
    if tree.size > head.size:
        return Fault(
            f"record {head.size} was added beside the tree, whose head counts {head.size}", head.size
        )
    if tree.root().hex() != head.root:
        return Fault(_rewritten(signed, tree.size, "the head of the tree"), signed)
    if tuple(h.hex() for h in tree.hashes) != frontier:
        return Fault("the head of the tree was changed: its frontier does not give its root")
    return None


def _rewritten(first: int, end: int, against: str) -> str:
    """Say which records no longer fit.

    >>> _rewritten(3, 4, "what was signed"), _rewritten(3, 9, "what was signed")
    ('record 3 was rewritten: it does not fit what was signed', 'a record from 3 to 8 was rewritten: ...
    """
    if end - first == 1:
        return f"record {first} was rewritten: it does not fit {against}"
    return f"a record from {first} to {end - 1} was rewritten: the trail does not fit {against}"


def _read_keys(folder: Path) -> list[VerifierKey]:
    path = folder / PUBLIC_KEY
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    return [key for line in lines if (key := parse_verifier_key(line))]


def _read_checkpoints(
    text: str, stored: list[str], keys: list[VerifierKey]
) -> tuple[list[Checkpoint], Fault | None]:
    """Return what our keys signed, in the file and in the database; a false signature is a fault.

    Notes by other keys are those of other servers on the same database; their own folders vouch for them.
    """
    notes, other = split_notes(text)
    if other:
        return [], Fault(f"{CHECKPOINTS} holds text that is no checkpoint")
    if (notes or stored) and not keys:
        return [], Fault(f"{PUBLIC_KEY} is missing or damaged, so no signature can be checked")
    signed: set[Checkpoint] = set()
    for note, key in _pairs([*notes, *stored], keys):
        checkpoint = open_checkpoint(note, key)
        if checkpoint is None:
            return list(signed), Fault("the signature of a checkpoint is false: it was changed after signing")
        signed.add(checkpoint)
    return list(signed), None


def _pairs(notes: list[str], keys: list[VerifierKey]) -> Iterator[tuple[str, VerifierKey]]:
    for note in notes:
        for key in keys:
            if names_key(note, key):
                yield note, key
