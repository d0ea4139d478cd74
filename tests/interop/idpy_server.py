"""An authorization server that nobody here wrote and that exchanges tokens (RFC 8693): IdentityPython's, in Flask.

Run it as ``python -m tests.interop.idpy_server FOLDER``. Client authentication, sessions, tokens and the exchange are
idpyoidc's. What is here: its configuration, the way from HTTP to its token endpoint, and a protected resource. People
sign in through the oracle, at another client than the one that exchanges.
"""

# idpyoidc has no types.
# mypy: disable-error-code="import-untyped"

import argparse
import os
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from idpyoidc.message.oauth2 import AuthorizationRequest
from idpyoidc.server import Server
from idpyoidc.server.authn_event import create_authn_event
from idpyoidc.server.authz import AuthzHandling
from idpyoidc.server.client_authn import verify_client
from idpyoidc.server.configure import ASConfiguration
from idpyoidc.server.user_authn.authn_context import INTERNETPROTOCOLPASSWORD

from tests.interop.serving import Oracle, serve

PATH = "/idpy"
_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_PRODUCT, _REDIRECT_URI = "product", "https://product.example/back"
_SERVER = "idpyoidc.server"
_HELPERS = f"{_SERVER}.oauth2.token_helper"
_SIGNING = [{"type": "EC", "crv": "P-256", "use": ["sig"]}]
_COOKIES = [{"type": "oct", "kid": kind, "use": [kind]} for kind in ("sig", "enc")]
_CRYPT = {
    "kwargs": {"keys": {"key_defs": [{"type": "OCT", "use": ["enc"], "kid": kid} for kid in ("password", "salt")]}}
}


def _configuration(issuer: str) -> dict[str, Any]:
    exchange = {
        "requested_token_types_supported": [_ACCESS_TOKEN],
        "policy": {"": {"function": f"{_HELPERS}.validate_token_exchange_policy"}},
    }
    helpers = {
        "authorization_code": {"class": f"{_HELPERS}.access_token.AccessTokenHelper"},
        _GRANT: {"class": f"{_HELPERS}.token_exchange.TokenExchangeHelper", "kwargs": exchange},
    }
    token = {"client_authn_method": ["client_secret_basic"], "grant_types_helpers": helpers}
    jwt = {"class": f"{_SERVER}.token.jwt_token.JWTToken", "kwargs": {"lifetime": 3600, "aud": [issuer]}}
    rules = {"access_token": {"supports_minting": ["access_token"], "expires_in": 600}}
    return {
        "issuer": issuer,
        "httpc_params": {},
        "cookie_handler": {
            "class": f"{_SERVER}.cookie_handler.CookieHandler",
            "kwargs": {"keys": {"key_defs": _COOKIES}},
        },
        "keys": {"uri_path": "jwks.json", "key_defs": _SIGNING},
        "endpoint": {
            "authorization": {"path": "authorization", "class": f"{_SERVER}.oauth2.authorization.Authorization"},
            "token": {"path": "token", "class": f"{_SERVER}.oauth2.token.Token", "kwargs": token},
        },
        "authentication": {
            "none": {
                "acr": INTERNETPROTOCOLPASSWORD,
                "class": f"{_SERVER}.user_authn.user.NoAuthn",
                "kwargs": {"user": ""},
            }
        },
        "userinfo": {"class": f"{_SERVER}.user_info.UserInfo", "kwargs": {"db": {"alice": {}, "bob": {}}}},
        "client_authn": verify_client,
        "authz": {
            "class": AuthzHandling,
            "kwargs": {"grant_config": {"usage_rules": rules, "expires_in": 3600}},
        },
        "token_handler_args": {
            "key_conf": {"key_defs": _SIGNING},
            "code": {"lifetime": 60, "kwargs": {"crypt_conf": _CRYPT}},
            "token": jwt,
        },
        "session_params": {"encrypter": _CRYPT},
        "scopes_to_claims": {"files": []},
    }


def make(issuer: str, *, folder: Path) -> tuple[Any, Oracle]:
    """Return the application and the oracle."""
    configuration = ASConfiguration(conf=_configuration(issuer), base_path=str(folder))
    server = Server(configuration, cwd=str(folder))
    server.context.map_supported_to_preferred()
    app = Flask(__name__)
    oracle = _oracle(server)
    oracle["register"](client_id=_PRODUCT, client_secret="the-secret-of-the-product", redirect_uris=[_REDIRECT_URI])

    @app.post(f"{PATH}/token")
    def token() -> Response | tuple[dict[str, Any], int]:
        endpoint = server.get_endpoint("token")
        seen = {"headers": {name.lower(): value for name, value in request.headers.items()}}
        parsed = endpoint.parse_request(request.form.to_dict(), http_info=seen)
        answer = parsed if "error" in parsed else endpoint.process_request(parsed, http_info=seen)
        if "error" in answer:
            refused = {"error": answer["error"], "error_description": answer.get("error_description", "")}
            return refused, 401 if answer["error"] == "invalid_client" else 400
        return Response(endpoint.do_response(request=parsed, **answer)["response"], content_type="application/json")

    @app.get("/files")
    def files() -> tuple[dict[str, Any], int]:
        presented = request.headers.get("Authorization", "").removeprefix("Bearer ")
        found = _live(server, presented)
        if found is None or "files" not in found.scope:
            return {"error": "invalid_token"}, 401
        return {"owner": _session_of(server, presented)["user_id"], "files": ["report.pdf"]}, 200

    return app, oracle


def _session_of(server: Any, token: str) -> dict[str, Any]:
    found: dict[str, Any] = server.context.session_manager.get_session_info_by_token(
        token, grant=True, handler_key="access_token"
    )
    return found


def _live(server: Any, token: str) -> Any:
    try:
        found = server.context.session_manager.find_token(_session_of(server, token)["branch_id"], token)
    except Exception:  # noqa: BLE001 - idpyoidc raises what it likes about a token that is none of its own
        return None
    return found if found is not None and found.is_active() else None


def _oracle(server: Any) -> dict[str, Any]:
    context = server.context
    sessions = context.session_manager

    def register(client_id: str, client_secret: str, redirect_uris: list[str], grant_type: str = _GRANT) -> None:
        context.cdb[client_id] = {
            "client_secret": client_secret,
            "redirect_uris": [(uri, {}) for uri in redirect_uris],
            "client_salt": "salt",
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types_supported": [grant_type],
            "response_types_supported": ["code"],
            "allowed_scopes": ["files"],
        }
        server.keyjar.add_symmetric(client_id, client_secret)

    def sign_in(user: str) -> str:
        """Return an access token of a session of ``user`` at the product."""
        asked = AuthorizationRequest(
            client_id=_PRODUCT, redirect_uri=_REDIRECT_URI, scope=["files"], state="s", response_type="code"
        )
        session = sessions.create_session(create_authn_event(user), asked, user, client_id=_PRODUCT)
        grant = context.authz(session, asked)
        token = grant.mint_token(
            session_id=sessions.encrypted_session_id(user, _PRODUCT, grant.id),
            context=context,
            token_class="access_token",
            token_handler=sessions.token_handler["access_token"],
            usage_rules=grant.usage_rules.get("access_token", {}),
        )
        return str(token.value)

    def sign_out(token: str) -> None:
        _live(server, token).revoke()

    return {"register": register, "sign_in": sign_in, "sign_out": sign_out}


def main() -> None:
    """Read the arguments, and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    os.chdir(folder)  # it looks for its templates there
    serve(partial(make, folder=folder), package="idpyoidc", path=PATH)


if __name__ == "__main__":
    main()
