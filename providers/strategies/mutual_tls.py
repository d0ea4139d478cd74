"""Mutual TLS: a client certificate that the end user brings, presented on each connection, and handed to nobody.

Its end is read from the certificate and told ahead, because only the end user can bring the next one.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import SecretStr

from providers.catalog.mutual_tls_method import MutualTlsMethod
from providers.catalog.resolve import Target
from providers.errors import Evidence, FieldInvalid, MisconfiguredProvider
from providers.signing.bounds import UnusableKey
from providers.signing.client_certificates import read_client_certificate
from providers.strategies.base import Capabilities, Strategy
from providers.strategies.calling import Sending
from providers.values import ClientCertificate, Credential, Obtained

_LONGEST_SECONDS = 20 * 366 * 86_400
_BROUGHT = ("certificate", "private_key", "passphrase")


class MutualTls(Strategy):
    """Checks the certificate with its key, and presents it."""

    method = MutualTlsMethod
    title = "Client certificate"
    invitation = "Connect with a client certificate of {name}"
    auth_method = "mutual_tls"

    def _capabilities(self, target: Target) -> Capabilities:
        return Capabilities()

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        brought = {name: value.get_secret_value() for name, value in typed.fields.items() if name in _BROUGHT}
        now = datetime.now(UTC)
        try:
            read = read_client_certificate(
                brought["certificate"],
                private_key=brought.get("private_key", ""),
                passphrase=brought.get("passphrase", ""),
                now=now,
            )
        except UnusableKey as error:
            raise FieldInvalid("certificate", str(error)) from None
        fields = {name: value for name, value in typed.fields.items() if name not in _BROUGHT}
        fields |= {"certificate": SecretStr(read.certificate.chain), "private_key": read.certificate.private_key}
        seconds = min(int((read.ends_at - now).total_seconds()), _LONGEST_SECONDS)
        return Obtained(Credential(fields=fields), lifetime_seconds=max(seconds, 1))

    def _sendings(self, target: Target, credential: Credential) -> Iterable[Sending]:
        held = credential.fields
        if not {"certificate", "private_key"} <= held.keys():
            raise MisconfiguredProvider(Evidence("The credential lacks its certificate.", sent=False))
        certificate = ClientCertificate(held["certificate"].get_secret_value(), held["private_key"])
        return (Sending(certificate=certificate),)
