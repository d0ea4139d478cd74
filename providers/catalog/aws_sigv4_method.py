"""What an entry says about AWS Signature Version 4: the access key is typed, and signs each request."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from providers.catalog.base_method import Method
from providers.catalog.calls import ErrorRule, Presentation
from providers.catalog.fields import SecretField
from providers.vocabulary import Meaning

# A clock that is wrong, on either side, has the code of a wrong key in some services: its words come first.
# https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html (2026-11-29)
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (2026-11-29)
_CLOCK = ("Signature expired", "Signature not yet current", "RequestTimeTooSkewed", "RequestExpired")
_UNKNOWN_KEY = ("InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException", "ExpiredToken")
_KEY = (*_UNKNOWN_KEY, "SignatureDoesNotMatch", "InvalidSignatureException")
_REFUSALS = tuple(
    ErrorRule(status=status, contains=word, means=means)
    for status in (400, 401, 403)
    for words, means in ((_CLOCK, Meaning.UNAVAILABLE), (_KEY, Meaning.GRANT_REJECTED))
    for word in words
)
_NAMES = {"access_key_id", "secret_access_key"}


class AwsSigV4Method(Method):
    """An access key of AWS, or of a service that signs alike. It is typed, and never leaves but as a signature.

    ``region`` and ``service`` are templates: the scope of each signature. An entry may give the fields other labels;
    their names stay ``access_key_id``, ``secret_access_key`` and ``session_token``, which only temporary keys have.
    What AWS and its like answer to a wrong key and to a wrong clock is known without an entry's word.
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
    def signs_requests(self) -> bool:
        return True

    @property
    def refusals(self) -> tuple[ErrorRule, ...]:
        return _REFUSALS

    @property
    def words_of_the_end(self) -> frozenset[str]:
        return frozenset(_UNKNOWN_KEY)

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        return self.fields

    @property
    def texts(self) -> Mapping[str, str]:
        return {"region": self.region, "service": self.service}

    def slips(self) -> Iterator[str]:
        if missing := _NAMES - {field.name for field in self.fields}:
            yield f"aws_sigv4.fields: a signature is made with {', '.join(sorted(missing))}; name the fields so"
