"""Retrieval: C-MOVE to a peer of the list, C-GET on the same association (PS3.4 C.4.2, C.4.3).

Objects go as they are held where the receiver takes that; else written anew in little endian. Each
sub-operation is told in a pending answer, and what failed is named at the end.
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import structlog
from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.dimse_primitives import C_STORE

from sightline.kernel.errors import Forbidden, Invalid, NotFound, PlatformError, Unavailable
from sightline.record import archive
from sightline.trust import access, audit
from sightline.wire import peers
from sightline.wire.dimse import _messages as messages
from sightline.wire.dimse import _upper_pdus as pdus
from sightline.wire.dimse._calling import fragments
from sightline.wire.dimse._datasets import NotReadable, person_behind, read_message, status
from sightline.wire.dimse._model import Context, Service
from sightline.wire.dimse._objects import PLAIN, Item, dataset_chunks, items_of
from sightline.wire.dimse._requesting import Caller, Sent, sending

log = structlog.get_logger(__name__)

PATIENT_ROOT_MOVE, PATIENT_ROOT_GET = "1.2.840.10008.5.1.4.1.2.1.2", "1.2.840.10008.5.1.4.1.2.1.3"
STUDY_ROOT_MOVE, STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.2", "1.2.840.10008.5.1.4.1.2.2.3"
PATIENT_STUDY_MOVE, PATIENT_STUDY_GET = "1.2.840.10008.5.1.4.1.2.3.2", "1.2.840.10008.5.1.4.1.2.3.3"

SUCCESS, PENDING, CANCELLED, INCOMPLETE = 0x0000, 0xFF00, 0xFE00, 0xB000
CANNOT_COUNT, CANNOT_PERFORM, UNKNOWN_DESTINATION = 0xA701, 0xA702, 0xA801
NOT_AUTHORISED, DOES_NOT_MATCH, CANNOT_PROCESS = 0x0124, 0xA900, 0xC000
STORE_FAILED = 0xC000

MOST_BYTES = 4 << 20
MOST_UIDS = 10_000
MOST_FAILED = 16_000  # UIDs that fit into the list of those that failed, where lengths have 16 bits less
STORE_MESSAGES = 0xFFFF
ANSWER_EVERY_S = 0.05
LEVEL = "00080052"
PATIENT_ID, STUDY_UID, SERIES_UID, SOP_UID = "00100020", "0020000D", "0020000E", "00080018"
_UNIQUE = {"PATIENT": PATIENT_ID, "STUDY": STUDY_UID, "SERIES": SERIES_UID, "IMAGE": SOP_UID}
_LEVELS: Mapping[str, tuple[str, ...]] = {
    PATIENT_ROOT_MOVE: ("PATIENT", "STUDY", "SERIES", "IMAGE"),
    PATIENT_ROOT_GET: ("PATIENT", "STUDY", "SERIES", "IMAGE"),
    STUDY_ROOT_MOVE: ("STUDY", "SERIES", "IMAGE"),
    STUDY_ROOT_GET: ("STUDY", "SERIES", "IMAGE"),
    PATIENT_STUDY_MOVE: ("PATIENT", "STUDY"),
    PATIENT_STUDY_GET: ("PATIENT", "STUDY"),
}

audit.declare("archive.send", "Objects of a study were sent to another application entity")


class DoesNotMatch(Invalid):
    """The identifier does not fit the SOP class; correct its level or its unique keys."""


def agree(sop_class: str) -> bytes:
    """Return what of an extended negotiation of retrieval holds: relational retrieval (PS3.4 C.5.2.1)."""
    return b"\1" if sop_class in _LEVELS else b""


@dataclass(slots=True)
class _Count:
    """The sub-operations of one retrieval."""

    remaining: int
    completed: int = 0
    warned: int = 0
    failed: list[str] = field(default_factory=list)

    def add(self, sent: Sent) -> None:
        """Count one that is done."""
        self.remaining -= 1
        if sent.warned:
            self.warned += 1
        elif sent.ok:
            self.completed += 1
        else:
            self.failed.append(sent.sop_uid)

    def fail(self, items: list[Item]) -> None:
        """Count those as failed that were not tried."""
        self.failed += [item.sop_uid for item in items]
        self.remaining = 0


def move(context: Context, event: Any) -> None:
    """Send what is asked for to the peer that is named as destination."""

    def deliver(items: list[Item]) -> Generator[Sent, None, None]:
        originator = event.assoc.admission.title, event.request.MessageID
        caller = Caller(context.settings.ae_title, context.dimse)
        return sending(
            context.store,
            destination,
            items,
            caller=caller,
            originator=originator,
            priority=int(event.request.Priority or 0),
        )

    reply = _Reply(event)
    try:
        with context.store.database.reading() as db:
            destination = peers.find_peer(db, str(event.request.MoveDestination or ""))
        if not destination.enabled or not destination.host:
            raise peers.PeerNotKnown("The destination cannot be called.")
    except NotFound:
        reply.send(UNKNOWN_DESTINATION, comment="The move destination is not in the list of peers.")
        return
    _retrieve(context, event, reply, deliver)


def get(context: Context, event: Any) -> None:
    """Send what is asked for on the association that it is asked on."""
    _retrieve(context, event, _Reply(event), lambda items: _store_back(context, event, items))


def _retrieve(
    context: Context,
    event: Any,
    reply: "_Reply",
    deliver: Callable[[list[Item]], Generator[Sent, None, None]],
) -> None:
    """Do what move and get have in common: read, find, deliver, count, and answer."""
    try:
        person = person_behind(event)
        access.require(person, "archive.read")
        items = _find(context.store, event)
        for study in dict.fromkeys(item.study for item in items):
            audit.record_read(person, "archive.send", study)
        _deliver(event, reply, items, deliver)
    except (NotReadable, Invalid) as error:
        reply.send(DOES_NOT_MATCH, comment=str(error))
    except Forbidden as error:
        reply.send(NOT_AUTHORISED, comment=str(error))
    except Unavailable as error:
        reply.send(CANNOT_COUNT, comment=str(error))
    except Exception as error:
        log.error("retrieval broke", error=type(error).__name__, exc_info=error)
        reply.send(CANNOT_PROCESS, comment="Something broke on our side; it has been logged.")


def _deliver(
    event: Any,
    reply: "_Reply",
    items: list[Item],
    deliver: Callable[[list[Item]], Generator[Sent, None, None]],
) -> None:
    count = _Count(len(items))
    told = float("-inf")
    comment = ""
    try:
        with closing(deliver(items)) as delivery:
            for sent in delivery:
                count.add(sent)
                comment = comment or ("" if sent.ok else sent.comment)
                if event.is_cancelled and count.remaining:
                    reply.send(CANNOT_PROCESS if reply.is_lost else CANCELLED, count)
                    return
                if count.remaining and time.monotonic() - told > ANSWER_EVERY_S:
                    reply.send(PENDING, count)
                    told = time.monotonic()
    except Unavailable as error:  # the destination went away, or never was there
        comment = str(error)
        done = len(items) - count.remaining
        count.fail(items[done:])
    nothing = bool(count.failed) and not count.completed and not count.warned
    final = CANNOT_PERFORM if nothing else INCOMPLETE if count.failed or count.warned else SUCCESS
    reply.send(final, count, comment if final == CANNOT_PERFORM else "")


class _Reply:
    """Answers one request, over and over, on the association that it came on."""

    def __init__(self, event: Any) -> None:
        self._event = event

    @property
    def is_lost(self) -> bool:
        """Say whether nobody listens any more."""
        return not self._event.assoc.is_established

    def send(self, code: int, count: _Count | None = None, comment: str = "") -> None:
        """Send one answer; those at the end name what failed (PS3.4 C.4.2.1.4.2)."""
        counts: dict[str, int] = {}
        named = None
        if count is not None:
            if code in (PENDING, CANCELLED):
                counts["NumberOfRemainingSuboperations"] = min(count.remaining, 0xFFFF)
            counts["NumberOfCompletedSuboperations"] = min(count.completed, 0xFFFF)
            counts["NumberOfFailedSuboperations"] = min(len(count.failed), 0xFFFF)
            counts["NumberOfWarningSuboperations"] = min(count.warned, 0xFFFF)
            if count.failed and code != PENDING:
                named = Dataset()
                named.FailedSOPInstanceUIDList = count.failed[:MOST_FAILED]
        self._event.answer(status(code, comment), named, counts)


def _find(store: archive.Store, event: Any) -> list[Item]:
    """Return the objects that an identifier names.

    Raises
    ------
    DoesNotMatch
        If the level is not one of the model, or its unique key names nothing or a pattern.
    """
    sop_class = str(event.request.AffectedSOPClassUID)
    keys = read_message(event.request.Identifier, str(event.context.transfer_syntax), most=MOST_BYTES)
    level = "".join(_texts(keys, LEVEL)[:1]).upper()
    if level not in _LEVELS[sop_class]:
        raise DoesNotMatch("The query/retrieve level is not one of this information model.")
    named = {word: _texts(keys, tag) for word, tag in _UNIQUE.items()}
    wanted = named[level]
    if not 0 < len(wanted) <= MOST_UIDS or any(set(text) & {"*", "?"} for text in wanted):
        raise DoesNotMatch("The unique key of the level names nothing, a pattern, or too much.")
    study = "".join(named["STUDY"]) if level in ("SERIES", "IMAGE") and len(named["STUDY"]) == 1 else ""
    series = "".join(named["SERIES"]) if level == "IMAGE" and len(named["SERIES"]) == 1 else ""
    return list(dict.fromkeys(_instances(store, level, wanted, study, series)))


def _texts(keys: archive.Attributes, tag: str) -> list[str]:
    found = [str(v).strip("\0 ") for v in keys.get(tag, {}).get("Value") or () if v is not None]
    return [text for text in found if text]


def _instances(
    store: archive.Store, level: str, wanted: list[str], study: str, series: str
) -> Iterator[Item]:
    for query in _queries(store, level, wanted, study, series):
        with store.database.reading() as db:
            yield from items_of(archive.find_instances(db, query))


def _queries(
    store: archive.Store, level: str, wanted: list[str], study: str, series: str
) -> Iterator[archive.InstanceQuery]:
    if level == "IMAGE":
        for at in range(0, len(wanted), 500):
            yield archive.InstanceQuery(study=study, series=series, sop_uids=wanted[at : at + 500])
    elif level == "SERIES":
        for uid in wanted:
            yield archive.InstanceQuery(study=study, series=uid)
    elif level == "STUDY":
        for uid in wanted:
            yield archive.InstanceQuery(study=uid)
    else:
        for uid in _studies_of(store, wanted):
            yield archive.InstanceQuery(study=uid)


def _studies_of(store: archive.Store, patient_ids: list[str]) -> Iterator[str]:
    for patient_id in patient_ids:
        query = archive.Query("study", {PATIENT_ID: archive.Single(patient_id)})
        after: tuple[str, ...] | None = None
        while True:
            with store.database.reading() as db:
                page = archive.search(db, query, limit=200, after=after)
            yield from (study[STUDY_UID]["Value"][0] for study in page.items)
            if page.next is None:
                break
            after = page.next


def _store_back(context: Context, event: Any, items: list[Item]) -> Generator[Sent, None, None]:
    """Store objects on the association that asked for them, one after the other (C-GET)."""
    association = event.assoc
    taken = {
        (str(c.abstract_syntax), str(c.transfer_syntax[0])): int(c.context_id)
        for c in association.accepted_contexts
        if c.as_scu
    }
    for number, item in enumerate(items):
        found = next(
            ((s, taken[item.sop_class, s]) for s in (item.syntax, *PLAIN) if (item.sop_class, s) in taken),
            None,
        )
        if found is None:
            yield Sent(item.sop_uid, 0x0122, "The peer takes neither its class nor its coding.")
            continue
        syntax, context_id = found
        try:
            chunks = dataset_chunks(context.store, item, syntax)
        except PlatformError as error:
            yield Sent(item.sop_uid, STORE_FAILED, str(error))
            continue
        message_id = number % STORE_MESSAGES + 1
        _send_object(association, context_id, message_id, item, chunks, event.request)
        yield _await_answer(association, message_id, item, syntax)


def _send_object(
    association: Any, context_id: int, message_id: int, item: Item, chunks: Iterator[bytes], request: Any
) -> None:
    command = messages.encode_command(
        {
            "CommandField": messages.C_STORE,
            "MessageID": message_id,
            "AffectedSOPClassUID": item.sop_class,
            "AffectedSOPInstanceUID": item.sop_uid,
            "Priority": int(request.Priority or 0),
            "CommandDataSetType": messages.DATASET,
        }
    )
    longest = association.requestor.maximum_length
    association.say(context_id, (pdus.COMMAND | pdus.LAST, command))
    for value, last in fragments(chunks, min(longest - 6 if longest else 1 << 20, 1 << 20)):
        association.say(context_id, (pdus.LAST if last else 0, value))


def _await_answer(association: Any, message_id: int, item: Item, syntax: str) -> Sent:
    answer = association.await_message(C_STORE)
    if answer is None or answer.MessageIDBeingRespondedTo != message_id or answer.Status is None:
        association.abort(block=False)
        raise PeerGone("The peer went away during the retrieval.")
    comment = str(answer.ErrorComment or "")
    return Sent(item.sop_uid, int(answer.Status), comment, transcoded=syntax != item.syntax)


class PeerGone(Unavailable):
    """The peer ended the association in the middle; ask again."""


def _service(name: str, sop_class: str, event: Any, handler: Any) -> Service:
    return Service(name, (sop_class,), "scp", "retrieve", {event: handler})


SERVICES = (
    _service("Patient Root Retrieve (MOVE)", PATIENT_ROOT_MOVE, evt.EVT_C_MOVE, move),
    _service("Patient Root Retrieve (GET)", PATIENT_ROOT_GET, evt.EVT_C_GET, get),
    _service("Study Root Retrieve (MOVE)", STUDY_ROOT_MOVE, evt.EVT_C_MOVE, move),
    _service("Study Root Retrieve (GET)", STUDY_ROOT_GET, evt.EVT_C_GET, get),
    _service("Patient/Study Only Retrieve, retired (MOVE)", PATIENT_STUDY_MOVE, evt.EVT_C_MOVE, move),
    _service("Patient/Study Only Retrieve, retired (GET)", PATIENT_STUDY_GET, evt.EVT_C_GET, get),
)
