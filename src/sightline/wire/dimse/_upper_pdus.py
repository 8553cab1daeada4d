"""The protocol data units of the upper layer as values: bytes in, values out, and back.

Every length is held against the bytes that are there. Source: PS3.8 9.3 and annex D, PS3.7 annex D.3.3.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ = 0x01, 0x02, 0x03
P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = 0x04, 0x05, 0x06, 0x07

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
# A context of 128 SOP classes with every transfer syntax has some 200 KiB.
LONGEST_ASSOCIATE = 1 << 20
LONGEST_UID = 64

LAST, COMMAND = 0x02, 0x01

_HEAD = struct.Struct(">BxI")
_ITEM = struct.Struct(">BxH")
_SHORT = struct.Struct(">H")
_FIXED = 68  # protocol version, reserved, two titles, reserved: before the items of PS3.8 table 9-11


class BadPdu(Exception):
    """The bytes are no PDU of the standard; the association cannot go on."""


@dataclass(frozen=True, slots=True)
class ProposedContext:
    """A presentation context as asked for (PS3.8 9.3.2.2)."""

    id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnsweredContext:
    """A presentation context as answered: 0 accepted, 3 and 4 unknown syntaxes (PS3.8 9.3.3.2)."""

    id: int
    result: int
    transfer_syntax: str


@dataclass(frozen=True, slots=True)
class Role:
    """Who may be user and provider of a SOP class (PS3.7 D.3.3.4)."""

    sop_class: str
    scu: bool
    scp: bool


@dataclass(frozen=True, slots=True)
class Extended:
    """What is said of a SOP class beyond the standard's form (PS3.7 D.3.3.5)."""

    sop_class: str
    information: bytes


@dataclass(frozen=True, slots=True)
class CommonExtended:
    """The service and the related classes of a SOP class (PS3.7 D.3.3.6)."""

    sop_class: str
    service_class: str
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """Who the peer says that its user is (PS3.7 D.3.3.7); never printed."""

    kind: int
    answer_wanted: bool
    primary: bytes = field(repr=False, default=b"")
    secondary: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class User:
    """The user information of an association (PS3.7 D.3.3)."""

    max_length: int = 0
    implementation_uid: str = ""
    implementation_version: str = ""
    window: tuple[int, int] | None = None
    roles: tuple[Role, ...] = ()
    extended: tuple[Extended, ...] = ()
    common_extended: tuple[CommonExtended, ...] = ()
    identity: UserIdentity | None = None
    identity_answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class AssociateRequest:
    """A-ASSOCIATE-RQ."""

    called: str
    calling: str
    contexts: tuple[ProposedContext, ...]
    user: User = field(default_factory=User)
    application_context: str = APPLICATION_CONTEXT
    protocol_version: int = 1


@dataclass(frozen=True, slots=True)
class AssociateAccept:
    """A-ASSOCIATE-AC."""

    called: str
    calling: str
    contexts: tuple[AnsweredContext, ...]
    user: User = field(default_factory=User)
    application_context: str = APPLICATION_CONTEXT
    protocol_version: int = 1


@dataclass(frozen=True, slots=True)
class AssociateReject:
    """A-ASSOCIATE-RJ (PS3.8 9.3.4)."""

    result: int
    source: int
    reason: int


@dataclass(frozen=True, slots=True)
class Abort:
    """A-ABORT: source 0 is the service user, 2 the provider (PS3.8 9.3.8)."""

    source: int
    reason: int = 0


def encode_pdu(kind: int, body: bytes) -> bytes:
    """Return a whole PDU."""
    return _HEAD.pack(kind, len(body)) + body


RELEASE_REQUEST = encode_pdu(RELEASE_RQ, bytes(4))
RELEASE_REPLY = encode_pdu(RELEASE_RP, bytes(4))


def encode_abort(abort: Abort) -> bytes:
    """Return an A-ABORT."""
    return encode_pdu(ABORT, bytes((0, 0, abort.source, abort.reason)))


def encode_reject(reject: AssociateReject) -> bytes:
    """Return an A-ASSOCIATE-RJ."""
    return encode_pdu(ASSOCIATE_RJ, bytes((0, reject.result, reject.source, reject.reason)))


def encode_value(context_id: int, control: int, data: bytes) -> bytes:
    """Return a P-DATA-TF with one presentation data value (PS3.8 9.3.5)."""
    return encode_values(context_id, ((control, data),))


def encode_values(context_id: int, values: Sequence[tuple[int, bytes]]) -> bytes:
    """Return a P-DATA-TF with several presentation data values, each with its control (PS3.8 9.3.5)."""
    pieces = [struct.pack(">BxI", P_DATA, sum(len(data) + 6 for _, data in values))]
    for control, data in values:
        pieces += struct.pack(">IBB", len(data) + 2, context_id, control), data
    return b"".join(pieces)


