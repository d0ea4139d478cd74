"""An OpenID provider that nobody here wrote: Authlib's, in Flask, listening on loopback in a thread.

The code grant, PKCE, client authentication and ID tokens are Authlib's. What is here is who logs in, what the tokens
say of them, and, on demand, lies: claims that a hostile or careless provider would put in their place.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import rfc9207
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin, UserInfo
from authlib.oidc.core.grants import OpenIDCode
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, Response, request
from jwt.algorithms import RSAAlgorithm
from werkzeug.serving import make_server

from tests.interop.authlib_store import Client, Code

CLIENT_ID, CLIENT_SECRET = "latchkey", "canary-secret-of-the-client"
_KEY, _FOREIGN = (rsa.generate_private_key(65537, 2048) for _ in range(2))


@dataclass
class OpenIdCode(Code, AuthorizationCodeMixin):
    """A code that also remembers the nonce, and how its person logged in."""

    nonce: str | None = None
    auth_time: int = field(default_factory=lambda: int(time.time()))

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time


@dataclass
class IdentityProvider:
    """A running provider. ``person`` has the claims of whoever logs in; ``lies`` replace claims of the ID token."""

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "1"})
    lies: dict[str, Any] = field(default_factory=dict)
    foreign_key: bool = False
    clients: dict[str, Client] = field(default_factory=dict)
    codes: dict[str, OpenIdCode] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def register(self, redirect_uri: str) -> None:
        self.clients[CLIENT_ID] = Client(CLIENT_ID, CLIENT_SECRET, [redirect_uri], ("openid", "profile"))

    def told(self, token: dict[str, Any]) -> dict[str, Any]:
        """Return the token answer with the ID token as this provider wants it."""
        if "id_token" in token and (self.lies or self.foreign_key):
            claims = jwt.decode(token["id_token"], options={"verify_signature": False}) | self.lies
            claims = {name: value for name, value in claims.items() if value is not None}
            key = _FOREIGN if self.foreign_key else _KEY
            token["id_token"] = jwt.encode(claims, key, "RS256", headers={"kid": "1"})
        return token


class _Challenge(CodeChallenge):
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]


def _grant(provider: IdentityProvider) -> Any:
    class Grant(AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]

        def save_authorization_code(self, code: str, request: Any) -> None:
            asked = request.payload
            provider.codes[code] = OpenIdCode(
                code,
                request.client.client_id,
                "person",
                asked.redirect_uri,
                request.scope,
                asked.data["code_challenge"],
                asked.data["code_challenge_method"],
                nonce=asked.data.get("nonce"),
            )

        def query_authorization_code(self, code: str, client: Client) -> OpenIdCode | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: OpenIdCode) -> None:
            del provider.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: OpenIdCode) -> str:
            return authorization_code.user

    return Grant


class _IdToken(OpenIDCode):
    provider: IdentityProvider

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return False

    def get_jwt_config(self, *_: Any) -> dict[str, Any]:
        jwk = json.loads(RSAAlgorithm.to_jwk(_KEY)) | {"kid": "1"}
        return {"key": jwk, "alg": "RS256", "iss": self.provider.issuer, "exp": 600}

    def generate_user_info(self, user: Any, scope: str) -> UserInfo:
        return UserInfo(**self.provider.person)


def _application(provider: IdentityProvider) -> Flask:
    app = Flask(__name__)
    server = AuthorizationServer(app, query_client=provider.clients.get, save_token=lambda *_: None)
    of_tokens = type("IdToken", (_IdToken,), {"provider": provider})
    server.register_grant(_grant(provider), [_Challenge(required=True), of_tokens(require_nonce=True)])

    class Iss(rfc9207.IssuerParameter):
        def get_issuer(self) -> str:
            return provider.issuer

    server.register_extension(Iss())

    @app.get("/.well-known/openid-configuration")
    def metadata() -> dict[str, Any]:
        return {
            "issuer": provider.issuer,
            "authorization_endpoint": f"{provider.issuer}/authorize",
            "token_endpoint": f"{provider.issuer}/token",
            "jwks_uri": f"{provider.issuer}/jwks",
            "response_types_supported": ["code"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    @app.get("/jwks")
    def jwks() -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(_KEY.public_key()))
        return {"keys": [public | {"kid": "1", "alg": "RS256", "use": "sig"}]}

    @app.get("/authorize")
    def authorize() -> Response:
        provider.asked.append(request.args.to_dict())
        return server.create_authorization_response(
            grant_user="person", grant=server.get_consent_grant(end_user="person")
        )

    @app.post("/token")
    def token() -> Response:
        answer = server.create_token_response()
        if answer.status_code == 200:
            answer.set_data(json.dumps(provider.told(answer.get_json())))
        return answer

    return app


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """Run one until the block ends."""
    provider = IdentityProvider()
    server = make_server("127.0.0.1", 0, _application(provider), threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
