"""OAuth 1.0a (RFC 5849): temporary credentials, a person's consent, token credentials, and signed requests.

Owns ``/oauth1/request_token``, ``/oauth1/authorize`` and ``/oauth1/access_token``, and checks the signatures of
requests to the resource API. The rules are oauthlib's; ``OAuth1Validator`` says what is known and keeps what is issued.
A client takes part if it was registered with ``signs``: its first secret is then kept readable, as a signature needs.
"""

import secrets
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, make_response, render_template, request
from oauthlib.common import Request
from oauthlib.oauth1 import (
    AccessTokenEndpoint,
    AuthorizationEndpoint,
    RequestTokenEndpoint,
    RequestValidator,
    ResourceEndpoint,
)

from providers.sandbox.consent import Asked
from providers.sandbox.exchange import Exchange
from providers.sandbox.redirects import see_other
from providers.sandbox.sessions import signed_in
from providers.sandbox.state import Sandbox
from providers.sandbox.store import AccessToken, Ledger
from providers.sandbox.tokens import digest, fingerprint

_TEMPORARY, _TOKEN, _NONCE = "oauth1_temporary", "oauth1_token", "oauth1_nonce"  # kinds of documents
_TEMPORARY_SECONDS, _NONCE_SECONDS = 600, 600
_FOR_EVER = 10.0 * 365 * 86_400
_SCOPE = "profile.read files.read"


