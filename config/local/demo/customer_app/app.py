"""The pages. What matters here has a comment: ``begin``, ``confirmed``, ``connected`` and ``call_the_api``."""

import hashlib
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from flask import Flask, Response, abort, flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from config.local.demo.customer_app import words
from config.local.demo.customer_app.latchkey import Latchkey, LatchkeyProblem
from config.local.demo.customer_app.login import (
    CSRF_FIELD,
    USERS,
    authenticate,
    begun_with,
    check_csrf,
    csrf_token,
    current_user,
    local_path,
    log_in,
    log_out,
    login_required,
    remember_begun,
    was_begun_over_page,
)

PROVIDER = "sandbox"
SCOPES = ["profile.read", "files.read"]
_PROVIDER_TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """What differs between installations. ``sandbox_url`` is only for a link to the provider's own pages.

    ``domain_line`` is what this host says of itself, so that Latchkey's pages vouch for it.
    """

    own_url: str
    latchkey_url: str
    api_key: str = field(repr=False)
    session_key: str = field(repr=False)
    sandbox_url: str = ""
    domain_line: str = ""

    @property
    def return_url(self) -> str:
        """Where browsers come back to; the tenant's list in Latchkey holds it."""
        return f"{self.own_url}/connected"


@dataclass(frozen=True, slots=True)
class Call:
    """The result of a call of the provider's API with a vended credential. No page shows the credential itself."""

    status: int
    body: str
    fingerprint: str
    vended: dict[str, Any] = field(repr=False)


def create_app(settings: Settings) -> Flask:
    """Return the application."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=settings.session_key,
        # Cookies know no ports: a name of its own keeps this one apart from those of the other local servers.
        SESSION_COOKIE_NAME="acme_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.own_url.startswith("https:"),
        MAX_CONTENT_LENGTH=16 * 1024,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(standing=words.standing, csrf_field=CSRF_FIELD, settings=settings)
    app.context_processor(lambda: {"csrf_token": csrf_token, "user": current_user()})
    latchkey = Latchkey(base_url=settings.latchkey_url, api_key=settings.api_key)
    _add_guards(app, settings)
    _add_login(app)
    _add_domain_file(app, settings)
    _add_connecting(app, settings, latchkey)
    _add_connections(app, latchkey)
    return app


def _add_connecting(app: Flask, settings: Settings, latchkey: Latchkey) -> None:
    """The way out to the widget, and the way back."""

    def begin(**wanted: str | None) -> str:
        # Made on the click, server-to-server: the link works once, for ten minutes, and for this user.
        code_verifier = secrets.token_urlsafe(32)
        session_id, connect_url = latchkey.begin(
            end_user=g.user.id,
            code_verifier=code_verifier,
            provider=PROVIDER,
            scopes=SCOPES,
            return_url=settings.return_url,
            **wanted,
        )
        remember_begun(session_id, code_verifier, over_page="origin" in wanted)
        return connect_url

    def confirmed(session_id: str, completion_code: str, *, begun_as: str = "") -> dict[str, Any]:
        # The link says which session has ended, but proves nothing about the user: anybody can send anybody a link. So
        # this login session must have begun the connect session; otherwise somebody else may have finished it with an
        # account of theirs. We confirm the user who is logged in HERE, and Latchkey compares that user with the one for
        # whom the session was made.
        code_verifier = begun_with(begun_as or session_id)
        if code_verifier is None:
            raise LatchkeyProblem(status=403, code="not_begun_here", detail="This login session did not begin it.")
        return latchkey.complete(
            session_id, completion_code=completion_code, end_user=g.user.id, code_verifier=code_verifier
        )

    @app.post("/connect")
    @login_required
    def connect() -> ResponseReturnValue:
        return redirect(begin(), 303)

    @app.post("/connections/<uuid:connection_id>/reconnect")
    @login_required
    def reconnect(connection_id: uuid.UUID) -> ResponseReturnValue:
        return redirect(begin(connection=_own(latchkey, connection_id)["id"]), 303)

    @app.post("/manage")
    @login_required
    def manage() -> ResponseReturnValue:
        # What is connected on that page comes back to ``connected`` with the id of this session.
        code_verifier = secrets.token_urlsafe(32)
        session_id, manage_url = latchkey.manage(
            end_user=g.user.id, return_url=settings.return_url, code_verifier=code_verifier, providers=[PROVIDER]
        )
        remember_begun(session_id, code_verifier)
        return redirect(manage_url, 303)

    @app.post("/connect/token")
    @login_required
    def connect_token() -> ResponseReturnValue:
        """The same for the widget over a page of ours: the script there wants the token alone."""
        return {"token": begin(origin=settings.own_url).partition("#")[2]}

    @app.post("/confirm")
    @login_required
    def confirm() -> ResponseReturnValue:
        """What ``connected`` does, for the script: it has the code from the widget, and wants the answer."""
        answer = confirmed(_one_id(request.form, "connect_session"), request.form.get("completion_code", ""))
        return answer if "next" in answer else {"connection": answer["connection"]["id"]}

    @app.get("/connected")
    @login_required
    def connected() -> ResponseReturnValue:
        session_id = request.args.get("connect_session", "")
        managed = _one_id(request.args, "management_session") if "management_session" in request.args else ""
        if managed and not session_id:  # they are done there
            return redirect("/", 303)
        if "error" in request.args:
            if was_begun_over_page(session_id):
                return render_template("returned.html", session=session_id, error=request.args["error"])
            flash(words.returned_error(request.args["error"]), "bad")
            return redirect("/", 303)
        session_id = _one_id(request.args, "connect_session")
        answer = confirmed(session_id, request.args.get("completion_code", ""), begun_as=managed)
        if "next" in answer:  # several workspaces: they choose one at Latchkey, and come back here
            return redirect(answer["next"], 303)
        if managed:  # back to the page on which they began it
            return redirect(f"{settings.latchkey_url}/connect/manage/{managed}", 303)
        if was_begun_over_page(session_id):  # in a window of its own: the page that waits for it is told
            return render_template("returned.html", session=session_id, connection=answer["connection"]["id"])
        flash("Connected. Latchkey keeps the access alive from now on.", "good")
        return redirect(f"/connections/{answer['connection']['id']}", 303)

    @app.get("/reconnect")
    @login_required
    def reconnect_page() -> ResponseReturnValue:
        """The tenant's ``reconnect_url``. It may be in a mail, so that it changes nothing: the page has the button."""
        return redirect(f"/connections/{_one_id(request.args, 'connection')}", 303)


