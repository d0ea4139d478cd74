"""The proxy's requests: from the parts of an HTTP request to an order. No I/O but in ``proven``.

Whatever could be read in two ways is refused here or by the order's own rules, and never passed on to be read anew.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.core.exceptions import DisallowedHost
from pydantic import ValidationError

from connections.access.secrets import digest
from connections.api.auth import PresentedKey, presented_by
from connections.api.schemas import VendIn
from connections.api.vend_calls import BareRequest, order_of, parties_of, wait_wanted
from connections.database.pool import hand_back_database
from connections.entrance import client_address
from connections.lifecycle.identify.callers import is_token
from connections.lifecycle.policy.client_rules import METHODS
from connections.lifecycle.proxy.order import ProxyOrder
from connections.models import Permission
from connections.refusals import InvalidRequest, MethodNotAllowed, NotFound, Unauthorized
from providers.proxying.paths import PathRefused, check_path, query_without

_PREFIX = re.compile(r"/api/v1/connections/[^/]*/proxy(?:/.*)?", re.DOTALL)
_ADDRESS = re.compile(r"(/api/v1/connections/([0-9a-f-]{36})/proxy/)(.*)", re.DOTALL)
# The caller's statements about the call, by the member of a vend's body that each stands for.
STATED = {
    b"latchkey-tenant": "tenant",
    b"latchkey-end-user": "end_user",
    b"latchkey-agent": "agent",
    b"latchkey-purpose": "purpose",
    b"latchkey-scopes": "scopes",
    b"latchkey-groups": "groups",
    b"latchkey-end-user-token": "end_user_token",
    b"latchkey-agent-token": "agent_token",
    b"latchkey-subject-token": "subject_token",
}
_ONCE = {
    b"authorization": "HTTP_AUTHORIZATION",
    b"host": "HTTP_HOST",
    b"x-forwarded-for": "HTTP_X_FORWARDED_FOR",
    b"x-forwarded-proto": "HTTP_X_FORWARDED_PROTO",
    b"content-length": "CONTENT_LENGTH",
    b"transfer-encoding": "TRANSFER_ENCODING",
    b"prefer": "HTTP_PREFER",
    b"idempotency-key": "HTTP_IDEMPOTENCY_KEY",
}
IDEMPOTENT = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")  # RFC 9110 §9.2.2

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class ProxyCall:
    """One request of the proxy's. ``body_length`` is None for a body whose length the caller does not tell.

    ``unproven`` are tokens that have to be verified before the order is good: ``proven`` does that.
    """

    order: ProxyOrder
    body_length: int | None
    unproven: "Unproven | None" = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Unproven:
    """What the caller brings to prove itself, and what it says of the call. A key is proven by the statement itself."""

    bearer: str = field(repr=False)
    said: VendIn = field(repr=False)


def proven(call: ProxyCall) -> ProxyCall:
    """Return the call with its tokens verified, and with whom they name. HTTP at times; some queries.

    Raises ``Unauthorized``, and as ``parties_of``. Gives the thread's database connection back.
    """
    if call.unproven is None:
        return call
    use = call.order.use
    try:
        presented = presented_by(call.unproven.bearer, address=use.address)
        parties = parties_of(presented, call.unproven.said, may=Permission.PROXY, action="connection.proxy")
    finally:
        hand_back_database()
    named = replace(
        use,
        end_user=parties.end_user,
        groups=parties.groups,
        agent=parties.agent,
        end_user_issuer=parties.end_user_issuer,
        agent_issuer=parties.agent_issuer,
    )
    return ProxyCall(replace(call.order, use=named), call.body_length)


def is_proxied(path: str, raw_path: bytes) -> bool:
    """Whether a request is the proxy's, by its path as it was sent or as the server has decoded it."""
    return any(_PREFIX.fullmatch(one) is not None for one in (path, raw_path.decode("latin-1")))


