"""The authorization endpoint: what a person sees and decides.

Owns the authorization request and response (RFC 6749 §4.1.1, §4.1.2), with PKCE S256 only (RFC 7636), ``iss`` in every
response (RFC 9207), ``form_post`` (OAuth 2.0 Form Post Response Mode) and a person's right to grant fewer scopes. The
sign-in page is in ``pages``, the rules are in ``validator``.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, Response, make_response, render_template, request
from oauthlib.common import Request, add_params_to_uri
from oauthlib.oauth2 import AuthorizationCodeGrant, AuthorizationEndpoint, BearerToken, FatalClientError, OAuth2Error
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError, UnsupportedCodeChallengeMethodError

from providers.sandbox.exchange import Exchange
from providers.sandbox.people import Account
from providers.sandbox.pushed import request_behind, use_up
from providers.sandbox.redirects import see_other
from providers.sandbox.resource_indicators import check_resource
from providers.sandbox.sessions import signed_in
from providers.sandbox.state import Sandbox
from providers.sandbox.validator import Validator

SCOPE_TEXTS = {
    "profile": "See your name",
    "email": "See your e-mail address",
    "files.read": "View your files",
    "files.write": "Create, change and delete your files",
    "contacts.read": "View your contacts",
    "contacts.write": "Change your contacts",
    "calendar.read": "View your calendar",
    "offline_access": "Stay connected when you are not here",
}
_MODES = (None, "query", "form_post")

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A valid authorization request."""

    client_id: str
    client_name: str
    redirect_uri: str
    mode: str
    scopes: tuple[str, ...]
    state: str | None