def _add_connections(app: Flask, latchkey: Latchkey) -> None:
    """The user's connections, and what can be done with one."""

    @app.get("/")
    @login_required
    def home() -> ResponseReturnValue:
        mine = latchkey.connections(end_user=g.user.id)
        ended = [one for one in mine if one["status"] == "disconnected"]
        live = [one for one in mine if one["status"] not in ("disconnected", "pending")]
        return render_template("home.html", live=live, ended=ended)

    @app.get("/connections/<uuid:connection_id>")
    @login_required
    def show(connection_id: uuid.UUID) -> ResponseReturnValue:
        return render_template("connection.html", connection=_own(latchkey, connection_id), call=None)

    @app.post("/connections/<uuid:connection_id>/call")
    @login_required
    def call_the_api(connection_id: uuid.UUID) -> ResponseReturnValue:
        # Ask for a credential right before each use and keep none: a vend takes milliseconds, and the answer always
        # works. Naming the user is enough here, because Latchkey refuses it for anybody else's connection.
        try:
            vended = latchkey.vend(str(connection_id), end_user=g.user.id, purpose="show the account")
        except LatchkeyProblem as refusal:
            if refusal.code != "reauthorization_required":
                raise
            flash("The provider no longer accepts this access: reconnect to go on.", "bad")
            return redirect(f"/connections/{connection_id}", 303)
        call = _call_provider(vended)
        if call.status == requests.codes.unauthorized:
            latchkey.report(str(connection_id), version=vended["version"], status=call.status)
        return render_template("connection.html", connection=_own(latchkey, connection_id), call=call)

    @app.post("/connections/<uuid:connection_id>/disconnect")
    @login_required
    def disconnect(connection_id: uuid.UUID) -> ResponseReturnValue:
        latchkey.disconnect(_own(latchkey, connection_id)["id"])
        return redirect(f"/connections/{connection_id}", 303)


