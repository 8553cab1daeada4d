"""An association that we ask for: one thread, whole PDUs, TCP_NODELAY, a limit on every wait.

Nothing is held whole that may be large: datasets go out piece by piece, and what comes in goes to a sink.
Sources: PS3.8 9.3, PS3.7 6.3 and D.3.
"""

import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from types import TracebackType
from typing import Protocol

from sightline.kernel.errors import Unavailable
from sightline.wire import peers
from sightline.wire.dimse import _messages as messages
from sightline.wire.dimse import _upper_pdus as pdus
from sightline.wire.dimse._model import IMPLEMENTATION_UID, IMPLEMENTATION_VERSION
from sightline.wire.dimse._tls import client_context, require_bound
from sightline.wire.dimse._upper_commands import LONGEST_COMMAND, BadCommand
from sightline.wire.dimse._upper_wire import Gone, TooSlow, Wire
from sightline.wire.dimse.settings import DimseSettings

MIB = 1 << 20
OUR_MAX_PDU = MIB
MOST_PDU = 64 * MIB
MOST_ANSWER = 64 * MIB  # an answer to a query or a request, not an object
MOST_CONTEXTS = 128
TOGETHER = MIB  # PDUs of one message go out together up to this many bytes
_LARGEST_PIECE = MIB

_REFUSALS = {
    (1, 1): "no reason given",
    (1, 2): "the application context is not supported",
    (1, 3): "it does not know our AE title",
    (1, 7): "it does not answer to the AE title that it is called by",
    (2, 1): "no reason given",
    (2, 2): "the protocol version is not supported",
    (3, 1): "it is busy",
    (3, 2): "it serves as many associations as it may",
}


class PeerUnreachable(Unavailable):
    """No connection to the peer; check its address and port, and that it runs."""


class PeerRefused(Unavailable):
    """The peer refuses the association; its administrator must admit our AE title."""


class PeerBroke(Unavailable):
    """The peer ended the association or did not answer in time; try again later."""


class NotSupported(Unavailable):
    """The peer does not offer what it was asked for."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What we want of a peer: a SOP class in one of these transfer syntaxes; `scp` when we provide it."""

    sop_class: str
    syntaxes: tuple[str, ...]
    scp: bool = False


