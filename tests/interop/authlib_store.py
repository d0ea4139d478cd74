"""What the Authlib server keeps, in memory: clients, codes and tokens, in the shapes that Authlib asks for."""

# Authlib has no types.
# mypy: allow-subclassing-any, disable-error-code="import-untyped"

import hmac
import time
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.rfc6749 import (
    AuthorizationCodeMixin,
    ClientMixin,
    TokenMixin,
    list_to_scope,
    scope_to_list,
)

LIFETIME_SECONDS = 3600
_CODE_SECONDS = 60
_CLIENT_AUTHENTICATION = "client_secret_post"


@dataclass
class Client(ClientMixin):
    """A registered, confidential client."""

    client_id: str
    secret: str = field(repr=False)
    redirect_uris: list[str]
    scopes: tuple[str, ...]
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    key_set: dict[str, Any] = field(default_factory=dict)

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uris[0]

    def get_allowed_scope(self, scope: str | None) -> str:
        return str(list_to_scope([name for name in scope_to_list(scope or "") if name in self.scopes]))

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(self.secret, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == _CLIENT_AUTHENTICATION

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grant_types


@dataclass
class Code(AuthorizationCodeMixin):
    """An authorization code, with the challenge that it is bound to."""

    code: str
    client_id: str
    user: str
    redirect_uri: str
    scope: str
    code_challenge: str
    code_challenge_method: str
    made_at: float = field(default_factory=time.time)

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def is_expired(self) -> bool:
        return self.made_at + _CODE_SECONDS < time.time()


@dataclass
class Token(TokenMixin):
    """An access token with its refresh token; both are revoked together."""

    client_id: str
    user: str
    access_token: str
    refresh_token: str
    scope: str
    revoked: bool = False
    made_at: float = field(default_factory=time.time)

    @property
    def expires_at(self) -> int:
        """When the access token ends, in seconds since the epoch."""
        return int(self.made_at) + LIFETIME_SECONDS

    def check_client(self, client: Client) -> bool:
        return self.client_id == client.client_id

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> int:
        return LIFETIME_SECONDS

    def is_expired(self) -> bool:
        return self.expires_at < time.time()

    def is_revoked(self) -> bool:
        return self.revoked

    def get_user(self) -> str:
        return self.user


@dataclass
class Store:
    """Everything there is, oldest first."""

    clients: dict[str, Client] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    devices: dict[str, Any] = field(default_factory=dict)
    decisions: dict[str, tuple[str, bool]] = field(default_factory=dict)  # by user code: who, and whether they allow

    def token_by(self, value: str, hint: str | None = None) -> Token | None:
        """Return the token with this access or refresh token; a hint says which of them it is (RFC 7009 §2.1)."""
        kinds = [hint] if hint else ["access_token", "refresh_token"]
        return next((token for token in self.tokens if value in [getattr(token, kind) for kind in kinds]), None)

    def revoke_all(self, user: str) -> None:
        """Revoke whatever this person has granted."""
        for token in self.tokens:
            token.revoked = token.revoked or token.user == user