def read_proxy_call(
    method: str, raw_path: bytes, query: bytes, headers: Headers, *, peer: str, scheme: str
) -> ProxyCall:
    """Return the order that a request to the proxy makes. ``raw_path`` is as it was sent; names are in lower case.

    Raises ``Unauthorized``, ``NotFound``, ``MethodNotAllowed`` and ``InvalidRequest``.
    """
    meta, stated = read_headers(headers)
    request = BareRequest({**meta, "REMOTE_ADDR": peer}, scheme=scheme)
    check_host(request)
    authorization = meta.get("HTTP_AUTHORIZATION", "")
    if not authorization.lower().startswith("bearer "):
        raise Unauthorized("The API key is missing, unknown, revoked or expired.")
    bearer = authorization[len("bearer ") :].strip()
    presented = PresentedKey(digest(bearer), client_address(request))
    found = _ADDRESS.fullmatch(raw_path.decode("latin-1"))
    try:
        connection_id = uuid.UUID(found[2]) if found is not None else None
    except ValueError:
        connection_id = None
    if found is None or connection_id is None:
        raise NotFound("There is nothing at this address.")
    if method not in METHODS:
        raise MethodNotAllowed("The proxy does not pass this method on.")
    try:
        check_path(found[3], encoded_slashes=True)  # ``permit`` knows whether the provider takes them
        text = query.decode("latin-1")
        query_without(text, ())
    except PathRefused as refused:
        raise InvalidRequest(str(refused), field="path") from None
    said = said_of(stated)
    wait_seconds = wait_wanted(said, meta.get("HTTP_PREFER", ""))
    use = replace(order_of(presented, connection_id, said, wait_seconds=wait_seconds), is_proxied=True)
    order = ProxyOrder(
        use=use,
        method=method,
        path=found[3],
        query=text,
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers],
        here=found[1],
        is_repeatable=method in IDEMPOTENT or bool(meta.get("HTTP_IDEMPOTENCY_KEY")),
    )
    needs_proof = is_token(bearer) or said.end_user_token is not None or said.agent_token is not None
    return ProxyCall(order, body_length(meta), Unproven(bearer, said) if needs_proof else None)


def read_headers(headers: Headers) -> tuple[dict[str, str], dict[str, str]]:
    """Return what is read of ``headers``, as Django names it, and what the caller states of the call."""
    meta: dict[str, str] = {}
    stated: dict[str, str] = {}
    for name, value in headers:
        if (key := _ONCE.get(name)) is not None:
            if key in meta:
                raise InvalidRequest(f"The header {name.decode()!r} comes twice.", field="headers")
            meta[key] = value.decode("latin-1")
        elif (member := STATED.get(name)) is not None:
            if member in stated:
                raise InvalidRequest(f"The header {name.decode()!r} comes twice.", field="headers")
            try:
                stated[member] = value.decode()
            except UnicodeDecodeError:
                raise InvalidRequest(f"The header {name.decode()!r} is no UTF-8.", field=member) from None
    return meta, stated


def check_host(request: BareRequest) -> None:
    """Raise ``InvalidRequest`` for a host that is not served here, and where TLS is missing that has to be there."""
    try:
        request.get_host()
    except DisallowedHost:
        raise InvalidRequest("The request names a host that is not served here.") from None
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        raise InvalidRequest("This is called by https only.")


def said_of(stated: Mapping[str, str]) -> VendIn:
    """Return what the caller states of a call, checked. Raises ``InvalidRequest``."""
    said: dict[str, object] = {**stated}
    if "scopes" in stated:
        said["scopes"] = stated["scopes"].split()
    if "groups" in stated:
        said["groups"] = [name for group in stated["groups"].split(",") if (name := group.strip())]
    try:
        return VendIn.model_validate(said)
    except ValidationError as error:
        (where, *_), told = error.errors()[0]["loc"], error.errors()[0]["msg"]
        raise InvalidRequest(f"{where}: {told}", field=str(where)) from None


def body_length(meta: Mapping[str, str]) -> int | None:
    """Return the length of a request's body, None where it is not told. Raises ``InvalidRequest``."""
    told = meta.get("CONTENT_LENGTH")
    if "TRANSFER_ENCODING" in meta:
        if told is not None:
            raise InvalidRequest("The request tells its length in two ways.", field="headers")
        return None
    if told is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,15}", told):
        raise InvalidRequest("The request's Content-Length is no number.", field="headers")
    return int(told)
