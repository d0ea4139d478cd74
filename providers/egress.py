"""The only module that opens an outbound socket: every call to a provider goes through here.

Owns the rules for outbound calls: HTTPS only (http for loopback in development); one lookup, whose addresses must all
be permitted (``providers.addresses``); a connection to an address that was checked, so that a second lookup cannot
change it; a certificate for the name, or a session of a server that has shown one (``providers.tls``); no redirects; a
deadline over the whole call; a cap on the decoded body; nothing read from the environment. What an answer means is
``providers.oauth.classify``.

Servers of the operator's own are another class of trust: those that settings name, and nothing that a tenant, an entry
or a row of the database does (``providers.custodians``). ``of_operator`` says so. They may have any address, as the
metadata service of a cloud does. Without TLS only this machine and link-local addresses are called, since everybody on
the way would read along. The proxy is for public addresses alone. All other rules are the same.

With a proxy configured, the proxy looks names up and connects. A literal address, and a name that this machine can look
up, must still be permitted. The proxy alone judges a name that only it knows.
"""

import asyncio
import base64
import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

import requests

from providers import addresses, quiet, rehearsal, spans
from providers.egress_policy import (
    EgressPolicy,
    Setup,
    configure,
    current_policy,
    current_setup,
    judge,
    judge_own,
    known_addresses,
    port_of,
    unavailable,
)
from providers.errors import (
    CertificateRefused,
    Evidence,
    MisconfiguredProvider,
    ProviderError,
    TargetRefused,
)
from providers.http_exchange import CERTIFICATE_REFUSED, DEFAULT_PORTS, exchange, sign_by, unwritable, writer_of
from providers.lookup import Found, look_up
from providers.recording import recorded
from providers.response import IsEnough, Response
from providers.timed_socket import TimedSocket, TimedTLSSocket, time_left
from providers.tls import Server, client_context, refuses_certificate
from providers.values import ClientCertificate

__all__ = ["EgressPolicy", "Line", "Response", "Signer", "configure", "current_policy", "open_line", "request"]

# Gets a request that is ready to be sent, and returns it with the headers that sign it.
Signer = Callable[[requests.PreparedRequest], requests.PreparedRequest]