def _one_id(given: Mapping[str, str], name: str) -> str:
    """Return an id that a link or a form has brought, known to be one: it becomes part of an address of the API."""
    try:
        return str(uuid.UUID(given.get(name, "")))
    except ValueError:
        abort(400, "This link is incomplete.")


def _own(latchkey: Latchkey, connection_id: uuid.UUID) -> dict[str, Any]:
    """Return the connection if it is the logged-in user's; the API key would read every one of the tenant's."""
    connection = latchkey.connection(str(connection_id))
    if connection["end_user"] != g.user.id:
        raise LatchkeyProblem(status=404, code="not_found", detail="There is no such connection.")
    return connection


def _call_provider(vended: dict[str, Any]) -> Call:
    """Call the provider's API: everything that the request needs is in the answer to the vend."""
    credential = vended["credential"]
    with requests.Session() as session:
        session.trust_env = False  # the sandbox runs on this machine; a call to a real provider has no such line
        try:
            answer = session.get(
                f"{credential['base_url']}/me",
                headers=credential["headers"],
                params=credential["query"],
                allow_redirects=False,
                timeout=_PROVIDER_TIMEOUT_SECONDS,
            )
        except requests.RequestException as error:
            raise LatchkeyProblem(
                status=502, code="provider_silent", detail="The provider does not answer: try again later."
            ) from error
    return Call(
        status=answer.status_code,
        body=_pretty(answer),
        fingerprint=hashlib.sha256(credential["value"].encode()).hexdigest()[:12],
        vended={"expires_at": credential["expires_at"], "version": vended["version"]},
    )


def _pretty(answer: requests.Response) -> str:
    try:
        return json.dumps(answer.json(), indent=2)
    except requests.JSONDecodeError:
        return answer.text[:2000]


def _add_login(app: Flask) -> None:
    """The product's own login."""

    @app.route("/login", methods=["GET", "POST"])
    def login() -> ResponseReturnValue:
        onwards = local_path(request.args.get("next"))
        if request.method == "GET":
            return render_template("login.html", people=USERS.values(), problem="")
        user = authenticate(name=request.form.get("name", ""), password=request.form.get("password", ""))
        if user is None:
            page = render_template("login.html", people=USERS.values(), problem="That name and password do not match.")
            return page, 401
        log_in(user)
        return redirect(onwards, 303)

    @app.post("/logout")
    def logout() -> ResponseReturnValue:
        log_out()
        return redirect("/login", 303)


def _add_domain_file(app: Flask, settings: Settings) -> None:
    """The proof that this host is the tenant's, for pages of Latchkey's that lead back here."""

    @app.get("/.well-known/latchkey-domain.txt")
    def domain_file() -> ResponseReturnValue:
        if not settings.domain_line:
            abort(404)
        return Response(f"{settings.domain_line}\n", mimetype="text/plain")


def _add_guards(app: Flask, settings: Settings) -> None:
    """What holds for every request and answer."""
    own_netloc = urlsplit(settings.own_url).netloc
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        # The widget over a page of ours: its script, and its frame.
        f"script-src 'self' {settings.latchkey_url}; frame-src {settings.latchkey_url}; "
        # Browsers hold this against the redirect that answers a form, too: "Connect" leads to Latchkey.
        f"form-action 'self' {settings.latchkey_url}; frame-ancestors 'none'"
    )

    @app.before_request
    def one_host() -> ResponseReturnValue | None:
        """Cookies set under localhost are not sent to 127.0.0.1, so that a flow begun there could not end here."""
        if request.host != own_netloc and request.method == "GET":
            return redirect(settings.own_url + request.full_path.rstrip("?"), 302)
        return None

    app.before_request(check_csrf)

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Content-Type-Options"] = "nosniff"
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.errorhandler(LatchkeyProblem)
    def refused(refusal: LatchkeyProblem) -> ResponseReturnValue:
        title, advice = words.problem(refusal.code, refusal.detail)
        return render_template("problem.html", title=title, advice=advice, code=refusal.code), refusal.status

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> ResponseReturnValue:
        page = render_template("problem.html", title=error.name, advice=error.description, code="")
        return page, error.code or 500