class OAuth1Validator(RequestValidator):
    """What is known of clients and tokens, for one request at the time ``now``."""

    enforce_ssl = False
    dummy_client = dummy_request_token = dummy_access_token = "nobody"
    allowed_signature_methods = ("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "PLAINTEXT")

    def __init__(self, exchange: Exchange, ledger: Ledger) -> None:
        super().__init__()
        self._exchange, self._ledger, self._now = exchange, ledger, time.time()
        self.grant_id = ""

    # What may be in a parameter is not this server's business: any client id and token of ours is fine.
    def check_client_key(self, client_key: str) -> bool:
        return bool(client_key)

    def check_nonce(self, nonce: str) -> bool:
        return bool(nonce)

    def check_request_token(self, request_token: str) -> bool:
        return bool(request_token)

    def check_access_token(self, request_token: str) -> bool:
        return bool(request_token)

    def check_verifier(self, verifier: str) -> bool:
        return bool(verifier)

    def check_realms(self, realms: list[str]) -> bool:
        return True

    def _document(self, kind: str, token: str) -> dict[str, Any]:
        return self._ledger.document(kind, digest(token or ""), now=self._now) or {}

    def _keep(self, kind: str, token: str, document: dict[str, Any], seconds: float) -> None:
        self._ledger.put_document(kind, digest(token), document, expires_at=self._now + seconds)

    def validate_client_key(self, client_key: str, request: Request) -> bool:
        client = self._exchange.sandbox.registry.client(client_key)
        return client is not None and bool(client.shared_secret)

    def get_client_secret(self, client_key: str, request: Request) -> str:
        client = self._exchange.sandbox.registry.client(client_key)
        return (client.shared_secret if client is not None else "") or "nobody's"

    def validate_timestamp_and_nonce(
        self,
        client_key: str,
        timestamp: str,
        nonce: str,
        request: Request,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        """Accept a nonce once, within ten minutes of the clock (RFC 5849 §3.3)."""
        if not timestamp.isdecimal() or abs(int(timestamp) - self._now) > _NONCE_SECONDS:
            self._exchange.entry.outcome = "timestamp_refused"
            return False
        used = f"{client_key} {timestamp} {nonce}"
        if self._document(_NONCE, used):
            self._exchange.entry.outcome = "nonce_used"
            return False
        self._keep(_NONCE, used, {"used": True}, 2 * _NONCE_SECONDS)
        return True

    # Temporary credentials
    def get_default_realms(self, client_key: str, request: Request) -> list[str]:
        return []

    def validate_requested_realms(self, client_key: str, realms: list[str], request: Request) -> bool:
        return True

    def validate_redirect_uri(self, client_key: str, redirect_uri: str, request: Request) -> bool:
        client = self._exchange.sandbox.registry.client(client_key)
        return client is not None and redirect_uri in client.redirect_uris

    def save_request_token(self, token: Any, request: Request) -> None:
        kept = {"client_id": request.client_key, "secret": token["oauth_token_secret"], "to": request.redirect_uri}
        self._keep(_TEMPORARY, token["oauth_token"], kept, _TEMPORARY_SECONDS)
        self._exchange.entry.outcome = "temporary_issued"

    def validate_request_token(self, client_key: str, token: str, request: Request) -> bool:
        return self._document(_TEMPORARY, token).get("client_id") == client_key

    def verify_request_token(self, token: str, request: Request) -> bool:
        return bool(self._document(_TEMPORARY, token))

    def get_request_token_secret(self, client_key: str, token: str, request: Request) -> str:
        return str(self._document(_TEMPORARY, token).get("secret", "nobody's"))

    def get_redirect_uri(self, token: str, request: Request) -> str:
        return str(self._document(_TEMPORARY, token)["to"])

    def get_realms(self, token: str, request: Request) -> list[str]:
        return []

    def verify_realms(self, token: str, realms: list[str], request: Request) -> bool:
        return True

    def temporary(self, token: str) -> dict[str, Any]:
        """Return what is kept with a temporary token, {} if it is not known."""
        return self._document(_TEMPORARY, token)

    def save_verifier(self, token: str, verifier: dict[str, str], request: Request) -> None:
        kept = self._document(_TEMPORARY, token)
        username = str(verifier.pop("username"))
        kept |= {"username": username, "verifier": verifier["oauth_verifier"]}
        self._keep(_TEMPORARY, token, kept, _TEMPORARY_SECONDS)

    def validate_verifier(self, client_key: str, token: str, verifier: str, request: Request) -> bool:
        expected = str(self._document(_TEMPORARY, token).get("verifier", ""))
        is_right = bool(expected) and secrets.compare_digest(expected, verifier)
        self._exchange.entry.outcome = "" if is_right else "wrong_verifier"
        return is_right

    def invalidate_request_token(self, client_key: str, request_token: str, request: Request) -> None:
        self._ledger.drop_document(_TEMPORARY, digest(request_token))

    # Token credentials
    def save_access_token(self, token: Any, request: Request) -> None:
        username = self._document(_TEMPORARY, request.resource_owner_key or "")["username"]
        issued, client_id = token["oauth_token"], request.client_key or ""
        grant_id = self._ledger.add_grant(client_id=client_id, username=username, scope=_SCOPE, now=self._now)
        self._ledger.activate_grant(grant_id, now=self._now)
        self._ledger.add_access_token(AccessToken(digest(issued), grant_id, _SCOPE, self._now, self._now + _FOR_EVER))
        self._keep(_TOKEN, issued, {"client_id": client_id, "secret": token["oauth_token_secret"]}, _FOR_EVER)
        entry = self._exchange.entry
        entry.grant_id, entry.username, entry.access_issued = grant_id, username, fingerprint(issued)
        entry.outcome = "issued"

    def validate_access_token(self, client_key: str, token: str, request: Request) -> bool:
        return self._document(_TOKEN, token).get("client_id") == client_key

    def get_access_token_secret(self, client_key: str, token: str, request: Request) -> str:
        return str(self._document(_TOKEN, token).get("secret", "nobody's"))

    def validate_realms(
        self, client_key: str, token: str, request: Request, uri: str | None = None, realms: Any = None
    ) -> bool:
        return True


def signed_token(exchange: Exchange, ledger: Ledger) -> str:
    """Return the access token of a request whose signature is right, else "". Notes on the log why it is not."""
    endpoint = ResourceEndpoint(OAuth1Validator(exchange, ledger))
    is_right, asked = endpoint.validate_protected_resource_request(*_asked(exchange), realms=[])
    if not is_right:
        exchange.entry.outcome = exchange.entry.outcome or "wrong_signature"
        return ""
    exchange.name_client(asked.client_key)
    return str(asked.resource_owner_key)


def blueprint(sandbox: Sandbox) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("oauth1", __name__)

    def issue(kind: type[RequestTokenEndpoint] | type[AccessTokenEndpoint], endpoint: str) -> Response:
        exchange = Exchange(sandbox, endpoint)

        def process() -> Response:
            with sandbox.store.transaction() as ledger:
                made = kind(OAuth1Validator(exchange, ledger))
                create = getattr(made, f"create_{endpoint.removeprefix('oauth1_')}_response")
                headers, body, status = create(*_asked(exchange))
            if status != 200:
                exchange.entry.outcome = exchange.entry.outcome or "wrong_signature"
            return Response(body, status=status, headers=headers)

        return exchange.answer(process)

    @routes.post("/oauth1/request_token")
    def request_token() -> Response:
        return issue(RequestTokenEndpoint, "oauth1_request_token")

    @routes.post("/oauth1/access_token")
    def access_token() -> Response:
        return issue(AccessTokenEndpoint, "oauth1_access_token")

    @routes.route("/oauth1/authorize", methods=["GET", "POST"])
    def authorize() -> Response:
        exchange = Exchange(sandbox, "oauth1_authorize")
        return exchange.answer(lambda: _authorize(exchange))

    return routes


def _authorize(exchange: Exchange) -> Response:
    """Show the person who asks, and send them back with a verifier or with their refusal."""
    sandbox, token = exchange.sandbox, request.args.get("oauth_token", "")
    here = f"/oauth1/authorize?{urlencode({'oauth_token': token})}"
    person = signed_in(sandbox, request)
    with sandbox.store.transaction() as ledger:
        validator = OAuth1Validator(exchange, ledger)
        kept = validator.temporary(token)
        client = sandbox.registry.client(kept.get("client_id"))
        if client is None or "verifier" in kept:
            exchange.entry.outcome = "dead_end"
            return make_response(render_template("error.html", title="This link does not work", detail=""), 400)
        exchange.name_client(client.client_id)
        if person is None:
            exchange.entry.outcome = "sign_in"
            return see_other(f"/login?{urlencode({'next': here})}")
        if request.method == "GET":
            exchange.entry.outcome = "asked"
            asked = Asked(client.client_id, client.name, kept["to"], "query", (), None)
            place = urlsplit(kept["to"]).netloc
            page = render_template("consent.html", asked=asked, person=person, scopes=(), destination=place, here=here)
            return make_response(page)
        exchange.entry.username = person.username
        if request.form.get("action") != "allow":
            exchange.entry.outcome = "denied"
            validator.invalidate_request_token(client.client_id, token, Request(here))
            return see_other(f"{kept['to']}?{urlencode({'denied': token})}")
        exchange.entry.outcome = "verifier_issued"
        answer, _, _ = AuthorizationEndpoint(validator).create_authorization_response(
            f"{sandbox.issuer}{here}", credentials={"username": person.username}
        )
    return see_other(answer["Location"])


def _asked(exchange: Exchange) -> tuple[str, str, str, dict[str, str]]:
    query = f"?{request.query_string.decode()}" if request.query_string else ""
    body = request.get_data(as_text=True) if request.mimetype == "application/x-www-form-urlencoded" else ""
    return f"{exchange.sandbox.issuer}{request.path}{query}", request.method, body, dict(request.headers)
