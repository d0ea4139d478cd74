"""What an entry says about mutual TLS: the end user brings a client certificate, and each connection presents it."""

from collections.abc import Iterator
from typing import ClassVar

from providers.catalog.base_method import Method
from providers.catalog.calls import Presentation
from providers.catalog.fields import SecretField

_PEM = r"^[\s!-~]{1,65536}$"


class MutualTlsMethod(Method):
    """A client certificate of the end user's, with its private key: PEM, or PKCS #12 in Base64.

    Some providers want a user name and password beside it: an entry then adds such fields, and says by its presentation
    where they go. The names of the three here stay.
    """

    style = "mutual_tls"
    default_presentation: ClassVar[Presentation] = Presentation(headers={})

    fields: tuple[SecretField, ...] = (
        SecretField(
            name="certificate",
            label="Client certificate",
            help="PEM, with the certificates that issued it if the provider wants them, or a PKCS #12 file "
            "(.p12, .pfx) in Base64, as the command `base64 FILE` prints it.",
            multiline=True,
            pattern=_PEM,
        ),
        SecretField(
            name="private_key",
            label="Private key",
            help="PEM. Leave it empty if it is in the field above.",
            multiline=True,
            optional=True,
            pattern=_PEM,
        ),
        SecretField(
            name="passphrase",
            label="Passphrase",
            help="If the key or the file has one. It is not kept.",
            optional=True,
            pattern=r"^[ -~]{1,1024}$",
        ),
    )

    @property
    def proxy_only(self) -> bool:
        return True

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        return self.fields

    def slips(self) -> Iterator[str]:
        if "certificate" not in {field.name for field in self.fields}:
            yield "mutual_tls.fields: there is no field called certificate; name one so"
