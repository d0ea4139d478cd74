"""What an entry says about OAuth 1.0a (RFC 5849): temporary credentials, the end user's consent, token credentials."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from providers.catalog.base_method import Method
from providers.catalog.callback import ResponseNames
from providers.catalog.calls import ErrorRule, Presentation
from providers.catalog.fields import ParamName, ResponseName
from providers.vocabulary import Meaning

SignatureMethod = Literal[
    "HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "RSA-SHA512", "PLAINTEXT"
]

# The words of the OAuth Problem Reporting extension, which many of these servers speak.
# https://wiki.oauth.net/w/page/12238543/ProblemReporting (2026-11-29)
_CLIENT = ("consumer_key_unknown", "consumer_key_rejected", "consumer_key_refused", "signature_invalid")
_CLOCK = ("timestamp_refused", "nonce_used")
_REQUEST = ("version_rejected", "signature_method_rejected", "parameter_absent", "parameter_rejected")
_GRANT = ("token_expired", "token_revoked", "token_rejected", "token_used", "verifier_invalid", "permission_denied")
PROBLEM_RULES: tuple[ErrorRule, ...] = (
    *(ErrorRule(field="oauth_problem", value=word, means=Meaning.CLIENT_REJECTED) for word in _CLIENT),
    *(ErrorRule(field="oauth_problem", value=word, means=Meaning.UNAVAILABLE) for word in _CLOCK),
    *(ErrorRule(field="oauth_problem", value=word, means=Meaning.REQUEST_REJECTED) for word in _REQUEST),
    *(ErrorRule(field="oauth_problem", value=word, means=Meaning.GRANT_REJECTED) for word in _GRANT),
)


class TokenResponseNames(ResponseNames):
    """The provider's names in the response that brings the end user back (RFC 5849 §2.2).

    The temporary token takes the place of a state. ``denied`` has that token where the end user refused, if the
    provider says so in that way.
    """

    code: ResponseName = "oauth_verifier"
    state: ResponseName = "oauth_token"
    error: ResponseName = "oauth_problem"
    denied: ResponseName = "denied"

    @property
    def denying(self) -> str:
        return self.denied


class OAuth1Method(Method):
    """OAuth 1.0a with three legs. The operator registers a client; each request is signed by it and by the token.

    ``signature_method`` is how; RSA signs with the key of the provider app. ``realm`` goes into each signed header.
    ``authorization_params`` are added to the address to which the end user is sent. ``extra_response_fields`` are
    further members of the answer with the token to keep: our names, with a pointer to each. ``errors`` come before the
    words of the Problem Reporting extension, in answers to the probe as well.
    """

    style = "oauth1"
    redirects = True
    needed_urls: ClassVar[tuple[str, ...]] = ("temporary_credentials", "authorization", "token")
    default_presentation: ClassVar[Presentation] = Presentation(headers={})

    temporary_credentials_url: str
    authorization_url: str
    token_url: str
    signature_method: SignatureMethod = "HMAC-SHA1"
    realm: str = ""
    authorization_params: dict[str, str] = Field(default_factory=dict)
    callback: TokenResponseNames = Field(default_factory=TokenResponseNames)
    extra_response_fields: dict[ParamName, str] = Field(default_factory=dict)
    errors: tuple[ErrorRule, ...] = ()

    @property
    def proxy_only(self) -> bool:
        return True

    @property
    def signs_requests(self) -> bool:
        return True

    @property
    def signs_token_requests(self) -> bool:
        return True

    @property
    def signs_grants(self) -> bool:
        return True

    @property
    def refusals(self) -> tuple[ErrorRule, ...]:
        return (*self.errors, *PROBLEM_RULES)

    @property
    def words_of_the_end(self) -> frozenset[str]:
        return frozenset({"token_expired", "token_revoked", "token_used"})

    @property
    def registers_client(self) -> bool:
        return True

    @property
    def needs_app_key(self) -> bool:
        return self.signature_method.startswith("RSA")

    @property
    def secret_names(self) -> frozenset[str]:
        return frozenset({"access_token", "token_secret"})

    @property
    def extra_pointers(self) -> Mapping[str, str]:
        return self.extra_response_fields

    @property
    def urls(self) -> Mapping[str, str]:
        return {
            "temporary_credentials": self.temporary_credentials_url,
            "authorization": self.authorization_url,
            "token": self.token_url,
        }

    @property
    def texts(self) -> Mapping[str, JsonValue]:
        return {"realm": self.realm} | {f"authorization_params.{n}": v for n, v in self.authorization_params.items()}

    @property
    def pointers(self) -> Mapping[str, str]:
        return {f"extra_response_fields.{name}": pointer for name, pointer in self.extra_response_fields.items()}

    @property
    def rules(self) -> Mapping[str, tuple[ErrorRule, ...]]:
        return {"errors": self.errors}

    @property
    def response_names(self) -> ResponseNames:
        return self.callback
