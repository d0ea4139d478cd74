"""The device authorization grant (RFC 8628) of the Authlib server: its endpoint and grant, and a page to decide on."""

# Authlib has no types.
# mypy: allow-subclassing-any, allow-untyped-decorators, disable-error-code="import-untyped"

import time
from typing import Any

from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint, DeviceCodeGrant, DeviceCredentialDict
from flask import Flask, redirect, request, session, url_for

from tests.interop.authlib_store import Store

GRANT = DeviceCodeGrant.GRANT_TYPE
_PAGE = (
    '<form method="post"><input name="user_code" value="{code}">'
    '<button name="allow" value="">Cancel</button><button name="allow" value="yes">Allow</button></form>'
)


def add_device(app: Flask, server: Any, store: Store, *, path: str, methods: list[str]) -> None:
    """Add the grant, its endpoint below ``path``, and the page; ``methods`` are the client authentications."""

    class Endpoint(DeviceAuthorizationEndpoint):
        CLIENT_AUTH_METHODS = methods

        def get_verification_uri(self) -> str:
            return url_for("device", _external=True)

        def save_device_credential(self, client_id: str, scope: str, data: dict[str, Any]) -> None:
            expires_at = time.time() + data["expires_in"]
            credential = DeviceCredentialDict(client_id=client_id, scope=scope, expires_at=expires_at, **data)
            store.devices[data["device_code"]] = credential

    class Grant(DeviceCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = methods

        def query_device_credential(self, device_code: str) -> DeviceCredentialDict | None:
            return store.devices.get(device_code)

        def query_user_grant(self, user_code: str) -> tuple[str, bool] | None:
            return store.decisions.get(user_code)

        def should_slow_down(self, credential: DeviceCredentialDict) -> bool:
            last, credential["polled_at"] = credential.get("polled_at", 0.0), time.time()
            return bool(time.time() - last < credential["interval"])

    server.register_grant(Grant)
    server.register_endpoint(Endpoint)
    app.add_url_rule(
        f"{path}/device_authorization",
        "device_authorization",
        lambda: server.create_endpoint_response(Endpoint.ENDPOINT_NAME),
        methods=["POST"],
    )

    @app.route(f"{path}/device", methods=["GET", "POST"])
    def device() -> Any:
        user = session.get("user")
        if user is None:
            return redirect(url_for("login", next=request.full_path))
        if request.method == "GET":
            return _PAGE.format(code=request.args.get("user_code", ""))
        known = {credential["user_code"] for credential in store.devices.values()}
        if request.form["user_code"] not in known:
            return "This code is not known.", 404
        store.decisions[request.form["user_code"]] = (user, request.form["allow"] == "yes")
        return "Thank you."
