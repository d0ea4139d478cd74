"""What the OAuth styles share: a token endpoint issues their tokens, and the same client revokes and introspects them.

- ``IssuedToken``: each refresh asks for a new token
- ``GrantedToken``: the end user's grant brings a refresh token, which brings the next (RFC 6749 §6)
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from providers.catalog.methods import RefreshableMethod
from providers.catalog.resolve import Target
from providers.errors import FieldInvalid
from providers.oauth import introspection, revocation, token_endpoint
from providers.oauth.client_authentication import certificate_of
from providers.oauth.token_response import extra_in
from providers.strategies.base import Capabilities, Strategy
from providers.strategies.calling import Sending
from providers.strategies.fields import checked_fields
from providers.values import Brought, ClientRegistration, Credential, Obtained, ProbeResult
from providers.vocabulary import TokenKind


class IssuedToken(Strategy):
    """A style whose tokens come from a token endpoint."""

    def _capabilities(self, target: Target) -> Capabilities:
        return Capabilities(
            refreshes=True,
            revokes=bool(target.endpoints.revocation),
            narrows=bool(target.oauth_method.revocation.narrowed_url),
            introspects=bool(target.endpoints.introspection),
        )

    def _registration(self, target: Target, credential: Credential) -> ClientRegistration:
        """Return the client to which the provider issued ``credential``."""
        return target.registration

    def _sendings(self, target: Target, credential: Credential) -> Iterable[Sending]:
        """Present our certificate, if the token is bound to it (RFC 8705 §3)."""
        if not target.proxy_only:
            return (Sending(),)
        return (Sending(certificate=certificate_of(self._registration(target, credential))),)

    def introspect(self, target: Target, credential: Credential, *, kind: TokenKind = TokenKind.ACCESS) -> ProbeResult:
        if not target.endpoints.introspection:
            raise self._cannot("introspect")
        registration = self._registration(target, credential)
        return introspection.introspect(target=target, registration=registration, credential=credential, kind=kind)

    def revoke(self, target: Target, credential: Credential, *, narrowed: bool = False) -> None:
        if not target.endpoints.revocation:
            raise self._cannot("revoke")
        registration = self._registration(target, credential)
        revocation.revoke(target=target, registration=registration, credential=credential, narrowed=narrowed)


class GrantedToken(IssuedToken):
    """A style whose tokens belong to a grant, with a refresh token. Its section is a ``RefreshableMethod``."""

    def _capabilities(self, target: Target) -> Capabilities:
        method = target.described_as(RefreshableMethod)
        return replace(
            super()._capabilities(target),
            needs_refresh_token=True,
            rotates=method.refresh_tokens_rotate,
            ends_grant=method.revocation.ends == "grant",
        )

    def expects_refresh_token(self, target: Target, scopes: Sequence[str], *, ends: bool) -> bool:
        said = target.described_as(RefreshableMethod).expects_refresh_token
        return ends if said is None else said

    def _bring(self, target: Target, brought: Brought) -> Credential:
        if brought.refresh_token is None and brought.access_token is None:
            raise FieldInvalid("refresh_token", f"{target.entry.name} needs a refresh token or an access token.")
        typed = {name: value.get_secret_value() for name, value in brought.fields.items()}
        return Credential(
            access_token=brought.access_token,
            refresh_token=brought.refresh_token,
            token_type=brought.token_type,
            fields=checked_fields(target, typed),
            extra=extra_in(dict(brought.document), target.method.extra_pointers),
        )

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        return token_endpoint.refresh(target=target, credential=credential)
