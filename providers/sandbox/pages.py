"""The sandbox's own pages for people: start, sign-in, connected apps, API keys.

The consent page is in ``consent``, the control page in ``control_page``.
"""

import time
from collections import defaultdict
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request

from providers.sandbox.consent import SCOPE_TEXTS
from providers.sandbox.minting import create_api_key
from providers.sandbox.people import PEOPLE, authenticate
from providers.sandbox.pushing import tell_revoked
from providers.sandbox.redirects import local_path, see_other
from providers.sandbox.sessions import sign_in, sign_out, signed_in
from providers.sandbox.state import Sandbox
from providers.sandbox.store import Grant


def blueprint(sandbox: Sandbox) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("pages", __name__)

    @routes.get("/")
    def home() -> str:
        return render_template("home.html", person=signed_in(sandbox, request))

    @routes.route("/login", methods=["GET", "POST"])
    def login() -> Response:
        onwards = local_path(request.args.get("next"), default="/apps")
        if request.method == "GET":
            return _login_page(onwards, username=request.args.get("hint", ""))
        username = request.form.get("username", "")
        person = authenticate(username=username, password=request.form.get("password", ""))
        if person is None:
            return _login_page(onwards, username=username, problem="That name and password do not match.")
        return sign_in(sandbox, see_other(onwards), person)

    @routes.post("/logout")
    def logout() -> Response:
        return sign_out(sandbox, request, see_other(local_path(request.form.get("next"), default="/")))

    @routes.route("/apps", methods=["GET", "POST"])
    def apps() -> Response:
        person = signed_in(sandbox, request)
        if person is None:
            return _to_sign_in()
        if request.method == "POST":
            with sandbox.store.transaction() as ledger:
                client_id = request.form.get("client_id", "")
                ledger.revoke_grants(username=person.username, client_id=client_id, by="person", now=time.time())
            tell_revoked(sandbox, username=person.username, client_id=client_id)
            return see_other("/apps")
        with sandbox.store.transaction() as ledger:
            live = [grant for grant in ledger.grants(username=person.username) if grant.revoked_at is None]
        return make_response(render_template("apps.html", person=person, apps=_by_app(sandbox, live)))

    @routes.route("/api-keys", methods=["GET", "POST"])
    def api_keys() -> Response:
        person = signed_in(sandbox, request)
        if person is None:
            return _to_sign_in()
        if request.method == "POST" and request.form.get("action") == "revoke":
            with sandbox.store.transaction() as ledger:
                key_id = request.form.get("id", "")
                ledger.revoke_api_keys(username=person.username, key_id=key_id, now=time.time())
            return see_other("/api-keys")
        created = ""
        if request.method == "POST":
            created = create_api_key(sandbox, person=person, label=request.form.get("name", ""))
        with sandbox.store.transaction() as ledger:
            keys = ledger.api_keys(person.username)
        return make_response(render_template("api_keys.html", person=person, keys=keys, created=created))

    return routes


def _by_app(sandbox: Sandbox, grants: list[Grant]) -> list[dict[str, object]]:
    by_client: dict[str, list[Grant]] = defaultdict(list)
    for grant in grants:
        by_client[grant.client_id].append(grant)
    apps: list[dict[str, object]] = []
    for client_id, its in by_client.items():
        client = sandbox.registry.client(client_id)
        scopes = sorted({scope for grant in its for scope in grant.scope.split()})
        apps.append(
            {
                "client_id": client_id,
                "name": client.name if client else client_id,
                "scopes": [SCOPE_TEXTS.get(scope, scope) for scope in scopes],
                "since": min(grant.created_at for grant in its),
                "count": len(its),
            }
        )
    return apps


def _login_page(onwards: str, *, username: str, problem: str = "") -> Response:
    page = render_template("login.html", people=PEOPLE.values(), username=username, problem=problem, onwards=onwards)
    return make_response(page, 401 if problem else 200)


def _to_sign_in() -> Response:
    return see_other(f"/login?{urlencode({'next': request.path})}")
