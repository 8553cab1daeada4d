"""What we ask of peers: verify, store, find, move, get, commit, notify, worklist and performed procedures.

Invariants: every wait has a limit; an object is never held whole in memory; a peer that fails raises one of
the errors of `_calling`, and a status it answers with is told and never swallowed.
"""

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias
from uuid import uuid4

from pydicom import Dataset
from pydicom.uid import generate_uid

from sightline.kernel.errors import PlatformError, Unavailable
from sightline.record import archive
from sightline.runtime.settings import ServerSettings
from sightline.wire import peers
from sightline.wire.dimse import _messages as messages
from sightline.wire.dimse._calling import (
    MOST_CONTEXTS,
    Agreed,
    Call,
    Message,
    NotSupported,
    PeerBroke,
    PeerRefused,
    PeerUnreachable,
    Proposal,
    Sink,
)
from sightline.wire.dimse._objects import (
    EXPLICIT,
    IMPLICIT,
    PLAIN,
    Item,
    dataset_chunks,
    decode_dataset,
    encode_dataset,
    find_items,
)
from sightline.wire.dimse._storing import STORAGE_CLASSES, SYNTAXES, file_meta
from sightline.wire.dimse.settings import DimseSettings

VERIFICATION = "1.2.840.10008.1.1"
COMMITMENT, COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
WORKLIST = "1.2.840.10008.5.1.4.31"
PROCEDURE_STEP = "1.2.840.10008.3.1.2.3.3"
AVAILABILITY = "1.2.840.10008.5.1.4.33"

Model: TypeAlias = Literal["patient", "study", "worklist"]
Level: TypeAlias = Literal["patient", "study", "series", "instance"]
FIND_CLASSES: dict[str, str] = {
    "patient": "1.2.840.10008.5.1.4.1.2.1.1",
    "study": "1.2.840.10008.5.1.4.1.2.2.1",
    "worklist": WORKLIST,
}
MOVE_CLASSES = {"patient": "1.2.840.10008.5.1.4.1.2.1.2", "study": "1.2.840.10008.5.1.4.1.2.2.2"}
GET_CLASSES = {"patient": "1.2.840.10008.5.1.4.1.2.1.3", "study": "1.2.840.10008.5.1.4.1.2.2.3"}
LEVELS = {"patient": "PATIENT", "study": "STUDY", "series": "SERIES", "instance": "IMAGE"}
LEVEL_OF = {word: level for level, word in LEVELS.items()}

CLASS_NOT_SUPPORTED = 0x0122
FAILED = 0xC000
OUT_OF_RESOURCES = 0xA700
_COUNTS = {
    "remaining": "NumberOfRemainingSuboperations",
    "completed": "NumberOfCompletedSuboperations",
    "failed": "NumberOfFailedSuboperations",
    "warned": "NumberOfWarningSuboperations",
}


class PeerRefusedRequest(Unavailable):
    """The peer answered with a failure; the message holds its status and its words."""


