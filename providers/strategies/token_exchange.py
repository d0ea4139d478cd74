"""On behalf of a subject: the token that a caller brings is exchanged for one at this provider (RFC 8693, RFC 7523).

A connection of this style is the permission to do so, with our registration at the provider. It has no credential of
its own, so there is nothing to refresh, to probe or to revoke; ``accept`` connects with nothing.
"""

from providers.catalog.exchange_method import TokenExchangeMethod
from providers.catalog.resolve import Target
from providers.oauth import subject_token
from providers.strategies.base import Capabilities, Strategy
from providers.values import Obtained, SubjectGrant


class TokenExchange(Strategy):
    """Exchanges each subject's token. The lifecycle keeps what comes of it for as long as it lives."""

    method = TokenExchangeMethod
    title = "OAuth 2.0, on behalf of a subject (token exchange)"
    invitation = "Connect {name} for everybody who is signed in here"

    def _capabilities(self, target: Target) -> Capabilities:
        return Capabilities()

    def _exchange_subject(self, target: Target, grant: SubjectGrant) -> Obtained:
        return subject_token.exchange_subject(target=target, grant=grant)
