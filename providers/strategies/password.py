"""The password grant (RFC 6749 §4.3): legacy, and off unless the entry and the operator both say otherwise.

The password is discarded once it has brought tokens, unless the entry says that only the password brings more.
"""

from collections.abc import Sequence
from dataclasses import replace

from providers.catalog.password_method import PasswordMethod
from providers.catalog.resolve import Target
from providers.errors import Evidence, MisconfiguredProvider
from providers.oauth import introspection, revocation, token_endpoint
from providers.strategies.base import Capabilities, Strategy
from providers.values import Credential, Obtained, ProbeResult
from providers.vocabulary import TokenKind


class Password(Strategy):
    """Sends what the end user typed to the token endpoint, and then refreshes like any other grant."""

    method = PasswordMethod
    title = "OAuth 2.0, password grant (legacy)"
    invitation = "Sign in to {name} with a password"

    def _capabilities(self, target: Target) -> Capabilities:
        method = _method(target)
        return Capabilities(
            refreshes=True,
            needs_refresh_token=not method.keeps_password,
            rotates=method.refresh_tokens_rotate and not method.keeps_password,
            revokes=bool(target.endpoints.revocation),
            ends_grant=method.revocation.ends == "grant",
            narrows=bool(method.revocation.narrowed_url),
            introspects=bool(target.endpoints.introspection),
        )

    def expects_refresh_token(self, target: Target, scopes: Sequence[str], *, ends: bool) -> bool:
        return ends and not _method(target).keeps_password

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        return self._log_in(target, typed)

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        if _method(target).keeps_password:
            return self._log_in(target, credential)
        return token_endpoint.refresh(target=target, credential=credential)

    def _log_in(self, target: Target, credential: Credential) -> Obtained:
        method, typed = _method(target), credential.fields
        if not {"username", "password"} <= typed.keys():
            raise MisconfiguredProvider(Evidence("The credential lacks its user name or password.", sent=False))
        scopes = tuple(scope.name for scope in target.entry.scopes if scope.default)
        found = token_endpoint.password(
            target=target, username=typed["username"], password=typed["password"], scopes=scopes
        )
        shown = {field.name for field in method.fields if not field.secret}
        kept = {name: value for name, value in typed.items() if method.keeps_password or name in shown}
        return replace(found, credential=replace(found.credential, fields=kept))

    def introspect(self, target: Target, credential: Credential, *, kind: TokenKind = TokenKind.ACCESS) -> ProbeResult:
        return introspection.introspect(
            target=target, registration=target.registration, credential=credential, kind=kind
        )

    def revoke(self, target: Target, credential: Credential, *, narrowed: bool = False) -> None:
        revocation.revoke(target=target, registration=target.registration, credential=credential, narrowed=narrowed)


def _method(target: Target) -> PasswordMethod:
    method = target.entry.password_grant
    if method is None:
        raise MisconfiguredProvider(Evidence(f"{target.entry.slug} does not describe this way to connect.", sent=False))
    return method
