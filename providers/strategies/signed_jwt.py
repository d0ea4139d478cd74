"""Signed JWT: a token that we make, with a key, and make anew as it ends. The provider issues none, and is not asked.

In the chained form the token is shown to the provider, which gives another one for it: a GitHub App's installation
token. That is then what callers get, and is renewed in the same way.
"""

from providers.catalog.resolve import Target
from providers.catalog.signed_methods import SignedJwtMethod
from providers.strategies import token_call
from providers.strategies.base import Capabilities, Strategy
from providers.strategies.signatures import signed_token, taken
from providers.values import Credential, Obtained
from providers.vocabulary import Meaning


class SignedJwt(Strategy):
    """Signs at each refresh. Without an exchange nothing leaves the house."""

    method = SignedJwtMethod
    title = "Signed token (JWT)"
    invitation = "Connect {name} with a key"

    def _capabilities(self, target: Target) -> Capabilities:
        method = target.described_as(SignedJwtMethod)
        return Capabilities(refreshes=True, revokes=method.revoke is not None, asks_nobody=method.exchange is None)

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        return self._refresh(target, taken(target, typed))

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        method = target.described_as(SignedJwtMethod)
        token = signed_token(target, credential)
        if method.exchange is None:
            made = Credential(access_token=token, fields=credential.fields)
            return Obtained(made, lifetime_seconds=method.token.lifetime_seconds)
        return token_call.bring(
            target,
            method.exchange,
            Credential(fields=credential.fields),
            values={"signed_token": token.get_secret_value()},
            refuses=Meaning.CLIENT_REJECTED if method.token.key == "app" else Meaning.GRANT_REJECTED,
        )

    def revoke(self, target: Target, credential: Credential, *, narrowed: bool = False) -> None:
        described = target.described_as(SignedJwtMethod).revoke
        if described is None:
            raise self._cannot("revoke")
        token_call.end(target, described, credential)
