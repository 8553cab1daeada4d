"""DICOM over TLS with certificates of both sides, judged by DCMTK."""

import datetime
import hashlib
import shutil
import socket
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pydicom import Dataset

from sightline.record import archive
from sightline.runtime.blobs import LocalBlobs
from sightline.runtime.settings import ServerSettings
from sightline.wire import dimse, peers
from sightline.wire.dimse.settings import DimseSettings

pytestmark = pytest.mark.filterwarnings("ignore")


class Authority:
    """A certificate authority that lives for one test run."""

    def __init__(self, folder):
        self.folder = folder
        self.key = rsa.generate_private_key(65537, 2048)
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        builder = self._builder(self.name, self.key).add_extension(x509.BasicConstraints(True, 0), True)
        self.path = folder / "ca.pem"
        self.path.write_bytes(
            builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )

    def _builder(self, subject, key):
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    def issue(self, name):
        """Return paths of a certificate and its key, and its fingerprint."""
        key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        made = self._builder(subject, key).add_extension(names, False).sign(self.key, hashes.SHA256())
        certificate, secret = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        fingerprint = hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest()
        return certificate, secret, fingerprint


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server_certificate(authority):
    return authority.issue("server")


@pytest.fixture(scope="module")
def peer_certificate(authority):
    return authority.issue("peer")


def settings_of(authority, issued, **more):
    certificate, key, _ = issued
    return DimseSettings(
        tls_port=0, tls_certificate=str(certificate), tls_key=str(key), tls_ca=str(authority.path), **more
    )


@pytest.fixture
def secured(store, read_log, authority, server_certificate):
    """Our archive with its TLS port; peers must show a certificate."""
    settings = settings_of(authority, server_certificate, tls_require_certificate=True)
    listener = dimse.Listener(store, ServerSettings(dicom_port=0), dimse=settings)
    listener.start()
    yield listener
    listener.stop()


@pytest.fixture
def as_peer(authority, peer_certificate):
    return dimse.Caller("SCANNER", settings_of(authority, peer_certificate))


def there(listener, **more):
    return peers.Peer("SIGHTLINE", "localhost", listener.tls_port, tls=True, acse_timeout_s=5, **more)


def test_we_speak_tls_with_a_peer_and_both_show_certificates(secured, as_peer, take, make_slice):
    take(make_slice(1))

    assert dimse.echo(there(secured), caller=as_peer).message == "SIGHTLINE answers."
    asked = Dataset()
    asked.StudyInstanceUID = ""
    (found,) = dimse.find(there(secured), "study", "study", asked, caller=as_peer)
    assert found.StudyInstanceUID == "1.2.3"


def test_objects_go_over_tls(secured, as_peer, store, take, make_slice, tmp_path):
    big = make_slice(1, Rows=1000, Columns=1000, PixelData=bytes(2_000_000))
    take(big)
    got = []
    asked = Dataset()
    asked.StudyInstanceUID = "1.2.3"

    def keep(item):
        got.append(item.content.read_bytes())
        return 0, ""

    blobs = LocalBlobs(tmp_path / "other")
    other = archive.Store(store.database, blobs)
    result = dimse.get(
        other, there(secured), "study", asked, keep, sop_classes=["1.2.840.10008.5.1.4.1.1.2"], caller=as_peer
    )
    blobs.close()

    assert result.ok
    assert got[0][-2_000_000:] == big[-2_000_000:]


def test_without_a_certificate_nobody_comes_in(secured, authority):
    without = dimse.Caller("SCANNER", DimseSettings(tls_ca=str(authority.path)))

    assert not dimse.echo(there(secured), caller=without).ok


def test_a_server_of_an_unknown_authority_is_not_called(secured, peer_certificate, tmp_path):
    other = Authority(tmp_path)
    settings = settings_of(other, peer_certificate)

    result = dimse.echo(there(secured), caller=dimse.Caller("SCANNER", settings))

    assert "TLS with SIGHTLINE did not come about" in result.message


def test_a_bound_certificate_must_be_the_one_that_is_shown(
    secured, as_peer, server_certificate, peer_certificate
):
    right = there(secured, certificate_sha256=server_certificate[2])
    wrong = there(secured, certificate_sha256=peer_certificate[2])

    assert dimse.echo(right, caller=as_peer).ok
    assert "another certificate" in dimse.echo(wrong, caller=as_peer).message


def test_a_title_is_bound_to_its_certificate(
    secured, as_peer, make_known, peer_certificate, server_certificate
):
    make_known("SCANNER", host="10.0.0.9", certificate_sha256=peer_certificate[2])
    assert dimse.echo(there(secured), caller=as_peer).ok

    make_known("SCANNER", host="10.0.0.9", certificate_sha256=server_certificate[2])
    assert "does not know our AE title" in dimse.echo(there(secured), caller=as_peer).message


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_are_spoken(secured, authority, peer_certificate, version):
    context = ssl.create_default_context(cafile=str(authority.path))
    context.load_cert_chain(*map(str, peer_certificate[:2]))
    context.minimum_version = context.maximum_version = version

    with (
        socket.create_connection(("127.0.0.1", secured.tls_port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        assert connection.version() == {0x303: "TLSv1.2", 0x304: "TLSv1.3"}[version]


@pytest.mark.skipif(shutil.which("echoscu") is None, reason="DCMTK is not installed")
@pytest.mark.parametrize("program", ["echoscu", "storescu", "findscu"])
def test_dcmtk_comes_in_by_tls(secured, authority, peer_certificate, store, make_slice, tmp_path, program):
    (tmp_path / "1.dcm").write_bytes(make_slice(1))
    certificate, key, _ = peer_certificate
    work = {
        "echoscu": [],
        "storescu": [str(tmp_path / "1.dcm")],
        "findscu": ["-S", "-k", "QueryRetrieveLevel=STUDY"],
    }[program]
    options = ["+tls", str(key), str(certificate), "+cf", str(authority.path), "-aec", "SIGHTLINE"]
    flags = [w for w in work if w.startswith("-S")]

    done = subprocess.run(
        [program, *flags, *options, "localhost", str(secured.tls_port), *(w for w in work if w not in flags)],
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    if program == "storescu":
        with store.database.reading() as db:
            assert archive.get_study(db, "1.2.3").instance_count == 1
