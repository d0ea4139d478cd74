"""What an entry says about AWS Signature Version 4: the access key is typed, and signs each request."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from providers.catalog.calls import Presentation
from providers.catalog.fields import SecretField
from providers.catalog.methods import Method

_NAMES = {"access_key_id", "secret_access_key"}


class AwsSigV4Method(Method):
    """An access key of AWS, or of a service that signs alike. It is typed, and never leaves but as a signature.

    ``region`` and ``service`` are templates: the scope of each signature. An entry may give the fields other labels;
    their names stay ``access_key_id``, ``secret_access_key`` and ``session_token``, which only temporary keys have.
    """

    style = "aws_sigv4"
    default_presentation: ClassVar[Presentation] = Presentation(headers={})

    region: str
    service: str
    fields: tuple[SecretField, ...] = (
        SecretField(name="access_key_id", label="Access key ID", secret=False, pattern=r"^\w{4,128}$"),
        SecretField(name="secret_access_key", label="Secret access key"),
        SecretField(name="session_token", label="Session token", help="Of temporary keys alone.", optional=True),
    )

    @property
    def proxy_only(self) -> bool:
        return True

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        return self.fields

    @property
    def texts(self) -> Mapping[str, str]:
        return {"region": self.region, "service": self.service}

    def slips(self) -> Iterator[str]:
        if missing := _NAMES - {field.name for field in self.fields}:
            yield f"aws_sigv4.fields: a signature is made with {', '.join(sorted(missing))}; name the fields so"
