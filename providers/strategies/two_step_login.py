"""Two-step login: a call makes a session token of what the end user typed, and is made again as the token ends.

What was typed is kept with the token, because only it brings the next one. There is no refresh token, so a lost answer
costs nothing but another login.
"""

from providers.catalog.resolve import Target
from providers.catalog.typed_methods import TwoStepLoginMethod
from providers.strategies import token_call
from providers.strategies.base import Capabilities, Strategy
from providers.values import Credential, Obtained


class TwoStepLogin(Strategy):
    """Logs in with what was typed, and again as the session ends; logs out where the entry says how."""

    method = TwoStepLoginMethod
    title = "Login with a password"
    invitation = "Log in to {name} with a password"
    auth_method = "session"

    def _capabilities(self, target: Target) -> Capabilities:
        return Capabilities(refreshes=True, revokes=target.described_as(TwoStepLoginMethod).logout is not None)

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        return self._refresh(target, typed)

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        described = target.described_as(TwoStepLoginMethod).login
        return token_call.bring(target, described, Credential(fields=credential.fields))

    def revoke(self, target: Target, credential: Credential, *, narrowed: bool = False) -> None:
        described = target.described_as(TwoStepLoginMethod).logout
        if described is None:
            raise self._cannot("revoke")
        token_call.end(target, described, credential)
