"""What an entry says about any auth style: the part that all styles have in common.

Callers use it without knowing the style. ``methods`` has the shapes of the plain and the OAuth styles.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import JsonValue

from providers.catalog.callback import ApprovalMarkers, ResponseNames
from providers.catalog.calls import Call, ErrorRule, Presentation
from providers.catalog.fields import SecretField, Shape
from providers.catalog.refresh_tokens import RefreshTokens

if TYPE_CHECKING:
    from providers.catalog.methods import OAuthMethod


@dataclass(frozen=True, slots=True)
class OwnCall:
    """A call of a style's own, with the names that its templates may use besides the entry's parameters."""

    call: Call
    in_address: frozenset[str] = frozenset()
    in_content: frozenset[str] = frozenset()  # in headers and body


class Method(Shape):
    """What an entry says about one auth style. Each style has a subclass, which overrides what differs.

    ``style`` is its name in the database and in API answers. ``redirects``: the end user is sent to the provider and
    comes back with an authorization response. ``shows_code``: the end user enters a code at the provider.
    ``takes_scopes``: we say which scopes we want. ``per_subject``: a connection has no credential of its own; each
    caller brings a token of the subject whom it serves. ``needs_presentation``: the entry must say how the credential
    goes into a request, and what it leaves out is as in ``default_presentation``. ``needed_urls``: the endpoints that
    the style requires.
    """

    style: ClassVar[str] = ""
    redirects: ClassVar[bool] = False
    shows_code: ClassVar[bool] = False
    takes_scopes: ClassVar[bool] = False
    per_subject: ClassVar[bool] = False
    needs_presentation: ClassVar[bool] = False
    default_presentation: ClassVar[Presentation] = Presentation()
    needed_urls: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def section(cls) -> str:
        """The name of the entry's section for this style."""
        return cls.style.removeprefix("oauth2_")

    @property
    def oauth(self) -> "OAuthMethod | None":
        """The endpoints and habits of its authorization server; None for a style without one."""
        return None

    @property
    def server(self) -> str:
        """The address, a template, of the protected resource whose metadata names the endpoints; "" if none does."""
        return str(getattr(self, "protected_resource", ""))

    @property
    def cautions(self) -> tuple[str, ...]:
        """What an operator should know before using the style, a sentence each."""
        return ()

    @property
    def is_legacy(self) -> bool:
        """Whether the style is off until the operator allows it for a provider app."""
        return False

    @property
    def proxy_only(self) -> bool:
        """Whether its credential is never handed out, because a request has to be signed or sent by Latchkey itself."""
        return False

    @property
    def registers_client(self) -> bool:
        """Whether the operator registers a client at the provider, and enters its id and secrets."""
        return False

    @property
    def needs_app_key(self) -> bool:
        """Whether the provider app signs, or proves who it is, with a key pair of its own."""
        return False

    @property
    def signs_requests(self) -> bool:
        """Whether each request with its credential holds a signature of ours, valid by our clock."""
        return False

    @property
    def signs_token_requests(self) -> bool:
        """Whether the requests that bring its credential hold one."""
        return False

    @property
    def signs_grants(self) -> bool:
        """Whether that signature is what they show as the grant, and no mere proof of who the client is."""
        return False

    @property
    def refusals(self) -> tuple[ErrorRule, ...]:
        """What answers to signed requests mean, before what the entry says about its probe."""
        return ()

    @property
    def words_of_the_end(self) -> frozenset[str]:
        """The words of ``refusals`` that say that a credential has ended, whatever time it is."""
        return frozenset()

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        """The fields of the credential that the end user types."""
        return ()

    @property
    def secret_names(self) -> frozenset[str]:
        """The names by which templates refer to its credential: each is a secret, or typed beside one."""
        return frozenset(field.name for field in self.typed_fields)

    @property
    def extra_pointers(self) -> Mapping[str, str]:
        """The further members of an answer to keep: a pointer into the answer, by the name that templates use."""
        return {}

    @property
    def urls(self) -> Mapping[str, str]:
        """The addresses that it calls, as templates, by the fields of ``resolve.Endpoints``; "" if discovered."""
        return {}

    @property
    def calls(self) -> Mapping[str, OwnCall]:
        """The calls that only this style makes, by their keys in the section."""
        return {}

    @property
    def texts(self) -> Mapping[str, JsonValue]:
        """The further templates of the section, by their keys in it: of texts, or of what has texts in it."""
        return {}

    @property
    def text_names(self) -> frozenset[str]:
        """The names that those templates may use besides the entry's parameters."""
        return frozenset()

    @property
    def pointers(self) -> Mapping[str, str]:
        """The pointers into answers of those calls, by their keys in the section."""
        return {}

    @property
    def rules(self) -> Mapping[str, tuple[ErrorRule, ...]]:
        """The rules that say what an answer of those calls means, by their keys in the section."""
        return {}

    def slips(self) -> Iterator[str]:
        """Yield what does not agree within the section: the key, and what to do."""
        yield from ()

    @property
    def consent_adds(self) -> bool:
        """Whether the provider adds newly requested scopes to those of an earlier grant, instead of replacing them."""
        return False

    @property
    def refresh_tokens(self) -> RefreshTokens:
        """What the entry says about its refresh tokens."""
        return RefreshTokens()

    @property
    def response_names(self) -> ResponseNames:
        """The names of the parameters in the authorization response, for a style that redirects."""
        return ResponseNames()

    @property
    def approval_markers(self) -> ApprovalMarkers:
        """The parameters of that response, with values, that mean that an administrator has to approve first."""
        return {}
