"""The password grant (RFC 6749 §4.3): legacy, and off unless the entry and the operator both say otherwise.

The password is discarded once it has brought tokens, unless the entry says that only the password brings more.
"""

from collections.abc import Sequence
from dataclasses import replace

from providers.catalog.password_method import PasswordMethod
from providers.catalog.resolve import Target
from providers.errors import Evidence, MisconfiguredProvider
from providers.oauth import token_endpoint
from providers.strategies.base import Capabilities, Strategy
from providers.strategies.issued import GrantedToken
from providers.values import Brought, Credential, Obtained


class Password(GrantedToken):
    """Sends what the end user typed to the token endpoint, and then refreshes like any other grant."""

    method = PasswordMethod
    title = "OAuth 2.0, password grant (legacy)"
    invitation = "Sign in to {name} with a password"

    def _capabilities(self, target: Target) -> Capabilities:
        can = super()._capabilities(target)
        keeps = target.described_as(PasswordMethod).keeps_password
        return replace(can, needs_refresh_token=not keeps, rotates=can.rotates and not keeps)

    def expects_refresh_token(self, target: Target, scopes: Sequence[str], *, ends: bool) -> bool:
        keeps = target.described_as(PasswordMethod).keeps_password
        return not keeps and super().expects_refresh_token(target, scopes, ends=ends)

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        return self._log_in(target, typed)

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        if target.described_as(PasswordMethod).keeps_password:
            return self._log_in(target, credential)
        return super()._refresh(target, credential)

    def _bring(self, target: Target, brought: Brought) -> Credential:
        if target.described_as(PasswordMethod).keeps_password:
            return Strategy._bring(self, target, brought)
        shown = {field.name for field in target.described_as(PasswordMethod).fields if not field.secret}
        credential = super()._bring(target, replace(brought, fields={}))
        return replace(credential, fields={name: brought.fields[name] for name in shown & brought.fields.keys()})

    def _log_in(self, target: Target, credential: Credential) -> Obtained:
        method, typed = target.described_as(PasswordMethod), credential.fields
        if not {"username", "password"} <= typed.keys():
            raise MisconfiguredProvider(Evidence("The credential lacks its user name or password.", sent=False))
        found = token_endpoint.password(
            target=target, username=typed["username"], password=typed["password"], scopes=target.entry.default_scopes
        )
        shown = {field.name for field in method.fields if not field.secret}
        kept = {name: value for name, value in typed.items() if method.keeps_password or name in shown}
        return replace(found, credential=replace(found.credential, fields=kept))