class Authorization:
    """One visit to the authorization endpoint."""

    def __init__(self, sandbox: Sandbox, *, server: str = "") -> None:
        self._sandbox = sandbox
        self._exchange = Exchange(sandbox, "authorize", server=server)
        self._given: Pairs = parse_qsl(request.query_string.decode(errors="replace"))
        with sandbox.store.transaction() as ledger:
            found = request_behind(ledger, self._given, now=time.time())
        self._is_unknown, self._query = found is None, found or self._given
        self._uri = f"{self._exchange.issuer}/authorize?{urlencode(self._query)}"
        self._exchange.name_client(dict(self._query).get("client_id"))

    def serve(self) -> Response:
        """Return the page, the way to the sign-in page, or the authorization response."""
        return self._exchange.answer(self._process, altering=request.method == "POST", refuse=self._refuse)

    def _process(self) -> Response:
        person = signed_in(self._sandbox, request)
        if self._is_unknown:
            return self._dead_end(FatalClientError("The request was not pushed, was used, or has run out."))
        with self._sandbox.store.transaction() as ledger:
            validator = Validator(exchange=self._exchange, ledger=ledger, now=time.time())
            checks: list[Callable[[Request], dict[str, Any]]] = [_check_parameters, partial(check_resource, validator)]
            checks.append(self._check_delivery)
            grant = AuthorizationCodeGrant(validator, post_auth=checks)
            bearer, grants = BearerToken(validator), {"code": grant}
            endpoint = AuthorizationEndpoint("code", bearer, grants)  # type: ignore[arg-type]  # no name: a handler
            try:
                scopes, credentials = endpoint.validate_authorization_request(self._uri)
            except FatalClientError as error:
                return self._dead_end(error)
            except OAuth2Error as error:
                return self._respond(error.redirect_uri or "", error.response_mode or "query", error.twotuples)
            asked = Asked(
                client_id=validator.client.client_id,
                client_name=validator.client.name,
                redirect_uri=credentials["redirect_uri"],
                mode=credentials["request"].response_mode or "query",
                scopes=tuple(scopes),
                state=credentials["state"],
            )
            if person is None:
                return self._to_sign_in()
            if request.method == "GET":
                return self._page(asked, person)
            if request.form.get("action") != "allow":
                self._exchange.entry.outcome, self._exchange.entry.username = "denied", person.username
                return self._respond(asked.redirect_uri, asked.mode, _error("access_denied", asked.state))
            chosen = [scope for scope in asked.scopes if scope in request.form.getlist("scope")]
            if asked.scopes and not chosen:
                return self._page(asked, person, problem="Choose at least one permission, or deny access.")
            endpoint.create_authorization_response(self._uri, scopes=chosen, credentials={"user": person.username})
            use_up(ledger, self._given)
        answer = [("code", validator.issued_code), ("state", asked.state)]
        return self._respond(asked.redirect_uri, asked.mode, answer)

    def _page(self, asked: Asked, person: Account, problem: str = "") -> Response:
        self._exchange.entry.outcome = "asked"
        page = render_template(
            "consent.html",
            asked=asked,
            person=person,
            problem=problem,
            scopes=[(scope, SCOPE_TEXTS.get(scope, scope)) for scope in asked.scopes],
            destination=urlsplit(asked.redirect_uri).netloc,
            here=self._here(),
        )
        return make_response(page, 422 if problem else 200)

    def _here(self) -> str:
        return f"{self._exchange.path}/authorize?{urlencode(self._given)}"

    def _check_delivery(self, asked: Request) -> dict[str, Any]:
        """Refuse a request that the browser carries, where it has to be pushed (RFC 9126 §5 and §6)."""
        client = self._sandbox.registry.client(asked.client_id)
        must_push = self._sandbox.registry.settings.require_pushed or (client is not None and client.pushes)
        if must_push and self._given is self._query:
            raise InvalidRequestError(description="The request has to be pushed.", request=asked)
        return {}

    def _to_sign_in(self) -> Response:
        self._exchange.entry.outcome = "sign_in"
        onwards = {"next": self._here(), "hint": dict(self._query).get("login_hint", "")}
        return see_other(f"/login?{urlencode({name: value for name, value in onwards.items() if value})}")

    def _dead_end(self, error: OAuth2Error) -> Response:
        """Tell the person: the client or its redirect URI cannot be trusted with an answer (RFC 6749 §4.1.2.1)."""
        self._exchange.entry.outcome = "dead_end"
        self._exchange.entry.error = error.error or ""
        page = render_template("error.html", title="This link does not work", detail=error.description)
        return make_response(page, 400)

    def _refuse(self, options: dict[str, Any]) -> Response:
        values = dict(self._query)
        client = self._sandbox.registry.client(values.get("client_id"), server=self._exchange.server)
        registered = client.redirect_uris if client else ()
        redirect_uri = values.get("redirect_uri") or "".join(registered[:1])
        if redirect_uri not in registered:
            return make_response(render_template("error.html", title="This link does not work", detail=""), 400)
        answer = _error(options.get("error", "access_denied"), values.get("state"), options.get("description", ""))
        return self._respond(redirect_uri, values.get("response_mode", "query"), answer)

    def _respond(self, redirect_uri: str, mode: str, answer: Iterable[tuple[str, str | None]]) -> Response:
        """Send the browser back to the client with ``answer`` and ``iss``."""
        pairs = [(name, value) for name, value in [*answer, *self._iss()] if value]
        self._exchange.entry.error = dict(pairs).get("error", "")
        if mode == "form_post":
            return make_response(render_template("form_post.html", redirect_uri=redirect_uri, pairs=pairs))
        return see_other(add_params_to_uri(redirect_uri, pairs))

    def _iss(self) -> Pairs:
        fault = self._exchange.fault
        if fault is None or fault.kind.name != "wrong_iss":
            return [("iss", self._exchange.issuer)]
        return [("iss", fault.options["iss"])] if "iss" in fault.options else []


def blueprint(sandbox: Sandbox) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("consent", __name__)

    @routes.route("/authorize", methods=["GET", "POST"])
    def authorize() -> Response:
        return Authorization(sandbox).serve()

    return routes


def _check_parameters(asked: Request) -> dict[str, Any]:
    if asked.code_challenge and asked.code_challenge_method != "S256":
        raise UnsupportedCodeChallengeMethodError(request=asked)
    if asked.response_mode not in _MODES:
        raise InvalidRequestError(description="Unsupported response_mode.", request=asked)
    return {}


def _error(code: str, state: str | None, description: str = "") -> list[tuple[str, str | None]]:
    return [("error", code), ("error_description", description), ("state", state)]
