"""The DICOM ports: who calls is heard, admitted or refused, and handed to who serves what is asked for.

An association that asks for Verification and Storage only is served here; every other goes, with what was
read of it, to the services that pynetdicom speaks for. Sources: PS3.8 9.2, 9.3.4; PS3.15 B.12.
"""

import hashlib
import re
import socket
import ssl
import threading
import time
from contextlib import ExitStack, suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError

from sightline.kernel.errors import Invalid, Unavailable
from sightline.record import archive
from sightline.runtime.settings import ServerSettings
from sightline.wire import peers
from sightline.wire.dimse import _storing
from sightline.wire.dimse import _upper_pdus as pdus
from sightline.wire.dimse._model import Context
from sightline.wire.dimse._services import Services
from sightline.wire.dimse._tls import CIPHERS
from sightline.wire.dimse._upper_wire import Gone, TooSlow, Wire
from sightline.wire.dimse.settings import DimseSettings

log = structlog.get_logger(__name__)

BACKLOG = 256
# Connections beyond those served, which are heard only to be told to come back.
TURNED_AWAY = 64
# How long one who finds every place taken is kept waiting for one that is just being left.
LEAVING_S = 1.0
NO_REASON = pdus.AssociateReject(1, 1, 1)
CONTEXT_NOT_SUPPORTED = pdus.AssociateReject(1, 1, 2)
VERSION_NOT_SUPPORTED = pdus.AssociateReject(1, 2, 2)
CONGESTION = pdus.AssociateReject(2, 3, 1)
UNEXPECTED_PDU, UNRECOGNISED_PDU, INVALID_PARAMETER = 2, 1, 6


class DicomPortTaken(Unavailable):
    """Another program listens on the DICOM port; stop it or choose another port."""


class CertificateUnusable(Invalid):
    """The certificate or key of the TLS port cannot be used; correct the setting that names it."""


