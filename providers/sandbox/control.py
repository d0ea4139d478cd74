"""The control API: what tests, demos and drills steer the sandbox with.

Owns ``/control/…`` as JSON. It has no authentication and therefore answers loopback addresses only, unless the server
was started with ``--expose-control``; a browser's cross-site request is refused with the rest of the pages' (``app``).
The page for people is in ``control_page``.
"""

import ipaddress
import time
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, make_response, request

from providers.sandbox.minting import create_api_key, mint_grant
from providers.sandbox.people import PEOPLE
from providers.sandbox.pushing import send_push, tell_revoked
from providers.sandbox.registry import InvalidDocument
from providers.sandbox.sigv4 import create_access_key, revoke_access_key
from providers.sandbox.state import Sandbox
from providers.sandbox.store import CERTIFICATE
from providers.sandbox.tokens import digest, shortened

_PAGE_SIZE = 5_000


def blueprint(sandbox: Sandbox) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("control", __name__, url_prefix="/control")

    @routes.errorhandler(InvalidDocument)
    def invalid(error: InvalidDocument) -> Response:
        return make_response(jsonify(error=str(error)), 400)

    @routes.get("/clients")
    def clients() -> Response:
        return jsonify(clients=[client.as_dict() for client in sandbox.registry.clients()])

    @routes.post("/clients")
    def put_client() -> Response:
        return make_response(jsonify(sandbox.registry.put_client(_document()).as_dict()), 201)

    @routes.post("/api-keys")
    def add_api_key() -> Response:
        document = _document("username", "name")
        person = PEOPLE.get(document.get("username", ""))
        if person is None:
            raise InvalidDocument(f"username must be one of {', '.join(PEOPLE)}")
        key = create_api_key(sandbox, person=person, label=str(document.get("name", "")))
        return make_response(jsonify(api_key=key), 201)

    @routes.post("/access-keys")
    def add_access_key() -> Response:
        document = _document()
        person = PEOPLE.get(document.get("username", ""))
        if person is None:
            raise InvalidDocument(f"username must be one of {', '.join(PEOPLE)}")
        is_temporary = document.get("temporary") is True
        made = create_access_key(sandbox, username=person.username, is_temporary=is_temporary)
        return make_response(jsonify(made), 201)

    @routes.delete("/access-keys/<access_key_id>")
    def remove_access_key(access_key_id: str) -> Response:
        revoke_access_key(sandbox, access_key_id)
        return jsonify(revoked=1)

    @routes.post("/certificates")
    def add_certificate() -> Response:
        document = _document()
        person, days = PEOPLE.get(document.get("username", "")), document.get("days", 30)
        if person is None or not isinstance(days, int | float):
            raise InvalidDocument(f"username must be one of {', '.join(PEOPLE)}, and days a number")
        made = sandbox.mutual_tls.issue(person.name, days=days)
        with sandbox.store.transaction() as ledger:
            kept = {"username": person.username}
            ledger.put_document(CERTIFICATE, digest(made.thumbprint), kept, expires_at=time.time() + 1e9)
        url = sandbox.mutual_tls.url(current_app._get_current_object())  # type: ignore[attr-defined]  # a proxy's
        return make_response(jsonify(asdict(made) | {"authority": sandbox.mutual_tls.authority, "url": url}), 201)

    @routes.delete("/certificates/<thumbprint>")
    def revoke_certificate(thumbprint: str) -> Response:
        with sandbox.store.transaction() as ledger:
            ledger.drop_document(CERTIFICATE, digest(thumbprint))
        return jsonify(revoked=1)

    @routes.delete("/api-keys")
    def revoke_api_keys() -> Response:
        with sandbox.store.transaction() as ledger:
            count = ledger.revoke_api_keys(username=request.args.get("username"), now=time.time())
        return jsonify(revoked=count)

    @routes.get("/grants")
    def grants() -> Response:
        with sandbox.store.transaction() as ledger:
            found = ledger.grants(username=request.args.get("username"), client_id=request.args.get("client_id"))
            live = {grant.id: ledger.live_refresh_digests(grant.id) for grant in found}
        shown = [
            {**grant._asdict(), "refresh_tokens": [shortened(digest) for digest in live[grant.id]]} for grant in found
        ]
        return jsonify(grants=shown)

    @routes.post("/grants")
    def add_grants() -> Response:
        document = _document()
        client = sandbox.registry.client(str(document.get("client_id", "")))
        person, count = PEOPLE.get(document.get("username", "")), document.get("count", 1)
        if client is None or person is None or not isinstance(count, int) or not 1 <= count <= _PAGE_SIZE:
            raise InvalidDocument(f"name a registered client_id, a username and a count from 1 to {_PAGE_SIZE}")
        scope = str(document.get("scope", " ".join(client.scopes)))
        granted = [mint_grant(sandbox, client=client, username=person.username, scope=scope) for _ in range(count)]
        return make_response(jsonify(grants=granted), 201)

    @routes.post("/revoke")
    def revoke() -> Response:
        document = _document("username", "client_id", "grant_id")
        with sandbox.store.transaction() as ledger:
            count = ledger.revoke_grants(by="control", now=time.time(), **document)
        tell_revoked(sandbox, username=document.get("username"), client_id=document.get("client_id"))
        return jsonify(revoked=count)

    @routes.post("/pushes")
    def push() -> Response:
        document = _document()
        client = sandbox.registry.client(str(document.get("client_id", "")))
        username, members = str(document.get("username", "")), document.get("members", {})
        if client is None or not client.push_url or username not in PEOPLE or not isinstance(members, dict):
            raise InvalidDocument("name a client_id with a push_url, a username, a type and maybe members")
        kind = str(document.get("type", "grant.revoked"))
        return jsonify(status=send_push(client, kind, username=username, members=members))

    @routes.get("/log")
    def log() -> Response:
        after, limit = _whole("after", 0), _whole("limit", _PAGE_SIZE)
        return jsonify(entries=sandbox.log.after(after, limit=limit), last_id=sandbox.log.last_id)

    @routes.delete("/log")
    def clear_log() -> Response:
        sandbox.log.clear()
        return jsonify(last_id=sandbox.log.last_id)

    @routes.get("/settings")
    def settings() -> Response:
        return jsonify(sandbox.registry.settings.as_dict())

    @routes.put("/settings")
    def change_settings() -> Response:
        return jsonify(sandbox.registry.change_settings(_document()).as_dict())

    @routes.post("/clear")
    def clear() -> Response:
        changed = sandbox.registry.change_settings(_document())
        sandbox.faults.clear()
        sandbox.log.clear()
        return jsonify(changed.as_dict())

    @routes.get("/faults")
    def faults() -> Response:
        return jsonify(faults=[fault.as_dict() for fault in sandbox.faults.armed()])

    @routes.post("/faults")
    def add_fault() -> Response:
        return make_response(jsonify(sandbox.faults.declare(_document()).as_dict()), 201)

    @routes.delete("/faults")
    def clear_faults() -> Response:
        return jsonify(cleared=sandbox.faults.clear())

    @routes.delete("/faults/<int:number>")
    def clear_fault(number: int) -> Response:
        return jsonify(cleared=sandbox.faults.clear(number))

    @routes.post("/release")
    def release() -> Response:
        sandbox.faults.release()
        return jsonify({})

    return routes


def is_allowed(sandbox: Sandbox, address: str | None) -> bool:
    """Return whether a peer at ``address`` may control the sandbox."""
    return sandbox.exposes_control or (address is not None and ipaddress.ip_address(address).is_loopback)


def _document(*names: str) -> dict[str, Any]:
    """Return the request's JSON object. With ``names`` these are the only members allowed, and are strings."""
    document = request.get_json(silent=True) if request.get_data() else {}
    if not isinstance(document, dict):
        raise InvalidDocument("send a JSON object as application/json")
    if names and (set(document) - set(names) or not all(isinstance(value, str) for value in document.values())):
        raise InvalidDocument(f"only these, as strings: {', '.join(names)}")
    return document


def _whole(name: str, default: int) -> int:
    value = request.args.get(name, str(default))
    if not value.isdecimal():
        raise InvalidDocument(f"{name} must be a whole number")
    return int(value)
