"""TLS towards peers: 1.2 at least, forward secrecy only (PS3.15 B.12), with our own certificate.

A peer to which a certificate is bound must show that one, whoever signed it; every other must show one that
names its host and comes from an authority that the settings name.
"""

import hashlib
import ssl

from sightline.kernel.errors import Invalid, Unavailable
from sightline.wire import peers
from sightline.wire.dimse.settings import DimseSettings

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"


class ClientCertificateUnusable(Invalid):
    """Our certificate, its key or the authorities cannot be read; correct the setting that names them."""


class WrongCertificate(Unavailable):
    """The peer shows another certificate than the one bound to it; ask its administrator which is right."""


def client_context(settings: DimseSettings, peer: peers.Peer) -> ssl.SSLContext:
    """Return how TLS is spoken with `peer`.

    Raises
    ------
    ClientCertificateUnusable
        If certificate, key or authorities cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if peer.certificate_sha256 is not None:  # held against the certificate itself, by `require_bound`
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if settings.tls_certificate is not None:
            context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        if settings.tls_ca is not None:
            context.load_verify_locations(settings.tls_ca)
        else:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    except (OSError, ssl.SSLError) as error:
        raise ClientCertificateUnusable(
            f"The certificate shown to DICOM peers cannot be used ({error.strerror or 'not PEM'}); "
            "correct SIGHTLINE_DIMSE_TLS_CERTIFICATE, _TLS_KEY or _TLS_CA."
        ) from error
    return context


def require_bound(connection: ssl.SSLSocket, peer: peers.Peer) -> None:
    """Refuse a peer that shows another certificate than the one bound to it."""
    if peer.certificate_sha256 is None:
        return
    shown = connection.getpeercert(binary_form=True)
    if shown is None or hashlib.sha256(shown).hexdigest() != peer.certificate_sha256:
        raise WrongCertificate(f"{peer.title} shows another certificate than the one bound to it.")
