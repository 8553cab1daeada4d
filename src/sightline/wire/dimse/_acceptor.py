"""pynetdicom's association on a connection that was accepted elsewhere, within bounds.

It wakes when something comes and not by the clock, what a slow peer does not read waits here only up to a
limit, and no message grows beyond what its kind may be.
"""

import logging
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from queue import Queue
from typing import Any, Protocol
from uuid import uuid4

import structlog
from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import DIMSEMessage
from pynetdicom.dimse_primitives import C_FIND, C_GET, C_MOVE, C_STORE
from pynetdicom.pdu_primitives import A_ASSOCIATE, P_DATA
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AddressInformation, AssociationSocket

from sightline.kernel.errors import Unavailable
from sightline.record import archive
from sightline.wire import peers
from sightline.wire.dimse import _messages as messages
from sightline.wire.dimse import _upper_pdus as pdus
from sightline.wire.dimse._calling import fragments
from sightline.wire.dimse._datasets import encode_dataset
from sightline.wire.dimse._model import Context
from sightline.wire.dimse._storing import (
    CLASS_NOT_SUPPORTED,
    OUT_OF_RESOURCES,
    file_meta,
    is_storage,
    store_object,
)

log = structlog.get_logger(__name__)
# It tells of every byte that is no DICOM, with a traceback; that an association ended so is told here.
logging.getLogger("pynetdicom.dul").setLevel(logging.CRITICAL)

SUCCESS = 0x0000
MOST_PDU = 64 << 20
MOST_COMMAND = 64 << 10
MOST_IDENTIFIER = 16 << 20
IN_MEMORY = 8 << 20
WAITING_PDUS = 64
IDLE_S = 0.5
CHUNK = 1 << 18
# How much of the answers to a query is sent together, and how long an answer waits for others at most.
GATHERED, GATHERED_S = 32 << 10, 0.01


class Host(Protocol):
    """Whose services are asked for on the association."""

    @property
    def context(self) -> Context: ...

    @property
    def events(self) -> tuple[Any, ...]: ...

    def pause_s(self, admission: peers.Admission) -> float: ...

    def agree(self, sop_class: str, asked: bytes) -> bytes: ...

    def handler_of(self, event: Any) -> Callable[[Any], Any] | None: ...

    def supported(
        self, proposed: Sequence[PresentationContext], rights: frozenset[str]
    ) -> list[PresentationContext]: ...


