"""How machines come to the Authlib server: by an assertion (RFC 7523), and by registering themselves (RFC 7591).

Grant, assertion checks and registration endpoint are Authlib's; here is what it asks its users to look up and to keep.
"""

# Authlib and joserfc have no types.
# mypy: allow-subclassing-any, disable-error-code="import-untyped"

from typing import Any

from authlib.oauth2.rfc7523 import JWTBearerGrant
from authlib.oauth2.rfc7591 import ClientRegistrationEndpoint
from flask import Flask
from joserfc.jwk import KeySet

from tests.interop.authlib_store import Client, Store

GRANT = JWTBearerGrant.GRANT_TYPE


def add_assertions(server: Any, store: Store, *, audience: str, people: list[str]) -> None:
    """Add the grant; assertions have to name ``audience``."""

    class Grant(JWTBearerGrant):
        def get_audiences(self) -> list[str]:
            return [audience]

        def resolve_issuer_client(self, issuer: str) -> Client | None:
            return store.clients.get(issuer)

        def resolve_client_public_key(self, client: Client) -> KeySet:
            return KeySet.import_key_set(client.key_set)

        def authenticate_user(self, subject: str) -> str | None:
            return subject if subject in people else None

        def has_granted_permission(self, client: Client, user: str) -> bool:
            return True

    server.register_grant(Grant)


def add_registration(app: Flask, server: Any, store: Store, *, path: str, metadata: Any) -> None:
    """Add the registration endpoint, open to anybody, at ``path``."""

    class Endpoint(ClientRegistrationEndpoint):
        def authenticate_token(self, request: Any) -> str:
            return "anybody"

        def get_server_metadata(self) -> dict[str, Any]:
            return dict(metadata)

        def save_client(self, client_info: dict[str, Any], client_metadata: dict[str, Any], request: Any) -> Client:
            client = Client(
                client_info["client_id"],
                client_info["client_secret"],
                client_metadata["redirect_uris"],
                tuple(metadata["scopes_supported"]),
                tuple(client_metadata["grant_types"]),
            )
            store.clients[client.client_id] = client
            return client

    server.register_endpoint(Endpoint)
    app.add_url_rule(
        path, "registration", lambda: server.create_endpoint_response(Endpoint.ENDPOINT_NAME), methods=["POST"]
    )