@dataclass(frozen=True, slots=True)
class EchoResult:
    """What came of an echo: whether it was answered, in how many ms, and in words."""

    ok: bool
    ms: float
    message: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one object that was sent; `status` is the peer's, or ours where none came."""

    sop_uid: str
    status: int
    comment: str = ""
    bytes: int = 0
    transcoded: bool = False

    @property
    def ok(self) -> bool:
        """Say whether the peer holds it now."""
        return self.status == messages.SUCCESS or self.status >> 12 == 0xB

    @property
    def warned(self) -> bool:
        """Say whether the peer holds it and has something to say about it."""
        return self.status >> 12 == 0xB


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of all objects that were to be sent; `error` says why the rest was not tried."""

    instances: tuple[Sent, ...]
    error: str = ""

    @property
    def done(self) -> int:
        """How many the peer holds now."""
        return sum(sent.ok for sent in self.instances)

    @property
    def failed(self) -> int:
        """How many it does not hold."""
        return len(self.instances) - self.done

    @property
    def bytes(self) -> int:
        """How many bytes of datasets went out."""
        return sum(sent.bytes for sent in self.instances)


@dataclass(frozen=True, slots=True)
class Progress:
    """Sub-operations of a retrieval as the peer counts them."""

    completed: int = 0
    failed: int = 0
    warned: int = 0
    remaining: int = 0


@dataclass(frozen=True, slots=True)
class RetrieveResult:
    """How a retrieval ended: the final status, its counts, and what failed."""

    status: int
    progress: Progress
    failed_uids: tuple[str, ...] = ()
    comment: str = ""

    @property
    def ok(self) -> bool:
        """Say whether everything arrived."""
        return self.status == messages.SUCCESS


@dataclass(frozen=True, slots=True)
class CommitResult:
    """A commitment that was asked for; `report` is None when the peer will report on another association."""

    transaction_uid: str
    report: Dataset | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """As whom we call: our AE title, and the settings of TLS."""

    title: str = field(default_factory=lambda: ServerSettings().ae_title)
    settings: DimseSettings = field(default_factory=DimseSettings)

    def call(
        self, peer: peers.Peer, proposals: Sequence[Proposal], extended: Mapping[str, bytes] | None = None
    ) -> Call:
        """Open an association with `peer`."""
        return Call(peer, proposals, calling=self.title, settings=self.settings, extended=extended)


def echo(peer: peers.Peer, *, caller: Caller | None = None) -> EchoResult:
    """Ask a peer whether it is there; what goes wrong is told in the result."""
    began = time.perf_counter()
    try:
        with (caller or Caller()).call(peer, [Proposal(VERIFICATION, (IMPLICIT,))]) as call:
            agreed = call.require(VERIFICATION)
            call.ask(agreed, {"CommandField": messages.C_ECHO, "AffectedSOPClassUID": VERIFICATION})
            status = call.hear().status
    except PlatformError as error:
        return EchoResult(False, _ms(began), str(error))
    if status != messages.SUCCESS:
        return EchoResult(False, _ms(began), f"{peer.title} answered with status {status:04X}H.")
    return EchoResult(True, _ms(began), f"{peer.title} answers.")


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)


def send(
    store: archive.Store,
    peer: peers.Peer,
    sop_uids: Sequence[str],
    *,
    on_progress: Callable[[Sent], None] | None = None,
    transcode: bool = True,
    caller: Caller | None = None,
) -> SendResult:
    """Send objects to a peer, and say what became of each.

    Where the peer takes an object only in another transfer syntax, it is written anew in little endian when
    `transcode` allows it. When the peer goes away, what was not sent yet is told as failed.
    """
    instances, error = [], ""
    items = find_items(store, sop_uids)
    missing = dict.fromkeys(sop_uids) if len(items) < len(sop_uids) else {}
    for item in items:
        missing.pop(item.sop_uid, None)
    try:
        for sent in sending(store, peer, items, transcode=transcode, caller=caller):
            instances.append(sent)
            if on_progress is not None:
                on_progress(sent)
    except Unavailable as gone:
        error = str(gone)
        told = {sent.sop_uid for sent in instances}
        instances += [Sent(i.sop_uid, OUT_OF_RESOURCES, error) for i in items if i.sop_uid not in told]
    instances += [Sent(uid, FAILED, "It is not held here.") for uid in missing]
    return SendResult(tuple(instances), error)


def sending(
    store: archive.Store,
    peer: peers.Peer,
    items: Sequence[Item],
    *,
    transcode: bool = True,
    caller: Caller | None = None,
    originator: tuple[str, int] | None = None,
    priority: int = 0,
) -> Generator[Sent, None, None]:
    """Send objects and yield what became of each; closing the iterator ends the association in good order.

    Parameters
    ----------
    originator : (str, int), optional
        AE title and message id of the C-MOVE that these are sub-operations of.
    priority : int
        0 medium, 1 high, 2 low.
    """
    extra: dict[str, int | str] = {"Priority": priority}
    if originator is not None:
        title, message_id = originator
        extra |= {"MoveOriginatorApplicationEntityTitle": title, "MoveOriginatorMessageID": message_id}
    for proposals, batch in _batches(items, transcode):
        with (caller or Caller()).call(peer, proposals) as call:
            for item in batch:
                yield _send_one(store, call, item, extra)


def _batches(items: Sequence[Item], transcode: bool) -> Iterator[tuple[list[Proposal], list[Item]]]:
    """Yield what one association can carry: each class as it is held, and in little endian besides."""
    wanted: dict[str, dict[str, None]] = {}
    batch: list[Item] = []

    def size() -> int:
        return sum(len(_syntaxes_of(held, transcode)) for held in wanted.values())

    for item in items:
        before = item.syntax in wanted.get(item.sop_class, {})
        if not before and size() + 3 > MOST_CONTEXTS:
            yield _proposals(wanted, transcode), batch
            wanted, batch = {}, []
        wanted.setdefault(item.sop_class, {})[item.syntax] = None
        batch.append(item)
    if batch:
        yield _proposals(wanted, transcode), batch


def _syntaxes_of(held: Mapping[str, None], transcode: bool) -> list[str]:
    return list(dict.fromkeys((*held, *PLAIN))) if transcode else list(held)


def _proposals(wanted: Mapping[str, Mapping[str, None]], transcode: bool) -> list[Proposal]:
    return [Proposal(c, (s,)) for c, held in wanted.items() for s in _syntaxes_of(held, transcode)]


def _send_one(store: archive.Store, call: Call, item: Item, extra: messages.Fields) -> Sent:
    agreed = call.agreed(item.sop_class, item.syntax) or call.agreed(item.sop_class, *PLAIN)
    if agreed is None:
        return Sent(item.sop_uid, CLASS_NOT_SUPPORTED, "The peer takes neither its class nor its coding.")
    try:
        chunks = dataset_chunks(store, item, agreed.syntax)
    except PlatformError as error:
        return Sent(item.sop_uid, FAILED, str(error))
    counted = _Counted(chunks)
    fields: messages.Fields = {
        "CommandField": messages.C_STORE,
        "AffectedSOPClassUID": item.sop_class,
        "AffectedSOPInstanceUID": item.sop_uid,
        **extra,
    }
    call.ask(agreed, fields, counted)
    answer = call.hear()
    return Sent(item.sop_uid, answer.status, answer.comment, counted.bytes, agreed.syntax != item.syntax)


class _Counted:
    """Pieces that are counted as they go by."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.bytes += len(piece)
            yield piece


