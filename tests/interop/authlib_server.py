"""An authorization server that nobody here wrote: Authlib's, in a Flask application.

Run it as ``python -m tests.interop.authlib_server``. Grants, client authentication, PKCE, introspection, revocation and
the ``iss`` parameter are Authlib's. What it leaves to whoever uses it is here: a store (``authlib_store``), pages to
log in, to consent and to withdraw, the metadata document, which Authlib's own model validates, and a protected
resource.
"""

# Authlib has no types.
# mypy: allow-subclassing-any, allow-untyped-decorators, disable-error-code="import-untyped"

import argparse
import os
import secrets
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_oauth2 import (
    AuthorizationServer,
    ResourceProtector,
    current_token,
)
from authlib.oauth2 import rfc8414, rfc9207
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Flask, Response, redirect, request, session, url_for

from tests.interop.authlib_device import GRANT as DEVICE
from tests.interop.authlib_device import add_device
from tests.interop.authlib_machines import GRANT as ASSERTION
from tests.interop.authlib_machines import add_assertions, add_registration
from tests.interop.authlib_store import LIFETIME_SECONDS, Client, Code, Store, Token
from tests.interop.serving import Oracle, fingerprint, serve

PATH = "/auth"
_SCOPES = ("files", "calendar")
_AUTHENTICATION = ["client_secret_post"]
_PEOPLE = {"alice": "alice", "bob": "bob"}
_LOGIN = (
    '<form method="post"><input name="username"><input name="password" type="password"><button>Log in</button></form>'
)
_CONSENT = '<form method="post"><button>Cancel</button><button name="allow" value="yes">Allow</button></form>'
_WITHDRAW = '<form method="post"><button>Withdraw every consent</button></form>'


def make(issuer: str) -> tuple[Any, Oracle]:
    """Return the application and the oracle that reads its store."""
    store = Store()
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_urlsafe(50),
        OAUTH2_REFRESH_TOKEN_GENERATOR=True,
        OAUTH2_SCOPES_SUPPORTED=list(_SCOPES),
        OAUTH2_TOKEN_EXPIRES_IN={"authorization_code": LIFETIME_SECONDS, "refresh_token": LIFETIME_SECONDS},
    )
    server = _server(app, store, issuer)
    metadata = _metadata(issuer)
    _add_protocol(app, server, metadata)
    _add_pages(app, server, store)
    add_device(app, server, store, path=PATH, methods=_AUTHENTICATION)
    add_assertions(server, store, audience=f"{issuer}/token", people=list(_PEOPLE))
    add_registration(app, server, store, path=f"{PATH}/register", metadata=metadata)
    return app, _oracle(store)


def _server(app: Flask, store: Store, issuer: str) -> Any:
    def save_token(token: dict[str, Any], asked: Any) -> None:
        issued = (token["access_token"], token.get("refresh_token", ""), token["scope"])
        store.tokens.append(Token(asked.client.client_id, asked.user, *issued))

    server = AuthorizationServer(app, query_client=store.clients.get, save_token=save_token)
    server.register_grant(_code_grant(store), [_RequiredChallenge()])
    server.register_grant(_refresh_grant(store))
    for endpoint in _token_endpoints(store):
        server.register_endpoint(endpoint)
    server.register_extension(_issuer_parameter(issuer))
    return server


