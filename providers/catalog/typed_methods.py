"""What an entry says about the styles by which the end user types the credential, or what a call makes one from.

``ApiKeyMethod``, the general one, is in ``providers.catalog.methods``.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from providers.catalog.answers import Expiry
from providers.catalog.base_method import Method, OwnCall
from providers.catalog.calls import Call, ErrorRule, Presentation
from providers.catalog.fields import ParamName, SecretField
from providers.catalog.pointer import is_pointer

_YEAR_SECONDS = 31_536_000


class HttpBasicMethod(Method):
    """A user name and a password, or what a provider has in their place, as HTTP Basic (RFC 7617).

    An entry may give the two fields other labels, patterns and examples; their names stay ``username`` and
    ``password``, unless its presentation says how others go into a request.
    """

    style = "http_basic"
    default_presentation: ClassVar[Presentation] = Presentation(
        headers={"Authorization": "Basic {base64:{username}:{password}}"}
    )

    fields: tuple[SecretField, ...] = (
        # RFC 7617 §2: a user name has no colon, because the first one ends it.
        SecretField(name="username", label="User name", secret=False, pattern=r"^[!-9;-~]{1,512}$"),
        SecretField(name="password", label="Password", pattern=r"^[ -~]{1,4096}$"),
    )

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        return self.fields


class BearerTokenMethod(Method):
    """A token that the end user made at the provider and pastes: a personal access token, sent as RFC 6750 says."""

    style = "bearer_token"
    default_presentation: ClassVar[Presentation] = Presentation(headers={"Authorization": "Bearer {token}"})

    fields: tuple[SecretField, ...] = (SecretField(name="token", label="Access token"),)

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        return self.fields


class Login(Call):
    """The call that turns what was typed into a session token.

    ``token`` points to the token in the answer, "" to the whole of it; or the answer has it in the header
    ``token_header``. ``expiry`` says where it names the end; ``default_lifetime_seconds`` counts where it does not.
    ``extra`` are further members to keep: our names, with a pointer to each. ``errors`` say which answers refuse what
    was typed (``grant_rejected``); a 401 always does.
    """

    token: str | None = None
    token_header: str = ""
    expiry: Expiry = Field(default_factory=Expiry)
    default_lifetime_seconds: int | None = Field(default=None, ge=30, le=_YEAR_SECONDS)
    extra: dict[ParamName, str] = Field(default_factory=dict)
    errors: tuple[ErrorRule, ...] = ()


class TwoStepLoginMethod(Method):
    """A login: a call makes a session token of what the end user typed, and is made again as the token ends.

    The address of ``login`` may use parameters and those fields that are no secret, its headers and body all fields.
    ``logout`` ends a session; it also knows ``access_token``, the token, and what ``login`` keeps as ``extra``.
    """

    style = "two_step_login"
    needed_urls: ClassVar[tuple[str, ...]] = ("token",)

    fields: tuple[SecretField, ...]
    login: Login
    logout: Call | None = None

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        return self.fields

    @property
    def secret_names(self) -> frozenset[str]:
        return super().secret_names | {"access_token"}

    @property
    def extra_pointers(self) -> Mapping[str, str]:
        return self.login.extra

    @property
    def urls(self) -> Mapping[str, str]:
        return {"token": self.login.url, "revocation": self.logout.url if self.logout is not None else ""}

    @property
    def calls(self) -> Mapping[str, OwnCall]:
        typed = frozenset(field.name for field in self.fields)
        shown = frozenset(field.name for field in self.fields if not field.secret)
        found = {"login": OwnCall(self.login, shown, typed)}
        if self.logout is not None:
            held = frozenset(self.login.extra) | {"access_token"}
            found["logout"] = OwnCall(self.logout, shown | held, typed | held)
        return found

    @property
    def pointers(self) -> Mapping[str, str]:
        kept = {f"login.extra.{name}": pointer for name, pointer in self.login.extra.items()}
        return {"login.token": self.login.token or "", **kept}

    @property
    def rules(self) -> Mapping[str, tuple[ErrorRule, ...]]:
        return {"login.errors": self.login.errors}

    def slips(self) -> Iterator[str]:
        yield from login_slips("two_step_login.login", self.login)


def login_slips(key: str, login: Login) -> Iterator[str]:
    """Yield what does not agree within the login at ``key``, and what to do."""
    where = (login.token is not None, bool(login.token_header))
    if where.count(True) != 1:
        yield (
            f"{key}.token: say once where the answer has the token: token = a pointer into it, or token_header = the "
            "name of a header"
        )
    expiry = login.expiry.field
    if expiry.startswith("/") and not is_pointer(expiry):
        yield f"{key}.expiry.field: {expiry!r} leads nowhere; write ~1 for a slash in a name"