@dataclass(frozen=True, slots=True)
class Agreed:
    """A presentation context that the peer accepted."""

    id: int
    sop_class: str
    syntax: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message from the peer; `data` holds its dataset unless a sink took it."""

    context_id: int
    command: Mapping[str, int | str]
    data: bytes = b""

    @property
    def kind(self) -> int:
        """The command field."""
        return int(self.command["CommandField"])

    @property
    def status(self) -> int:
        """The status; a response without one is a failure."""
        return int(self.command.get("Status", 0xC000))

    @property
    def comment(self) -> str:
        """What the peer says about its status."""
        return str(self.command.get("ErrorComment", ""))

    def count(self, keyword: str) -> int:
        """Return a number of sub-operations."""
        return int(self.command.get(keyword, 0))


class Sink(Protocol):
    """Where the dataset of a message goes that is not to be held in memory."""

    def write(self, data: bytes, /) -> object: ...


class SinkFor(Protocol):
    """Chooses the sink of a message by its context and command; None keeps it in memory."""

    def __call__(self, agreed: Agreed, command: Mapping[str, int | str], /) -> Sink | None: ...


class Call:
    """One association with a peer, from the request to the release.

    Used as a context: it is released at the end of the block, and aborted when the block fails.

    Raises
    ------
    PeerUnreachable, PeerRefused, PeerBroke
        When it does not come about.
    """

    def __init__(
        self,
        peer: peers.Peer,
        proposals: Sequence[Proposal],
        *,
        calling: str,
        settings: DimseSettings,
        extended: Mapping[str, bytes] | None = None,
    ) -> None:
        if len(proposals) > MOST_CONTEXTS:
            raise ValueError("An association has at most 128 presentation contexts.")
        self._peer = peer
        self._message_id = 0
        self._wire = Wire(_connect(peer, settings))
        self._wire.wait_at_most(peer.acse_timeout_s)
        try:
            self._agree(proposals, calling, extended or {})
        except BaseException:
            self._wire.close()
            raise
        self._wire.wait_at_most(peer.dimse_timeout_s)

    def __enter__(self) -> "Call":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or issubclass(kind, GeneratorExit):
            self.release()
        else:
            self.abort()

    def agreed(self, sop_class: str, *syntaxes: str) -> Agreed | None:
        """Return an accepted context of this class, in one of these transfer syntaxes when some are given."""
        wanted = syntaxes or ("",)
        for syntax in wanted:
            for context in self.contexts.values():
                if context.sop_class == sop_class and syntax in ("", context.syntax):
                    return context
        return None

    def require(self, *sop_classes: str) -> Agreed:
        """Return an accepted context of the first class that the peer takes."""
        for sop_class in sop_classes:
            found = self.agreed(sop_class)
            if found is not None:
                return found
        raise NotSupported(f"{self._peer.title} does not offer this service to us.")

    def ask(
        self, agreed: Agreed, fields: messages.Fields, data: bytes | Iterable[bytes] | None = None
    ) -> int:
        """Send a request and return its message id."""
        self._message_id = self._message_id % 0xFFFF + 1
        self.say(agreed, {"MessageID": self._message_id, **fields}, data)
        return self._message_id

    def say(
        self, agreed: Agreed, fields: messages.Fields, data: bytes | Iterable[bytes] | None = None
    ) -> None:
        """Send a message; a dataset in pieces is sent as they come."""
        kind = messages.NO_DATASET if data is None else messages.DATASET
        command = messages.encode_command({**fields, "CommandDataSetType": kind})
        pieces = [data] if isinstance(data, bytes) else data
        try:
            for together in encode_pieces(agreed.id, command, pieces, self._max_length):
                self._wire.send(together)
        except (Gone, TooSlow) as error:
            raise self._broke(error) from None

    def hear(self, *, timeout_s: float | None = None, sink_for: SinkFor | None = None) -> Message:
        """Return the next message of the peer."""
        self._wire.wait_at_most(timeout_s or self._peer.dimse_timeout_s)
        self._wire.begin(timeout_s or self._peer.dimse_timeout_s)
        try:
            return self._hear(sink_for)
        except (Gone, TooSlow) as error:
            raise self._broke(error) from None
        except (pdus.BadPdu, BadCommand) as error:
            raise PeerBroke(f"{self._peer.title} sent what is not DICOM ({error}).") from None

    def answer(self, agreed: Agreed, request: Message, status: int, comment: str = "") -> None:
        """Answer a request of the peer."""
        kept = ("AffectedSOPClassUID", "AffectedSOPInstanceUID", "EventTypeID")
        fields = {name: value for name, value in request.command.items() if name in kept}
        fields |= {
            "CommandField": request.kind | messages.RESPONSE,
            "MessageIDBeingRespondedTo": request.command.get("MessageID", 0),
            "Status": status,
        }
        self.say(agreed, fields | ({"ErrorComment": comment[:64]} if comment else {}))

    def release(self) -> None:
        """End the association in good order; what goes wrong in doing so harms nobody."""
        with suppress(Gone, TooSlow, pdus.BadPdu):
            self._wire.wait_at_most(min(self._peer.acse_timeout_s, 10))
            self._wire.begin(min(self._peer.acse_timeout_s, 10))
            self._wire.send(pdus.RELEASE_REQUEST)
            for _ in range(1000):  # what was still on its way may be read and forgotten
                kind, length = self._wire.read_head()
                if length > MOST_PDU:
                    break
                self._wire.read(length)
                if kind == pdus.RELEASE_RQ:  # both sides at once (PS3.8 9.2.2, AR-8)
                    self._wire.send(pdus.RELEASE_REPLY)
                elif kind != pdus.P_DATA:
                    break
        self._wire.close()

    def abort(self) -> None:
        """End the association at once."""
        self._wire.send_abort(0, 0)
        self._wire.close()

    def _agree(self, proposals: Sequence[Proposal], calling: str, extended: Mapping[str, bytes]) -> None:
        asked = {2 * n + 1: proposal for n, proposal in enumerate(proposals)}
        user = pdus.User(
            max_length=OUR_MAX_PDU,
            implementation_uid=IMPLEMENTATION_UID,
            implementation_version=IMPLEMENTATION_VERSION,
            roles=tuple(
                pdus.Role(uid, False, True) for uid in dict.fromkeys(p.sop_class for p in proposals if p.scp)
            ),
            extended=tuple(pdus.Extended(uid, information) for uid, information in extended.items()),
        )
        contexts = tuple(pdus.ProposedContext(n, p.sop_class, p.syntaxes) for n, p in asked.items())
        request = pdus.AssociateRequest(self._peer.title, calling, contexts, user)
        try:
            self._wire.send(pdus.encode_request(request))
            self._wire.begin(self._peer.acse_timeout_s)
            accept = self._read_answer()
        except (Gone, TooSlow) as error:
            raise self._broke(error) from None
        except pdus.BadPdu as error:
            raise PeerBroke(f"{self._peer.title} sent what is not DICOM ({error}).") from None
        self._max_length = accept.user.max_length
        if 0 < self._max_length < 128:
            raise PeerBroke(f"{self._peer.title} takes only PDUs of {self._max_length} bytes.")
        self.contexts = {
            c.id: Agreed(c.id, asked[c.id].sop_class, c.transfer_syntax)
            for c in accept.contexts
            if c.result == 0 and c.id in asked and c.transfer_syntax in asked[c.id].syntaxes
        }
        self.extended = {item.sop_class: item.information for item in accept.user.extended}

    def _read_answer(self) -> pdus.AssociateAccept:
        kind, length = self._wire.read_head()
        if length > pdus.LONGEST_ASSOCIATE:
            raise pdus.BadPdu("an answer of more than 1 MiB")
        body = self._wire.read(length)
        if kind == pdus.ASSOCIATE_RJ:
            refusal = pdus.decode_reject(body)
            why = _REFUSALS.get((refusal.source, refusal.reason), f"reason {refusal.reason}")
            raise PeerRefused(f"{self._peer.title} refuses the association: {why}.")
        if kind != pdus.ASSOCIATE_AC:
            raise PeerBroke(f"{self._peer.title} ended the association before it began.")
        return pdus.decode_accept(body)

    def _hear(self, sink_for: SinkFor | None) -> Message:
        command, data = bytearray(), BytesIO()
        fields: Mapping[str, int | str] = {}
        sink: Sink | None = None
        while True:
            for context_id, control, value in self._read_values():
                agreed = self.contexts.get(context_id)
                if agreed is None:
                    raise pdus.BadPdu("data on a presentation context that was not accepted")
                last = bool(control & pdus.LAST)
                if control & pdus.COMMAND:
                    command += value
                    if len(command) > LONGEST_COMMAND:
                        raise pdus.BadPdu("a command of more than 64 KiB")
                    if last:
                        fields = messages.decode_command(command)
                        if fields.get("CommandDataSetType", messages.NO_DATASET) == messages.NO_DATASET:
                            return Message(context_id, fields)
                        sink = sink_for(agreed, fields) if sink_for else None
                    continue
                if not fields:
                    raise pdus.BadPdu("a dataset that no command announced")
                if sink is not None:
                    sink.write(value)
                elif data.tell() + len(value) > MOST_ANSWER:
                    raise pdus.BadPdu("an answer without an end")
                else:
                    data.write(value)
                if last:
                    return Message(context_id, fields, data.getvalue())

    def _read_values(self) -> list[tuple[int, int, bytes]]:
        kind, length = self._wire.read_head()
        if length > MOST_PDU:
            raise pdus.BadPdu("a PDU of more than 64 MiB")
        body = self._wire.read(length)
        if kind == pdus.P_DATA:
            return pdus.decode_value_items(body)
        if kind == pdus.RELEASE_RQ:
            with suppress(Gone, TooSlow):
                self._wire.send(pdus.RELEASE_REPLY)
        raise Gone

    def _broke(self, error: Exception) -> PeerBroke:
        did = "did not answer in time" if isinstance(error, TooSlow) else "ended the association"
        return PeerBroke(f"{self._peer.title} {did}.")


def encode_pieces(
    context_id: int, command: bytes, pieces: Iterable[bytes] | None, max_length: int
) -> Iterator[bytes]:
    """Yield the PDUs of a message, many together, none longer than the peer takes (0: any)."""
    size = min(max_length - 6 if max_length else _LARGEST_PIECE, _LARGEST_PIECE)
    ready = [pdus.encode_message(context_id, command, None, max_length)]
    count = len(ready[0])
    for fragment, last in fragments(pieces, size) if pieces is not None else ():
        ready.append(pdus.encode_value(context_id, pdus.LAST if last else 0, fragment))
        count += len(ready[-1])
        if count >= TOGETHER:
            yield b"".join(ready)
            ready, count = [], 0
    if ready:
        yield b"".join(ready)


def fragments(pieces: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield pieces cut to `size`, each with whether it is the last; at least one."""
    held = b""
    for piece in pieces:
        view = memoryview(held + piece if held else piece)
        at = 0
        while len(view) - at > size:
            yield bytes(view[at : at + size]), False
            at += size
        held = bytes(view[at:])
    yield held, True


def _connect(peer: peers.Peer, settings: DimseSettings) -> socket.socket:
    if not peer.host:
        raise PeerUnreachable(f"{peer.title} has no address; add one to call it.")
    context = client_context(settings, peer) if peer.tls else None
    try:
        connection = socket.create_connection((peer.host, peer.port), timeout=peer.acse_timeout_s)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "no answer"
        raise PeerUnreachable(
            f"{peer.title} cannot be reached at {peer.host}:{peer.port} ({why})."
        ) from error
    if context is None:
        return connection
    try:
        secured = context.wrap_socket(connection, server_hostname=peer.host)
        require_bound(secured, peer)
    except (OSError, ValueError) as error:
        connection.close()
        why = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else "no agreement"
        raise PeerUnreachable(f"TLS with {peer.title} did not come about ({why}).") from error
    except Unavailable:
        secured.close()
        raise
    return secured
