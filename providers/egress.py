"""The only module that opens an outbound socket: every call to a provider goes through here.

Owns the rules for outbound calls: HTTPS only (http for loopback in development); one lookup, whose addresses must all
be permitted (``providers.addresses``); a connection to an address that was checked, so that a second lookup cannot
change it; a certificate for the name, or a session of a server that has shown one (``providers.tls``); no redirects; a
deadline over the whole call; a cap on the decoded body; nothing read from the environment. What an answer means is
``providers.oauth.classify``.

With a proxy configured, the proxy looks names up and connects. A literal address, and a name that this machine can look
up, must still be permitted. The proxy alone judges a name that only it knows.
"""

import base64
import http.client
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from providers import addresses, quiet, rehearsal, send_window
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
from providers.lookup import Found, look_up
from providers.response import IsEnough, Response, read_body
from providers.timed_socket import TimedSocket, TimedTLSSocket, time_left
from providers.tls import Server, Sessions, client_context, refuses_certificate, refuses_unread
from providers.values import ClientCertificate

__all__ = ["EgressPolicy", "Response", "Signer", "configure", "current_policy", "request"]

# Gets a request that is ready to be sent, and returns it with the headers that sign it.
Signer = Callable[[requests.PreparedRequest], requests.PreparedRequest]