def find(
    peer: peers.Peer,
    model: Model,
    level: Level | None,
    keys: Dataset,
    *,
    relational: bool = True,
    combined_datetime: bool = False,
    fuzzy: bool = False,
    caller: Caller | None = None,
) -> Generator[Dataset, None, None]:
    """Ask a peer what it holds, and yield its answers as they come; closing the iterator cancels the query.

    Raises
    ------
    PeerRefusedRequest
        If it answers with a failure.
    """
    sop_class = FIND_CLASSES[model]
    identifier = Dataset(keys)
    if level is not None:
        identifier.QueryRetrieveLevel = LEVELS[level]
    information = bytes((relational, combined_datetime, fuzzy, 0))
    extended = {sop_class: information} if model != "worklist" else {}
    with (caller or Caller()).call(peer, [Proposal(sop_class, PLAIN)], extended) as call:
        agreed = call.require(sop_class)
        fields: messages.Fields = {
            "CommandField": messages.C_FIND,
            "AffectedSOPClassUID": sop_class,
            "Priority": 0,
        }
        asked = call.ask(agreed, fields, encode_dataset(identifier, implicit=agreed.syntax == IMPLICIT))
        try:
            while (answer := call.hear()).status in messages.PENDING:
                yield _decoded(answer.data, agreed, peer)
        except GeneratorExit:
            _cancel(call, agreed, asked)
            raise
        if answer.status not in (messages.SUCCESS, messages.CANCELLED, 0xB001):
            raise _refused(peer, answer)


def _decoded(data: bytes, agreed: Agreed, peer: peers.Peer) -> Dataset:
    try:
        return decode_dataset(data, agreed.syntax)
    except Exception as error:  # pydicom raises what it likes
        raise PeerBroke(f"{peer.title} answered with what is no dataset.") from error


def _refused(peer: peers.Peer, answer: Message) -> PeerRefusedRequest:
    words = f": {answer.comment}" if answer.comment else ""
    return PeerRefusedRequest(f"{peer.title} answered with status {answer.status:04X}H{words}.")