class Waking(Queue):  # type: ignore[type-arg]
    """A queue that wakes whoever waits for something else as well."""

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self._wake = wake

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put something in and wake."""
        super().put(item, block, timeout)
        self._wake()


class Served(Association):
    """pynetdicom's association on a connection that was accepted elsewhere."""

    def __init__(
        self,
        services: Host,
        ae: AE,
        connection: socket.socket,
        request_pdu: bytes,
        admission: peers.Admission,
    ) -> None:
        super().__init__(ae, "acceptor")
        self.services = services
        self.admission = admission
        self.extended: dict[str, bytes] = {}
        self.name = f"AcceptorThread-{admission.title}"
        self._stirred = threading.Event()
        self._stored = False
        self._gathered: bytearray | None = None
        self._sent_at = 0.0
        self.acse_timeout = admission.acse_timeout_s
        self.dimse_timeout = admission.dimse_timeout_s
        self.network_timeout = admission.network_timeout_s
        self.messages = Messages(self)
        self.messages.msg_queue = Waking(self._stirred.set)
        self.dimse = self.messages
        dul = self.dul
        dul.daemon = True
        dul._run_loop_delay = 0
        dul.to_user_queue = Waking(self._stirred.set)
        self.transport = Transport(self, connection, request_pdu, admission.network_timeout_s)
        dul.to_provider_queue = Waking(self.transport.wake)
        self.set_socket(self.transport)
        self.acceptor.ae_title = ae.ae_title
        self.acceptor.maximum_length = min(services.context.dimse.max_pdu, admission.max_pdu)
        self.acceptor.implementation_class_uid = ae.implementation_class_uid
        self.acceptor.implementation_version_name = ae.implementation_version_name
        self.acceptor.address_info = _address(connection.getsockname())
        self.requestor.address_info = _address(connection.getpeername())
        self.bind(evt.EVT_REQUESTED, self._negotiate)
        self.bind(evt.EVT_SOP_EXTENDED, self._extend)
        for event in services.events:
            if event not in (evt.EVT_C_FIND, evt.EVT_C_MOVE, evt.EVT_C_GET):
                self.bind(event, self._handle)

    def finish(self) -> None:
        """End what still runs of it."""
        self._kill = True
        self.is_established = False
        self.dul.kill_dul()
        self.transport.wake()
        self.dul.join(timeout=5)
        self.transport.finish()
        self.messages.discard()

    def _bind_defaults(self) -> None:
        """Bind what answers by default; what formats every PDU for a log that nobody reads is left out."""
        for event in evt._INTERVENTION_EVENTS:
            self.bind(event, evt.get_default_handler(event))

    def flush(self) -> None:
        """Have the rows written of what was stored on this association."""
        if self._stored:
            self._stored = False
            with suppress(Unavailable):  # the objects are safe; their rows are tried again
                self.services.context.spool.flush()

    def await_message(self, kind: type[Any]) -> Any:
        """Return the next message of the peer when it is of this kind; None when it ends or says nothing."""
        until = time.monotonic() + (self.dimse_timeout or 60)
        while time.monotonic() < until and self.dul.is_alive() and not self.acse.is_aborted():
            _, message = self.dimse.get_msg(block=False)
            if message is not None:
                return message if isinstance(message, kind) and message.is_valid_response else None
            self._stirred.wait(IDLE_S)
            self._stirred.clear()
        return None

    def _negotiate(self, event: Any) -> None:
        proposed = event.assoc.requestor.primitive.presentation_context_definition_list
        self.acceptor.supported_contexts = self.services.supported(proposed, self.admission.rights)

    def _extend(self, event: Any) -> dict[str, bytes]:
        """Answer the extended negotiation of query and retrieval (PS3.4 C.5)."""
        for uid, asked in event.app_info.items():
            agreed = self.services.agree(str(uid), asked)
            if agreed:
                self.extended[str(uid)] = agreed
        return dict(self.extended)

    def _handle(self, event: Any) -> Any:
        handler = self.services.handler_of(event)
        if handler is None:  # only a message that does not fit its own class comes here
            raise LookupError("no service answers this message")
        return handler(event)

    def run_reactor(self) -> None:
        """Go through the association from its request to its end, on the thread that calls."""
        self.dul.start()
        self._started_dul = True
        request = self._await_request()
        if request is None:
            self.transport.send(pdus.encode_abort(pdus.Abort(2, 6)))
            return
        self.requestor.primitive = request
        try:
            evt.trigger(self, evt.EVT_REQUESTED, {})
            self.acse.negotiate_association()
        except Exception as error:  # noqa: BLE001  it raises what it likes on what it cannot read
            log.info("association ended: not DICOM", ae=self.admission.title, what=type(error).__name__)
            self.transport.send(pdus.encode_abort(pdus.Abort(2, 6)))
            return
        if self.is_established:
            self._run_reactor()

    def _await_request(self) -> A_ASSOCIATE | None:
        """Return the request, read once more by pynetdicom; None when it cannot read it."""
        until = time.monotonic() + self.admission.acse_timeout_s
        while self.dul.is_alive() and self.transport.socket is not None and time.monotonic() < until:
            primitive: Any = self.dul.receive_pdu(wait=True, timeout=0.1)
            if isinstance(primitive, A_ASSOCIATE):
                return primitive
            if primitive is not None:
                break
        return None

    def _run_reactor(self) -> None:
        """Serve requests as they come, until the association ends."""
        while not self._kill:
            self._is_paused = True
            self._stirred.wait(IDLE_S)
            self._reactor_checkpoint.wait()
            self._is_paused = False
            self._stirred.clear()
            while not self._kill and self._take_one():
                pass

    def _take_one(self) -> bool:
        """Serve one request; say whether there was one, so that there may be another."""
        context_id, message = self.dimse.get_msg(block=False)
        if message is not None:
            self._serve_request(message, int(context_id or 0))
            return True
        if self.is_established and self.acse.is_release_requested():
            self.flush()  # what the peer asks for after its release is there
            self.acse.send_release(is_response=True)
            self.is_released, self.is_established = True, False
            self._end()
        elif self._sent_abort or self.acse.is_aborted():
            self.is_aborted, self.is_established = True, False
            self._end()
        elif not self.dul.is_alive():
            self._kill = True
        elif self.dul.idle_timer_expired():
            log.info("association ended: the peer was silent", ae=self.admission.title)
            self.abort(block=False)
            self._end()
        return False

    def _end(self) -> None:
        """Let the last PDU go out and the peer close; then stop."""
        until = time.monotonic() + 5
        while (
            self.dul.is_alive()
            and self.dul.state_machine.current_state != "Sta1"
            and time.monotonic() < until
        ):
            time.sleep(0.002)
        self._kill = True

    def _serve_request(self, message: Any, context_id: int) -> None:
        context = self._accepted_cx.get(context_id)
        if context is None:
            self.abort(block=False)
            return
        sop_class = getattr(message, "AffectedSOPClassUID", None) or getattr(
            message, "RequestedSOPClassUID", None
        )
        fits = str(sop_class or "") == str(context.abstract_syntax)
        pause = self.services.pause_s(self.admission)
        if pause:
            time.sleep(pause)
        if isinstance(message, C_STORE) and message.is_valid_request:
            self._store(message, context, fits=fits)
        elif isinstance(message, C_FIND | C_MOVE | C_GET) and message.is_valid_request and fits:
            self.dimse.cancel_req = {}
            self._answer(Asked(self, message, context))
            self.dimse.cancel_req = {}
        elif message.is_valid_request and not fits:
            self.abort(block=False)
        else:
            super()._serve_request(message, context_id)

    def _answer(self, asked: "Asked") -> None:
        """Have a query or a retrieval answered: the first yields its answers, the others send them."""
        handler = self.services.handler_of(asked)
        if handler is None:
            self.abort(block=False)
        elif asked.event != evt.EVT_C_FIND:
            handler(asked)
        else:
            with self._gathering():
                for status, ds in handler(asked):
                    if not self.is_established or self.acse.is_aborted():
                        return
                    asked.answer(status, ds)
                if not asked.is_answered:
                    asked.answer(SUCCESS, None)

    @contextmanager
    def _gathering(self) -> Iterator[None]:
        """Send many small answers together; the first goes at once."""
        self._gathered = bytearray()
        try:
            yield
        finally:
            self.send_gathered()
            self._gathered = None

    def send_gathered(self) -> None:
        """Send what waits for more to be sent with it."""
        if self._gathered:
            self.transport.send(bytes(self._gathered))
            self._gathered.clear()
            self._sent_at = time.monotonic()

    def _send_now(self, data: bytes) -> None:
        if self._gathered is None:
            self.transport.send(data)
            return
        self._gathered += data
        if len(self._gathered) > GATHERED or time.monotonic() - self._sent_at > GATHERED_S:
            self.send_gathered()

    def say(self, context_id: int, *values: tuple[int, bytes]) -> None:
        """Send presentation data values, together where the peer takes that.

        They go out from the thread that calls: by way of pynetdicom's own each costs half a millisecond more.
        """
        longest = self.requestor.maximum_length
        together = not longest or sum(len(value) + 6 for _, value in values) <= longest
        for group in (values,) if together else ((value,) for value in values):
            if self.transport.sends_at_once and self.dul.to_provider_queue.empty():
                self._send_now(pdus.encode_values(context_id, group))
                continue
            self.send_gathered()  # what was said before goes out before
            data = P_DATA()
            for control, value in group:
                data.presentation_data_value_list.append((context_id, bytes((control,)) + value))
            self.messages.wait_for_room()
            self.dul.send_pdu(data)

    def _store(self, message: Any, context: PresentationContext, *, fits: bool) -> None:
        received: Received = message.DataSet
        if not fits or not is_storage(str(context.abstract_syntax), private=True):
            status, comment = CLASS_NOT_SUPPORTED, "The SOP class is not the one negotiated."
        else:
            status, comment = self._keep(message, received, str(context.transfer_syntax[0]))
        received.discard()
        response = C_STORE()
        response.MessageID = response.MessageIDBeingRespondedTo = message.MessageID
        response.AffectedSOPClassUID = message.AffectedSOPClassUID
        response.AffectedSOPInstanceUID = message.AffectedSOPInstanceUID
        response.Status = status
        if comment:
            setattr(response, "ErrorComment", comment.encode("ascii", "replace").decode("ascii")[:64])  # noqa: B010
        self.dimse.send_msg(response, int(context.context_id or 0))

    def _keep(self, message: Any, received: "Received", syntax: str) -> tuple[int, str]:
        if received.failure:
            return OUT_OF_RESOURCES, received.failure
        announced = str(message.AffectedSOPClassUID), str(message.AffectedSOPInstanceUID)
        try:
            item = received.finish(announced, syntax)
        except (OSError, Unavailable):
            return OUT_OF_RESOURCES, "The image store cannot be written; nothing was stored."
        self._stored = True
        return store_object(self.services.context, self.admission, item)


