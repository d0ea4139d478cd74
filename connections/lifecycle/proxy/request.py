"""One request to the provider: the caller's, with the credential in it, ready to be sent. Reads the body if it must."""

import json
from collections.abc import AsyncIterator, Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from connections.lifecycle.proxy.caller_body import CallerBody
from connections.lifecycle.proxy.order import ProxyOrder
from connections.lifecycle.proxy.outgoing import Outgoing
from connections.refusals import InvalidRequest
from providers.catalog.proxying import ProxyLimits
from providers.http_exchange import host_header, signed_headers
from providers.proxying.body_methods import BodyRefused, check_body_method, may_hold_method
from providers.proxying.exchange import Body, Request
from providers.proxying.paths import PathRefused, below, check_method_meant, query_without
from providers.proxying.request_headers import Headers, HeadersRefused, passed_on, with_credential
from providers.strategies.calling import Sending

# A body that is signed, or holds the credential, has to be in memory for that.
_MOST_HELD_BYTES = 1_048_576
_FORM = "application/x-www-form-urlencoded"


async def request_of(
    order: ProxyOrder, outgoing: Outgoing, sending: Sending, body: CallerBody, *, path: str, any_method: bool
) -> tuple[Request, Body | None]:
    """Return the request for ``path`` (with its query, below the base URL), and the body to send with it.

    ``any_method``: the caller might send it by any other method as well, so that its body may ask for one. Raises
    ``InvalidRequest``, and what ``CallerBody`` raises where the body has to be there first.
    """
    shown, limits = outgoing.shown, outgoing.limits
    way, _, query = path.partition("?")
    try:
        check_method_meant(query, method=order.method, further=limits.method_parameters)
        query = "&".join(filter(None, [query_without(query, shown.query), urlencode(shown.query, quote_via=quote)]))
        url = below(shown.base_url, way, encoded_slashes=limits.encoded_slashes) + (f"?{query}" if query else "")
        headers = with_credential(passed_on(order.headers, replaced=shown.headers), shown.headers)
    except PathRefused as refused:
        raise InvalidRequest(str(refused), field="path") from None
    except HeadersRefused as refused:
        raise InvalidRequest(str(refused), field="headers") from None
    if not any_method:
        await _check_body(order, headers, body, limits)
    parts: AsyncIterator[bytes] | None = None
    length = body.length
    if (sending.sign is not None or shown.body) and not (body.is_empty and not shown.body):
        held = await body.whole(
            most_bytes=min(_MOST_HELD_BYTES, limits.max_request_bytes), idle_seconds=limits.idle_seconds
        )
        headers, held = _with_fields(headers, held, shown.body, method=order.method)
        parts, length = _once(held), len(held)
    elif not body.is_empty:
        held = b""
        parts = body.parts(most_bytes=limits.max_request_bytes, idle_seconds=limits.idle_seconds)
    else:
        held = b""
    if sending.sign is not None:
        added = signed_headers(sending.sign, method=order.method, url=url, headers=dict(headers), content=held)
        taken = {name.lower() for name in added}
        headers = [*((name, value) for name, value in headers if name.lower() not in taken), *added.items()]
    target = urlsplit(url)
    return (
        Request(
            method=order.method,
            url=url,
            target=f"{target.path or '/'}{f'?{target.query}' if target.query else ''}",
            host=host_header(target),
            headers=headers,
            length=length,
            certificate=sending.certificate,
        ),
        parts,
    )


async def _check_body(order: ProxyOrder, headers: Headers, body: CallerBody, limits: ProxyLimits) -> None:
    """Refuse a body that asks for another method; only the beginning of a large one is looked at."""
    kind = _one(headers, "content-type")
    if body.is_empty or not may_hold_method(kind):
        return
    beginning = await body.beginning(idle_seconds=limits.idle_seconds)
    coding = _one(headers, "content-encoding") or "identity"
    try:
        check_body_method(
            kind,
            beginning,
            is_whole=body.has_ended.is_set(),
            is_coded=coding.strip().lower() != "identity",
            method=order.method,
            further=limits.method_parameters,
        )
    except BodyRefused as refused:
        raise InvalidRequest(str(refused), field="body") from None


def _one(headers: Headers, wanted: str) -> str | None:
    return next((value for name, value in headers if name == wanted), None)


def _with_fields(
    headers: Headers, held: bytes, added: Mapping[str, str], *, method: str
) -> tuple[list[tuple[str, str]], bytes]:
    """Return the headers and the body with the credential among its fields: of a form, else of a JSON object."""
    if not added or method in ("GET", "HEAD"):
        return [*headers], held
    kind = _one(headers, "content-type") or "application/json"
    if kind.partition(";")[0].strip().lower() == _FORM:
        own = [(name, value) for name, value in parse_qsl(held.decode("utf-8", "replace"), True) if name not in added]
        return [*headers], urlencode([*own, *added.items()]).encode()
    try:
        document = json.loads(held or b"{}")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise InvalidRequest(
            "This provider takes the credential in the body, which has to be a JSON object or a form for that.",
            field="body",
        )
    typed = [(name, value) for name, value in headers if name != "content-type"]
    return [*typed, ("content-type", "application/json")], json.dumps({**document, **added}).encode()


async def _once(content: bytes) -> AsyncIterator[bytes]:
    if content:
        yield content