def encode_message(context_id: int, command: bytes, dataset: bytes | None, max_length: int) -> bytes:
    """Return the PDUs of a DIMSE message, none longer than the peer takes (0: any)."""
    size = max_length - 6 if max_length else 1 << 20
    pdus = []
    for kind, data in ((COMMAND, command), (0, dataset)):
        if data is None:
            continue
        starts = range(0, len(data), size) if data else [0]
        for at in starts:
            last = LAST if at + size >= len(data) else 0
            pdus.append(encode_value(context_id, kind | last, data[at : at + size]))
    return b"".join(pdus)


def decode_value_items(body: bytes) -> list[tuple[int, int, bytes]]:
    """Return context, control and data of each presentation data value of a P-DATA-TF."""
    values, at = [], 0
    while at < len(body):
        if at + 6 > len(body):
            raise BadPdu("a presentation data value is cut off")
        length = int.from_bytes(body[at : at + 4], "big")
        if length < 2 or at + 4 + length > len(body):
            raise BadPdu("a presentation data value is longer than its PDU")
        values.append((body[at + 4], body[at + 5], body[at + 6 : at + 4 + length]))
        at += 4 + length
    return values


def decode_reject(body: bytes) -> AssociateReject:
    """Return an A-ASSOCIATE-RJ."""
    if len(body) != 4:
        raise BadPdu("an A-ASSOCIATE-RJ has 4 bytes")
    return AssociateReject(*body[1:])


def decode_abort(body: bytes) -> Abort:
    """Return an A-ABORT."""
    if len(body) != 4:
        raise BadPdu("an A-ABORT has 4 bytes")
    return Abort(*body[2:])


def decode_request(body: bytes) -> AssociateRequest:
    """Return an A-ASSOCIATE-RQ."""
    version, called, calling, items = _associate(body)
    contexts = []
    for kind, value in items:
        if kind == 0x20:
            contexts.append(_proposed(value))
    if len({c.id for c in contexts}) != len(contexts):
        raise BadPdu("two presentation contexts have one id")
    return AssociateRequest(called, calling, tuple(contexts), _user(items), _application(items), version)


def decode_accept(body: bytes) -> AssociateAccept:
    """Return an A-ASSOCIATE-AC."""
    version, called, calling, items = _associate(body)
    contexts = tuple(_answered(value) for kind, value in items if kind == 0x21)
    return AssociateAccept(called, calling, contexts, _user(items), _application(items), version)


def encode_request(request: AssociateRequest) -> bytes:
    """Return an A-ASSOCIATE-RQ."""
    contexts = b"".join(
        _item(
            0x20,
            bytes((c.id, 0, 0, 0))
            + _item(0x30, _uid_bytes(c.abstract_syntax))
            + b"".join(_item(0x40, _uid_bytes(s)) for s in c.transfer_syntaxes),
        )
        for c in request.contexts
    )
    return encode_pdu(ASSOCIATE_RQ, _fixed(request) + contexts + _user_bytes(request.user))


def encode_accept(accept: AssociateAccept) -> bytes:
    """Return an A-ASSOCIATE-AC."""
    contexts = b"".join(
        _item(0x21, bytes((c.id, 0, c.result, 0)) + _item(0x40, _uid_bytes(c.transfer_syntax)))
        for c in accept.contexts
    )
    return encode_pdu(ASSOCIATE_AC, _fixed(accept) + contexts + _user_bytes(accept.user))


def _fixed(pdu: AssociateRequest | AssociateAccept) -> bytes:
    titles = b"".join(t.encode("ascii", "replace")[:16].ljust(16) for t in (pdu.called, pdu.calling))
    return (
        struct.pack(">Hxx", pdu.protocol_version)
        + titles
        + bytes(32)
        + _item(0x10, _uid_bytes(pdu.application_context))
    )


def _associate(body: bytes) -> tuple[int, str, str, list[tuple[int, bytes]]]:
    if len(body) < _FIXED:
        raise BadPdu("an A-ASSOCIATE PDU is cut off")
    titles = (body[at : at + 16].decode("ascii", "replace").strip(" \0") for at in (4, 20))
    return _SHORT.unpack_from(body)[0], *titles, list(_items(body[_FIXED:]))


