"""The control page for people: settings, clients, faults and the recent log, with forms for all that can be changed."""

import json
import time

from flask import Blueprint, Response, make_response, render_template, request

from providers.sandbox.fault_kinds import KINDS
from providers.sandbox.pushing import tell_revoked
from providers.sandbox.redirects import see_other
from providers.sandbox.registry import ENDPOINTS, GRANT_TYPES, InvalidDocument
from providers.sandbox.sessions import signed_in
from providers.sandbox.state import Sandbox

_SHOWN = 100


def blueprint(sandbox: Sandbox) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("control_page", __name__)

    @routes.get("/control")
    def page() -> Response:
        return _page(sandbox)

    @routes.post("/control")
    def act() -> Response:
        action = request.form.get("action")
        try:
            if action == "arm":
                sandbox.faults.declare(_fault_from_form())
            elif action == "disarm":
                sandbox.faults.clear(int(request.form.get("id", "0")))
            elif action == "settings":
                sandbox.registry.change_settings(_settings_from_form())
            elif action == "revoke":
                _revoke_grants(sandbox, client_id=request.form.get("client_id", ""))
            elif action == "clear-log":
                sandbox.log.clear()
        except ValueError as error:  # InvalidDocument is one, and so is broken JSON
            return _page(sandbox, problem=str(error))
        return see_other("/control")

    return routes


def _fault_from_form() -> dict[str, object]:
    times = request.form.get("times", "1")
    options = request.form.get("options", "").strip()
    if not times.isdecimal():
        raise InvalidDocument("times must be a whole number, 0 for until cleared")
    return {
        "endpoint": request.form.get("endpoint"),
        "kind": request.form.get("kind"),
        "times": int(times),
        "client_id": request.form.get("client_id") or None,
        "grant_type": request.form.get("grant_type") or None,
        "options": json.loads(options) if options else {},
    }


def _settings_from_form() -> dict[str, object]:
    """Return the settings as the form has them; what it lacks stays as it was. Raises ``ValueError``."""
    form = request.form
    seconds = {
        name: float(form[name]) for name in ("access_lifetime", "code_lifetime", "grace_seconds") if name in form
    }
    changes: dict[str, object] = {**seconds}
    if "rotate" in form:
        changes["rotate"] = form["rotate"] == "yes"
    if form.get("delay_endpoint"):
        changes["delay_seconds"] = {form["delay_endpoint"]: float(form.get("delay_seconds") or 0)}
    return changes


def _revoke_grants(sandbox: Sandbox, *, client_id: str) -> None:
    if sandbox.registry.client(client_id) is None:
        raise InvalidDocument("name a registered client")
    with sandbox.store.transaction() as ledger:
        ledger.revoke_grants(client_id=client_id, by="control", now=time.time())
    tell_revoked(sandbox, client_id=client_id)


def _page(sandbox: Sandbox, problem: str = "") -> Response:
    page = render_template(
        "control.html",
        person=signed_in(sandbox, request),
        settings=sandbox.registry.settings,
        clients=sandbox.registry.clients(),
        registry=sandbox.registry,
        faults=sandbox.faults.armed(),
        kinds=KINDS.values(),
        endpoints=ENDPOINTS,
        grant_types=GRANT_TYPES,
        entries=sandbox.log.latest(_SHOWN),
        now=time.time(),
        problem=problem,
    )
    return make_response(page, 422 if problem else 200)
