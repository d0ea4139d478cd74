"""The part of the authorization server that issues tokens, revokes them (RFC 7009) and tells of them (RFC 7662)."""

from abc import abstractmethod
from typing import Any

from oauthlib.common import Request

from providers.sandbox.exchange import Exchange
from providers.sandbox.log import Entry
from providers.sandbox.people import PEOPLE
from providers.sandbox.registry import AT_ONCE, DEVICE_GRANT, Client, Registry
from providers.sandbox.store import AccessToken, Grant, Ledger
from providers.sandbox.tokens import digest, fingerprint


class Issuing:
    """A part of ``validator.Validator``."""

    entry: Entry
    ledger: Ledger
    _exchange: Exchange
    _registry: Registry
    _now: float
    _issuer: str
    _grant: Grant | None

    @property
    @abstractmethod
    def client(self) -> Client:
        """The client that was accepted."""

    @abstractmethod
    def _identify(self, grant_id: str) -> Grant:
        """Note the grant that the request is about, and return it."""

    # Issuing

    def without_refresh_token(
        self, token: dict[str, Any], token_handler: Any = None, request: Any = None
    ) -> dict[str, Any]:
        """Drop the refresh token where the client does not use the grant, or a fault asks for it."""
        if "refresh_token" not in self.client.grant_types or self._exchange.meets("missing_refresh_token"):
            token.pop("refresh_token", None)
        return token

    def access_lifetime(self, request: Request) -> int:
        """Return how many seconds the access token to be issued lives."""
        return self._registry.access_lifetime(self.client)

    def save_bearer_token(self, token: Any, request: Request, *args: Any, **kwargs: Any) -> None:
        """Store what is about to be issued, and rotate the refresh token that it was issued for."""
        entry, ledger = self.entry, self.ledger
        if request.grant_type in (*AT_ONCE, DEVICE_GRANT):
            client_id, scope, username = request.client_id or "", token.get("scope", ""), request.user
            self._identify(ledger.add_grant(client_id=client_id, username=username, scope=scope, now=self._now))
        assert self._grant is not None
        if request.grant_type != "refresh_token":
            ledger.activate_grant(self._grant.id, now=self._now)
            entry.outcome = "issued"
        expires_at = self._now + token["expires_in"]
        access = digest(token["access_token"])
        ledger.add_access_token(AccessToken(access, self._grant.id, token.get("scope", ""), self._now, expires_at))
        entry.access_issued = fingerprint(token["access_token"])
        refresh = token.get("refresh_token")
        if refresh is None:
            entry.outcome = "refreshed" if request.grant_type == "refresh_token" else entry.outcome
            return
        entry.refresh_issued = fingerprint(refresh)
        if refresh != request.refresh_token:
            ledger.add_refresh_token(digest=digest(refresh), grant_id=self._grant.id, now=self._now)
            if request.refresh_token:
                ledger.rotate_refresh_token(digest(request.refresh_token), now=self._now)

    # Revocation and introspection

    def revoke_token(self, token: str, token_type_hint: str, request: Request, *args: Any, **kwargs: Any) -> None:
        """Revoke the whole grant of an access or refresh token of this client (RFC 7009 §2.1)."""
        grant_id, kind = self._find(token)
        if not grant_id:
            self.entry.outcome = "token_unknown"
            return
        grant = self._identify(grant_id)
        if grant.client_id != request.client_id:
            self.entry.outcome = "wrong_client"
            return
        self.ledger.revoke_grants(grant_id=grant.id, by=f"client, with its {kind} token", now=self._now)
        self.entry.outcome = "revoked" if grant.revoked_at is None else "grant_revoked"

    def introspect_token(
        self, token: str, token_type_hint: str, request: Request, *args: Any, **kwargs: Any
    ) -> dict[str, Any] | None:
        """Return the claims of a live token, None of any other; a public client learns nothing (RFC 7662 §2.1)."""
        grant_id, kind = self._find(token)
        self.entry.outcome = "inactive"
        if not grant_id or self.client.public:
            return None
        grant = self._identify(grant_id)
        access = self.ledger.access_token(digest(token)) if kind == "access" else None
        refresh = self.ledger.refresh_token(digest(token)) if kind == "refresh" else None
        if grant.revoked_at is not None or (access and access.expires_at <= self._now):
            return None
        if refresh and refresh.rotated_at is not None:
            client = self._registry.client(grant.client_id)
            if client is None or self._now - refresh.rotated_at > self._registry.grace_seconds(client):
                return None
        self.entry.outcome = "active"
        person = PEOPLE.get(grant.username or "")
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "client_id": grant.client_id,
            "sub": person.subject if person else grant.client_id,
            "scope": access.scope if access else grant.scope,
        }
        if person:
            claims["username"] = person.username
        if access:
            claims |= {"token_type": "Bearer", "exp": int(access.expires_at), "iat": int(access.issued_at)}
        return claims

    def _find(self, token: str) -> tuple[str, str]:
        access = self.ledger.access_token(digest(token))
        if access is not None:
            self.entry.access_presented = fingerprint(token)
            return access.grant_id, "access"
        self.entry.refresh_presented = fingerprint(token)
        refresh = self.ledger.refresh_token(digest(token))
        return (refresh.grant_id, "refresh") if refresh else ("", "")