def _application(items: Sequence[tuple[int, bytes]]) -> str:
    return next((_uid(value) for kind, value in items if kind == 0x10), "")


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and value of each item; `data` must be used up exactly."""
    at = 0
    while at < len(data):
        if at + 4 > len(data):
            raise BadPdu("an item is cut off")
        kind, length = _ITEM.unpack_from(data, at)
        at += 4
        if at + length > len(data):
            raise BadPdu("an item is longer than what holds it")
        yield kind, data[at : at + length]
        at += length


def _item(kind: int, value: bytes) -> bytes:
    return _ITEM.pack(kind, len(value)) + value


def _uid(value: bytes) -> str:
    """Return a UID as it is sent: some writers pad it, none may be longer than 64."""
    text = value.rstrip(b"\0 ")
    if len(text) > LONGEST_UID:
        raise BadPdu("a UID is longer than 64 characters")
    return text.decode("ascii", "replace")


def _uid_bytes(uid: str) -> bytes:
    return uid.encode("ascii", "replace")


def _proposed(value: bytes) -> ProposedContext:
    if len(value) < 4:
        raise BadPdu("a presentation context is cut off")
    inner = list(_items(value[4:]))
    abstract = [_uid(v) for kind, v in inner if kind == 0x30]
    if len(abstract) != 1 or not value[0] & 1:
        raise BadPdu("a presentation context has one abstract syntax and an odd id")
    return ProposedContext(value[0], abstract[0], tuple(_uid(v) for kind, v in inner if kind == 0x40))


def _answered(value: bytes) -> AnsweredContext:
    if len(value) < 4:
        raise BadPdu("a presentation context is cut off")
    inner = list(_items(value[4:])) if value[2] == 0 else []
    return AnsweredContext(value[0], value[2], next((_uid(v) for kind, v in inner if kind == 0x40), ""))


def _user(items: Sequence[tuple[int, bytes]]) -> User:
    found: dict[str, Any] = {}
    for kind, value in items:
        if kind != 0x50:
            continue
        for inner, content in _items(value):
            if inner in _DECODERS:
                name, decode, many = _DECODERS[inner]
                decoded = _guarded(decode, content)
                found[name] = (*found.get(name, ()), decoded) if many else decoded
    return User(**found)


def _guarded(decode: Callable[[bytes], Any], content: bytes) -> Any:
    try:
        return decode(content)
    except (struct.error, IndexError):
        raise BadPdu("an item of the user information is cut off") from None


def _counted(value: bytes, at: int) -> tuple[bytes, int]:
    """Return a value that its length stands before, and where it ends."""
    (length,) = _SHORT.unpack_from(value, at)
    end = at + 2 + length
    if end > len(value):
        raise BadPdu("a value of the user information is cut off")
    return value[at + 2 : end], end


def _count(value: bytes) -> bytes:
    return _SHORT.pack(len(value)) + value


def _role(value: bytes) -> Role:
    uid, at = _counted(value, 0)
    return Role(_uid(uid), bool(value[at]), bool(value[at + 1]))


def _extended(value: bytes) -> Extended:
    uid, at = _counted(value, 0)
    return Extended(_uid(uid), value[at:])


def _common(value: bytes) -> CommonExtended:
    uid, at = _counted(value, 0)
    service, at = _counted(value, at)
    listed, _ = _counted(value, at)
    related, at = [], 0
    while at < len(listed):
        one, at = _counted(listed, at)
        related.append(_uid(one))
    return CommonExtended(_uid(uid), _uid(service), tuple(related))


def _identity(value: bytes) -> UserIdentity:
    primary, at = _counted(value, 2)
    secondary, _ = _counted(value, at)
    return UserIdentity(value[0], bool(value[1]), primary, secondary)


def _name(value: bytes) -> str:
    return value[:16].decode("ascii", "replace").strip(" \0")


_DECODERS: dict[int, tuple[str, Callable[[bytes], Any], bool]] = {
    0x51: ("max_length", lambda v: struct.unpack(">I", v)[0], False),
    0x52: ("implementation_uid", _uid, False),
    0x53: ("window", lambda v: struct.unpack(">HH", v), False),
    0x54: ("roles", _role, True),
    0x55: ("implementation_version", _name, False),
    0x56: ("extended", _extended, True),
    0x57: ("common_extended", _common, True),
    0x58: ("identity", _identity, False),
    0x59: ("identity_answer", lambda v: _counted(v, 0)[0], False),
}


def _user_bytes(user: User) -> bytes:
    """Return the user information in the order of its types, as some readers want it."""
    items = [_item(0x51, struct.pack(">I", user.max_length))]
    if user.implementation_uid:
        items.append(_item(0x52, _uid_bytes(user.implementation_uid)))
    if user.window is not None:
        items.append(_item(0x53, struct.pack(">HH", *user.window)))
    items += [_item(0x54, _count(_uid_bytes(r.sop_class)) + bytes((r.scu, r.scp))) for r in user.roles]
    if user.implementation_version:
        items.append(_item(0x55, user.implementation_version.encode("ascii", "replace")[:16]))
    items += [_item(0x56, _count(_uid_bytes(e.sop_class)) + e.information) for e in user.extended]
    for common in user.common_extended:
        related = b"".join(_count(_uid_bytes(uid)) for uid in common.related)
        head = _count(_uid_bytes(common.sop_class)) + _count(_uid_bytes(common.service_class))
        items.append(_item(0x57, head + _count(related)))
    if user.identity is not None:
        i = user.identity
        head = bytes((i.kind, i.answer_wanted))
        items.append(_item(0x58, head + _count(i.primary) + _count(i.secondary)))
    if user.identity_answer is not None:
        items.append(_item(0x59, _count(user.identity_answer)))
    return _item(0x50, b"".join(items))
