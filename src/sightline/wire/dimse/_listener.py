"""The listener: pynetdicom does the protocol, the archive does the keeping."""

import ipaddress
import re
import socket
from typing import Any

import structlog
from pydicom import Dataset
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, build_context, evt

from sightline.kernel.errors import Forbidden, Unavailable
from sightline.record import archive
from sightline.runtime.settings import ServerSettings
from sightline.trust import access

log = structlog.get_logger(__name__)

VERIFICATION = "1.2.840.10008.1.1"

SUCCESS = 0x0000
DUPLICATE = 0x0111
NOT_AUTHORISED = 0x0124
OUT_OF_RESOURCES = 0xA700
DOES_NOT_MATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
MAX_PDU = 1 << 20
MOST_PDU = 64 << 20
CHUNK = 1 << 18
# HTJ2K, JPEG XL and deflated frames are younger than pynetdicom's list (PS3.6 table A-1).
# JPIP and ST 2110 streams hold no pixels of their own, so an object in them could not be kept.
NOT_KEPT = ("1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.7.")
SYNTAXES = [
    *(s for s in ALL_TRANSFER_SYNTAXES if not s.startswith(NOT_KEPT)),
    *(
        s
        for n in (110, 111, 112, 201, 202, 203)
        if (s := f"1.2.840.10008.1.2.4.{n}") not in ALL_TRANSFER_SYNTAXES
    ),
    "1.2.840.10008.1.2.8.1",
]
_FAILURES = {
    "store-full": OUT_OF_RESOURCES,
    "store-unavailable": OUT_OF_RESOURCES,
    "too-large": OUT_OF_RESOURCES,
    "missing-uid": DOES_NOT_MATCH,
    "invalid-uid": DOES_NOT_MATCH,
}


class DicomPortTaken(Unavailable):
    """Another program listens on the DICOM port; stop it or choose another port."""


class Listener:
    """Listens for associations from `start` to `stop`."""

    def __init__(self, store: archive.Store, settings: ServerSettings) -> None:
        self._store = store
        self._settings = settings
        self._server: Any = None

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.socket.getsockname()[1])

    def start(self) -> None:
        """Begin to listen."""
        ae = AE(ae_title=self._settings.ae_title)
        ae.supported_contexts = [
            build_context(VERIFICATION),
            *(build_context(str(c.abstract_syntax), SYNTAXES) for c in AllStoragePresentationContexts),
        ]
        ae.maximum_pdu_size = MAX_PDU
        ae.maximum_associations = 64
        ae.acse_timeout, ae.dimse_timeout, ae.network_timeout = 30, 60, 120
        handlers: list[Any] = [
            (evt.EVT_CONN_OPEN, _hurry),
            (evt.EVT_REQUESTED, self._limit),
            (evt.EVT_C_ECHO, lambda _: SUCCESS),
            (evt.EVT_C_STORE, self._store_object),
        ]
        address = (self._settings.host, self._settings.dicom_port)
        try:
            self._server = ae.start_server(address, block=False, evt_handlers=handlers)
        except OSError as error:
            raise DicomPortTaken(
                f"Port {address[1]} cannot be listened on ({error.strerror}); "
                "stop what listens there or pass --dicom-port."
            ) from error

    def stop(self) -> None:
        """Stop listening and end open associations."""
        if self._server is not None:
            self._server.ae.shutdown()
            self._server = None

    def _limit(self, event: Any) -> None:
        """Leave a stranger nothing but Verification to negotiate."""
        if not self._may_store(event.assoc):
            event.assoc.acceptor.supported_contexts = [build_context(VERIFICATION)]

    def _may_store(self, association: Any) -> bool:
        return self._settings.dicom_open or _is_loopback(association.requestor.address)

    def _store_object(self, event: Any) -> Any:
        """Keep one object as it came and answer with the status of PS3.4 table B.2-1."""
        if not self._may_store(event.assoc):
            return _status(NOT_AUTHORISED, "This AE may only echo; an administrator must admit it.")
        title = _title_of(event.assoc)
        person = access.Person(
            f"ae:{title}", title, title, frozenset({"service"}), access.EVERY_SITE, "operations"
        )
        item = archive.Incoming("object", event.encoded_dataset(include_meta=True))
        try:
            outcome = archive.take_in_one(self._store, item, archive.Source("dimse", title, person))
        except Forbidden as error:
            return _status(NOT_AUTHORISED, str(error))
        except Unavailable as error:
            return _status(OUT_OF_RESOURCES, str(error))
        except Exception as error:  # noqa: BLE001  the peer must get an answer, whatever broke here
            log.error("object not stored", error=type(error).__name__)
            return _status(CANNOT_UNDERSTAND, "Something broke on our side; it has been logged.")
        if outcome.status in {"stored", "held"} and outcome.sop_uid != event.request.AffectedSOPInstanceUID:
            log.warning("the object's UID differs from the one announced", ae=title)
        return _status_of(outcome)


def _status_of(outcome: archive.Outcome) -> Any:
    if outcome.status in {"stored", "held"}:
        return SUCCESS
    if outcome.status == "conflict":
        return _status(DUPLICATE, outcome.reason)
    return _status(_FAILURES.get(outcome.code, CANNOT_UNDERSTAND), outcome.reason)


def _status(code: int, comment: str) -> Dataset:
    """Return a status with its reason in words; Error Comment holds 64 characters (PS3.7 C)."""
    status = Dataset()
    status.Status = code
    status.ErrorComment = comment[:64]
    return status


def _title_of(association: Any) -> str:
    """Return the calling AE title, reduced to what may stand in a log."""
    title = re.sub(r"[^A-Za-z0-9_.\- ]", "", str(association.requestor.ae_title)).strip()
    return title[:16] or "unnamed"


def _is_loopback(address: str) -> bool:
    try:
        host = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(host, "ipv4_mapped", None)
    return bool((mapped or host).is_loopback)


def _hurry(event: Any) -> None:
    """Make the new connection answer and acknowledge at once.

    Senders write a message in several pieces and, with Nagle, hold the later ones back until the first is
    acknowledged; an acknowledgement that waits 40 ms then sets the pace. TCP_QUICKACK lasts for one receive
    only, so the transport's receive is replaced by one that sets it each time, and that reads in larger
    pieces than pynetdicom's 4 KiB.
    """
    transport = event.assoc.dul.socket
    connection: socket.socket = transport.socket
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport.recv = lambda wanted: _receive(connection, wanted)


def _receive(connection: socket.socket, wanted: int) -> bytearray:
    """Return `wanted` bytes, fewer when the peer is gone; refuse a PDU that no peer of ours may send."""
    if wanted > MOST_PDU:
        raise OSError("The peer announces a PDU larger than 64 MiB.")
    buffer = bytearray()
    while len(buffer) < wanted:
        piece = connection.recv(min(wanted - len(buffer), CHUNK))
        if hasattr(socket, "TCP_QUICKACK"):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if not piece:
            break
        buffer += piece
    return buffer
