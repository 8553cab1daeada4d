"""C-STORE and C-ECHO on associations that ask for nothing else: bytes go from the wire to their place.

The dataset of an object is received behind its file meta, in one piece of memory that is used again for the
next; what is larger goes to a file of the store as it comes and is hashed on the way. Nothing is decoded, and
nothing is allocated because a length says so. Sources: PS3.4 B, PS3.7 9.1.1 and 9.1.5, PS3.10 7.1.
"""

import os
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from pynetdicom import ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts

from sightline.kernel.errors import Forbidden, Unavailable
from sightline.record import archive
from sightline.runtime.blobs import page_memory
from sightline.wire import peers
from sightline.wire.dimse import _upper, _upper_commands
from sightline.wire.dimse import _upper_pdus as pdus
from sightline.wire.dimse._model import IMPLEMENTATION_UID, IMPLEMENTATION_VERSION, Context
from sightline.wire.dimse._upper_wire import Gone, TooSlow, Wire

log = structlog.get_logger(__name__)

VERIFICATION = "1.2.840.10008.1.1"
STANDARD = "1.2.840.10008."
# Storage classes and nothing else have this root; retired ones and those younger than a list are among them.
STORAGE_ROOT = "1.2.840.10008.5.1.4.1.1."
STORAGE_CLASSES = tuple(str(c.abstract_syntax) for c in AllStoragePresentationContexts)
_STORAGE = frozenset(STORAGE_CLASSES)
# HTJ2K, JPEG XL and deflated frames are younger than pynetdicom's list (PS3.6 table A-1).
# JPIP and ST 2110 streams hold no pixels of their own, so an object in them could not be kept.
NOT_KEPT = ("1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.7.")
SYNTAXES = [
    *(str(s) for s in ALL_TRANSFER_SYNTAXES if not s.startswith(NOT_KEPT)),
    *(
        s
        for n in (110, 111, 112, 201, 202, 203)
        if (s := f"1.2.840.10008.1.2.4.{n}") not in ALL_TRANSFER_SYNTAXES
    ),
    "1.2.840.10008.1.2.8.1",
]
_SYNTAXES = frozenset(SYNTAXES)

SUCCESS = 0x0000
CLASS_NOT_SUPPORTED = 0x0122
DUPLICATE = 0x0111
NOT_AUTHORISED = 0x0124
UNRECOGNISED = 0x0211
OUT_OF_RESOURCES = 0xA700
REJECTED_BEFORE = 0xA770
DOES_NOT_MATCH = 0xA900
COERCED = 0xB000
CANNOT_UNDERSTAND = 0xC000
_FAILURES = {
    "store-full": OUT_OF_RESOURCES,
    "store-unavailable": OUT_OF_RESOURCES,
    "quota": OUT_OF_RESOURCES,
    "too-large": OUT_OF_RESOURCES,
    "missing-uid": DOES_NOT_MATCH,
    "invalid-uid": DOES_NOT_MATCH,
    "mismatch": DOES_NOT_MATCH,
    "rejected": REJECTED_BEFORE,
}

MIB = 1 << 20
SMALLEST, LARGEST = 1 * MIB, 4 * MIB
SYNCED_EVERY = 64 * MIB
_NO_ANSWER = 0xFFFF


def is_storage(sop_class: str, *, private: bool) -> bool:
    """Say whether objects of this class are kept; private ones by setting."""
    if sop_class.startswith(STANDARD):
        return sop_class.startswith(STORAGE_ROOT) or sop_class in _STORAGE
    return private


def is_for_storing(request: pdus.AssociateRequest) -> bool:
    """Say whether an association asks for Verification and Storage only, so that it is served here."""
    return all(
        c.abstract_syntax == VERIFICATION
        or not c.abstract_syntax.startswith(STANDARD)
        or is_storage(c.abstract_syntax, private=False)
        for c in request.contexts
    )


def negotiate(
    request: pdus.AssociateRequest, admission: peers.Admission, *, private: bool
) -> tuple[pdus.AnsweredContext, ...]:
    """Answer each presentation context: the first transfer syntax proposed that is kept (PS3.8 9.3.3.2)."""
    return tuple(_answer(context, admission.rights, private) for context in request.contexts)


def _answer(context: pdus.ProposedContext, rights: frozenset[str], private: bool) -> pdus.AnsweredContext:
    verifies = context.abstract_syntax == VERIFICATION
    if not (verifies or is_storage(context.abstract_syntax, private=private)):
        return pdus.AnsweredContext(context.id, 3, "")
    if not verifies and "store" not in rights:
        return pdus.AnsweredContext(context.id, 3, "")
    for syntax in context.transfer_syntaxes:
        if syntax in _SYNTAXES or (private and not syntax.startswith(STANDARD)):
            return pdus.AnsweredContext(context.id, 0, syntax)
    return pdus.AnsweredContext(context.id, 4, "")