class Asked:
    """A query or retrieval as its handler sees it: the request, its context, the association to answer on."""

    def __init__(self, association: Served, request: Any, context: PresentationContext) -> None:
        self.assoc = association
        self.request = request
        self.context = context.as_tuple
        self.event = _EVENTS[type(request)]
        self.is_answered = False

    @property
    def is_cancelled(self) -> bool:
        """Whether the peer asked to stop."""
        return self.request.MessageID in self.assoc.dimse.cancel_req

    def hurry(self) -> None:
        """Send the answers so far: the next ones take a while."""
        self.assoc.send_gathered()

    def answer(
        self,
        status: int | Dataset,
        ds: Dataset | bytes | None,
        counts: Mapping[str, int] | None = None,
    ) -> None:
        """Send one answer, its dataset encoded already or not; the first that is not pending is the last."""
        if self.is_answered:
            return
        code = status if isinstance(status, int) else int(status.Status)
        self.is_answered = code not in messages.PENDING
        data = ds if isinstance(ds, bytes) else None
        if isinstance(ds, Dataset) and ds:
            data = encode_dataset(ds, self.context.transfer_syntax)
        fields: dict[str, int | str] = {
            "AffectedSOPClassUID": str(self.request.AffectedSOPClassUID),
            "CommandField": _COMMANDS[type(self.request)] | messages.RESPONSE,
            "MessageIDBeingRespondedTo": int(self.request.MessageID),
            "CommandDataSetType": messages.DATASET if data else messages.NO_DATASET,
            "Status": code,
            **(counts or {}),
        }
        comment = "" if isinstance(status, int) else str(status.get("ErrorComment", ""))
        if comment:
            fields["ErrorComment"] = comment[:64]
        values = [(pdus.COMMAND | pdus.LAST, messages.encode_command(fields))]
        if data:
            longest = self.assoc.requestor.maximum_length
            size = min(longest - 6 if longest else CHUNK, CHUNK)
            values += [(pdus.LAST if last else 0, value) for value, last in fragments([data], size)]
        self.assoc.say(self.context.context_id, *values)


