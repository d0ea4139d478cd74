"""Every registered style keeps the contract, and so does one that is not Latchkey's."""

import json
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import trustme
from pydantic import SecretStr

from providers.sandbox.mutual_tls import MutualTls as SandboxAuthority
from providers.signing.keys import make_key_pair
from providers.strategies import strategies
from providers.strategies.api_key import ApiKey
from providers.strategies.authorization_code import AuthorizationCode
from providers.strategies.aws_sigv4 import AwsSigV4
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
from providers.vocabulary import SigningAlgorithm
from tests.providers.conftest import Provider
from tests.providers.strategies.contract import StrategyContract
from tests.providers.strategies.session_login import EntryWithLogin, SessionLogin, SignedLogin

PEM = make_key_pair(SigningAlgorithm.ES256).private_key.get_secret_value()
TOKENS = {"access_token": "at-12345678", "refresh_token": "rt-1", "token_type": "Bearer", "expires_in": 3600}


SANDBOX = SandboxAuthority()
_issued = SANDBOX.issue("alice")
BROUGHT = {"certificate": _issued.certificate, "private_key": _issued.private_key}


class TestAuthorizationCode(StrategyContract):
    strategy = AuthorizationCode()
    answer = TOKENS


class TestClientCredentials(StrategyContract):
    strategy = ClientCredentials()
    answer = {"access_token": "at-12345678", "token_type": "Bearer", "expires_in": 3600}


class TestClientCredentialsOfTheConnectionsOwn(StrategyContract):
    strategy = ClientCredentials()
    changes = {"client_credentials": {"own_registration": True}}
    answer = {"access_token": "at-12345678", "token_type": "Bearer", "expires_in": 3600}
    typed = {"client_id": "own-id", "client_secret": "own-secret"}


class TestTokenExchange(StrategyContract):
    strategy = TokenExchange()
    answer = {"access_token": "at-12345678", "token_type": "Bearer", "expires_in": 3600}


class TestOnBehalfOf(TestTokenExchange):
    changes = {"token_exchange": {"form": "on_behalf_of"}}


class TestApiKey(StrategyContract):
    strategy = ApiKey()
    answer = None
    typed = {"api_key": "key-12345678"}


class TestApiKeyInTheQuery(TestApiKey):
    changes = {"presentation": {"api_key": {"headers": {"X-Api-Key": None}, "query": {"key": "{api_key}"}}}}


class TestApiKeyInThePath(TestApiKey):
    changes = {
        "presentation": {"api_key": {"headers": {"X-Api-Key": None}, "base_url": "{issuer}/keyed/{api_key}"}},
        "probe": {"url": "{issuer}/keyed/{api_key}/me"},
    }


class TestApiKeyInTheBody(TestApiKey):
    changes = {
        "presentation": {"api_key": {"headers": {"X-Api-Key": None}, "body": {"key": "{api_key}"}}},
        "probe": {"method": "POST"},
    }


class TestHttpBasic(StrategyContract):
    strategy = HttpBasic()
    answer = None
    typed = {"username": "ann", "password": "pass-12345678"}


class TestBearerToken(StrategyContract):
    strategy = BearerToken()
    answer = None
    typed = {"token": "token-12345678"}


class TestDeviceAuthorization(StrategyContract):
    strategy = DeviceAuthorizationCode()
    answer = TOKENS


class TestTwoStepLogin(StrategyContract):
    strategy = TwoStepLogin()
    answer = {"session": {"token": "session-12345678", "expires_in": 900}}
    typed = {"username": "user-ann", "password": "pass-12345678"}

    def moved_to(self, url: str) -> dict[str, Any]:
        return {"login": {"url": url}}


class TestSignedJwt(StrategyContract):
    strategy = SignedJwt()
    answer = None
    typed = {"signer": "signer-ann", "private_key": PEM}


class TestSignedJwtThatBuysAnother(StrategyContract):
    strategy = SignedJwt()
    changes = {
        "signed_jwt": {
            "exchange": {
                "url": "{issuer}/buy",
                "headers": {"Authorization": "Bearer {signed_token}"},
                "token": "/token",
                "expiry": {"field": "seconds"},
            },
            "revoke": {"url": "{issuer}/end", "headers": {"Authorization": "Bearer {access_token}"}},
        }
    }
    answer = {"token": "bought-12345678", "seconds": 900}
    typed = {"signer": "signer-ann", "private_key": PEM}

    def moved_to(self, url: str) -> dict[str, Any]:
        return {"exchange": {"url": url}}


class TestJwtBearer(StrategyContract):
    strategy = JwtBearer()
    answer = {"access_token": "at-12345678", "token_type": "Bearer", "expires_in": 3600}
    typed = {"key_file": json.dumps({"client_id": "signer-ann", "private_key_id": "k1", "private_key": PEM})}


class TestSamlBearer(StrategyContract):
    strategy = SamlBearer()
    answer = {"access_token": "at-12345678", "token_type": "Bearer", "expires_in": 3600}
    typed = {
        "signer": "signer-ann",
        "subject": "bob",
        "private_key": make_key_pair(SigningAlgorithm.RS256).private_key.get_secret_value(),
    }


class TestPassword(StrategyContract):
    strategy = Password()
    answer = TOKENS
    typed = {"username": "user-ann", "password": "pass-12345678"}


class TestPasswordThatIsKept(TestPassword):
    changes = {"password_grant": {"keeps_password": True}}


class TestOAuth1(StrategyContract):
    strategy = OAuth1()
    answer = b"oauth_token=tok-12345678&oauth_token_secret=secret-of-it"
    kept = SecretStr('["tmp-1", "tmp-secret"]')


class TestAwsSigV4(StrategyContract):
    strategy = AwsSigV4()
    answer = None
    typed = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "secret-12345678"}


class TestMutualTls(StrategyContract):
    strategy = MutualTls()
    answer = None
    typed = BROUGHT

    @pytest.fixture
    def provider(self, make_provider: Callable[..., Provider], authority: trustme.CA, trusting: object) -> Provider:
        """A provider that takes certificates of the authority that has issued alice's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=SANDBOX.authority)
        return make_provider(context)


class TestSessionLogin(StrategyContract):
    strategy = SessionLogin()
    entry_class = EntryWithLogin
    changes = {
        "session_login": {
            "login_url": "{issuer}/login",
            "fields": [
                {"name": "user", "label": "User name", "secret": False},
                {"name": "password", "label": "Password"},
            ],
        }
    }
    answer = {"token": "session-12345678", "seconds": 900}
    typed = {"user": "user-ann", "password": "pass-12345678"}
    url_key = "login_url"


class TestSignedLogin(TestSessionLogin):
    strategy = SignedLogin()
    changes = {"signed_login": TestSessionLogin.changes["session_login"]}


def test_no_registered_style_is_left_out() -> None:
    tried = {contract.strategy.style for contract in StrategyContract.__subclasses__()}
    assert {*strategies()} == tried - {SessionLogin.method.style}
