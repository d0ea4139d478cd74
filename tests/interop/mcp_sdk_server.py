"""An MCP server that nobody here wrote: the official Python SDK's, with its own authorization server.

Run it as ``python -m tests.interop.mcp_sdk_server``. Transport, metadata (RFC 9728, RFC 8414), challenge, registration
(RFC 7591), client authentication and PKCE are the SDK's. What it leaves to others is here: a store, a tool, and
consent, which everybody gives at once. It prints its address and the SDK's version first, and ends with its input.
"""

import asyncio
import json
import secrets
import socket
import sys
import threading
import time
from importlib.metadata import version

import uvicorn
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyHttpUrl

SCOPE = "tools"
LIFETIME_SECONDS = 3600


class Store(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """Clients, codes and tokens, in memory. A refresh token works once, and ends with its access token."""

    def __init__(self) -> None:
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.access_tokens: dict[str, AccessToken] = {}

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        code = AuthorizationCode(
            code=secrets.token_urlsafe(32),
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
        )
        self.codes[code.code] = code
        return construct_redirect_uri(str(params.redirect_uri), code=code.code, state=params.state)

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        del self.codes[authorization_code.code]
        return self._issue(client, authorization_code.scopes, authorization_code.resource)

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        found = self.refresh_tokens.get(refresh_token)
        return found if found is not None and found.client_id == client.client_id else None

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        del self.refresh_tokens[refresh_token.token]
        return self._issue(client, scopes, refresh_token.resource)

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.access_tokens.get(token)

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        client_id = token.client_id
        self.access_tokens = {key: held for key, held in self.access_tokens.items() if held.client_id != client_id}
        self.refresh_tokens = {key: held for key, held in self.refresh_tokens.items() if held.client_id != client_id}

    def _issue(self, client: OAuthClientInformationFull, scopes: list[str], resource: str | None) -> OAuthToken:
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        ends_at = int(time.time()) + LIFETIME_SECONDS
        owned = {"client_id": client.client_id, "scopes": scopes, "resource": resource}
        self.access_tokens[access] = AccessToken(token=access, expires_at=ends_at, **owned)
        self.refresh_tokens[refresh] = RefreshToken(token=refresh, **owned)
        return OAuthToken(
            access_token=access, expires_in=LIFETIME_SECONDS, scope=" ".join(scopes), refresh_token=refresh
        )


def make(origin: str) -> MCPServer[None]:
    """Return the server, with one tool. It takes tokens that were issued for it alone (RFC 8707)."""
    registration = ClientRegistrationOptions(
        enabled=True, client_secret_expiry_seconds=86_400, valid_scopes=[SCOPE], default_scopes=[SCOPE]
    )
    server: MCPServer[None] = MCPServer(
        name="Foreign tools",
        auth_server_provider=Store(),
        auth=AuthSettings(
            issuer_url=AnyHttpUrl(origin),
            resource_server_url=AnyHttpUrl(f"{origin}/mcp"),
            required_scopes=[SCOPE],
            client_registration_options=registration,
            revocation_options=RevocationOptions(enabled=True),
            validate_token_resource=True,
        ),
        log_level="ERROR",
    )

    @server.tool()
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    return server


def main() -> None:
    """Serve on a free loopback port until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = make(origin).streamable_http_app()
    running = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    threading.Thread(target=lambda: asyncio.run(running.serve(sockets=[listener])), daemon=True).start()
    while not running.started:
        time.sleep(0.01)
    print(json.dumps({"url": f"{origin}/mcp", "name": "mcp", "version": version("mcp")}), flush=True)
    sys.stdin.read()  # it ends with whoever started this process, even if that one is killed


if __name__ == "__main__":
    main()
