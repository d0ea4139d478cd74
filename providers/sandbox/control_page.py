"""The control page for people: settings, armed faults, clients and the recent log, with a form to arm a fault."""

import json
import time

from flask import Blueprint, Response, make_response, redirect, render_template, request

from providers.sandbox.fault_kinds import KINDS
from providers.sandbox.registry import ENDPOINTS, InvalidDocument
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
            elif action == "clear-log":
                sandbox.log.clear()
        except ValueError as error:  # InvalidDocument is one, and so is broken JSON
            return _page(sandbox, problem=str(error))
        return make_response(redirect("/control", 303))

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
        "options": json.loads(options) if options else {},
    }


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
        entries=sandbox.log.latest(_SHOWN),
        now=time.time(),
        problem=problem,
    )
    return make_response(page, 422 if problem else 200)
