"""The decisions of the authorization server, as oauthlib asks for them.

Owns client authentication (RFC 6749 §2.3), codes, PKCE (RFC 7636), rotation and reuse detection of refresh tokens
(RFC 9700 §4.14), revocation (RFC 7009) and introspection (RFC 7662). A ``Validator`` serves one request inside one
transaction and leaves on the log entry who asked, which tokens were shown and issued, and the outcome. What a client
sees of a refusal is the RFC's error alone. HTTP is in ``oauth`` and ``consent``.
"""

from typing import Any
from urllib.parse import unquote_plus

from oauthlib.common import Request
from oauthlib.oauth2 import RequestValidator

from providers.sandbox import device_codes
from providers.sandbox.believing import Believing
from providers.sandbox.exchange import Exchange
from providers.sandbox.issuing import Issuing
from providers.sandbox.passwords import person_with
from providers.sandbox.presented import basic_credentials
from providers.sandbox.registry import AT_ONCE, Client
from providers.sandbox.store import Code, Grant, Ledger
from providers.sandbox.tokens import digest


class Validator(Believing, Issuing, RequestValidator):
    """The rules, for one request at the time ``now``. ``entry`` is its log entry."""

    def __init__(self, *, exchange: Exchange, ledger: Ledger, now: float) -> None:
        self._exchange = exchange
        self.entry = exchange.entry
        self._registry = exchange.sandbox.registry
        self._issuer = exchange.issuer
        self.ledger = ledger
        self._now = now
        self._code: Code | None = None
        self._grant: Grant | None = None
        self._accepted: Client | None = None
        self.issued_code = ""

    @property
    def client(self) -> Client:
        """The client that was accepted."""
        assert self._accepted is not None
        return self._accepted

    # Clients

    def client_authentication_required(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        """Return False only for a registered public client."""
        client = self._known(basic_credentials(request)[0] or request.client_id)
        return client is None or not client.public

    def authenticate_client(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        """Check Basic or body credentials (RFC 6749 §2.3.1); conflicting ones are refused."""
        client_id, secret = basic_credentials(request)
        if client_id and request.client_id and request.client_id != client_id:
            return False
        client = self._known(client_id or request.client_id)
        presented = secret or request.client_secret or ""
        if client is None or client.public or client.has_ended(now=self._now):
            return False
        if client.certificates:
            if presented or self._exchange.shown_certificate not in client.certificates:
                return False
            self._accept(request, client)
            return True
        if assertion := getattr(request, "client_assertion", None):
            return not presented and self._believes_client(request, client, assertion)
        if not (client.accepts_secret(presented) or client.accepts_secret(unquote_plus(presented))):
            return False
        self._accept(request, client)
        return True

    def authenticate_client_id(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> bool:
        """Accept a public client by its name alone."""
        client = self._known(client_id)
        if client is None or not client.public:
            return False
        self._accept(request, client)
        return True

    def validate_client_id(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> bool:
        """Accept any registered client at the authorization endpoint."""
        client = self._known(client_id)
        if client is None:
            return False
        self._accept(request, client)
        return True

    def _known(self, client_id: str | None) -> Client | None:
        return self._registry.client(client_id, server=self._exchange.server)

    def _accept(self, request: Request, client: Client) -> None:
        self._accepted = request.client = client
        request.client_id = client.client_id

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Accept the grant types that the client registered."""
        return grant_type in self.client.grant_types

    # Authorization requests

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Accept an exact match only (RFC 9700 §2.1)."""
        return redirect_uri in self.client.redirect_uris

    def get_default_redirect_uri(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> str:
        """Return the only registered URI, or "" when there are several."""
        registered = self.client.redirect_uris
        return registered[0] if len(registered) == 1 else ""

    def validate_response_type(
        self, client_id: str, response_type: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Accept ``code`` from clients that use the grant."""
        return response_type == "code" and "authorization_code" in self.client.grant_types

    def get_default_scopes(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> list[str]:
        """Return all of the client's scopes: what a request without ``scope`` asks for."""
        return list(self.client.scopes)

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Accept scopes that the client registered."""
        if not set(scopes) <= set(self.client.scopes):
            return False
        if request.grant_type in AT_ONCE:
            request.scopes = self._exchange.granted(scopes)
        return True

    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        """Require PKCE of public clients; a challenge that was sent is always verified."""
        return bool(self.client.public)

    def save_authorization_code(self, client_id: str, code: Any, request: Request, *args: Any, **kwargs: Any) -> None:
        """Record the person's consent as a grant, and the code that stands for it."""
        scope = " ".join(request.scopes or ())
        grant_id = self.ledger.add_grant(client_id=client_id, username=request.user, scope=scope, now=self._now)
        if most := self._registry.settings.most_grants:
            self.ledger.make_room(client_id=client_id, username=request.user, most=most, now=self._now)
        self.ledger.add_code(
            Code(
                digest=digest(code["code"]),
                grant_id=grant_id,
                client_id=client_id,
                redirect_uri=request.redirect_uri or "",
                redirect_uri_given=not request.using_default_redirect_uri,
                challenge=request.code_challenge,
                challenge_method=request.code_challenge_method,
                expires_at=self._now + self._registry.settings.code_lifetime,
                used_at=None,
            )
        )
        self.issued_code = code["code"]
        self.entry.grant_id, self.entry.username = grant_id, request.user or ""
        self.entry.outcome = "code_issued"

    # Codes

    def validate_code(
        self, client_id: str, code: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Accept a live code of this client and redirect URI; a second use revokes the grant (RFC 6749 §4.1.2)."""
        found = self.ledger.code(digest(code))
        if found is None:
            return self._refuse("code_unknown")
        grant = self._identify(found.grant_id)
        if found.client_id != client_id:
            return self._refuse("wrong_client")
        if found.used_at is not None:
            self.ledger.revoke_grants(grant_id=found.grant_id, by="code reuse", now=self._now)
            return self._refuse("code_reused")
        if grant.revoked_at is not None:
            return self._refuse("grant_revoked")
        if found.expires_at <= self._now:
            return self._refuse("code_expired")
        if found.redirect_uri_given and request.redirect_uri != found.redirect_uri:
            return self._refuse("wrong_redirect_uri")
        if found.challenge is None and request.code_verifier:
            return self._refuse("verifier_without_challenge")  # a stripped challenge (RFC 9700 §4.8.2)
        # Stands unless the verifier turns out wrong; save_bearer_token puts the final word.
        self.entry.outcome = "wrong_verifier"
        self._code = found
        request.user, request.scopes = grant.username, self._exchange.granted(grant.scope.split())
        return True

    def get_code_challenge(  # type: ignore[override]  # None where the client sent none
        self, code: str, request: Request
    ) -> str | None:
        """Return the challenge of the authorization request, if it sent one."""
        return self._code.challenge if self._code else None

    def get_code_challenge_method(  # type: ignore[override]  # None where the client sent none
        self, code: str, request: Request
    ) -> str | None:
        """Return the method of that challenge."""
        return self._code.challenge_method if self._code else None

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Accept what ``validate_code`` compared already; a URI that was left out is the default one."""
        return self._code is not None and redirect_uri == self._code.redirect_uri

    def invalidate_authorization_code(
        self, client_id: str, code: str, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """Mark the code as used."""
        self.ledger.use_code(digest(code), now=self._now)

    # Device codes

    def issue_device_code(self, scope: str) -> tuple[str, str]:
        """Return a fresh device code for the accepted client, and its user code."""
        self.entry.outcome = "code_issued"
        settings = self._registry.settings
        return device_codes.issue(
            self.ledger, client_id=self.client.client_id, scope=scope, settings=settings, now=self._now
        )

    def validate_device_code(
        self, client_id: str, code: str, request: Request, *args: Any, **kwargs: Any
    ) -> str | None:
        """Return where the decision about a device code stands, None if it is not this client's or was used."""
        found = self.ledger.device_code(digest(code))
        if found is None or found.client_id != client_id or found.used_at is not None:
            self.entry.outcome = "code_unknown"
            return None
        self.entry.username = found.username or ""
        self.entry.outcome = status = device_codes.poll(self.ledger, found, now=self._now)
        request.user, request.scopes = found.username, self._exchange.granted(found.scope.split())
        return status

    # Passwords

    def validate_user(
        self, username: str, password: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Accept a person's own password (RFC 6749 §4.3.2), unless programs may not use it."""
        person = person_with(self._exchange, username, password)
        if person is None:
            return False
        request.user = person.username
        return True

    # Tokens of subjects

    def person_of(self, token: str) -> str | None:
        """Return whose live access token ``token`` is, None if it is nobody's."""
        found = self.ledger.access_token(digest(token))
        grant = self.ledger.grant(found.grant_id) if found is not None else None
        if found is None or grant is None or grant.revoked_at is not None or found.expires_at <= self._now:
            self.entry.outcome = "subject_refused"
            return None
        return grant.username

    def must_sign_in(self, person: str) -> bool:
        """Whether nobody may act for ``person`` until they sign in."""
        self.entry.username, self.entry.outcome = person, "sign_in_required"
        return person in self._registry.settings.locked

    # Refresh tokens

    def validate_refresh_token(
        self, refresh_token: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Accept the current refresh token, or its predecessor within the grace; an older one revokes the grant."""
        found = self.ledger.refresh_token(digest(refresh_token))
        if found is None:
            return self._refuse("refresh_unknown")
        grant = self._identify(found.grant_id)
        if grant.client_id != self.client.client_id:
            return self._refuse("wrong_client")
        if grant.revoked_at is not None:
            return self._refuse("grant_revoked")
        if found.rotated_at is None:
            self.entry.outcome = "rotated" if self._registry.rotates(self.client) else "refreshed"
        elif self._now - found.rotated_at <= self._exchange.grace_seconds(self.client):
            self.entry.outcome = "refreshed_in_grace"
        else:
            self.ledger.revoke_grants(grant_id=grant.id, by="refresh token reuse", now=self._now)
            return self._refuse("refresh_reused")
        return True

    def get_original_scopes(self, refresh_token: str, request: Request, *args: Any, **kwargs: Any) -> list[str]:
        """Return the scopes of the grant."""
        assert self._grant is not None
        return self._exchange.granted(self._grant.scope.split())

    def rotate_refresh_token(self, request: Request) -> bool:
        """Rotate as the client or the settings say; a token used in its grace always gets a successor."""
        return self._registry.rotates(self.client) or self.entry.outcome == "refreshed_in_grace"

    # Shared

    def _identify(self, grant_id: str) -> Grant:
        self._grant = self.ledger.grant(grant_id)
        self.entry.grant_id, self.entry.username = grant_id, self._grant.username or ""
        return self._grant

    def _refuse(self, outcome: str) -> bool:
        self.entry.outcome = outcome
        return False
