"""What an entry says about the styles by which we sign: a token of our own, or an assertion that buys one.

Who signs is said in both alike (``SignedToken``): a key that the end user types, or the provider app's own.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field, JsonValue

from providers.catalog.base_method import Method, OwnCall
from providers.catalog.calls import Call, ErrorRule
from providers.catalog.fields import ParamName, SecretField, Shape
from providers.catalog.methods import OAuthMethod
from providers.catalog.template import texts_of, uses
from providers.catalog.typed_methods import Login, login_slips
from providers.vocabulary import ClientAuthentication, SigningAlgorithm

_OURS = frozenset({"client_id", "token_url", "scopes", "public_key_sha256"})
_MULTILINE_PATTERN = r"^[\x20-\x7e\n]{1,16384}$"


class KeyFile(Shape):
    """A JSON document in which a provider hands out a key: ``values`` are our names, with a pointer to each member.

    The end user pastes the whole of it into ``field``. Only those values are kept.
    """

    field: ParamName = "key_file"
    label: str = "Key file (JSON)"
    help: str = ""
    values: dict[ParamName, str]

    @property
    def as_field(self) -> SecretField:
        """The field of the form."""
        return SecretField(
            name=self.field, label=self.label, help=self.help, pattern=_MULTILINE_PATTERN, multiline=True
        )


class Signed(Shape):
    """What we sign, whatever its form: with which key, and for how long it is valid.

    ``key`` says whose key signs: one that the end user types into ``key_field``, or the provider app's. Templates know
    the parameters, the typed fields that are no secret, the values of the key file, and: ``client_id``; ``token_url``;
    ``scopes``, with spaces between; ``public_key_sha256``, the Base64 of the SHA-256 of the public key.
    """

    algorithm: SigningAlgorithm = SigningAlgorithm.RS256
    key: Literal["typed", "app"] = "typed"
    key_field: ParamName = "private_key"
    lifetime_seconds: int = Field(default=600, ge=60, le=3600)

    @property
    def texts(self) -> Mapping[str, JsonValue]:
        """Its templates by their keys."""
        return {}

    def mentions(self, name: str) -> bool:
        """Whether a template uses ``name``."""
        return any(uses(text, name) for value in self.texts.values() for text in texts_of(value))

    def slips(self, place: str) -> Iterator[str]:
        """Yield what does not agree in it, which stands at ``place`` of the entry."""
        if self.key == "app" and self.algorithm.is_symmetric:
            yield f"{place}.algorithm: a provider app has key pairs; HS256 needs a secret that is typed"


class SignedToken(Signed):
    """A JWT that we sign. Each text in ``claims`` is a template, and so are ``kid`` and each text in ``header``.

    A claim whose text is empty is left out. ``iat`` and ``exp`` are added, and ``jti`` unless it is switched off. With
    HS256 the key is a secret, written as ``key_encoding`` says.
    """

    key_encoding: Literal["text", "hex", "base64"] = "text"
    kid: str = ""
    header: dict[str, str] = Field(default_factory=dict)
    claims: dict[str, JsonValue] = Field(default_factory=dict)
    jti: bool = True

    @property
    def texts(self) -> Mapping[str, JsonValue]:
        return {"kid": self.kid, "header": dict(self.header), "claims": self.claims}

    def slips(self, place: str) -> Iterator[str]:
        yield from super().slips(place)
        if self.key_encoding != "text" and not self.algorithm.is_symmetric:
            yield f"{place}.key_encoding: is of use with HS256; a key pair is written as PEM"
        for name in self.claims.keys() & {"iat", "exp", "jti"}:
            yield f"{place}.claims.{name}: is added by itself; remove it"


class SamlAssertion(Signed):
    """A SAML 2.0 assertion that we sign (RFC 7522 §3). All texts are templates; an empty attribute is left out.

    ``encoding`` is how it travels: base64url, as RFC 7522 §2.1 says, or plain Base64.
    """

    issuer: str
    subject: str
    name_id_format: str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
    audience: str = "{token_url}"
    recipient: str = "{token_url}"
    attributes: dict[str, str] = Field(default_factory=dict)
    encoding: Literal["base64url", "base64"] = "base64url"

    @property
    def texts(self) -> Mapping[str, JsonValue]:
        named = {name: getattr(self, name) for name in ("issuer", "subject", "audience", "recipient")}
        return {**named, "attributes": dict(self.attributes)}

    def slips(self, place: str) -> Iterator[str]:
        yield from super().slips(place)
        if self.algorithm is not SigningAlgorithm.RS256:
            yield f"{place}.algorithm: SAML servers take RSA with SHA-256; leave it out"


class SigningMethod(Method):
    """What the styles share by which we sign."""

    key_file: KeyFile | None = None
    fields: tuple[SecretField, ...] = ()

    @property
    def signed(self) -> Signed:
        """What is signed."""
        raise NotImplementedError

    @property
    def signed_key(self) -> str:
        """The key in the section under which that is."""
        raise NotImplementedError

    @property
    def needs_app_key(self) -> bool:
        return self.signed.key == "app"

    @property
    def signs_token_requests(self) -> bool:
        return True

    @property
    def signs_grants(self) -> bool:
        return True

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        return self.fields if self.key_file is None else (self.key_file.as_field, *self.fields)

    @property
    def told_names(self) -> frozenset[str]:
        """The names of what the end user tells us and that is no secret: typed, or in the key file."""
        shown = {field.name for field in self.fields if not field.secret}
        return frozenset(shown | set(self.key_file.values if self.key_file is not None else ())) - {
            self.signed.key_field
        }

    @property
    def secret_names(self) -> frozenset[str]:
        return self.told_names | {"access_token"}

    @property
    def texts(self) -> Mapping[str, JsonValue]:
        return {f"{self.signed_key}.{key}": value for key, value in self.signed.texts.items()}

    @property
    def text_names(self) -> frozenset[str]:
        return self.told_names | _OURS

    @property
    def pointers(self) -> Mapping[str, str]:
        if self.key_file is None:
            return {}
        return {f"key_file.values.{name}": pointer for name, pointer in self.key_file.values.items()}

    def slips(self) -> Iterator[str]:
        signed, place = self.signed, f"{self.section()}.{self.signed_key}"
        typed = {field.name for field in self.fields if field.secret}
        typed |= set(self.key_file.values if self.key_file is not None else ())
        if signed.key == "typed" and signed.key_field not in typed:
            yield (
                f"{place}.key_field: nobody types {signed.key_field!r}; describe a secret field of that name, or a "
                'value of the key file, or say key = "app" if the provider app signs'
            )
        yield from signed.slips(place)


class SignedJwtMethod(SigningMethod):
    """A token that we sign, and sign anew as it ends; the provider issues none.

    With ``exchange`` the signed token is not what callers get: a call with it brings that (GitHub's apps), as a login
    does. Its address may use what its claims may, its headers and body also ``signed_token``. ``revoke`` ends what it
    brought; it also knows ``access_token`` and what ``exchange`` keeps as ``extra``.
    """

    style = "signed_jwt"

    token: SignedToken
    exchange: Login | None = None
    revoke: Call | None = None

    @property
    def signed(self) -> Signed:
        return self.token

    @property
    def signed_key(self) -> str:
        return "token"

    @property
    def signs_requests(self) -> bool:
        return self.exchange is None

    @property
    def registers_client(self) -> bool:
        return self.token.key == "app" or self.token.mentions("client_id")

    @property
    def extra_pointers(self) -> Mapping[str, str]:
        return self.exchange.extra if self.exchange is not None else {}

    @property
    def urls(self) -> Mapping[str, str]:
        called = {"token": self.exchange, "revocation": self.revoke}
        return {name: call.url if call is not None else "" for name, call in called.items()}

    @property
    def calls(self) -> Mapping[str, OwnCall]:
        found: dict[str, OwnCall] = {}
        if self.exchange is not None:
            told = self.told_names
            found["exchange"] = OwnCall(self.exchange, told, told | {"signed_token"})
        if self.revoke is not None:
            held = self.told_names | frozenset(self.extra_pointers) | {"access_token"}
            found["revoke"] = OwnCall(self.revoke, held, held)
        return found

    @property
    def pointers(self) -> Mapping[str, str]:
        found = {**super().pointers}
        if self.exchange is not None:
            found |= {f"exchange.extra.{name}": pointer for name, pointer in self.exchange.extra.items()}
            found["exchange.token"] = self.exchange.token or ""
        return found

    @property
    def rules(self) -> Mapping[str, tuple[ErrorRule, ...]]:
        return {} if self.exchange is None else {"exchange.errors": self.exchange.errors}

    def slips(self) -> Iterator[str]:
        yield from super().slips()
        if not 240 <= self.token.lifetime_seconds <= 900:
            yield "signed_jwt.token.lifetime_seconds: a token of ours lives 4 to 15 minutes; write 240 to 900"
        if self.exchange is not None:
            yield from login_slips("signed_jwt.exchange", self.exchange)
        elif self.revoke is not None:
            yield "signed_jwt.revoke: there is nothing to end without an exchange; remove it"


class AssertionMethod(SigningMethod, OAuthMethod):
    """What the grants share in which an assertion that we sign buys an access token (RFC 7521 §4.1).

    The scopes go into the parameter ``scope``, unless the assertion says ``{scopes}``. Most servers authenticate by the
    assertion alone; ``client_authentication`` says so if one wants the client's secret as well.
    """

    client_authentication: ClientAuthentication = ClientAuthentication.NONE

    @property
    def signed_key(self) -> str:
        return "assertion"

    @property
    def needs_app_key(self) -> bool:
        return self.signed.key == "app" or self.client_authentication.needs_key

    @property
    def registers_client(self) -> bool:
        proves = self.client_authentication is not ClientAuthentication.NONE
        return proves or self.signed.key == "app" or self.signed.mentions("client_id")


class JwtBearerMethod(AssertionMethod):
    """A JWT buys an access token (RFC 7523 §2.1): service accounts, and apps that act for a user."""

    style = "oauth2_jwt_bearer"

    assertion: SignedToken = SignedToken()

    @property
    def signed(self) -> Signed:
        return self.assertion


class SamlBearerMethod(AssertionMethod):
    """A SAML 2.0 assertion buys an access token (RFC 7522 §2.1). Signing it needs the extra ``saml``."""

    style = "oauth2_saml_bearer"

    assertion: SamlAssertion

    @property
    def signed(self) -> Signed:
        return self.assertion