class Listener:
    """Listens for associations from `start` to `stop`."""

    def __init__(
        self,
        store: archive.Store,
        settings: ServerSettings,
        *,
        spool: archive.Spool | None = None,
        dimse: DimseSettings | None = None,
    ) -> None:
        self._own_spool = spool is None
        self._context = Context(store, spool or archive.Spool(store), settings, dimse or DimseSettings())
        self._turnstile = peers.Turnstile()
        self._services = Services(self._context, self._turnstile)
        self._sockets: list[socket.socket] = []
        self._threads: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        self._places = threading.Semaphore(self._context.dimse.max_associations)
        self._stopping = False

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._sockets[0].getsockname()[1])

    @property
    def tls_port(self) -> int:
        """The port that is listened on for TLS."""
        return int(self._sockets[1].getsockname()[1])

    @property
    def open_associations(self) -> int:
        """How many connections are being served now."""
        return len(self._threads)

    def start(self) -> None:
        """Begin to listen."""
        settings, dimse = self._context.settings, self._context.dimse
        with ExitStack() as undo:
            undo.callback(self._close_sockets)
            self._sockets.append(_listening(settings.host, settings.dicom_port, "--dicom-port"))
            tls = None
            if dimse.tls_certificate is not None:
                tls = tls_context(dimse)
                option = "SIGHTLINE_DIMSE_TLS_PORT"
                self._sockets.append(_listening(settings.host, dimse.tls_port, option))
            undo.pop_all()
        self._stopping = False
        if self._own_spool:
            self._context.spool.start()
        for listening, secured in zip(self._sockets, (None, tls), strict=False):
            threading.Thread(
                target=self._accept, args=(listening, secured), name="dicom-port", daemon=True
            ).start()

    def stop(self) -> None:
        """Stop listening, end open associations, and have what they brought written."""
        self._stopping = True
        self._close_sockets()
        with self._lock:
            serving = dict(self._threads)
        for connection in serving.values():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in serving:
            thread.join(timeout=10)
        if self._own_spool:
            self._context.spool.stop()

    def _close_sockets(self) -> None:
        for listening in self._sockets:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        self._sockets.clear()

    def _accept(self, listening: socket.socket, tls: ssl.SSLContext | None) -> None:
        while not self._stopping:
            try:
                connection, address = listening.accept()
            except OSError as error:
                if self._stopping or listening.fileno() < 0:
                    return
                log.warning("a connection could not be accepted", error=type(error).__name__)
                threading.Event().wait(0.05)  # out of files, say: others must end first
                continue
            thread = threading.Thread(
                target=self._serve, args=(connection, str(address[0]), tls), name="association", daemon=True
            )
            with self._lock:
                inside = len(self._threads)
                if inside < self._context.dimse.max_associations + TURNED_AWAY:
                    self._threads[thread] = connection
            if thread in self._threads:
                thread.start()
            else:
                connection.close()

    def _serve(self, connection: socket.socket, address: str, tls: ssl.SSLContext | None) -> None:
        """Serve one connection from its first byte to its last."""
        try:
            with connection:
                self._hear(connection, address, tls)
        except Exception as error:  # one connection must never end the others
            log.error("association broke", error=type(error).__name__, exc_info=error)
        finally:
            with self._lock:
                self._threads.pop(threading.current_thread(), None)

    def _hear(self, connection: socket.socket, address: str, tls: ssl.SSLContext | None) -> None:
        timeout_s = self._context.dimse.acse_timeout_s
        shown = None
        if tls is not None:
            connection.settimeout(timeout_s)
            try:
                connection = tls.wrap_socket(connection, server_side=True)
            except (OSError, ValueError):
                log.info("a TLS connection was not agreed on")
                return
            shown = _fingerprint(connection)
        with connection:
            wire = Wire(connection)
            wire.wait_at_most(timeout_s)
            wire.begin(timeout_s)
            request = self._request(wire)
            if request is not None:
                self._admit(connection, wire, *request, address=address, shown=shown)

    def _request(self, wire: Wire) -> tuple[bytes, pdus.AssociateRequest] | None:
        """Read the A-ASSOCIATE-RQ; None when none came, which was answered as PS3.8 table 9-10 has it."""
        try:
            kind, length = wire.read_head()
            if kind == pdus.ABORT:
                return None
            if kind != pdus.ASSOCIATE_RQ:
                wire.send_abort(2, UNEXPECTED_PDU if kind in range(2, 8) else UNRECOGNISED_PDU)
                wire.await_close()
                return None
            if length > pdus.LONGEST_ASSOCIATE:
                raise pdus.BadPdu("an A-ASSOCIATE-RQ of more than 1 MiB")
            body = wire.read(length)
            return pdus.encode_pdu(kind, body), pdus.decode_request(body)
        except (Gone, TooSlow):
            return None
        except pdus.BadPdu as error:
            log.info("association ended: not DICOM", what=str(error))
            wire.send_abort(2, INVALID_PARAMETER)
            wire.await_close()
            return None

    def _admit(
        self,
        connection: socket.socket,
        wire: Wire,
        raw: bytes,
        request: pdus.AssociateRequest,
        *,
        address: str,
        shown: str | None,
    ) -> None:
        admission = self._decide(request, address, shown)
        if isinstance(admission, pdus.AssociateReject):
            wire.send_reject(admission)
            wire.await_close()
            return
        with ExitStack() as inside:
            refusal = self._enter(admission, inside)
            if refusal is not None:
                _tell(request, "as many associations are served as may be")
                wire.send_reject(refusal)
                wire.await_close()
            elif _storing.is_for_storing(request):
                _storing.Association(wire, self._context, admission, self._turnstile).serve(request)
            else:
                wire.wait_at_most(0)
                self._services.serve(connection, raw, admission)

    def _enter(self, admission: peers.Admission, inside: ExitStack) -> pdus.AssociateReject | None:
        """Take a place among all and among the peer's own; one that is just being left is waited for."""
        if not self._places.acquire(timeout=LEAVING_S):
            return CONGESTION
        inside.callback(self._places.release)
        deadline = time.monotonic() + LEAVING_S
        while (refusal := self._turnstile.enter(admission)) is not None:
            if time.monotonic() > deadline:
                return pdus.AssociateReject(refusal.result, refusal.source, refusal.reason)
            time.sleep(0.02)
        inside.callback(self._turnstile.leave, admission)
        return None

    def _decide(
        self, request: pdus.AssociateRequest, address: str, shown: str | None
    ) -> peers.Admission | pdus.AssociateReject:
        """Let in, or say why not (PS3.8 9.3.4)."""
        if not request.protocol_version & 1:
            return VERSION_NOT_SUPPORTED
        if request.application_context != pdus.APPLICATION_CONTEXT:
            return CONTEXT_NOT_SUPPORTED
        try:
            decided = peers.admit(
                self._context.store.database,
                calling=request.calling,
                called=request.called,
                address=address,
                certificate_sha256=shown,
                own_title=self._context.settings.ae_title,
                open_door=self._context.settings.dicom_open,
            )
        except (SQLAlchemyError, Unavailable) as error:  # without the list nobody is let in
            log.error("the list of peers cannot be read", error=type(error).__name__)
            return CONGESTION
        if isinstance(decided, peers.Rejection):
            _tell(request, decided.why)
            return pdus.AssociateReject(decided.result, decided.source, decided.reason)
        return decided


def tls_context(settings: DimseSettings) -> ssl.SSLContext:
    """Return how TLS is spoken: 1.2 at least, forward secrecy only (PS3.15 B.12), clients known or not.

    Raises
    ------
    CertificateUnusable
        If certificate, key or authorities cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
    context.verify_mode = ssl.CERT_REQUIRED if settings.tls_require_certificate else ssl.CERT_OPTIONAL
    try:
        context.load_cert_chain(settings.tls_certificate or "", settings.tls_key)
        if settings.tls_ca is not None:
            context.load_verify_locations(settings.tls_ca)
        else:
            context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    except (OSError, ssl.SSLError) as error:
        raise CertificateUnusable(
            f"The certificate of the DICOM TLS port cannot be used ({error.strerror or 'not PEM'}); "
            "correct SIGHTLINE_DIMSE_TLS_CERTIFICATE, _TLS_KEY or _TLS_CA."
        ) from error
    return context


def _fingerprint(connection: ssl.SSLSocket) -> str | None:
    shown = connection.getpeercert(binary_form=True)
    return hashlib.sha256(shown).hexdigest() if shown else None


def _listening(host: str, port: int, option: str) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=BACKLOG, family=_family(host))
    except OSError as error:
        raise DicomPortTaken(
            f"Port {port} cannot be listened on ({error.strerror}); stop what listens there or pass {option}."
        ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _tell(request: pdus.AssociateRequest, why: str) -> None:
    """Log a refusal; a title is reduced to what may stand in a log."""
    title = re.sub(r"[^A-Za-z0-9_.\- ]", "", request.calling).strip()[:16]
    log.warning("association refused", ae=title or "unnamed", why=why)
