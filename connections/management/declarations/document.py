"""The document of ``manage.py apply``: TOML or JSON, checked before anything else is done. No database, no HTTP.

A secret is never in the document: it is named by an environment variable, or by a file beside it.
"""

import json
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from connections.database.clock import in_utc
from connections.lifecycle.provision.trusted_issuers import DEFAULT_ALGORITHMS
from connections.management.operator_command import text_from
from connections.models import IssuerUse, Permission, SubjectKind


class DeclarationError(Exception):
    """The document cannot be applied; the text names the file and the places in it, one a line."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=False)


class SecretSource(_Part):
    """Where a secret is: an environment variable, or a file whose path begins at the document's folder."""

    env: str | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "SecretSource":
        if (self.env is None) == (self.file is None):
            raise ValueError('give {env = "NAME"} or {file = "PATH"}')
        return self


class BrandDeclared(_Part):
    """How pages look; the members are those of ``PUT /branding``."""

    colors: dict[str, str] = {}
    dark_colors: dict[str, str] = {}
    radius: int | None = None
    font: str = ""
    texts: dict[str, dict[str, str]] = {}
    support_url: str = ""
    privacy_url: str = ""
    locale: str = ""
    logo: str | None = None
    favicon: str | None = None


class OperatorBrandDeclared(BrandDeclared):
    """The operator's own brand."""

    name: str = ""


class TenantDeclared(_Part):
    """One tenant, under its slug."""

    name: str
    allowed_origins: list[str] = []
    return_urls: list[str] = []
    reconnect_url: str = ""
    brand: BrandDeclared | None = None


class ProviderAppDeclared(_Part):
    """A registration at a provider, shared or a tenant's own. Without ``client_secrets`` the stored ones stay.

    With ``client_secret_from``, a reference, the client secret is read from there again and again.
    """

    provider: str
    tenant: str | None = None
    auth_style: str | None = None
    name: Annotated[str, Field(max_length=120)] = ""
    client_id: str = ""
    client_secrets: Annotated[list[SecretSource], Field(max_length=10)] | None = None
    client_secret_from: str = ""
    params: dict[str, str] = {}
    scopes: list[str] = []
    required_scopes: list[str] = []
    allowed_scopes: list[str] | None = None
    allows_legacy: bool = False


