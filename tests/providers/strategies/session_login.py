"""A style that no installation has: a user name and a password, and one fixed call that gives a token for a while.

It shows what a new style costs: a strategy, what an entry says of it, and one section in the entry's shape.
"""

from typing import ClassVar

from pydantic import SecretStr

from providers import egress
from providers.catalog.base_method import Method
from providers.catalog.fields import SecretField
from providers.catalog.resolve import Target
from providers.catalog.schema import CatalogEntry
from providers.errors import Evidence, GrantRejected, MalformedResponse
from providers.oauth.classify import failure_of, json_object
from providers.strategies.base import Capabilities, Strategy
from providers.values import Credential, Obtained


class SessionLoginMethod(Method):
    """Where to log in, and with what."""

    style = "session_login"
    needed_urls: ClassVar[tuple[str, ...]] = ("token",)

    login_url: str
    fields: tuple[SecretField, ...]

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        return self.fields

    @property
    def secret_names(self) -> frozenset[str]:
        return super().secret_names | {"access_token"}

    @property
    def urls(self) -> dict[str, str]:
        return {"token": self.login_url}


class SignedLoginMethod(SessionLoginMethod):
    """The same for a provider that takes only requests which are signed with the token."""

    style = "signed_login"

    @property
    def proxy_only(self) -> bool:
        return True


class EntryWithLogin(CatalogEntry):
    """An entry that may describe them."""

    session_login: SessionLoginMethod | None = None
    signed_login: SignedLoginMethod | None = None


class SessionLogin(Strategy):
    """Logs in with what was typed, and again each time that the token comes to its end."""

    method = SessionLoginMethod
    title = "Session login"
    invitation = "Log in to {name} with a password"

    def _capabilities(self, target: Target) -> Capabilities:
        return Capabilities(refreshes=True)

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        return self._refresh(target, typed)

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        typed = {name: value.get_secret_value() for name, value in credential.fields.items()}
        response = egress.request("POST", target.endpoints.token, json=typed)
        if response.status == 401:
            raise GrantRejected(Evidence("The provider refuses the password.", status=401))
        if (failure := failure_of(response, rules=())) is not None:
            raise failure
        answer = json_object(response)
        if "token" not in answer:
            raise MalformedResponse(Evidence("The answer names no token.", status=response.status))
        return Obtained(
            Credential(access_token=SecretStr(answer["token"]), fields=credential.fields),
            lifetime_seconds=answer["seconds"],
        )


class SignedLogin(SessionLogin):
    """Logs in likewise, and hands nothing out."""

    method = SignedLoginMethod
