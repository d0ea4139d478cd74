"""The device authorization grant (RFC 8628): the request for a code, and the page on which a person enters it.

Owns ``/device_authorization`` (through ``oauth``, which authenticates clients alike at all endpoints) and ``/device``.
``device_codes`` answers the polls at the token endpoint.
"""

import json
import time
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request
from oauthlib.common import Request

from providers.sandbox.client_proof import is_authenticated
from providers.sandbox.consent import SCOPE_TEXTS
from providers.sandbox.people import Account
from providers.sandbox.redirects import see_other
from providers.sandbox.registry import DEVICE_GRANT
from providers.sandbox.sessions import signed_in
from providers.sandbox.state import Sandbox
from providers.sandbox.store import DeviceCode
from providers.sandbox.validator import Validator

Answer = tuple[dict[str, str], str, int]


def authorize_device(sandbox: Sandbox, validator: Validator, uri: str, body: str, headers: dict[str, str]) -> Answer:
    """Answer a device authorization request (RFC 8628 §3.1, §3.2)."""
    asked = Request(uri, "POST", body, headers)
    if not is_authenticated(validator, asked):
        return _answer({"error": "invalid_client"}, 401)
    scopes = (asked.scope or " ".join(validator.client.scopes)).split()
    if DEVICE_GRANT not in validator.client.grant_types:
        return _answer({"error": "unauthorized_client"}, 400)
    if not set(scopes) <= set(validator.client.scopes):
        return _answer({"error": "invalid_scope"}, 400)
    device_code, user_code = validator.issue_device_code(" ".join(scopes))
    settings, page = sandbox.registry.settings, f"{sandbox.issuer}/device"
    document = {
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?{urlencode({'user_code': user_code})}",
        "expires_in": settings.device_lifetime,
        "interval": settings.device_interval,
    }
    return _answer(document, 200)


def blueprint(sandbox: Sandbox) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("device", __name__)

    @routes.route("/device", methods=["GET", "POST"])
    def device() -> Response:
        typed = request.values.get("user_code", "").strip().upper()
        person = signed_in(sandbox, request)
        if person is None:
            here = f"/device?{urlencode({'user_code': typed})}" if typed else "/device"
            return see_other(f"/login?{urlencode({'next': here})}")
        with sandbox.store.transaction() as ledger:
            found = ledger.device_code_of(typed) if typed else None
            if found is None or not found.is_open(time.time()):
                return _page(person, problem="This code is not known, or was used, or has run out." if typed else "")
            decision = request.form.get("action", "")
            if request.method == "GET" or decision not in ("allow", "deny"):
                return _page(person, found=found, sandbox=sandbox)
            chosen = [scope for scope in found.scope.split() if scope in request.form.getlist("scope")]
            if decision == "allow" and found.scope and not chosen:
                return _page(person, found=found, sandbox=sandbox, problem="Choose at least one, or deny access.")
            ledger.decide_device_code(
                digest=found.digest, username=person.username, is_allowed=decision == "allow", scope=" ".join(chosen)
            )
        return make_response(render_template("device.html", person=person, decided=decision, found=None, problem=""))

    return routes


def _page(
    person: Account, *, found: DeviceCode | None = None, sandbox: Sandbox | None = None, problem: str = ""
) -> Response:
    client = sandbox.registry.client(found.client_id) if sandbox is not None and found is not None else None
    page = render_template(
        "device.html",
        person=person,
        found=found,
        client_name=client.name if client is not None else "",
        scopes=[(scope, SCOPE_TEXTS.get(scope, scope)) for scope in (found.scope.split() if found else ())],
        problem=problem,
        decided="",
    )
    return make_response(page, 422 if problem else 200)


def _answer(document: dict[str, object], status: int) -> Answer:
    return {"Content-Type": "application/json", "Cache-Control": "no-store"}, json.dumps(document), status