class ApiClientDeclared(_Part):
    """An API client. Its keys are issued by hand: a file could not keep them."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    tenant: str | None = None
    permissions: list[Permission] = []
    allows_unbound: bool = False
    proxy_rules: list[str] = []
    networks: list[str] = []
    demands_verified: bool = False
    assertion_keys: list[dict[str, Any]] | None = None
    assertion_jwks_url: str = ""


class RuleDeclared(_Part):
    """Which tokens of an issuer are an API client, named by its name and tenant."""

    client: str
    tenant: str | None = None
    conditions: list[dict[str, Any]]


class IssuerDeclared(_Part):
    """An issuer whose tokens are believed."""

    use: IssuerUse
    issuer: str
    audience: str
    tenant: str | None = None
    keys: list[dict[str, Any]] | None = None
    jwks_url: str = ""
    algorithms: list[str] = list(DEFAULT_ALGORITHMS)
    claim: str = "sub"
    groups_claim: str = ""
    tenant_claim: str = ""
    max_lifetime_seconds: int = 3600
    leeway_seconds: int = 30
    rules: list[RuleDeclared] = []


class SubjectDeclared(_Part):
    """Who a grant is for; an API client by its id."""

    kind: SubjectKind
    id: str


class GrantDeclared(_Part):
    """An access grant on all connections at a provider."""

    tenant: str
    subject: SubjectDeclared
    provider: str
    scopes: list[str] | None = None
    methods: list[str] | None = None
    paths: list[str] | None = None
    allows_vend: bool = False
    needs_approval: bool = False
    expires_at: Annotated[AwareDatetime, AfterValidator(in_utc)] | None = None
    granted_by: str = ""
    note: str = ""


class WebhookDeclared(_Part):
    """An address that is told the events of a tenant, or without one of all. It is known by both."""

    url: str
    tenant: str | None = None
    description: str = ""
    event_types: list[str] | None = None


class OwnProviderDeclared(_Part):
    """A provider of the operator's own, under its slug: the entry's file, or its text.

    ``confirm`` is needed as in ``PUT /own-providers``.
    """

    file: str | None = None
    toml: str | None = None
    confirm: bool = False

    @model_validator(mode="after")
    def _is_one(self) -> "OwnProviderDeclared":
        if (self.file is None) == (self.toml is None):
            raise ValueError("give the entry as a file or as toml")
        return self


class Document(_Part):
    """All that a file declares. ``source`` and ``folder`` say where it was read."""

    brand: OperatorBrandDeclared | None = None
    tenants: dict[str, TenantDeclared] = {}
    own_providers: dict[str, OwnProviderDeclared] = {}
    provider_apps: list[ProviderAppDeclared] = []
    api_clients: list[ApiClientDeclared] = []
    trusted_issuers: list[IssuerDeclared] = []
    access_grants: list[GrantDeclared] = []
    webhooks: list[WebhookDeclared] = []

    source: str = Field("", exclude=True)
    folder: Path = Field(Path(), exclude=True)


SECTIONS = tuple(name for name, field in Document.model_fields.items() if not field.exclude)


def read_document(source: str) -> Document:
    """Return what the file ``source`` declares; ``-`` reads standard input.

    Raises ``CommandError`` for a file that cannot be read, and ``DeclarationError`` for one that is not in order.
    """
    held = _parsed(text_from(source), source)
    for section in held:
        if section not in SECTIONS:
            raise DeclarationError(f"{source}: {section}: there is no such section; they are {', '.join(SECTIONS)}.")
    try:
        document = Document.model_validate(held)
    except ValidationError as error:
        lines = [f"{source}: {_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        raise DeclarationError("\n".join(lines)) from None
    document.source = source
    document.folder = Path() if source == "-" else Path(source).resolve().parent
    _check_named_once(document)
    return document


def secret_at(found: SecretSource, document: Document, place: str) -> str:
    """Return the secret that ``found`` names. Raises ``DeclarationError`` that names ``place``."""
    if found.env is not None:
        secret = os.environ.get(found.env, "")
        missing = f"the environment variable {found.env} is not set, or empty"
    else:
        secret = text_at(str(found.file), document, place).strip()
        missing = f"the file {found.file} is empty"
    if not secret:
        raise DeclarationError(f"{document.source}: {place}: {missing}.")
    return secret


def text_at(file: str, document: Document, place: str) -> str:
    """Return the text of a file beside the document. Raises ``DeclarationError`` that names ``place``."""
    try:
        return (document.folder / file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is not text"
        raise DeclarationError(f"{document.source}: {place}: the file {file} cannot be read: {why}.") from None


def _parsed(text: str, source: str) -> dict[str, Any]:
    suffix = Path(source).suffix.lower()
    if suffix in (".yaml", ".yml"):
        raise DeclarationError(f"{source}: write TOML or JSON: `yq -o json FILE` makes JSON of YAML.")
    is_json = suffix == ".json" or (suffix != ".toml" and text.lstrip().startswith("{"))
    try:
        held = json.loads(text, object_pairs_hook=_named_once) if is_json else tomllib.loads(text)
        _check_texts(held, source, "")
    except (ValueError, RecursionError) as error:
        raise DeclarationError(f"{source}: this is no {'JSON' if is_json else 'TOML'}: {error}") from None
    if not isinstance(held, dict):
        raise DeclarationError(f"{source}: write an object of sections: {', '.join(SECTIONS)}.")
    return held


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of a JSON object. Raises ``ValueError`` for a name that comes twice: readers differ there."""
    members = dict(pairs)
    if len(members) < len(pairs):
        twice = next(name for number, (name, _) in enumerate(pairs) if name in dict(pairs[:number]))
        raise ValueError(f"the name {json.dumps(twice)} comes twice in one object")
    return members


def _check_texts(value: Any, source: str, place: str) -> None:
    """Raise ``DeclarationError`` for a text that cannot be stored."""
    if isinstance(value, str) and ("\x00" in value or any("\ud800" <= mark <= "\udfff" for mark in value)):
        raise DeclarationError(f"{source}: {place}: it holds NUL or half of a surrogate pair.")
    if isinstance(value, dict):
        for name, member in value.items():
            _check_texts(name, source, place or "a name")
            _check_texts(member, source, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            _check_texts(member, source, f"{place}[{number}]")


def _check_named_once(document: Document) -> None:
    """Raise ``DeclarationError`` where two parts declare the same thing: the later would undo the earlier."""
    keyed: list[tuple[str, list[tuple[object, ...]]]] = [
        ("provider_apps", [(one.tenant, one.provider, one.auth_style) for one in document.provider_apps]),
        ("api_clients", [(one.tenant, one.name) for one in document.api_clients]),
        ("trusted_issuers", [(one.tenant, one.use, one.issuer, one.audience) for one in document.trusted_issuers]),
        ("webhooks", [(one.tenant, one.url) for one in document.webhooks]),
    ]
    for section, keys in keyed:
        for number, key in enumerate(keys):
            if key in keys[:number]:
                told = f"the same as {section}[{keys.index(key)}]: declare it once"
                raise DeclarationError(f"{document.source}: {section}[{number}]: {told}.")


def _place(loc: tuple[str | int, ...]) -> str:
    """Return a place in the document as people write it: ``provider_apps[0].client_secrets``."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")