def _cancel(call: Call, agreed: Agreed, asked: int) -> None:
    """Ask the peer to stop, and wait a little for it to do so."""
    with suppress(Unavailable):
        fields: messages.Fields = {"CommandField": messages.C_CANCEL, "MessageIDBeingRespondedTo": asked}
        call.say(agreed, fields)
        until = time.monotonic() + 5
        while time.monotonic() < until and call.hear(timeout_s=5).status in messages.PENDING:
            pass


def move(
    peer: peers.Peer,
    level: Level,
    keys: Dataset,
    destination: str,
    *,
    model: Literal["patient", "study"] = "study",
    on_progress: Callable[[Progress], None] | None = None,
    caller: Caller | None = None,
) -> RetrieveResult:
    """Have a peer send what it holds to `destination`, which it must know by that AE title.

    Parameters
    ----------
    keys : Dataset
        The unique keys of the level and those above it.
    """
    sop_class = MOVE_CLASSES[model]
    with (caller or Caller()).call(peer, [Proposal(sop_class, PLAIN)], {sop_class: b"\1"}) as call:
        agreed = call.require(sop_class)
        fields: messages.Fields = {
            "CommandField": messages.C_MOVE,
            "AffectedSOPClassUID": sop_class,
            "Priority": 0,
            "MoveDestination": destination,
        }
        call.ask(agreed, fields, _identifier(keys, level, agreed))
        wait_s = max(peer.dimse_timeout_s, peer.network_timeout_s)  # it tells of headway when it likes
        while (answer := call.hear(timeout_s=wait_s)).status in messages.PENDING:
            if on_progress is not None:
                on_progress(_progress(answer))
        return _ended(answer, agreed)


def _identifier(keys: Dataset, level: Level, agreed: Agreed) -> bytes:
    identifier = Dataset(keys)
    identifier.QueryRetrieveLevel = LEVELS[level]
    return encode_dataset(identifier, implicit=agreed.syntax == IMPLICIT)


def _progress(answer: Message) -> Progress:
    return Progress(**{name: answer.count(keyword) for name, keyword in _COUNTS.items()})


def _ended(answer: Message, agreed: Agreed) -> RetrieveResult:
    failed: tuple[str, ...] = ()
    if answer.data:
        with suppress(Exception):  # the list is a courtesy
            value = decode_dataset(answer.data, agreed.syntax).get("FailedSOPInstanceUIDList") or []
            failed = (str(value),) if isinstance(value, str) else tuple(map(str, value))
    return RetrieveResult(answer.status, _progress(answer), failed, answer.comment)


Take: TypeAlias = Callable[[archive.Incoming], tuple[int, str]]
"""Takes an object that came, and returns status and words for the peer."""


def get(
    store: archive.Store,
    peer: peers.Peer,
    level: Level,
    keys: Dataset,
    take: Take,
    *,
    model: Literal["patient", "study"] = "study",
    sop_classes: Sequence[str] = (),
    on_progress: Callable[[Progress], None] | None = None,
    caller: Caller | None = None,
) -> RetrieveResult:
    """Have a peer send what it holds on this same association, and hand each object to `take`.

    Parameters
    ----------
    sop_classes : sequence of str
        The classes that may come, at most 127; none stands for the usual ones.
    """
    sop_class = GET_CLASSES[model]
    wanted = list(dict.fromkeys(sop_classes or STORAGE_CLASSES))[: MOST_CONTEXTS - 1]
    proposals = [Proposal(sop_class, PLAIN), *_storage_proposals(wanted)]
    arriving = _Arriving(store)
    with (caller or Caller()).call(peer, proposals, {sop_class: b"\1"}) as call:
        agreed = call.require(sop_class)
        fields: messages.Fields = {
            "CommandField": messages.C_GET,
            "AffectedSOPClassUID": sop_class,
            "Priority": 0,
        }
        call.ask(agreed, fields, _identifier(keys, level, agreed))
        wait_s = max(peer.dimse_timeout_s, peer.network_timeout_s)
        try:
            while True:
                answer = call.hear(timeout_s=wait_s, sink_for=arriving.begin)
                if answer.kind == messages.C_STORE:
                    status, comment = arriving.finish(take)
                    call.answer(call.contexts[answer.context_id], answer, status, comment)
                elif answer.status in messages.PENDING:
                    if on_progress is not None:
                        on_progress(_progress(answer))
                else:
                    return _ended(answer, agreed)
        finally:
            arriving.discard()


