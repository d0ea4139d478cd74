"""The auth styles, by an explicit map: nothing registers itself by being imported."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.strategies.api_key import ApiKey
from providers.strategies.authorization_code import AuthorizationCode
from providers.strategies.base import Strategy
from providers.strategies.client_credentials import ClientCredentials
from providers.vocabulary import AuthStyle

_STRATEGIES: Mapping[AuthStyle, Strategy] = MappingProxyType(
    {
        AuthStyle.AUTHORIZATION_CODE: AuthorizationCode(),
        AuthStyle.CLIENT_CREDENTIALS: ClientCredentials(),
        AuthStyle.API_KEY: ApiKey(),
    }
)


def strategy_for(style: AuthStyle) -> Strategy:
    """Return the strategy that speaks ``style``; it is stateless and shared."""
    return _STRATEGIES[style]