class _RequiredChallenge(CodeChallenge):
    """PKCE with S256 for every client; Authlib itself insists for public clients only."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        if grant.request.payload.data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A code challenge is required.")
        super().validate_code_challenge(grant, redirect_uri)


def _code_grant(store: Store) -> Any:
    class Grant(AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = _AUTHENTICATION

        def save_authorization_code(self, code: str, request: Any) -> None:
            asked = request.payload
            challenge = (asked.data["code_challenge"], asked.data["code_challenge_method"])
            store.codes[code] = Code(
                code, request.client.client_id, request.user, asked.redirect_uri, request.scope, *challenge
            )

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            found = store.codes.get(code)
            return found if found and found.client_id == client.client_id and not found.is_expired() else None

        def delete_authorization_code(self, authorization_code: Code) -> None:
            del store.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: Code) -> str:
            return authorization_code.user

    return Grant


def _refresh_grant(store: Store) -> Any:
    class Grant(RefreshTokenGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = _AUTHENTICATION
        INCLUDE_NEW_REFRESH_TOKEN = True

        def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
            found = store.token_by(refresh_token, "refresh_token")
            return found if found and not found.revoked else None

        def authenticate_user(self, refresh_token: Token) -> str:
            return refresh_token.user

        def revoke_old_credential(self, refresh_token: Token) -> None:
            refresh_token.revoked = True

    return Grant


def _token_endpoints(store: Store) -> tuple[Any, Any]:
    class Revocation(RevocationEndpoint):
        CLIENT_AUTH_METHODS = _AUTHENTICATION

        def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
            return store.token_by(token_string, token_type_hint)

        def revoke_token(self, token: Token, request: Any) -> None:
            token.revoked = True

    class Introspection(IntrospectionEndpoint):
        CLIENT_AUTH_METHODS = _AUTHENTICATION

        def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
            return store.token_by(token_string, token_type_hint)

        def check_permission(self, token: Token, client: Client, request: Any) -> bool:
            return token.check_client(client)

        def introspect_token(self, token: Token) -> dict[str, Any]:
            return {"username": token.user, "scope": token.scope, "exp": token.expires_at, "token_type": "Bearer"}

    return Revocation, Introspection


def _issuer_parameter(issuer: str) -> Any:
    class Parameter(rfc9207.IssuerParameter):
        def get_issuer(self) -> str:
            return issuer

    return Parameter()


def _metadata(issuer: str) -> Any:
    document = rfc8414.AuthorizationServerMetadata(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/authorize",
        token_endpoint=f"{issuer}/token",
        revocation_endpoint=f"{issuer}/revoke",
        introspection_endpoint=f"{issuer}/introspect",
        device_authorization_endpoint=f"{issuer}/device_authorization",
        registration_endpoint=f"{issuer}/register",
        scopes_supported=list(_SCOPES),
        response_types_supported=["code"],
        grant_types_supported=["authorization_code", "refresh_token", DEVICE, ASSERTION],
        token_endpoint_auth_methods_supported=_AUTHENTICATION,
        revocation_endpoint_auth_methods_supported=_AUTHENTICATION,
        introspection_endpoint_auth_methods_supported=_AUTHENTICATION,
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
    )
    document.validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])
    return document


def _add_protocol(app: Flask, server: Any, metadata: Any) -> None:
    well_known = rfc8414.get_well_known_url(metadata["issuer"])
    app.add_url_rule(well_known, "metadata", lambda: dict(metadata))
    app.add_url_rule(f"{PATH}/token", "token", server.create_token_response, methods=["POST"])
    for name, path in (("revocation", "revoke"), ("introspection", "introspect")):
        app.add_url_rule(
            f"{PATH}/{path}", name, lambda name=name: server.create_endpoint_response(name), methods=["POST"]
        )


def _add_pages(app: Flask, server: Any, store: Store) -> None:
    @app.route(f"{PATH}/login", methods=["GET", "POST"])
    def login() -> Any:
        name = request.form.get("username", "")
        if request.method == "GET" or _PEOPLE.get(name) != request.form.get("password"):
            return _LOGIN
        session["user"] = name
        return redirect(request.args["next"])

    @app.route(f"{PATH}/authorize", methods=["GET", "POST"])
    def authorize() -> Any:
        user = session.get("user")
        if user is None:
            return redirect(url_for("login", next=request.full_path))
        try:
            grant = server.get_consent_grant(end_user=user)
        except AuthlibBaseError as error:
            return server.handle_error_response(request, error)
        if request.method == "GET":
            return _CONSENT
        return server.create_authorization_response(grant_user=user if "allow" in request.form else None, grant=grant)

    @app.route(f"{PATH}/authorized_tokens/", methods=["GET", "POST"])
    def withdraw() -> Any:
        if request.method == "POST":
            store.revoke_all(session["user"])
        return _WITHDRAW

    class Validator(BearerTokenValidator):
        def authenticate_token(self, token_string: str) -> Token | None:
            return store.token_by(token_string, "access_token")

    protector = ResourceProtector()
    protector.register_token_validator(Validator())

    @app.route("/files")
    @protector("files")
    def files() -> Response | dict[str, Any]:
        return {"owner": current_token.user, "files": ["report.pdf"]}


def _oracle(store: Store) -> Oracle:
    def register(
        client_id: str,
        client_secret: str,
        redirect_uris: list[str],
        grant_type: str = "authorization_code",
        keys: dict[str, Any] | None = None,
    ) -> None:
        grant_types = (grant_type, "refresh_token")
        store.clients[client_id] = Client(client_id, client_secret, redirect_uris, _SCOPES, grant_types, keys or {})

    def redirect_to(client_id: str, redirect_uris: list[str]) -> None:
        store.clients[client_id].redirect_uris = redirect_uris

    def grants(client_id: str) -> list[dict[str, object]]:
        return [
            {
                "user": token.user,
                "refresh_token": fingerprint(token.refresh_token),
                "access_token": fingerprint(token.access_token),
                "is_live": not token.revoked,
            }
            for token in store.tokens
            if token.client_id == client_id
        ]

    return {"register": register, "redirect_to": redirect_to, "grants": grants}


def main() -> None:
    """Serve."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # Authlib wants https otherwise; this is loopback
    serve(make, package="Authlib", path=PATH)


if __name__ == "__main__":
    main()
