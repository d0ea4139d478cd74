"""The Flask application: every route together, and what all pages have in common.

Owns the security headers, the refusal of cross-site posts, and the error pages. No request is logged here: see ``log``.
"""

import time

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from providers.sandbox import (
    consent,
    control,
    control_page,
    device,
    installations,
    mcp,
    mcp_authorization,
    oauth,
    oauth1,
    pages,
    resources,
    two_step,
)
from providers.sandbox.state import Sandbox

_PAGE_HEADERS = {
    # No form-action: browsers apply it to the redirect that answers the consent form too.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_MACHINE_PATHS = (
    *("/token", "/revoke", "/introspect", "/session", "/device_authorization", "/par", "/mcp"),
    *("/oauth1/request_token", "/oauth1/access_token"),
)
_MACHINE_PREFIX = "/installation"


def create_app(sandbox: Sandbox) -> Flask:
    """Return the application that serves ``sandbox``."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["sandbox"] = sandbox
    app.jinja_env.filters["clock"] = lambda at: time.strftime("%H:%M:%S", time.localtime(at))
    app.jinja_env.filters["day"] = lambda at: time.strftime("%-d %B %Y, %H:%M", time.localtime(at))
    parts = (oauth, oauth1, two_step, installations, resources, mcp, mcp_authorization)
    for part in (*parts, consent, device, pages, control, control_page):
        app.register_blueprint(part.blueprint(sandbox))

    @app.before_request
    def refuse_strangers() -> Response | None:
        if request.path.startswith("/control") and not control.is_allowed(sandbox, request.remote_addr):
            return make_response(jsonify(error="the control API answers loopback addresses only"), 403)
        crosses = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
        is_for_machines = request.path in _MACHINE_PATHS or request.path.startswith(_MACHINE_PREFIX)
        if crosses and request.method != "GET" and not is_for_machines:
            return make_response(render_template("error.html", title="This form came from another site"), 403)
        return None

    @app.after_request
    def protect(response: Response) -> Response:
        if response.mimetype == "text/html" and "Content-Security-Policy" not in response.headers:
            for name, value in _PAGE_HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    @app.errorhandler(HTTPException)
    def fail(error: HTTPException) -> Response:
        code = error.code or 500
        if request.accept_mimetypes.best == "text/html":
            return make_response(render_template("error.html", title=error.name, detail=error.description), code)
        return make_response(jsonify(error=error.name), code)

    return app
