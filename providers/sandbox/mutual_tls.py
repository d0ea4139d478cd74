"""Mutual TLS: an authority of the sandbox's own, certificates by it, and an address that asks for them.

Nothing of it is there until the first certificate is asked for. The address serves the same pages as the other one.
It lets everybody in who shows no certificate or one of this authority, and ends the handshake of all others. Which
certificate is whose is kept by thumbprint (``store``); ``resources`` and ``client_proof`` look there.
"""

import datetime as dt
import hashlib
import ipaddress
import os
import ssl
import threading
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask

from providers.sandbox.server import Server

_DAY = dt.timedelta(days=1)
_HOST = "127.0.0.1"

Issuer = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its private key, both in PEM, and its thumbprint (SHA-256 of the DER, hexadecimal)."""

    certificate: str
    private_key: str
    thumbprint: str


class MutualTls:
    """The authority, and the address that asks for its certificates. Both are made when they are first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._issuer: Issuer | None = None
        self._url = ""

    def url(self, app: Flask) -> str:
        """Return the address at which ``app`` is served to clients with certificates."""
        with self._lock:
            if not self._url:
                server = Server(host=_HOST, port=0, tls=self._context())
                threading.Thread(target=server.serve_forever, args=(app,), daemon=True).start()
                self._url = f"https://{_HOST}:{server.port}"
            return self._url

    @property
    def authority(self) -> str:
        """The authority's own certificate, in PEM."""
        return _pem(self._authority()[0])

    def issue(self, name: str, *, days: float = 30) -> Issued:
        """Return a certificate for ``name``, which ends in that many days (or ended, if negative)."""
        certificate, key = _made(name, issuer=self._authority(), days=days)
        return Issued(_pem(certificate), _key_pem(key), thumbprint(certificate.public_bytes(_DER)))

    def _authority(self) -> Issuer:
        if self._issuer is None:
            self._issuer = _made("Sandbox authority", issuer=None, days=3650)
        return self._issuer

    def _context(self) -> ssl.SSLContext:
        issuer = self._authority()
        certificate, key = _made("Sandbox", issuer=issuer, days=3650)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=_pem(issuer[0]))
        descriptor = os.memfd_create("sandbox-certificate")
        with os.fdopen(descriptor, "wb") as file:
            file.write((_pem(certificate) + _key_pem(key)).encode())
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        return context


def thumbprint(der: bytes) -> str:
    """Return the SHA-256 of a certificate in hexadecimal."""
    return hashlib.sha256(der).hexdigest()


_DER = serialization.Encoding.DER


def _made(name: str, *, issuer: Issuer | None, days: float) -> Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    ends = dt.datetime.now(dt.UTC) + days * _DAY
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(ends, dt.datetime.now(dt.UTC)) - _DAY)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(_HOST)), x509.DNSName("localhost")]),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signed_by = key if issuer is None else issuer[1]
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_by.public_key())
    return builder.add_extension(authority, critical=False).sign(signed_by, hashes.SHA256()), key


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()
