"""The resource API: who am I, which workspaces are mine, and a few files.

Owns ``/me`` (also as ``/userinfo``), ``/workspaces`` and ``/files``, with a Bearer token (RFC 6750) or an API key. A
key travels as ``X-Api-Key``, as a Bearer token, as the password of HTTP Basic beside its owner's name, as ``api_key``
in the query or in the body of a POST to ``/me``, or in the path ``/keyed/KEY/me``; a second key of the same person may
come as ``X-Second-Key``. Or the request is signed (``oauth1``, ``sigv4``), or the client has shown a certificate
(``mutual_tls``). An API key may do everything; a token what its scope says. A client with ``jwks`` may also sign a
token itself.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, jsonify, request

from providers.sandbox.assertions import Refused, judge, signer_of
from providers.sandbox.exchange import Exchange
from providers.sandbox.oauth1 import signed_token
from providers.sandbox.people import PEOPLE
from providers.sandbox.sigv4 import signing_person
from providers.sandbox.state import Sandbox
from providers.sandbox.store import CERTIFICATE
from providers.sandbox.tokens import API_KEY_PREFIX, digest, fingerprint

_EVERYTHING = ("profile", "email", "files.read", "files.write")
_FILES = [
    {"id": "file-1", "name": "Quarterly report.pdf", "bytes": 182_044},
    {"id": "file-2", "name": "Price list.xlsx", "bytes": 40_960},
    {"id": "file-3", "name": "Team photo.jpg", "bytes": 2_310_112},
]


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of a working credential: a person, or a client that acts for itself."""

    username: str
    client_id: str
    scopes: tuple[str, ...]


def blueprint(sandbox: Sandbox) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("resources", __name__)

    @routes.route("/me", methods=["GET", "POST"])
    @routes.get("/userinfo")
    @routes.get("/keyed/<api_key>/me")
    def me(api_key: str = "") -> Response:
        return _serve(sandbox, "me", _me, in_path=api_key)

    @routes.get("/workspaces")
    def workspaces() -> Response:
        def opened(caller: Caller) -> Response:
            mine = sandbox.registry.settings.workspaces.get(caller.username, {})
            return jsonify(workspaces=[{"id": key, "name": name} for key, name in mine.items()])

        return _serve(sandbox, "workspaces", opened)

    @routes.get("/files")
    def files() -> Response:
        return _serve(sandbox, "files", lambda caller: jsonify(files=_FILES), scope="files.read")

    return routes


def _serve(
    sandbox: Sandbox, endpoint: str, work: Callable[[Caller], Response], *, scope: str | None = None, in_path: str = ""
) -> Response:
    """Answer with ``work`` for a caller whose credential works, and has ``scope`` if one is named.

    ``in_path`` is the API key in the address, if any.
    """
    exchange = Exchange(sandbox, endpoint)
    caller = _authenticate(exchange, in_path)

    def process() -> Response:
        if caller is None:
            return _unauthorized(exchange)
        if scope is not None and scope not in caller.scopes:
            exchange.entry.outcome = "insufficient_scope"
            return _challenge(403, error="insufficient_scope", scope=scope)
        return work(caller)

    return exchange.answer(process)