_CERTIFICATE_REFUSED = "The server does not accept our client certificate."
_ATTEMPTS = 4  # of one name's addresses, at most so many are tried
_PROXIED_LOOKUP_SECONDS = 1.0  # behind a proxy there may be no DNS at all
_CHALLENGE = "WWW-Authenticate"
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What the operator allows. The default is the strictest.

    ``allowed_targets`` are host names, addresses and networks of on-premises systems; ``proxy_url`` is an ``http://``
    proxy that understands CONNECT; ``ca_file`` is a PEM file of authorities trusted besides the public ones.
    ``connect_seconds`` covers lookup, TCP, proxy and TLS together; ``total_seconds`` the whole call.
    """

    allow_loopback: bool = False
    allowed_targets: tuple[str, ...] = ()
    proxy_url: str = field(default="", repr=False)
    ca_file: str = ""
    connect_seconds: float = 5.0
    total_seconds: float = 20.0
    max_body_bytes: int = 65_536


class _Setup:
    """A policy and everything derived from it, in one object, so that each call reads one consistent set."""

    def __init__(self, policy: EgressPolicy) -> None:
        self.policy = policy
        self.rules = addresses.AddressRules.parse(
            allow_loopback=policy.allow_loopback, allowed_targets=policy.allowed_targets
        )
        self.proxy = urlsplit(policy.proxy_url) if policy.proxy_url else None
        if self.proxy is not None and (self.proxy.scheme != "http" or not self.proxy.hostname):
            raise ValueError("the egress proxy must be written as http://[user:password@]host:port")
        if policy.ca_file and not Path(policy.ca_file).is_file():
            raise ValueError(f"the CA file {policy.ca_file} does not exist")

        self.sessions = Sessions()  # of the context below, and with it of these authorities alone

    @cached_property
    def tls(self) -> ssl.SSLContext:
        return client_context(ca_file=self.policy.ca_file)


def configure(policy: EgressPolicy) -> None:
    """Make ``policy`` the one of this process. Raises ``ValueError`` saying what is wrong with it."""
    global _setup  # noqa: PLW0603 - there is one policy a process
    setup = _Setup(policy)
    if policy.ca_file:
        try:
            setup.tls  # noqa: B018 - a file that is no PEM must fail at boot, not at the first call
        except ssl.SSLError:
            raise ValueError(f"the CA file {policy.ca_file} holds no certificate in PEM") from None
    _setup = setup
    quiet.silence()


def current_policy() -> EgressPolicy:
    """Return the policy of this process."""
    return _setup.policy


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    json: Any = None,
    content: bytes | None = None,
    sign: Signer | None = None,
    certificate: ClientCertificate | None = None,
    max_body_bytes: int | None = None,
    total_seconds: float | None = None,
    is_enough: IsEnough | None = None,
) -> Response:
    """Make one call and return the answer, whatever its status, except a redirect.

    ``sign`` gets the prepared request, with its ``Host``, and adds the headers that sign it. It raises ``ValueError``
    if it cannot. ``certificate`` is presented on this connection alone, and over https only. Blocks up to the total
    deadline. ``max_body_bytes`` and ``total_seconds`` replace the policy's. ``is_enough`` says of a body without an
    end where to stop reading (``response.IsEnough``). Raises ``TargetRefused``
    (forbidden address or scheme, redirect), ``ProviderUnavailable`` (no complete answer), ``MalformedResponse`` (not
    HTTP, body too large), ``MisconfiguredProvider`` (cannot be written as HTTP), ``CertificateRefused`` (ours, by the
    server) and, where a ``send_window`` is open, ``NotSentInTime``.
    ``sent`` is False on every error that came before the request's first byte.
    """
    data = content if content is not None else form
    prepared = None
    with suppress(requests.RequestException, ValueError):  # these quote the URL and headers, so no exception is chained
        query = urlencode(params or {}, quote_via=quote)  # a space is %20: + is one in forms only
        call = requests.Request(method, url, headers=dict(headers or {}), params=query, data=data, json=json)
        made = call.prepare()
        if sign is not None:
            made.headers["Host"] = _host_header(urlsplit(made.url or ""))
            made = sign(made)
        prepared = made
    if prepared is None:
        raise _unwritable()
    return _perform(
        _setup,
        prepared,
        certificate=certificate,
        max_body_bytes=max_body_bytes,
        total_seconds=total_seconds,
        is_enough=is_enough,
    )


def may_call(url: str) -> bool:
    """Whether ``request`` would call ``url``, as far as can be told without looking its name up. No I/O."""
    try:
        target = _permitted_url(url)
    except TargetRefused:
        return False
    host = addresses.plain_host(target.hostname or "")
    if target.scheme == "http" and not (_setup.policy.allow_loopback and addresses.names_loopback(host)):
        return False
    try:
        return _setup.rules.permit(host=host, address=host)
    except ValueError:
        return _setup.policy.allow_loopback or not addresses.names_loopback(host)


def _unwritable() -> MisconfiguredProvider:
    return MisconfiguredProvider(
        Evidence("The URL or a header value holds characters that HTTP cannot carry.", sent=False)
    )


def _unavailable(detail: str) -> ProviderUnavailable:
    return ProviderUnavailable(Evidence(detail, sent=False))


def _perform(
    setup: _Setup,
    prepared: requests.PreparedRequest,
    *,
    certificate: ClientCertificate | None,
    max_body_bytes: int | None,
    total_seconds: float | None,
    is_enough: IsEnough | None,
) -> Response:
    policy = setup.policy
    started = time.monotonic()
    deadline = started + (policy.total_seconds if total_seconds is None else total_seconds)
    target = _permitted_url(prepared.url or "")
    connection = http.client.HTTPConnection(target.hostname or "", target.port or _DEFAULT_PORTS[target.scheme])
    connection.auto_open = 0  # it must never look a name up and connect by itself
    write = _writer(connection, prepared, target)
    connect_by = min(deadline, started + policy.connect_seconds)
    if (stand_in := rehearsal.connect(target, certificate)) is not None:
        sock, server = stand_in, None
    else:
        sock, server = _connect(setup, target, deadline=connect_by, certificate=certificate)
    connection.sock = sock
    sock.deadline = deadline

    def keep_session() -> None:
        # A session of a client certificate stands for that client, so it is never kept for another call.
        if server is not None and isinstance(sock, TimedTLSSocket) and not sock.session_reused and certificate is None:
            setup.sessions.keep(server, sock.session)

    cap = policy.max_body_bytes if max_body_bytes is None else max_body_bytes
    try:
        outcome = _exchange(connection, write, cap=cap, deadline=deadline, answered=keep_session, is_enough=is_enough)
    finally:
        connection.close()
        sock.close()
    if isinstance(outcome, ProviderError):
        raise outcome
    return outcome


def _permitted_url(url: str) -> SplitResult:
    target: SplitResult | None = None
    with suppress(ValueError):  # an invalid port or IPv6 address
        parts = urlsplit(url)
        if parts.scheme in _DEFAULT_PORTS and parts.hostname and "@" not in parts.netloc and parts.port != 0:
            target = parts
    if target is None:
        raise TargetRefused(Evidence("Not an absolute https URL without user information.", sent=False))
    return target


def _writer(
    connection: http.client.HTTPConnection, prepared: requests.PreparedRequest, target: SplitResult
) -> Callable[[], None]:
    """Check the request before any connection is made, and return the function that sends it."""
    headers = CaseInsensitiveDict({"User-Agent": "Latchkey"})
    headers.update((_text(name), _text(value)) for name, value in prepared.headers.items())
    headers["Host"] = _host_header(target)
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
        raise _unwritable()
    return lambda: connection.endheaders(body)


def _host_header(target: SplitResult) -> str:
    return target.netloc.removesuffix(f":{_DEFAULT_PORTS.get(target.scheme, '')}")


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _connect(
    setup: _Setup, target: SplitResult, *, deadline: float, certificate: ClientCertificate | None
) -> tuple[TimedSocket | TimedTLSSocket, Server]:
    """Return a socket to the target, ready for the request, and its other end. If this raises, nothing was sent."""
    host = addresses.plain_host(target.hostname or "")
    port = target.port or _DEFAULT_PORTS[target.scheme]
    own = None if certificate is None else _context_with(setup, certificate)
    failure: ProviderError
    try:
        found = _known_addresses(setup, host, port, deadline)
        if not all(setup.rules.permit(host=host, address=address[0]) for _, address in found):
            raise TargetRefused(Evidence("The server's address is not one that may be called.", sent=False))
        local = bool(found) and all(addresses.is_loopback(address[0]) for _, address in found)
        if target.scheme == "http" and not (local and setup.policy.allow_loopback and certificate is None):
            raise TargetRefused(Evidence("Only https is called.", sent=False))
        proxied = setup.proxy is not None and not local
        if not found and not proxied:
            raise _unavailable("The server's name could not be looked up.")

        def reach() -> TimedSocket:
            return _tunnel(setup.proxy, host, port, deadline) if setup.proxy and proxied else _dial(found, deadline)

        sock = reach()
        server = Server(host, port, sock.getpeername())
        if target.scheme == "http":
            return sock, server
        if own is not None:
            return _start_tls(own, sock, host, deadline), server
        if (session := setup.sessions.of(server)) is not None:
            try:
                return _start_tls(setup.tls, sock, host, deadline, session), server
            except (ssl.SSLError, ConnectionError):
                # Nothing was sent yet, so a server that stumbles over a session is tried without one.
                setup.sessions.forget(server)
                sock = reach()
        return _start_tls(setup.tls, sock, host, deadline), server
    except ssl.SSLCertVerificationError:
        failure = _unavailable("The server's certificate was not accepted.")
    except ssl.SSLError as error:
        failure = _unavailable("The server did not complete a TLS handshake.")
        if refuses_certificate(error):
            failure = CertificateRefused(Evidence(_CERTIFICATE_REFUSED, sent=False))
    except TimeoutError:
        failure = _unavailable("The server could not be reached in time.")
    except (OSError, http.client.HTTPException):
        failure = _unavailable("The server could not be reached.")
    raise failure


def _context_with(setup: _Setup, certificate: ClientCertificate) -> ssl.SSLContext:
    try:
        return client_context(ca_file=setup.policy.ca_file, certificate=certificate)
    except ssl.SSLError:  # it may quote what it could not read
        raise MisconfiguredProvider(
            Evidence("Our client certificate cannot be presented: its key does not fit.", sent=False)
        ) from None


def _known_addresses(setup: _Setup, host: str, port: int, deadline: float) -> Found:
    if setup.proxy is None:
        return look_up(host, port, deadline)
    try:
        return look_up(host, port, min(deadline, time.monotonic() + _PROXIED_LOOKUP_SECONDS))
    except TimeoutError:
        return []


def _dial(found: Found, deadline: float) -> TimedSocket:
    """Connect to the first address that answers, each getting an even share of the time that is left."""
    failure = OSError()
    for position, (family, address) in enumerate(candidates := found[:_ATTEMPTS]):
        sock = TimedSocket(family, socket.SOCK_STREAM)
        sock.deadline = deadline
        try:
            sock.settimeout(time_left(deadline) / (len(candidates) - position))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


def _tunnel(proxy: SplitResult, host: str, port: int, deadline: float) -> TimedSocket:
    """Ask the operator's proxy for a connection. The proxy's own address is not checked: the operator chose it."""
    sock = _dial(look_up(proxy.hostname or "", proxy.port or 80, deadline), deadline)
    try:
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
        if proxy.username is not None:
            pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}")
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = http.client.HTTPResponse(sock, method="CONNECT")
        answer.begin()
        if answer.status != 200:
            raise _unavailable("The egress proxy refused the connection.")
        return sock
    except BaseException:
        sock.close()
        raise


def _start_tls(
    context: ssl.SSLContext, sock: TimedSocket, host: str, deadline: float, session: ssl.SSLSession | None = None
) -> TimedTLSSocket:
    sock.settimeout(time_left(deadline))
    secured = cast(
        "TimedTLSSocket",
        context.wrap_socket(sock, server_hostname=host, session=session, do_handshake_on_connect=False),
    )
    secured.deadline = deadline
    try:
        secured.do_handshake()
        return secured
    except BaseException:
        secured.close()
        raise


def _exchange(
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
            return CertificateRefused(Evidence(_CERTIFICATE_REFUSED, sent=False))
        return ProviderUnavailable(Evidence("The connection broke before the answer was complete.", status=status))
    return Response(status=status, headers=headers, body=body)


_setup = _Setup(EgressPolicy())
quiet.silence()