_ATTEMPTS = 4  # of one name's addresses, at most so many are tried
_LINE_BYTES = 65_536  # so much of an answer is read ahead of whoever wants it, and again as much held by TLS
_dialers = ThreadPoolExecutor(32, thread_name_prefix="egress-dial")


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
    of_operator: bool = False,
) -> Response:
    """Make one call and return the answer, whatever its status, except a redirect.

    ``sign`` gets the prepared request, with its ``Host``, and adds the headers that sign it. It raises ``ValueError``
    if it cannot. ``certificate`` is presented on this connection alone, and over https only. Blocks up to the total
    deadline. ``max_body_bytes`` and ``total_seconds`` replace the policy's. ``is_enough`` says of a body without an
    end where to stop reading (``response.IsEnough``). ``of_operator``: the server is one that the operator's settings
    name. Raises ``TargetRefused``
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
            sign_by(sign, made)
        prepared = made
    if prepared is None:
        raise unwritable()
    host = urlsplit(prepared.url or "").hostname or ""
    facts = {"http.request.method": prepared.method or "", "server.address": host}
    with recorded(prepared) as answers, spans.within("call", facts) as span:
        answer = _perform(
            current_setup(),
            prepared,
            certificate=certificate,
            max_body_bytes=max_body_bytes,
            total_seconds=total_seconds,
            is_enough=is_enough,
            of_operator=of_operator,
        )
        answers.append(answer)
        span.note("http.response.status_code", answer.status)
    return answer


def may_call(url: str) -> bool:
    """Whether ``request`` would call ``url``, as far as can be told without looking its name up. No I/O."""
    try:
        target = _permitted_url(url)
    except TargetRefused:
        return False
    host = addresses.plain_host(target.hostname or "")
    setup = current_setup()
    if target.scheme == "http" and not (setup.policy.allow_loopback and addresses.names_loopback(host)):
        return False
    try:
        return setup.rules.permit(host=host, address=host)
    except ValueError:
        return setup.policy.allow_loopback or not addresses.names_loopback(host)


def _perform(
    setup: Setup,
    prepared: requests.PreparedRequest,
    *,
    certificate: ClientCertificate | None,
    max_body_bytes: int | None,
    total_seconds: float | None,
    is_enough: IsEnough | None,
    of_operator: bool,
) -> Response:
    policy = setup.policy
    started = time.monotonic()
    deadline = started + (policy.total_seconds if total_seconds is None else total_seconds)
    target = _permitted_url(prepared.url or "")
    connection = http.client.HTTPConnection(target.hostname or "", port_of(target))
    connection.auto_open = 0  # it must never look a name up and connect by itself
    write = writer_of(connection, prepared, target)
    connect_by = min(deadline, started + policy.connect_seconds)
    if (stand_in := rehearsal.connect(target, certificate)) is not None:
        sock, server = stand_in, None
    else:
        sock, server = _connect(setup, target, deadline=connect_by, certificate=certificate, of_operator=of_operator)
    connection.sock = sock
    sock.deadline = deadline

    def keep_session() -> None:
        # A session of a client certificate stands for that client, so it is never kept for another call.
        if server is not None and isinstance(sock, TimedTLSSocket) and not sock.session_reused and certificate is None:
            setup.sessions.keep(server, sock.session)

    cap = policy.max_body_bytes if max_body_bytes is None else max_body_bytes
    try:
        outcome = exchange(connection, write, cap=cap, deadline=deadline, answered=keep_session, is_enough=is_enough)
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
        if parts.scheme in DEFAULT_PORTS and parts.hostname and "@" not in parts.netloc and parts.port != 0:
            target = parts
    if target is None:
        raise TargetRefused(Evidence("Not an absolute https URL without user information.", sent=False))
    return target


def _connect(
    setup: Setup,
    target: SplitResult,
    *,
    deadline: float,
    certificate: ClientCertificate | None,
    of_operator: bool,
) -> tuple[TimedSocket | TimedTLSSocket, Server]:
    """Return a socket to the target, ready for the request, and its other end. If this raises, nothing was sent."""
    host = addresses.plain_host(target.hostname or "")
    own = None if certificate is None else _context_with(setup, certificate)
    try:
        decide: Callable[[Found], bool] = partial(judge, setup, target, has_certificate=own is not None)
        if of_operator:
            decide = partial(judge_own, setup, target)
        reach = _way_to(setup, target, deadline=deadline, decide=decide)
        sock = reach()
        server = Server(host, port_of(target), sock.getpeername())
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
    except (OSError, http.client.HTTPException) as error:
        failure = _failure_of(error)
    raise failure


@dataclass(frozen=True, slots=True)
class Line:
    """A connection that is open, as the two streams of one event loop."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def open_line(url: str, *, certificate: ClientCertificate | None = None) -> Line:
    """Connect to the server of ``url`` by the same rules as ``request``, and send nothing yet.

    For what is streamed: from here on the caller keeps the deadlines. Name and address take a thread for as long as the
    policy's ``connect_seconds``; TLS takes none. ``certificate`` is presented on this connection alone. Raises
    ``TargetRefused``, ``ProviderUnavailable``, ``MisconfiguredProvider`` and ``CertificateRefused``.
    """
    setup = current_setup()
    target = _permitted_url(url)
    deadline = time.monotonic() + setup.policy.connect_seconds
    in_thread = asyncio.get_running_loop().run_in_executor
    try:
        own = None if certificate is None else await in_thread(_dialers, _context_with, setup, certificate)
        sock = await in_thread(_dialers, _reach, setup, target, deadline, own is not None)
        is_secure = target.scheme == "https"
        reader, writer = await asyncio.open_connection(
            sock=sock,
            limit=_LINE_BYTES,
            ssl=(own or setup.tls) if is_secure else None,
            server_hostname=addresses.plain_host(target.hostname or "") if is_secure else None,
            ssl_handshake_timeout=time_left(deadline) if is_secure else None,
        )
        return Line(reader, writer)
    except (OSError, http.client.HTTPException) as error:
        failure = _failure_of(error)
    raise failure


def _reach(setup: Setup, target: SplitResult, deadline: float, has_certificate: bool) -> socket.socket:
    """Return a socket that is connected to the target, for an event loop."""
    decide = partial(judge, setup, target, has_certificate=has_certificate)
    timed = _way_to(setup, target, deadline=deadline, decide=decide)()
    sock = socket.socket(fileno=timed.detach())  # the loop keeps its own time
    sock.setblocking(False)
    return sock


def _way_to(
    setup: Setup, target: SplitResult, *, deadline: float, decide: Callable[[Found], bool]
) -> Callable[[], TimedSocket]:
    """Look the target up, have ``decide`` judge what was found, and return what connects to it."""
    host, port = addresses.plain_host(target.hostname or ""), port_of(target)
    found = known_addresses(setup, host, port, deadline)
    if not (decide(found) and setup.proxy):
        return lambda: _dial(found, deadline)
    proxy = setup.proxy
    return lambda: _tunnel(proxy, host, port, deadline)


def _failure_of(error: Exception) -> ProviderError:
    """Return what went wrong while a connection was made. Nothing was sent yet."""
    match error:
        case ssl.SSLCertVerificationError():
            return unavailable("The server's certificate was not accepted.")
        case ssl.SSLError() if refuses_certificate(error):
            return CertificateRefused(Evidence(CERTIFICATE_REFUSED, sent=False))
        case ssl.SSLError():
            return unavailable("The server did not complete a TLS handshake.")
        case TimeoutError():
            return unavailable("The server could not be reached in time.")
        case _:
            return unavailable("The server could not be reached.")


def _context_with(setup: Setup, certificate: ClientCertificate) -> ssl.SSLContext:
    try:
        return client_context(ca_file=setup.policy.ca_file, certificate=certificate)
    except ssl.SSLError:  # it may quote what it could not read
        raise MisconfiguredProvider(
            Evidence("Our client certificate cannot be presented: its key does not fit.", sent=False)
        ) from None


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
            raise unavailable("The egress proxy refused the connection.")
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


quiet.silence()
