"""The auth styles, by an explicit map: nothing registers itself by being imported.

A new style is a file here, its strategy in this map, and what entries say of it (``providers.catalog.methods``, with a
section in ``providers.catalog.schema``). Nobody outside this package asks which style it is: they ask what it can do.

- ``base``: the interface, and the steps that all styles share
- ``issued``: what those styles share whose tokens come from a token endpoint
- ``authorization_code``, ``device_authorization``, ``client_credentials``, ``password``: the styles of OAuth ·
  ``token_exchange``: that which acts on behalf of the subject of each call
- ``oauth1``: by consent, with a signature in each request · ``aws_sigv4``: an access key that signs each request ·
  ``mutual_tls``: a client certificate
- ``api_key``, ``http_basic``, ``bearer_token``: what the end user types is the credential · ``two_step_login``: a call
  makes a session token of it
- ``signed_jwt``: a token that we sign · ``jwt_bearer``, ``saml_bearer``: an assertion that we sign buys one ·
  ``signatures``: what they sign, and with which key · ``token_call``: a call of the entry's own that brings a token
- ``presenting``: how a credential goes into a request · ``calling``: makes a call that an entry describes ·
  ``probing``: the call that proves a credential
- ``workspaces``: the choice of a workspace after consent · ``fields``: checks the fields that an end user typed
- ``blame``: marks refusals that come from a host of the end user's
"""

from collections.abc import Mapping
from types import MappingProxyType

from providers.strategies.api_key import ApiKey
from providers.strategies.authorization_code import AuthorizationCode
from providers.strategies.aws_sigv4 import AwsSigV4
from providers.strategies.base import Strategy
from providers.strategies.bearer_token import BearerToken
from providers.strategies.client_credentials import ClientCredentials
from providers.strategies.device_authorization import DeviceAuthorizationCode
from providers.strategies.http_basic import HttpBasic
from providers.strategies.jwt_bearer import JwtBearer
from providers.strategies.mutual_tls import MutualTls
from providers.strategies.oauth1 import OAuth1
from providers.strategies.password import Password
from providers.strategies.saml_bearer import SamlBearer
from providers.strategies.signed_jwt import SignedJwt
from providers.strategies.token_exchange import TokenExchange
from providers.strategies.two_step_login import TwoStepLogin

_STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        strategy.style: strategy
        for strategy in (
            AuthorizationCode(),
            DeviceAuthorizationCode(),
            ClientCredentials(),
            TokenExchange(),
            ApiKey(),
            HttpBasic(),
            BearerToken(),
            TwoStepLogin(),
            SignedJwt(),
            JwtBearer(),
            SamlBearer(),
            Password(),
            OAuth1(),
            AwsSigV4(),
            MutualTls(),
        )
    }
)


def strategies() -> Mapping[str, Strategy]:
    """Return every strategy by the name of its style."""
    return _STRATEGIES


def strategy_for(style: str) -> Strategy:
    """Return the strategy that speaks ``style``; it is stateless and shared."""
    return _STRATEGIES[style]
