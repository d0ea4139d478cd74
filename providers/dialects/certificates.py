"""Certificates of a vendor's authority and of a stranger's, and the TLS handshake in which one is shown, in memory.

The client's side of the handshake is the product's context (``providers.tls``), with this authority's server trusted
in place of the public ones.
"""

import base64
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from providers.tls import client_context
from providers.values import ClientCertificate

DAYS = 20
CUSTOMER, VENDOR = "Acme", "vendor"
_ROUNDS = 8


@dataclass(frozen=True)
class Shown:
    """A certificate and its private key, both in PEM; the key may need a passphrase."""

    certificate: str
    private_key: str


@cache
def _authority(whose: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    return _made(f"{whose} authority", issuer=None)


def issued(customer: str, *, by: str = VENDOR, passphrase: str = "") -> Shown:
    """Return a certificate for ``customer`` that ends in ``DAYS``, by that authority."""
    certificate, key = _made(customer, issuer=_authority(by))
    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        protection = serialization.BestAvailableEncryption(passphrase.encode())
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    return Shown(_pem(certificate), key.private_bytes(*form).decode())


def self_signed(key: rsa.RSAPrivateKey) -> str:
    """Return a certificate (PEM) that ``key`` has signed for itself, as apps bring one to be known by."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    return _pem(builder.not_valid_after(now + timedelta(days=DAYS)).sign(key, hashes.SHA256()))


def thumbprint(certificate: str) -> str:
    """Return the ``x5t#S256`` of a certificate in PEM (RFC 7515 §4.1.8)."""
    digest = x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA256())
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def name_in(certificate: bytes) -> str:
    """Return the common name in a certificate (DER)."""
    found = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value)


def shown_in_handshake(host: str, certificate: ClientCertificate) -> bytes:
    """Return the client certificate (DER) that ``host`` sees in a handshake. Raises ``ssl.SSLError`` if it refuses it.

    The host takes certificates of the vendor's authority alone.
    """
    context = client_context(certificate=certificate)
    context.load_verify_locations(cadata=_pem(_authority(VENDOR)[0]))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=host)
    server = _server(host).wrap_bio(to_server, to_client, server_side=True)
    refusal: ssl.SSLError | None = None
    for _ in range(_ROUNDS):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                refusal = error
        if refusal is not None:
            client.read(1)  # the client learns it by an alert
            raise refusal
    return server.getpeercert(binary_form=True) or b""


@cache
def _server(host: str) -> ssl.SSLContext:
    certificate, key = _made(host, issuer=_authority(VENDOR))
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=_pem(_authority(VENDOR)[0]))
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(_pem(certificate) + key.private_bytes(*form).decode())
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _made(
    name: str, *, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signer = key if issuer is None else issuer[1]
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return builder.add_extension(authority, critical=False).sign(signer, hashes.SHA256()), key


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
