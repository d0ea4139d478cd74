"""Record what was sent to a provider and what came back, for whoever has to find out why a connect failed.

Nothing is recorded unless a block asks for it. What is kept is what an allow-list names: parts of paths, parameters,
headers and members of answers that are never secret. All else is counted, or replaced by ``HIDDEN``, names included: a
secret may stand anywhere in a request that an entry describes, and a provider may put anything into an answer.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from providers.errors import ProviderError
from providers.response import Response

HIDDEN = "…"
MOST_EXCHANGES = 20
_LONGEST = 200
_READ_BYTES = 65_536


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Parts of paths that are words of protocols.
_PATH_WORDS = _words(
    "oauth oauth2 oidc openid connect token tokens authorize authorization auth login me user users "
    "userinfo account accounts api rest common introspect revoke revocation register registration device "
    "device_authorization par .well-known openid-configuration oauth-authorization-server "
    "oauth-protected-resource jwks jwks.json mcp access_token v1 v2 v3 v4 request"
)
# Parameters whose values say what was asked for, and by which rules.
_SENT = _words(
    "grant_type response_type response_mode scope redirect_uri audience resource code_challenge_method "
    "prompt access_type token_type_hint client_assertion_type subject_token_type requested_token_type"
)
# Parameters whose values are secret, personal or ours, of which it matters that they were sent.
_NAMED = _words(
    "code code_verifier code_challenge client_id client_secret client_assertion refresh_token state nonce "
    "username password device_code token assertion subject_token request request_uri iss"
)
_HEADERS_SENT = ("accept", "content-type")
_HEADERS_CAME: Mapping[str, re.Pattern[str]] = {
    "content-type": re.compile(r"[a-z]{1,20}/[a-z.+-]{1,40}(; ?charset=[A-Za-z0-9-]{1,12})?"),
    "retry-after": re.compile(r"[0-9]{1,6}"),
    "date": re.compile(r"[A-Za-z0-9:, +-]{1,32}"),
}
_AUTHORIZATION = re.compile(r"(Basic|Bearer|DPoP|Digest)\b", re.IGNORECASE)
_CAME = _words("error token_type expires_in scope refresh_token_expires_in interval active")
_CAME_NAMED = _words(
    "access_token refresh_token id_token error_description device_code user_code verification_uri sub "
    "email name id client_id client_secret issuer token_endpoint authorization_endpoint ok"
)
# What an allowed value may be made of. So a token that a provider calls an error is not one.
_ERROR = re.compile(r"[a-z][a-z_.-]{0,60}")
_NUMBER = re.compile(r"[0-9]{1,12}")
_SHAPES: Mapping[str, re.Pattern[str]] = {
    "error": _ERROR,
    "token_type": re.compile(r"[A-Za-z]{1,12}"),
    **dict.fromkeys(("expires_in", "refresh_token_expires_in", "interval"), _NUMBER),
}


class _Prepared(Protocol):
    """A request that is ready to be sent (``requests.PreparedRequest``)."""

    method: str | None
    url: str | None
    headers: Any
    body: Any


_open: ContextVar[list[dict[str, Any]] | None] = ContextVar("recorded_exchanges", default=None)


@contextmanager
def recording() -> Iterator[list[dict[str, Any]]]:
    """Yield a list to which each call of this thread is added, the first 20 of them. A block within adds to its own.

    Keys of an exchange: ``method``, ``url``, ``sent`` (parameters by name), ``headers``, ``seconds``, and either
    ``status`` with ``answer_headers`` and ``answer``, or ``failure`` with ``detail``.
    """
    exchanges: list[dict[str, Any]] = []
    token = _open.set(exchanges)
    try:
        yield exchanges
    finally:
        _open.reset(token)


@contextmanager
def recorded(prepared: _Prepared) -> Iterator[list[Response]]:
    """Record one call if anybody asks for it. The block puts the answer into the list, or raises."""
    answers: list[Response] = []
    exchanges = _open.get()
    if exchanges is None or len(exchanges) >= MOST_EXCHANGES:
        yield answers
        return
    began, told = time.monotonic(), _request(prepared)
    exchanges.append(told)
    try:
        yield answers
    except ProviderError as error:
        told |= {"failure": error.code, "detail": error.evidence.detail[:_LONGEST]}
        raise
    finally:
        told["seconds"] = round(time.monotonic() - began, 3)
        if answers:
            told |= _answer(answers[0])


def told_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be kept of parameters or members: allowed values, known names, and a count of the others."""
    kept: dict[str, Any] = {}
    others = 0
    for name, value in given.items():
        if name in _SENT or name in _CAME:
            kept[name] = _value(name, value)
        elif name in _NAMED or name in _CAME_NAMED:
            kept[name] = HIDDEN
        else:
            others += 1
    return kept | ({"others": others} if others else {})


def _value(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if not isinstance(value, str):
        return HIDDEN
    shape = _SHAPES.get(name)
    if shape is not None and not shape.fullmatch(value):
        return HIDDEN
    return value[:_LONGEST]


def _request(prepared: _Prepared) -> dict[str, Any]:
    parts = urlsplit(prepared.url or "")
    sent = dict(parse_qsl(parts.query, keep_blank_values=True)) | _body(prepared)
    headers = {name: str(prepared.headers[name])[:_LONGEST] for name in _HEADERS_SENT if name in prepared.headers}
    scheme = _AUTHORIZATION.match(str(prepared.headers.get("authorization", "")))
    if "authorization" in prepared.headers:
        headers["authorization"] = f"{scheme[1]} {HIDDEN}" if scheme else HIDDEN
    return {"method": prepared.method or "", "url": _url(parts), "sent": told_of(sent), "headers": headers}


def _url(parts: Any) -> str:
    words = [part if part.lower() in _PATH_WORDS or not part else HIDDEN for part in parts.path.split("/")]
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{'/'.join(words)}"[:500]


def _body(prepared: _Prepared) -> dict[str, Any]:
    body = prepared.body
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    kind = str(prepared.headers.get("content-type", ""))
    if len(text) > _READ_BYTES:
        return {}
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(text, keep_blank_values=True))
    return _members(text)


def _members(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _answer(answer: Response) -> dict[str, Any]:
    headers = {
        name: str(answer.headers[name]) if shape.fullmatch(str(answer.headers[name])) else HIDDEN
        for name, shape in _HEADERS_CAME.items()
        if name in answer.headers
    }
    members = _members(answer.body.decode("utf-8", "replace")) if len(answer.body) <= _READ_BYTES else {}
    return {
        "status": answer.status,
        "answer_headers": headers,
        "answer": told_of(members),
        "answer_bytes": len(answer.body),
    }
