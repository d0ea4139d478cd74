"""The short way of a vend: from the parts of an HTTP request to an order, and from its answer to a response's bytes.

An agent vends before each of its own calls, so the usual vend passes by Django's handler, middleware and ninja.
Whatever is unusual about a request (its host, scheme, headers or body) makes ``read_call`` return None: Django answers
it then, and ninja says what is wrong with it. One with a query does not come here either. No I/O but in
``answer_calls`` and ``find_by_owner``.
"""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from pydantic import SecretStr, ValidationError

from connections.access.secrets import digest
from connections.api.auth import PresentedKey
from connections.api.problems import answer_error
from connections.api.representations import vend_out
from connections.api.schemas import VendByOwnerIn, VendIn
from connections.api.vend_paths import BY_ID, is_vend_path
from connections.database.pool import hand_back_database
from connections.entrance import client_address
from connections.journal.audit import Actor
from connections.lifecycle.identify.callers import is_token
from connections.lifecycle.refresh.claim import RefreshReport
from connections.lifecycle.vend.by_owner import connection_of_owner
from connections.lifecycle.vend.opening import Vended
from connections.lifecycle.vend.order import DEFAULT_WAIT_SECONDS, LONGEST_WAIT_SECONDS, VendOrder
from connections.lifecycle.vend.vend import Answer, Asked, RefreshNeeded, vend_all
from connections.lifecycle.vend.verified import IdentityTokens, Parties, verified_parties
from connections.models import Permission

