"""What an entry says about tokens on behalf of a subject: RFC 8693, or Microsoft's form of RFC 7523."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from providers.catalog.methods import OAuthMethod

TOKEN_TYPE = "urn:ietf:params:oauth:token-type:"  # noqa: S105 - the beginning of a name (RFC 8693 §3)


class TokenExchangeMethod(OAuthMethod):
    """The token of somebody whom the caller serves, exchanged for one at this provider that acts for them.

    ``form`` is how the request says it: as RFC 8693 §2.1, or as Microsoft's on-behalf-of flow, a JWT bearer assertion
    (RFC 7523) with ``requested_token_use=on_behalf_of``. ``subject_token_type`` says what callers bring, and
    ``requested_token_type`` what we want, by the last word of the names in RFC 8693 §3; ``audience`` is the API that
    the token is for, by the provider's name. All three belong to RFC 8693 alone.
    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow (2026-11-29)
    """

    style = "oauth2_token_exchange"
    per_subject: ClassVar[bool] = True

    form: Literal["token_exchange", "on_behalf_of"] = "token_exchange"
    subject_token_type: Literal["access_token", "id_token", "jwt", "saml1", "saml2"] = "access_token"  # noqa: S105
    requested_token_type: Literal["", "access_token", "jwt"] = ""
    audience: str = ""

    def slips(self) -> Iterator[str]:
        if self.form == "on_behalf_of":
            for key in ("audience", "requested_token_type", "subject_token_type"):
                if getattr(self, key) != type(self).model_fields[key].default:
                    yield f"token_exchange.{key}: on_behalf_of cannot say it; remove it, and name the API by its scopes"