def _storage_proposals(sop_classes: Sequence[str]) -> list[Proposal]:
    """Return the contexts on which objects may come: one for each transfer syntax while there is room.

    An accepted context has one transfer syntax, so that with few contexts some objects must be decoded.
    """
    syntaxes = [EXPLICIT, *(s for s in SYNTAXES if s not in PLAIN), IMPLICIT]
    each = (MOST_CONTEXTS - 1) // max(len(sop_classes), 1)
    alone, together = syntaxes[: each - 1], tuple(syntaxes[each - 1 :])
    proposals = [Proposal(c, (s,), scp=True) for c in sop_classes for s in alone]
    return proposals + [Proposal(c, together, scp=True) for c in sop_classes if together]


class _Arriving:
    """The object that comes at present, in a file of the store."""

    def __init__(self, store: archive.Store) -> None:
        self._store = store
        self._path: Path | None = None
        self._handle = -1
        self._left = 0
        self._failure: tuple[int, str] | None = None

    def begin(self, agreed: Agreed, command: Mapping[str, int | str]) -> Sink | None:
        """Make ready for the dataset of a C-STORE-RQ; the datasets of other messages are kept in memory."""
        if command["CommandField"] != messages.C_STORE:
            return None
        self.discard()
        self._failure = None
        self._left = self._store.settings.max_instance_mib << 20
        meta = file_meta(agreed.sop_class, str(command.get("AffectedSOPInstanceUID", ""))[:64], agreed.syntax)
        try:
            self._path = self._store.blobs.scratch() / f"arriving-{uuid4().hex}"
            self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        except (OSError, Unavailable):
            self._fail("The image store cannot be written; nothing was stored.")
        self.write(meta)
        return self

    def write(self, data: bytes) -> None:
        """Take a piece of the dataset."""
        if self._failure is not None:
            return
        self._left -= len(data)
        if self._left < 0:
            self._fail("The object is larger than may be stored.")
            return
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._handle, view) :]
        except OSError:
            self._fail("The image store cannot be written; nothing was stored.")

    def finish(self, take: Take) -> tuple[int, str]:
        """Hand over the object that has come whole."""
        if self._failure is not None or self._path is None:
            return self._failure or (FAILED, "The message has no dataset.")
        os.close(self._handle)
        self._handle = -1
        try:
            return take(archive.Incoming("object", self._path, ours=True))
        finally:
            self.discard()

    def discard(self) -> None:
        """Let go of what was not taken."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            self._path = None

    def _fail(self, words: str) -> None:
        self._failure = OUT_OF_RESOURCES, words
        self.discard()


def commit(
    peer: peers.Peer,
    references: Sequence[tuple[str, str]],
    *,
    transaction_uid: str | None = None,
    wait_s: float = 0,
    caller: Caller | None = None,
) -> CommitResult:
    """Ask a peer to commit itself to keep objects, each given by class and instance UID.

    Its report may come on this association, for which it is waited `wait_s`, or later on a new one.
    """
    transaction = transaction_uid or str(generate_uid())
    request = Dataset()
    request.TransactionUID = transaction
    request.ReferencedSOPSequence = [_reference(*pair) for pair in references]
    with (caller or Caller()).call(peer, [Proposal(COMMITMENT, PLAIN)]) as call:
        agreed = call.require(COMMITMENT)
        fields: messages.Fields = {
            "CommandField": messages.N_ACTION,
            "RequestedSOPClassUID": COMMITMENT,
            "RequestedSOPInstanceUID": COMMITMENT_INSTANCE,
            "ActionTypeID": 1,
        }
        _ask_for_success(call, agreed, fields, request, peer)
        report = _await_report(call, agreed, peer, wait_s) if wait_s > 0 else None
    return CommitResult(transaction, report)


def _reference(sop_class: str, sop_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_uid
    return item


def _await_report(call: Call, agreed: Agreed, peer: peers.Peer, wait_s: float) -> Dataset | None:
    try:
        event = call.hear(timeout_s=wait_s)
    except PeerBroke:
        return None
    if event.kind != messages.N_EVENT_REPORT:
        return None
    call.answer(agreed, event, messages.SUCCESS)
    return _decoded(event.data, agreed, peer)


def _ask_for_success(
    call: Call, agreed: Agreed, fields: messages.Fields, ds: Dataset | None, peer: peers.Peer
) -> Message:
    data = None if ds is None else encode_dataset(ds, implicit=agreed.syntax == IMPLICIT)
    call.ask(agreed, fields, data)
    answer = call.hear()
    # Warnings of the N-services: 0107H, 0116H and BxxxH (PS3.7 annex C).
    if answer.status not in (messages.SUCCESS, 0x0107, 0x0116) and answer.status >> 12 != 0xB:
        raise _refused(peer, answer)
    return answer


def notify(
    peer: peers.Peer, notice: Dataset, *, sop_uid: str | None = None, caller: Caller | None = None
) -> None:
    """Tell a peer which instances are available, and where (Instance Availability Notification)."""
    _create(peer, AVAILABILITY, sop_uid or str(generate_uid()), notice, caller)


def find_worklist(
    peer: peers.Peer, keys: Dataset, *, caller: Caller | None = None
) -> Generator[Dataset, None, None]:
    """Ask a peer for its modality worklist."""
    return find(peer, "worklist", None, keys, caller=caller)


def create_step(peer: peers.Peer, sop_uid: str, step: Dataset, *, caller: Caller | None = None) -> None:
    """Tell a peer that a procedure step has begun (MPPS N-CREATE)."""
    _create(peer, PROCEDURE_STEP, sop_uid, step, caller)


def set_step(peer: peers.Peer, sop_uid: str, changes: Dataset, *, caller: Caller | None = None) -> None:
    """Tell a peer how a procedure step goes on or how it ended (MPPS N-SET)."""
    with (caller or Caller()).call(peer, [Proposal(PROCEDURE_STEP, PLAIN)]) as call:
        fields: messages.Fields = {
            "CommandField": messages.N_SET,
            "RequestedSOPClassUID": PROCEDURE_STEP,
            "RequestedSOPInstanceUID": sop_uid,
        }
        _ask_for_success(call, call.require(PROCEDURE_STEP), fields, changes, peer)


def report_commitment(
    peer: peers.Peer, report: Dataset, *, failures: bool, caller: Caller | None = None
) -> None:
    """Tell a peer, on an association of our own, what became of the commitment that it asked for."""
    with (caller or Caller()).call(peer, [Proposal(COMMITMENT, PLAIN, scp=True)]) as call:
        fields: messages.Fields = {
            "CommandField": messages.N_EVENT_REPORT,
            "AffectedSOPClassUID": COMMITMENT,
            "AffectedSOPInstanceUID": COMMITMENT_INSTANCE,
            "EventTypeID": 2 if failures else 1,
        }
        _ask_for_success(call, call.require(COMMITMENT), fields, report, peer)


def _create(peer: peers.Peer, sop_class: str, sop_uid: str, ds: Dataset, caller: Caller | None) -> None:
    with (caller or Caller()).call(peer, [Proposal(sop_class, PLAIN)]) as call:
        fields: messages.Fields = {
            "CommandField": messages.N_CREATE,
            "AffectedSOPClassUID": sop_class,
            "AffectedSOPInstanceUID": sop_uid,
        }
        _ask_for_success(call, call.require(sop_class), fields, ds, peer)


__all__ = [
    "Caller",
    "CommitResult",
    "EchoResult",
    "NotSupported",
    "PeerBroke",
    "PeerRefused",
    "PeerRefusedRequest",
    "PeerUnreachable",
    "Progress",
    "RetrieveResult",
    "SendResult",
    "Sent",
    "commit",
    "create_step",
    "echo",
    "find",
    "find_worklist",
    "get",
    "move",
    "notify",
    "report_commitment",
    "send",
    "sending",
    "set_step",
]