def store_object(context: Context, admission: peers.Admission, item: archive.Incoming) -> tuple[int, str]:
    """Keep one object and return status and reason (PS3.4 table B.2-1)."""
    if "store" not in admission.rights:
        return NOT_AUTHORISED, "This AE may only echo; an administrator must admit it."
    source = archive.Source("dimse", admission.title, admission.person)
    try:
        outcome = context.spool.place(item, source)
    except Forbidden as error:
        return NOT_AUTHORISED, str(error)
    except Unavailable as error:
        return OUT_OF_RESOURCES, str(error)
    except Exception as error:  # the peer must get an answer, whatever broke here
        log.error("object not stored", error=type(error).__name__, exc_info=error)
        return CANNOT_UNDERSTAND, "Something broke on our side; it has been logged."
    return status_of(outcome)


def status_of(outcome: archive.Outcome) -> tuple[int, str]:
    """Return status and reason of what became of an object."""
    if outcome.status in {"stored", "held"}:
        if outcome.coerced:
            return COERCED, "Stored; shown with corrected attributes by rule."
        return SUCCESS, ""
    if outcome.status == "conflict":
        return DUPLICATE, outcome.reason
    return _FAILURES.get(outcome.code, CANNOT_UNDERSTAND), outcome.reason


class Association:
    """One association from its acceptance to its end, on the thread that calls `serve`."""

    def __init__(
        self, wire: Wire, context: Context, admission: peers.Admission, turnstile: peers.Turnstile
    ) -> None:
        self._wire = wire
        self._context = context
        self._admission = admission
        self._turnstile = turnstile
        self._machine = _upper.Machine()
        self._syntaxes: dict[int, tuple[str, str]] = {}
        self._max_length = 0
        self._command = bytearray()
        self._asked: tuple[int, _upper_commands.Command] | None = None
        self._object: _Arriving | None = None
        self._memory = _Memory()

    def serve(self, request: pdus.AssociateRequest) -> None:
        """Accept the association and answer what is asked on it until it ends."""
        self._machine.on(_upper.CONNECTION)
        self._machine.on(_upper.RQ)
        try:
            self._accept(request)
            while self._machine.is_open:
                self._next_pdu()
        except Gone:
            if self._machine.state != _upper.IDLE:
                self._machine.on(_upper.CLOSED)
        except TooSlow:
            log.info("association ended: the peer was silent or too slow", ae=self._admission.title)
            self._abort(0)
        except (pdus.BadPdu, _upper_commands.BadCommand) as error:
            log.info("association ended: not DICOM", ae=self._admission.title, what=str(error))
            self._abort(6)
        finally:
            if self._object is not None:
                self._object.discard()
            self._flush()

    def _accept(self, request: pdus.AssociateRequest) -> None:
        answers = negotiate(request, self._admission, private=self._context.dimse.private_classes)
        proposed = {c.id: c.abstract_syntax for c in request.contexts}
        self._syntaxes = {c.id: (proposed[c.id], c.transfer_syntax) for c in answers if c.result == 0}
        self._max_length = request.user.max_length
        roles = tuple(pdus.Role(r.sop_class, r.scu, scp=False) for r in request.user.roles)
        user = pdus.User(
            max_length=min(self._context.dimse.max_pdu, self._admission.max_pdu),
            implementation_uid=IMPLEMENTATION_UID,
            implementation_version=IMPLEMENTATION_VERSION,
            roles=roles,
        )
        accept = pdus.AssociateAccept(request.called, request.calling, answers, user)
        self._machine.on(_upper.ACCEPT)
        self._wire.wait_at_most(self._admission.network_timeout_s)
        self._wire.begin(0)
        self._wire.send(pdus.encode_accept(accept))

    def _next_pdu(self) -> None:
        kind, length = self._wire.read_head()
        action = self._machine.on_pdu(kind)
        if action == "DT-2":
            self._take_data(length)
        elif action == "AR-2":
            self._flush()  # what the peer asks for after its release is there
            self._machine.on(_upper.REPLY_RELEASE)
            self._wire.send(pdus.RELEASE_REPLY)
            self._wire.await_close()
        elif action == "AA-8":
            reason = 2 if kind in _upper.EVENT_OF_PDU else 1
            self._wire.send_abort(2, reason)
            self._wire.await_close()

    def _abort(self, reason: int) -> None:
        if self._machine.state not in {_upper.IDLE, _upper.CLOSING}:
            self._machine.on(_upper.SEND_ABORT)
        self._wire.send_abort(2, reason)
        self._wire.await_close()

    def _flush(self) -> None:
        with suppress(Unavailable):  # the objects are safe; their rows are tried again
            self._context.spool.flush()

    def _take_data(self, left: int) -> None:
        """Read the presentation data values of one PDU (PS3.8 9.3.5)."""
        if left < 6:
            raise pdus.BadPdu("a P-DATA-TF without a value")
        while left:
            if left < 6:
                raise pdus.BadPdu("a presentation data value is cut off")
            head = self._wire.read(6)
            length = int.from_bytes(head[:4], "big") - 2
            left -= 6
            if not 0 <= length <= left:
                raise pdus.BadPdu("a presentation data value is longer than its PDU")
            left -= length
            self._take_value(head[4], head[5], length)

    def _take_value(self, context_id: int, control: int, length: int) -> None:
        if context_id not in self._syntaxes:
            raise pdus.BadPdu("data on a presentation context that was not accepted")
        if control & pdus.COMMAND:
            self._take_command(context_id, length, last=bool(control & pdus.LAST))
            return
        if self._object is None or self._asked is None or self._asked[0] != context_id:
            raise pdus.BadPdu("a dataset that no command announced")
        self._object.read(self._wire, length)
        if control & pdus.LAST:
            self._finish()

    def _take_command(self, context_id: int, length: int, *, last: bool) -> None:
        if self._asked is not None:
            raise pdus.BadPdu("a command before the dataset of the one before it")
        if not self._command:
            self._wire.begin(self._admission.dimse_timeout_s)
        if len(self._command) + length > _upper_commands.LONGEST_COMMAND:
            raise pdus.BadPdu("a command of more than 64 KiB")
        self._command += self._wire.read(length)
        if last:
            command = _upper_commands.parse_command(self._command)
            self._command.clear()
            self._begin(context_id, command)

    def _begin(self, context_id: int, command: _upper_commands.Command) -> None:
        """Answer a command that is complete in itself, or make ready for its dataset."""
        sop_class, syntax = self._syntaxes[context_id]
        if command.kind == _upper_commands.C_CANCEL:
            return
        if command.has_dataset:
            self._asked = context_id, command
            self._object = _Arriving(self._context.store, self._memory, command, syntax)
            if command.kind != _upper_commands.C_STORE:
                self._object.fail(UNRECOGNISED, "")
            elif command.sop_class != sop_class or sop_class == VERIFICATION:
                self._object.fail(CLASS_NOT_SUPPORTED, "The SOP class is not the one negotiated.")
        elif command.kind == _upper_commands.C_ECHO:
            self._answer(context_id, command, SUCCESS if "echo" in self._admission.rights else NOT_AUTHORISED)
        elif command.kind == _upper_commands.C_STORE:
            self._answer(context_id, command, CANNOT_UNDERSTAND, "The message has no dataset.")
        elif command.kind & _upper_commands.RESPONSE:
            raise pdus.BadPdu("a response that nobody waits for")
        else:
            self._answer(context_id, command, UNRECOGNISED)
        if self._object is None:
            self._wire.begin(0)

    def _finish(self) -> None:
        """Keep the object that has come whole, and answer."""
        if self._asked is None or self._object is None:
            return
        (context_id, command), arrived = self._asked, self._object
        self._asked = self._object = None
        self._wire.begin(0)
        pause = self._turnstile.wait_s(self._admission)
        if pause:
            time.sleep(min(pause, self._admission.dimse_timeout_s))
        try:
            status, comment = arrived.failure or self._keep(arrived.finish())
        except OSError:
            status, comment = OUT_OF_RESOURCES, "The image store cannot be written."
        finally:
            arrived.discard()
        self._answer(context_id, command, status, comment)

    def _keep(self, item: archive.Incoming) -> tuple[int, str]:
        return store_object(self._context, self._admission, item)

    def _answer(
        self, context_id: int, command: _upper_commands.Command, status: int, comment: str = ""
    ) -> None:
        response = _upper_commands.encode_response(command, status, comment)
        self._wire.send(pdus.encode_message(context_id, response, None, self._max_length))


