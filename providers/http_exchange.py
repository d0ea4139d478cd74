"""One HTTP exchange on a connection that ``providers.egress`` has opened: the request written, the answer read."""

import http.client
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from providers import send_window
from providers.errors import (
    CertificateRefused,
    Evidence,
    MalformedResponse,
    MisconfiguredProvider,
    NotSentInTime,
    ProviderError,
    ProviderUnavailable,
    TargetRefused,
)
from providers.response import IsEnough, Response, read_body
from providers.tls import refuses_certificate, refuses_unread

CERTIFICATE_REFUSED = "The server does not accept our client certificate."
DEFAULT_PORTS = {"https": 443, "http": 80}
# Signs a request that is ready to be sent.
Sign = Callable[[requests.PreparedRequest], requests.PreparedRequest]

_CHALLENGE = "WWW-Authenticate"


def writer_of(
    connection: http.client.HTTPConnection, prepared: requests.PreparedRequest, target: SplitResult
) -> Callable[[], None]:
    """Check the request before any connection is made, and return the function that sends it."""
    headers = CaseInsensitiveDict({"User-Agent": "Latchkey"})
    headers.update((_text(name), _text(value)) for name, value in prepared.headers.items())
    headers["Host"] = host_header(target)
    headers["Accept-Encoding"] = "identity"  # compressed answers are understood, but not asked for
    headers["Connection"] = "close"
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
    writable = body is None or isinstance(body, bytes)
    try:
        connection.putrequest(prepared.method or "", prepared.path_url, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
    except (http.client.HTTPException, ValueError):
        writable = False
    if not writable:
        raise unwritable()
    return lambda: connection.endheaders(body)


def host_header(target: SplitResult) -> str:
    return target.netloc.removesuffix(f":{DEFAULT_PORTS.get(target.scheme, '')}")


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def unwritable() -> MisconfiguredProvider:
    return MisconfiguredProvider(
        Evidence("The URL or a header value holds characters that HTTP cannot carry.", sent=False)
    )


def sign_by(sign: Sign, made: requests.PreparedRequest) -> None:
    """Have ``sign`` sign ``made``, which gets the ``Host`` that it will have. Raises ``ValueError`` if it cannot."""
    made.headers["Host"] = host_header(urlsplit(made.url or ""))
    sign(made)


def signed_headers(
    sign: Sign,
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    content: bytes,
) -> dict[str, str]:
    """Return the headers that ``sign`` adds to a request that is sent elsewhere than here, byte by byte as it is.

    Raises ``MisconfiguredProvider`` if it cannot be signed.
    """
    added: dict[str, str] | None = None
    with suppress(requests.RequestException, ValueError):  # these quote the URL and headers
        made = requests.Request(method, url, headers=dict(headers), data=content).prepare()
        made.url = url  # as it is sent: preparing it may have quoted it anew
        before = {name.lower() for name in headers} | {"host", "content-length"}
        sign_by(sign, made)
        added = {_text(name): _text(value) for name, value in made.headers.items() if _text(name).lower() not in before}
    if added is None:
        raise unwritable()
    return added


def exchange(
    connection: http.client.HTTPConnection,
    write: Callable[[], None],
    *,
    cap: int,
    deadline: float,
    answered: Callable[[], None],
    is_enough: IsEnough | None,
) -> Response | ProviderError:
    """Send the request and read the answer. From here on the provider may have acted on the request.

    Calls ``answered`` when the head has come: behind the end of the body there is no connection any more.
    """
    status: int | None = None
    if send_window.is_closed():
        return NotSentInTime(Evidence("The process stood still for too long before the request.", sent=False))
    try:
        write()
        answer = connection.getresponse()
        answered()
        status = answer.status
        if 300 <= status < 400:
            return TargetRefused(Evidence("The server answered with a redirect, which is not followed.", status=status))
        headers = CaseInsensitiveDict(answer.getheaders())
        if challenges := answer.headers.get_all(_CHALLENGE):
            headers[_CHALLENGE] = ", ".join(challenges)  # one a scheme, in a line each (RFC 9110 §11.6.1)
        try:
            body = read_body(answer, cap=cap, deadline=deadline, is_enough=is_enough)
        except (http.client.HTTPException, zlib.error, ValueError, OSError):
            # For an outage the status is enough: its error page may be of any size.
            if status != 429 and status < 500:
                raise
            body = b""
    except TimeoutError:
        return ProviderUnavailable(Evidence("The server did not answer completely in time.", status=status))
    except http.client.RemoteDisconnected:
        return ProviderUnavailable(Evidence("The server closed the connection without an answer."))
    except (http.client.HTTPException, zlib.error, ValueError):
        return MalformedResponse(Evidence("The answer is not well-formed HTTP, or is too large.", status=status))
    except OSError as error:
        if refuses_certificate(error) or refuses_unread(connection.sock):  # TLS 1.3 says so after our handshake
            return CertificateRefused(Evidence(CERTIFICATE_REFUSED, sent=False))
        return ProviderUnavailable(Evidence("The connection broke before the answer was complete.", status=status))
    return Response(status=status, headers=headers, body=body)