_WAIT = re.compile(r"wait=(\d{1,9})", re.IGNORECASE)
# The headers that the short way reads. Where one of them comes twice, Django decides what that means.
_READ = {
    b"authorization": "HTTP_AUTHORIZATION",
    b"host": "HTTP_HOST",
    b"prefer": "HTTP_PREFER",
    b"x-forwarded-for": "HTTP_X_FORWARDED_FOR",
    b"x-forwarded-proto": "HTTP_X_FORWARDED_PROTO",
}
# Any of these changes what the body is, or how it may be answered.
_UNUSUAL = frozenset({b"content-encoding", b"expect", b"transfer-encoding", b"upgrade"})

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class VendCall:
    """A call of the vend that can be answered the short way.

    ``connection_id`` is None where ``body`` names the connection by provider and end user. ``report`` says how the
    refresh ended that the caller has waited for.
    """

    presented: PresentedKey
    connection_id: uuid.UUID | None
    body: VendIn
    wait_seconds: float
    is_secure: bool
    path: str
    report: RefreshReport | None = field(default=None, kw_only=True)

    def after(self, report: RefreshReport) -> "VendCall":
        """Return the same call, asked again after a refresh that ended with ``report``."""
        return replace(self, report=report)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP response."""

    status: int
    headers: Headers
    content: bytes = field(repr=False)


def is_vend(method: str, path: str) -> bool:
    """Whether a request is a vend, usual or not. No I/O."""
    return method == "POST" and is_vend_path(path)


def brings_token(authorization: str) -> bool:
    """Whether the caller proves itself by a token. To verify it, its issuer may have to be asked. No I/O."""
    return is_token(authorization.partition(" ")[2].strip())


def read_call(path: str, headers: Headers, body: bytes, *, peer: str, scheme: str) -> VendCall | None:
    """Return the call that a request to a vend's ``path`` makes, or None where Django has to look at it.

    ``headers`` have lower-case names, ``peer`` is the address of the other end, ``scheme`` that of the connection.
    """
    meta = {"REMOTE_ADDR": peer}
    for name, value in headers:
        if (key := _READ.get(name)) is not None:
            if key in meta:
                return None
            meta[key] = value.decode("latin-1")
        elif name in _UNUSUAL:
            return None
    authorization = meta.get("HTTP_AUTHORIZATION", "")
    if "HTTP_HOST" not in meta or not authorization.startswith("Bearer ") or brings_token(authorization):
        return None
    request = BareRequest(meta, scheme=scheme)
    try:
        request.get_host()
        is_secure = request.is_secure()
        if settings.SECURE_SSL_REDIRECT and not is_secure:
            return None
        by_id = BY_ID.fullmatch(path)
        connection_id = None if by_id is None else uuid.UUID(by_id[1])
        typed = (VendByOwnerIn if by_id is None else VendIn).model_validate_json(body)
    except (DisallowedHost, ValidationError, ValueError):
        return None
    if typed.subject_token or typed.end_user_token or typed.agent_token:
        return None  # it may have to be exchanged or verified, in a thread of those who call providers
    presented = PresentedKey(digest(authorization.removeprefix("Bearer ")), client_address(request))
    wait_seconds = wait_wanted(typed, meta.get("HTTP_PREFER", ""))
    return VendCall(presented, connection_id, typed, wait_seconds, is_secure, path)


def wait_wanted(body: VendIn, prefer: str) -> float:
    """Return for how many seconds a caller waits for a refresh: the body's ``wait``, else ``Prefer: wait`` (RFC 7240).

    Without either it is 10 s. A preference for longer than is allowed means the longest that is.
    """
    if body.wait is not None:
        return body.wait
    preferred = next((found for item in re.split("[,;]", prefer) if (found := _WAIT.fullmatch(item.strip()))), None)
    return DEFAULT_WAIT_SECONDS if preferred is None else min(float(preferred[1]), LONGEST_WAIT_SECONDS)


def answer_calls(calls: Sequence[VendCall]) -> list[Reply | RefreshNeeded]:
    """Answer these calls, in their order, with one statement where they are plain. Calls no provider.

    ``RefreshNeeded`` means that no valid credential is left: refresh, and ask the same call ``after`` that.
    """
    answers = vend_all([Asked(_order_of(call), call.report) for call in calls])
    return [_reply(call, answer) for call, answer in zip(calls, answers, strict=True)]


def find_by_owner(call: VendCall) -> VendCall | Reply:
    """Return the same call with the id of the connection that it names by provider and end user, or the refusal.

    A few queries. Gives the thread's database connection back.
    """
    try:
        if not isinstance(call.body, VendByOwnerIn):
            raise TypeError("A call without a connection's id names a provider.")
        return replace(call, connection_id=find_connection(call.presented, call.body))
    except Exception as error:  # noqa: BLE001 (a document says what it was)
        return reply_of(answer_error(error, path=call.path), is_secure=call.is_secure)
    finally:
        hand_back_database()


def parties_of(
    presented: PresentedKey, body: VendIn, *, may: Permission = Permission.VEND, action: str = "credential.vend"
) -> Parties:
    """Return for whom a call is made. Verifies the tokens that say so (HTTP at times). Raises as ``verified_parties``.

    No I/O where there is none.
    """
    said = Parties(end_user=body.end_user, groups=body.groups, agent=body.agent)
    tokens = IdentityTokens(
        end_user=_secret(body.end_user_token),
        agent=_secret(body.agent_token),
        exchanged=_secret(body.subject_token),
    )
    if not tokens.end_user and not tokens.agent:
        return said
    asker = Actor(subject=body.end_user or "", agent=body.agent, purpose=body.purpose, address=presented.address)
    return verified_parties(
        said,
        tokens,
        key_hash=presented.key_hash,
        tenant=body.tenant,
        asker=asker,
        may=may,
        action=action,
    )


def _secret(token: SecretStr | None) -> str:
    return "" if token is None else token.get_secret_value()


def order_of(
    presented: PresentedKey,
    connection_id: uuid.UUID,
    body: VendIn,
    *,
    wait_seconds: float,
    parties: Parties | None = None,
) -> VendOrder:
    """Return the order that a call makes, for the ``parties`` that ``body`` names, unless others are given. No I/O."""
    parties = parties or Parties(body.end_user, body.groups, body.agent)
    return VendOrder(
        key_hash=presented.key_hash,
        connection_id=connection_id,
        tenant=body.tenant,
        end_user=parties.end_user,
        groups=parties.groups,
        scopes=body.scopes,
        min_ttl_seconds=body.min_ttl,
        agent=parties.agent,
        end_user_issuer=parties.end_user_issuer,
        agent_issuer=parties.agent_issuer,
        purpose=body.purpose,
        address=presented.address,
        wait_seconds=wait_seconds,
        subject_token=body.subject_token,
    )


def find_connection(presented: PresentedKey, body: VendByOwnerIn, *, parties: Parties | None = None) -> uuid.UUID:
    """Return the id of the connection that ``body`` names by provider, of the end user among ``parties``.

    A few queries. Raises what ``connection_of_owner`` raises.
    """
    parties = parties or Parties(body.end_user, body.groups, body.agent)
    return connection_of_owner(
        key_hash=presented.key_hash,
        tenant=body.tenant,
        provider=body.provider,
        end_user=parties.end_user,
        label=body.label or "",
        or_the_tenants=body.subject_token is not None,
        groups=parties.groups,
        asker=Actor(
            subject=parties.end_user or "", agent=parties.agent, purpose=body.purpose, address=presented.address
        ),
    )


def _order_of(call: VendCall) -> VendOrder:
    if call.connection_id is None:
        raise TypeError("Find the connection of a call by its owner first.")
    return order_of(call.presented, call.connection_id, call.body, wait_seconds=call.wait_seconds)


def _reply(call: VendCall, answer: Answer) -> Reply | RefreshNeeded:
    if isinstance(answer, RefreshNeeded):
        return answer
    try:
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, Vended):
            raise TypeError("A call with a subject's token is not for the short way.")
        content = vend_out(answer).model_dump_json().encode()
    except Exception as error:  # noqa: BLE001 (a document says what it was)
        return reply_of(answer_error(error, path=call.path), is_secure=call.is_secure)
    length = (b"content-length", b"%d" % len(content))
    return Reply(200, [*_VENDED, length, *security_headers(is_secure=call.is_secure)], content)


def reply_of(response: HttpResponse, *, is_secure: bool) -> Reply:
    """Return ``response`` with the headers that every answer has, unless it has stricter ones of its own."""
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.items()]
    length = (b"content-length", b"%d" % len(response.content))
    own = {name for name, _ in headers}
    usual = [header for header in security_headers(is_secure=is_secure) if header[0] not in own]
    return Reply(response.status_code, [*headers, length, *usual], bytes(response.content))


_VENDED = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
_kept_headers: dict[bool, Headers] = {}


def security_headers(*, is_secure: bool) -> Headers:
    """Return the headers that Django's ``SecurityMiddleware`` puts on every answer; they depend on settings alone."""
    if is_secure not in _kept_headers:
        bare = HttpResponse()
        before = {*bare.headers}
        SecurityMiddleware(lambda _: bare)(BareRequest({}, scheme="https" if is_secure else "http"))
        _kept_headers[is_secure] = [
            (name.lower().encode(), value.encode("latin-1")) for name, value in bare.items() if name not in before
        ]
    return _kept_headers[is_secure]


class BareRequest(HttpRequest):
    """As much of a request as Django needs to judge the host, the scheme and the client's address."""

    def __init__(self, meta: dict[str, str], *, scheme: str) -> None:
        super().__init__()
        self.META = meta
        self._of_the_connection = scheme

    def is_secure(self) -> bool:
        return self._of_the_connection == "https" or super().is_secure()