_EVENTS = {C_FIND: evt.EVT_C_FIND, C_MOVE: evt.EVT_C_MOVE, C_GET: evt.EVT_C_GET}
_COMMANDS = {C_FIND: messages.C_FIND, C_MOVE: messages.C_MOVE, C_GET: messages.C_GET}


class Transport(AssociationSocket):
    """The connection: first gives back what was read of it, then waits for the peer and for ourselves."""

    def __init__(
        self, association: Served, connection: socket.socket, first: bytes, timeout_s: float
    ) -> None:
        self._first = memoryview(first)
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)
        self._timeout_s = timeout_s
        self._connection = connection
        connection.settimeout(timeout_s)
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(association, client_socket=connection)

    def wake(self) -> None:
        """End a wait of `ready`: there is something to send."""
        with suppress(OSError):
            self._wake.send(b"\0")

    @property
    def sends_at_once(self) -> bool:
        """Say whether another thread may send while one reads; within TLS only one may do either."""
        return self.socket is not None and not isinstance(self.socket, ssl.SSLSocket)

    def finish(self) -> None:
        """Give back what waking needed."""
        self._wake.close()
        self._woken.close()

    @property
    def ready(self) -> bool:
        """Say whether the peer has sent something; waits a moment when nothing is to be done."""
        if self._first:
            return True
        if self.socket is None or not self._is_connected:
            time.sleep(0.002)  # it has ended, and is about to be put away
            return False
        if isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return True
        try:
            found = self._poll.poll(self._wait_ms())
        except (OSError, ValueError):
            self.event_queue.put("Evt17")
            return False
        came = dict(found)
        if self._woken.fileno() in came:
            with suppress(OSError):
                self._woken.recv(4096)
        return any(number != self._woken.fileno() for number in came)

    def _wait_ms(self) -> int:
        dul = self.assoc.dul
        closing = dul.state_machine.current_state == "Sta13"
        busy = closing or dul._kill_thread or not dul.event_queue.empty() or dul.to_provider_queue.queue
        return 0 if busy else int(IDLE_S * 1000)

    def recv(self, wanted: int) -> bytearray:
        """Return `wanted` bytes, fewer when the peer is gone; refuse a PDU that no peer of ours may send."""
        if wanted > MOST_PDU:
            raise OSError("The peer announces a PDU larger than 64 MiB.")
        if self._first:
            taken, self._first = self._first[:wanted], self._first[wanted:]
            return bytearray(taken)
        buffer = bytearray()
        deadline = time.monotonic() + self._timeout_s
        while len(buffer) < wanted:
            piece = self._connection.recv(min(wanted - len(buffer), CHUNK))
            if hasattr(socket, "TCP_QUICKACK"):
                with suppress(OSError):
                    self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            if not piece or time.monotonic() > deadline:
                break
            buffer += piece
        return buffer

    def send(self, data: bytes) -> None:
        """Send whole PDUs at once."""
        try:
            self._connection.sendall(data)
        except (OSError, ValueError):
            self.event_queue.put("Evt17")