class _Memory:
    """The memory that an association receives into: one piece, used again for each object."""

    def __init__(self) -> None:
        self.view = page_memory(SMALLEST)

    def grow(self, used: int) -> bool:
        """Double it, keeping what is in it; say whether that was allowed."""
        if len(self.view) >= LARGEST:
            return False
        larger = page_memory(len(self.view) * 2)
        larger[:used] = self.view[:used]
        self.view = larger
        return True

    def shrink(self) -> None:
        """Give back what a large object needed."""
        if len(self.view) > SMALLEST:
            self.view = page_memory(SMALLEST)


class _Arriving:
    """One object on its way from the wire to memory or, when it is large, to a file of the store."""

    def __init__(
        self, store: archive.Store, memory: _Memory, command: _upper_commands.Command, syntax: str
    ) -> None:
        self._store = store
        self._memory = memory
        self._command = command
        self._syntax = syntax
        self._path: Path | None = None
        self._handle = -1
        self._digest: Any = None
        self._total = 0
        self._unsynced = 0
        self.failure: tuple[int, str] | None = None
        meta = file_meta(command.sop_class, command.sop_uid, syntax)
        self._start = self._used = len(meta)
        memory.view[: len(meta)] = meta

    def fail(self, status: int, comment: str) -> None:
        """Receive the rest without keeping it, and answer with this."""
        if self.failure is None:
            self.failure = status, comment
        self._drop_file()

    def read(self, wire: Wire, length: int) -> None:
        """Take the next `length` bytes of the dataset from the wire."""
        limit = self._store.settings.max_instance_mib * MIB
        self._total += length
        if self._total > limit:
            self.fail(OUT_OF_RESOURCES, f"The object is larger than {limit // MIB} MiB.")
            if self._total > 2 * limit + (1 << 30):
                raise pdus.BadPdu("an object without an end")
        while length:
            room = self._room(length)
            wire.fill(room)
            length -= len(room)
            self._used += len(room)

    def _room(self, wanted: int) -> memoryview:
        """Return where the next bytes go, at least one and at most `wanted`."""
        view = self._memory.view
        if self._used == len(view):
            if self.failure is not None:
                self._used = self._start
            elif self._handle >= 0 or not self._memory.grow(self._used):
                self._spill()
            view = self._memory.view
        return view[self._used : self._used + wanted]

    def _spill(self) -> None:
        """Move what is in memory to the file, which is made when there is none yet."""
        view = self._memory.view
        try:
            if self._handle < 0:
                self._path = self._store.blobs.scratch() / f"arriving-{uuid4().hex}"
                self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
                self._digest = archive.start_hash(self._syntax)
            self._digest.update(view[self._start : self._used])
            at = 0
            while at < self._used:
                at += os.write(self._handle, view[at : self._used])
            self._unsynced += self._used
            if self._unsynced > SYNCED_EVERY:  # so that the last sync is short and memory is not full of it
                os.fdatasync(self._handle)
                self._unsynced = 0
        except (OSError, Unavailable):
            self.fail(OUT_OF_RESOURCES, "The image store cannot be written; nothing was stored.")
        self._start = self._used = 0

    def finish(self) -> archive.Incoming:
        """Return the object that has come whole."""
        announced = self._command.sop_class, self._command.sop_uid
        if self._handle < 0:
            content = self._memory.view[: self._used].toreadonly()
            return archive.Incoming("object", content, announced=announced)
        self._spill()
        if self.failure is not None or self._path is None:
            raise OSError("the file could not be written")
        os.close(self._handle)
        self._handle = -1
        return archive.Incoming(
            "object", self._path, ours=True, digest=self._digest.hexdigest(), announced=announced
        )

    def discard(self) -> None:
        """Let go of what was not taken in."""
        self._drop_file()
        self._memory.shrink()

    def _drop_file(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)


def file_meta(sop_class: str, sop_uid: str, syntax: str) -> bytes:
    """Return preamble, prefix and file meta information for a dataset that came without (PS3.10 7.1)."""
    elements = b"".join(
        (
            struct.pack("<HH2sxxI", 2, 1, b"OB", 2) + b"\0\1",
            _meta_uid(2, sop_class),
            _meta_uid(3, sop_uid),
            _meta_uid(0x10, syntax),
            _meta_uid(0x12, IMPLEMENTATION_UID),
            struct.pack("<HH2sH", 2, 0x13, b"SH", 10) + IMPLEMENTATION_VERSION.encode().ljust(10),
        )
    )
    length = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(elements))
    return bytes(128) + b"DICM" + length + elements


def _meta_uid(number: int, uid: str) -> bytes:
    value = uid.encode("ascii", "replace")
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HH2sH", 2, number, b"UI", len(value)) + value
