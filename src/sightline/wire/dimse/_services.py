"""The associations that ask for more than Verification and Storage: pynetdicom speaks, our services answer.

The connection is accepted and its A-ASSOCIATE-RQ read by the listener, which also decided who it is; here the
same association goes on. What is offered to whom follows from the table of services and the peer's rights.
"""

import socket
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pynetdicom import AE, evt
from pynetdicom.presentation import PresentationContext, build_context

from sightline.wire import peers
from sightline.wire.dimse import (
    _availability,
    _commitment,
    _finding,
    _procedures,
    _retrieving,
    _worklist,
)
from sightline.wire.dimse._acceptor import Served
from sightline.wire.dimse._model import IMPLEMENTATION_UID, IMPLEMENTATION_VERSION, Context, Service
from sightline.wire.dimse._storing import STANDARD, STORAGE_CLASSES, SYNTAXES, VERIFICATION, is_storage

_IMPLICIT = "1.2.840.10008.1.2"
PLAIN = ["1.2.840.10008.1.2.1", _IMPLICIT, "1.2.840.10008.1.2.1.99"]


def _answer_echo(_context: Context, _event: Any) -> int:
    return 0x0000


SERVICES: tuple[Service, ...] = (
    Service("Verification", (VERIFICATION,), "scp", "echo", {evt.EVT_C_ECHO: _answer_echo}),
    Service("Storage", STORAGE_CLASSES, "scp", "store"),
    *_finding.SERVICES,
    *_retrieving.SERVICES,
    *_worklist.SERVICES,
    *_procedures.SERVICES,
    *_commitment.SERVICES,
    *_availability.SERVICES,
)


class Services:
    """Serves such associations; one per listener."""

    def __init__(
        self,
        context: Context,
        turnstile: peers.Turnstile | None = None,
        services: Sequence[Service] = SERVICES,
    ) -> None:
        self._context = context
        self._turnstile = turnstile or peers.Turnstile()
        self._rights: dict[str, set[str]] = {}
        for service in services:
            for uid in service.sop_classes:
                self._rights.setdefault(uid, set()).add(service.right)
        self._handlers = _joined(services)
        self._ae = AE(ae_title=context.settings.ae_title)
        self._ae.maximum_associations = 1 << 20  # the listener counts them
        self._ae.maximum_pdu_size = context.dimse.max_pdu
        self._ae.implementation_class_uid = IMPLEMENTATION_UID
        self._ae.implementation_version_name = IMPLEMENTATION_VERSION

    def serve(self, connection: socket.socket, request_pdu: bytes, admission: peers.Admission) -> None:
        """Go on with an association whose A-ASSOCIATE-RQ was read; return when it has ended."""
        association = Served(self, self._ae, connection, request_pdu, admission)
        try:
            association.run_reactor()
        finally:
            association.finish()
            association.flush()

    @property
    def context(self) -> Context:
        """What handlers work on."""
        return self._context

    def pause_s(self, admission: peers.Admission) -> float:
        """Return how long the next message must wait so that its peer keeps its rate, in s."""
        return min(self._turnstile.wait_s(admission), admission.dimse_timeout_s)

    def agree(self, sop_class: str, asked: bytes) -> bytes:
        """Return what of an extended negotiation holds; nothing where there is none to agree on."""
        return _finding.agree(sop_class, asked) or _retrieving.agree(sop_class)

    def handler_of(self, event: Any) -> Callable[[Any], Any] | None:
        """Return what answers an event, by its SOP class."""
        request = event.request
        sop_class = getattr(request, "AffectedSOPClassUID", None) or getattr(
            request, "RequestedSOPClassUID", None
        )
        handler = self._handlers.get(event.event, {}).get(str(sop_class or ""))
        if handler is None:
            return None
        return lambda occurred: handler(self._context, occurred)

    @property
    def events(self) -> tuple[Any, ...]:
        """The events that some service answers."""
        return tuple(self._handlers)

    def supported(
        self, proposed: Sequence[PresentationContext], rights: frozenset[str]
    ) -> list[PresentationContext]:
        """Return, of what is proposed, what may be accepted, in the peer's order, implicit VR last."""
        private = self._context.dimse.private_classes
        wanted: dict[str, list[str]] = {}
        for context in proposed:
            uid = str(context.abstract_syntax or "")
            syntaxes = self._syntaxes_for(uid, rights, private=private)
            known = wanted.setdefault(uid, [])
            for syntax in map(str, context.transfer_syntax):
                foreign = private and not syntax.startswith(STANDARD) and syntaxes is _ALL
                if (syntax in syntaxes or foreign) and syntax not in known:
                    known.append(syntax)
            known.sort(
                key=lambda syntax: syntax == _IMPLICIT
            )  # it loses the representation of private values
        found = []
        for uid, syntaxes in wanted.items():
            if self._syntaxes_for(uid, rights, private=private):
                context = build_context(uid, syntaxes or [_IMPLICIT])
                context.scu_role = context.scp_role = True
                found.append(context)
        return found

    def _syntaxes_for(
        self, uid: str, rights: frozenset[str], *, private: bool
    ) -> Sequence[str] | frozenset[str]:
        wanted = self._rights.get(uid, set())
        if is_storage(uid, private=private) and wanted <= {"store"}:
            # Whoever may retrieve gets objects on the contexts of storage (C-GET).
            return _ALL if rights & {"store", "retrieve"} else ()
        return PLAIN if wanted & rights else ()


_ALL = frozenset(SYNTAXES)


def _joined(services: Sequence[Service]) -> Mapping[Any, Mapping[str, Any]]:
    """Return the handlers of all services, by event and SOP class."""
    found: dict[Any, dict[str, Any]] = {}
    for service in services:
        for event, handler in service.handlers.items():
            for uid in service.sop_classes:
                found.setdefault(event, {})[uid] = handler
    return MappingProxyType(found)
