"""What of a provider's answer comes back to the caller: the allowed headers, and the body without the secret."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from connections.lifecycle.proxy.outgoing import Outgoing
from providers.errors import Evidence
from providers.proxying.answer_headers import passed_back
from providers.proxying.exchange import AnswerTooLarge, Exchange, Head
from providers.proxying.redaction import Redactor
from providers.proxying.request_headers import Headers
from providers.proxying.unpacking import CodingRefused, Unpacker

_SEVERAL = "multipart/byteranges"
_BARE = (204, 304)  # never with a body (RFC 9110 §6.4.1)


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer on its way to the caller. ``parts`` yields its body, and raises where it breaks off.

    ``redactor`` knows afterwards whether the provider has repeated the secret.
    """

    status: int
    headers: Headers = field(repr=False)
    parts: AsyncIterator[bytes] = field(repr=False)
    redactor: Redactor = field(repr=False)


def answer_of(head: Head, exchange: Exchange, outgoing: Outgoing, *, url: str, here: Callable[[str], str]) -> Answer:
    """Return what the caller gets of the answer that began with ``head``.

    ``here`` writes a path below the base URL as an address of the proxy's. Raises ``CodingRefused``.
    """
    is_part = head.status == HTTPStatus.PARTIAL_CONTENT
    if is_part and any(name == "content-type" and _SEVERAL in value.lower() for name, value in head.headers):
        raise CodingRefused("The answer is of several parts, which were not asked for.")
    redactor = Redactor(outgoing.attached.secrets, is_part=is_part)
    unpacker = Unpacker(", ".join(value for name, value in head.headers if name == "content-encoding"))
    headers = passed_back(
        head.headers,
        redactor=redactor,
        further=outgoing.limits.response_headers,
        here=here,
        base_url=outgoing.shown.base_url,
        url=url,
        encoded_slashes=outgoing.limits.encoded_slashes,
    )
    if head.length is not None and not unpacker.is_packed and head.status not in _BARE:
        headers.append(("content-length", str(head.length)))
    return Answer(head.status, headers, _parts(exchange, outgoing, unpacker, redactor), redactor)


async def _parts(
    exchange: Exchange, outgoing: Outgoing, unpacker: Unpacker, redactor: Redactor
) -> AsyncIterator[bytes]:
    passed = 0
    async for packed in exchange.parts():
        for part in unpacker.feed(packed):
            passed += len(part)
            if passed > outgoing.limits.max_response_bytes:
                raise AnswerTooLarge(Evidence("The answer unpacks to more than the entry lets it have."))
            if clean := redactor.feed(part):
                yield clean
    unpacker.finish()
    if rest := redactor.flush():
        yield rest