class Messages(DIMSEServiceProvider):
    """Messages with a limit on what is received, and on what waits to be sent."""

    def __init__(self, association: Served) -> None:
        super().__init__(association)
        self._served = association
        self._received: Received | None = None

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Take what came; a message that grows beyond its limit, or is none, ends the association."""
        if self.message is None:
            self.message = DIMSEMessage()
            self.message.data_set = self._received = Received(self._served)
        received = self._received
        try:
            if self.message.encoded_command_set.tell() > MOST_COMMAND:
                raise ValueError("a command of more than 64 KiB")
            super().receive_primitive(primitive)
        except Exception as error:  # noqa: BLE001  it raises what it likes on bytes that are no message
            log.info(
                "association ended: not DICOM", ae=self._served.admission.title, what=type(error).__name__
            )
            self.dul.event_queue.put("Evt19")
            self.message = None
        if received is not None and received.endless:
            log.info("association ended: a message without an end", ae=self._served.admission.title)
            self.dul.event_queue.put("Evt19")

    def send_msg(self, primitive: Any, context_id: int) -> None:
        """Send a message, once the peer has read most of what was sent before."""
        self.wait_for_room()
        super().send_msg(primitive, context_id)

    def wait_for_room(self) -> None:
        """Wait until little waits to be sent, or the association ends."""
        waiting = self.dul.to_provider_queue
        while waiting.qsize() > WAITING_PDUS and self.dul.is_alive() and not self.assoc._kill:
            time.sleep(0.001)

    def discard(self) -> None:
        """Let go of what was received in part."""
        if self._received is not None:
            self._received.discard()


class Received(BytesIO):
    """A dataset as it comes: in memory, or when it is a large object in a file of the store."""

    def __init__(self, association: Served) -> None:
        super().__init__()
        self._association = association
        self._path: Path | None = None
        self._handle = -1
        self._size = 0
        self.failure = ""
        self.endless = False

    def write(self, data: Any) -> int:
        """Take a piece."""
        self._size += len(data)
        message = self._association.dimse.message
        stores = type(message).__name__ == "C_STORE_RQ"
        store = self._association.services.context.store
        limit = store.settings.max_instance_mib << 20 if stores else MOST_IDENTIFIER
        if self._size > limit:
            self.failure = self.failure or "The object is larger than may be stored."
            self.endless = not stores or self._size > 2 * limit + (1 << 30)
            self.discard()
            return len(data)
        if self.failure:
            return len(data)
        if stores and self._handle < 0 and self._size > IN_MEMORY:
            self._spill(message, store)
        if self._handle < 0:
            return super().write(data)
        self._append(data)
        return len(data)

    def _spill(self, message: Any, store: archive.Store) -> None:
        context = self._association._accepted_cx.get(message.context_id)
        syntax = str(context.transfer_syntax[0]) if context else ""
        command = message.command_set
        try:
            self._path = store.blobs.scratch() / f"arriving-{uuid4().hex}"
            self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        except (OSError, Unavailable):
            self._fail()
            return
        meta = file_meta(
            str(command.get("AffectedSOPClassUID", "")),
            str(command.get("AffectedSOPInstanceUID", "")),
            syntax,
        )
        self._append(meta + self.getvalue())
        self.seek(0)
        self.truncate()

    def _append(self, data: Any) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._handle, view) :]
        except OSError:
            self._fail()

    def _fail(self) -> None:
        self.failure = "The image store cannot be written; nothing was stored."
        self.discard()

    def finish(self, announced: tuple[str, str], syntax: str) -> archive.Incoming:
        """Return the object that has come whole."""
        if self._handle < 0:
            return archive.Incoming(
                "object", file_meta(*announced, syntax) + self.getvalue(), announced=announced
            )
        os.close(self._handle)
        self._handle = -1
        assert self._path is not None
        return archive.Incoming("object", self._path, ours=True, announced=announced)

    def discard(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            with suppress(OSError):
                os.close(self._handle)
            self._handle = -1
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            self._path = None


def _address(name: Any) -> AddressInformation:
    """Return an address as pynetdicom wants it."""
    return AddressInformation(str(name[0]).partition("%")[0], int(name[1]))