def _authenticate(exchange: Exchange, in_path: str) -> Caller | None:
    """Return the caller, or None. Notes on the log entry who the caller is, or why the credential is refused."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    second = request.headers.get("X-Second-Key", "")
    if api_key := request.headers.get("X-Api-Key") or in_path or request.args.get("api_key") or _key_in_body():
        return _api_key_caller(exchange, api_key, second=second)
    if (basic := request.authorization) is not None and basic.type == "basic" and basic.password:
        return _api_key_caller(exchange, basic.password, username=basic.username)
    if scheme.lower() == "bearer" and token.strip().startswith(API_KEY_PREFIX):
        return _api_key_caller(exchange, token.strip())
    if scheme.lower() == "bearer" and (signer := signer_of(token.strip())):
        return _signed_caller(exchange, token.strip(), signer)
    if scheme.lower() == "bearer" and token.strip():
        return token_caller(exchange, token.strip())
    if scheme == "AWS4-HMAC-SHA256":
        person = signing_person(exchange)
        return Caller(person, "", _EVERYTHING) if person else None
    if scheme.lower() == "oauth":
        return _signing_caller(exchange)
    if shown := exchange.shown_certificate:
        return _certified_caller(exchange, shown)
    exchange.entry.outcome = "no_credential"
    return None


def _certified_caller(exchange: Exchange, shown: str) -> Caller | None:
    with exchange.sandbox.store.transaction() as ledger:
        kept = ledger.document(CERTIFICATE, digest(shown), now=time.time())
    if kept is None:
        exchange.entry.outcome = "certificate_unknown"
        return None
    exchange.entry.username, exchange.entry.outcome = kept["username"], "accepted"
    return Caller(kept["username"], "", _EVERYTHING)


def _key_in_body() -> str:
    """Return the member or field ``api_key`` of the body, "" if there is none."""
    document = request.get_json(silent=True) if request.is_json else request.form
    found = document.get("api_key") if isinstance(document, Mapping) else None
    return found if isinstance(found, str) else ""


def _api_key_caller(
    exchange: Exchange, api_key: str, *, second: str = "", username: str | None = None
) -> Caller | None:
    """Return the owner of a live key. A ``second`` key, and a ``username``, must be the same person's."""
    entry = exchange.entry
    entry.api_key_presented = fingerprint(api_key)
    with exchange.sandbox.store.transaction() as ledger:
        found = [ledger.api_key(digest(key)) for key in (api_key, second) if key]
    first = found[0]
    if first is None or any(key is None or key.username != first.username for key in found):
        entry.outcome = "api_key_unknown"
        return None
    if any(key is not None and key.revoked_at is not None for key in found):
        entry.outcome = "api_key_revoked"
        return None
    if username not in (None, first.username):
        entry.outcome = "wrong_username"
        return None
    entry.username, entry.outcome = first.username, "accepted"
    return Caller(first.username, "", _EVERYTHING)


def _signed_caller(exchange: Exchange, token: str, signer: str) -> Caller | None:
    """Return who a token is about that a client has signed: the client, or a person. It is for this server by name."""
    entry, sandbox = exchange.entry, exchange.sandbox
    client = sandbox.registry.client(signer)
    exchange.name_client(signer)
    entry.access_presented = fingerprint(token)
    keys = client.jwks if client is not None else ()
    try:
        claims = judge(token, keys=keys, audiences=(sandbox.issuer,), replays=None, now=time.time())
    except Refused as refused:
        entry.outcome = refused.outcome
        return None
    person = PEOPLE.get(str(claims.get("sub")))
    if client is None or not (person or claims.get("sub") == client.client_id):
        entry.outcome = "unknown_subject"
        return None
    if person is not None and person.username in sandbox.registry.settings.locked:
        entry.outcome = "locked"
        return None
    entry.kid, entry.username, entry.outcome = claims["kid"], person.username if person else "", "accepted"
    return Caller(entry.username, client.client_id, client.scopes)


def _signing_caller(exchange: Exchange) -> Caller | None:
    with exchange.sandbox.store.transaction() as ledger:
        token = signed_token(exchange, ledger)
    return token_caller(exchange, token) if token else None


def token_caller(exchange: Exchange, token: str) -> Caller | None:
    """Return the owner of a live access token, or None. Notes on the log entry who that is, or why it is refused."""
    entry = exchange.entry
    entry.access_presented = fingerprint(token)
    with exchange.sandbox.store.transaction() as ledger:
        found = ledger.access_token(digest(token))
        grant = ledger.grant(found.grant_id) if found else None
    if found is None or grant is None:
        entry.outcome = "token_unknown"
        return None
    entry.grant_id, entry.username = grant.id, grant.username or ""
    exchange.name_client(grant.client_id)
    if grant.revoked_at is not None:
        entry.outcome = "grant_revoked"
        return None
    if found.expires_at <= time.time():
        entry.outcome = "token_expired"
        return None
    entry.outcome = "accepted"
    return Caller(grant.username or "", grant.client_id, tuple(found.scope.split()))


def _me(caller: Caller) -> Response:
    person = PEOPLE.get(caller.username)
    if person is None:
        return jsonify(sub=caller.client_id, name=caller.client_id, email=None, scope=" ".join(caller.scopes))
    return jsonify(sub=person.subject, name=person.name, email=person.email, scope=" ".join(caller.scopes))


def _unauthorized(exchange: Exchange) -> Response:
    if exchange.entry.outcome == "no_credential":
        return _challenge(401)  # RFC 6750 §3: no error code when nothing was presented
    return _challenge(401, error="invalid_token")


def _challenge(status: int, **parameters: str) -> Response:
    response = jsonify(parameters or {"error": "unauthorized"})
    response.status_code = status
    quoted = ", ".join(f'{name}="{value}"' for name, value in {"realm": "sandbox", **parameters}.items())
    response.headers["WWW-Authenticate"] = f"Bearer {quoted}"
    return response
