"""What is known of a vendor's dialect, read from the TOML files in ``tables``: a table for each slug.

The tables were written from what vendors document, by somebody who has not seen the catalogue's entries; neither may
ever be made from the other. A key that is left out means what its default below says. Addresses may have placeholders,
``{subdomain}``: each stands for one value, the same throughout a life.
"""

import json
import tomllib
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

FOLDER = Path(__file__).parent / "tables"
# The styles by which an entry may describe each kind of life.
STYLES = {
    "code": ("oauth2_authorization_code",),
    "machine": ("oauth2_client_credentials",),
    "device": ("oauth2_device_authorization",),
    "password": ("oauth2_password",),
    "key": ("api_key", "bearer_token", "http_basic"),
    "login": ("two_step_login",),
    "oauth1": ("oauth1",),
    "jwt": ("signed_jwt",),
    "assertion": ("oauth2_jwt_bearer",),
    "saml": ("oauth2_saml_bearer",),
    "exchange": ("oauth2_token_exchange",),
    "sigv4": ("aws_sigv4",),
    "mtls": ("mutual_tls",),
}


class Signed(BaseModel):
    """What a vendor demands of a JWT or of a SAML assertion that we sign.

    ``key`` is whose key it knows: the ``app``'s, or one that the account has and an end user types (``typed``); or
    ``either``. ``written`` is how such a key is handed out: ``pem`` or, of HS256, ``hex``; ``file`` is the JSON
    document with it, if it comes as one. ``header`` and ``claims`` are templates: ``{fingerprint}`` is the key's,
    ``{scopes}`` a list with spaces; of an assertion of SAML ``subject``, ``audience``, ``recipient`` and its attributes
    are claims. Each of ``scopes`` has to be in the list, or one of several with ``|`` between them. ``capitals`` are
    placeholders whose values are written in capitals there. It may be valid for the ``longest`` seconds, 0 if that is
    not known, ``since`` ``now`` or its ``iat``; one that says more is refused, or ``cut``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    algorithm: str = "RS256"
    key: Literal["app", "typed", "either"] = "typed"
    written: Literal["pem", "hex"] = "pem"
    file: dict[str, str] = Field(default_factory=dict)
    header: dict[str, str] = Field(default_factory=dict)
    claims: dict[str, str] = Field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    capitals: tuple[str, ...] = ()
    since: Literal["now", "iat"] = "now"
    longest: int = 0
    cut: bool = False


class Fixture(BaseModel):
    """One dialect.

    ``entry`` is the slug of the entry, if the table is not named by that or by an alias of it.

    ``kind`` is the kind of its life. ``authorize``, ``token``, ``refresh_at``, ``revoke``, ``device``, ``temporary``
    (of OAuth 1.0a, whose requests have a ``signature``), ``probe`` and ``api`` are addresses; each may begin with a
    method, and several may stand with ``|`` between them.

    ``server`` is an MCP server, whose metadata names the authorization server ``issuer`` and its endpoints; without one
    ``issuer`` publishes metadata of its own.

    ``client`` is how the client proves itself at the token endpoint (``post``, ``basic``, ``none``, ``key``, ``secret``
    if that is enough, ``absent`` if it is not even named; several with ``|`` between them), ``refresh_client`` at a
    refresh, if that is otherwise; ``proof`` are the claims of the assertion that its key signs (RFC 7523 §3), its kid,
    and its x5t#S256; ``client_names`` are the names of its id and secret there, ``names`` those of the other
    parameters, by the RFC's: ``-`` is one that breaks the request, ``*`` one that does not matter. ``grant`` and
    ``refresh_grant`` are the grant types, if they are not the RFC's, ``format`` how the body is written (``form``,
    ``json``, ``query``). ``asks`` are the parameters that an authorization request needs (or ``-`` and ``*``,
    likewise), ``demands`` those of a token request or a login, and ``demand_headers`` the headers of a login;
    ``refresh_demands`` are the further parameters of a refresh. ``separator`` stands between scopes, None if none are
    asked for; ``offline`` is the scope that brings a refresh token. ``pkce``: ``required``, ``refused``, or "" if
    either will do. ``code_name`` and ``state_name`` are what the authorization response calls the two, ``callback`` are
    its further parameters.

    ``tokens_at`` leads to the object that holds the tokens, ``token_name`` and ``refresh_name`` name them in it;
    ``expiry`` names the lifetime, "" if it is not told, in ``expiry_form``. ``lifetime`` is in seconds, None if it is
    not known. ``around`` are members beside that object. ``refresh``: ``rotates``, ``stays``, ``adds`` (a new one each
    time, beside the old), ``none``, or "" if that is not known: then the stand-in rotates. ``answer`` are further
    members of the token response.

    ``headers``, ``query`` and ``body`` say how a credential is carried. ``me`` is the answer to the probe, None if its
    shape is not known; ``account`` is whom it names; ``probe_meanings`` are further answers of the probe, written ``403
    {"error": "gone"}``, with the verdict that each deserves. ``probe_sends`` are words of the probe's body, ``pending``
    is the answer to who waits for a code to be entered. ``dead``, ``wrong_client`` and ``refusal`` are the answers to a
    dead grant, to a wrong client, and to a dead credential at the API: a status and a document. ``meanings`` are
    further answers of the token endpoint, written likewise, with what each means: ``grant``, ``client``, ``later``,
    ``address`` or ``interaction``. ``pages`` are further answers, by method and address. ``unsaid`` names what an entry
    has no words for: it is not asked of it.

    ``signed`` is about what we sign: ``{jwt}`` stands for such a token in ``headers`` and ``demand_headers``.
    ``scopes_of_keys`` says, by the beginning of an address, for which region and service a signature of AWS has to be;
    ``realm`` is that of OAuth 1.0a, in which ``{ACCOUNT}`` is ``{account}`` in capitals, with _ for -.
    ``no_certificate`` answers who shows no client certificate. ``{subject_token}`` is a token of whoever is acted for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: str
    kind: str
    entry: str = ""
    server: str = ""
    issuer: str = ""
    authorize: str = ""
    token: str = ""
    refresh_at: str = ""
    revoke: str = ""
    device: str = ""
    temporary: str = ""
    signature: str = "HMAC-SHA1"
    probe: str = ""
    api: str = ""
    client: str = ""
    refresh_client: str = ""
    proof: dict[str, str] = Field(
        default_factory=lambda: {"iss": "{client_id}", "sub": "{client_id}", "aud": "{token_url}"}
    )
    grant: str = ""
    refresh_grant: str = "refresh_token"
    refresh_demands: dict[str, str] = Field(default_factory=dict)
    names: dict[str, str] = Field(default_factory=dict)
    code_name: str = "code"
    state_name: str = "state"
    client_names: tuple[str, str] = ("client_id", "client_secret")
    format: str = "form"
    asks: dict[str, str] = Field(default_factory=dict)
    demands: dict[str, str] = Field(default_factory=dict)
    demand_headers: dict[str, str] = Field(default_factory=dict)
    separator: str | None = None
    offline: str = ""
    pkce: str = ""
    tokens_at: str = ""
    around: dict[str, Any] = Field(default_factory=dict)
    token_name: str = "access_token"
    refresh_name: str = "refresh_token"
    expiry: str = "expires_in"
    expiry_form: str = "seconds"
    lifetime: int | None = None
    refresh: str = ""
    answer: dict[str, Any] = Field(default_factory=dict)
    callback: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    query: dict[str, str] = Field(default_factory=dict)
    body: dict[str, str] = Field(default_factory=dict)
    me: Any = None
    account: str = ""
    probe_sends: str = ""
    pending: tuple[int, Any] = (400, {"error": "authorization_pending"})
    dead: tuple[int, Any] = (400, {"error": "invalid_grant"})
    wrong_client: tuple[int, Any] = (401, {"error": "invalid_client"})
    refusal: tuple[int, Any] = (401, {})
    probe_meanings: dict[str, str] = Field(default_factory=dict)
    no_certificate: tuple[int, Any] = (400, {})
    meanings: dict[str, str] = Field(default_factory=dict)
    unsaid: tuple[str, ...] = ()
    pages: dict[str, Any] = Field(default_factory=dict)
    signed: Signed | None = None
    scopes_of_keys: dict[str, str] = Field(default_factory=dict)
    realm: str = ""

    def endpoints(self, name: str) -> list[tuple[str, str]]:
        """Return the methods and addresses of the endpoint ``name``: any of them will do."""
        found = []
        for said in filter(None, str(getattr(self, name)).split("|")):
            method, has_method, address = said.partition(" ")
            found.append((method, address) if has_method else ("GET" if name == "probe" else "POST", said))
        return found


@cache
def fixtures() -> dict[str, Fixture]:
    """Return the fixtures by slug. Raises ``ValueError`` naming a table that is wrong."""
    found: dict[str, Fixture] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for slug, fixture in fixtures_in(path.read_text(encoding="utf-8"), path.name).items():
            if slug in found:
                raise ValueError(f"{path.name}: {slug} is there twice")
            found[slug] = fixture
    return found


def fixtures_in(text: str, name: str) -> dict[str, Fixture]:
    """Return the fixtures in the tables of ``text``, by slug. Raises ``ValueError`` naming the table that is wrong."""
    return {slug: fixture_of(slug, table, name) for slug, table in tomllib.loads(text).items()}


def fixture_of(slug: str, table: Any, name: str) -> Fixture:
    """Return the fixture that ``table`` of the file ``name`` holds. Raises ``ValueError`` saying what is wrong."""
    if not isinstance(table, dict):
        raise ValueError(f"{name}: {slug}: is no table; write [{slug}] above the keys")  # noqa: TRY004
    if "slug" in table:
        raise ValueError(f"{name}: {slug}: slug: the name of the table says it; remove it")
    try:
        return Fixture(slug=slug, **_read(table))
    except ValidationError as error:
        told = "; ".join(_told(problem) for problem in error.errors(include_url=False))
        raise ValueError(f"{name}: {slug}: {told}") from None
    except ValueError as error:
        raise ValueError(f"{name}: {slug}: {error}") from None


def _told(problem: ErrorDetails) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"{key}: {problem['msg']}"
    near = get_close_matches(key, Fixture.model_fields, 1)
    return f"{key}: there is no such key{f'; did you mean {near[0]}?' if near else ''}"


def read_answer(said: str) -> tuple[int, Any]:
    """Return the status and the document of an answer that is written ``400 {"error": "gone"}``."""
    status, _, document = said.partition(" ")
    if not (status.isdecimal() and status.isascii()):
        raise ValueError(f'{said[:60]!r} is no answer; write its status and its document, as 400 {{"error": "gone"}}')
    return int(status), json.loads(document) if document else {}


def _read(table: dict[str, Any]) -> dict[str, Any]:
    answers = ("dead", "wrong_client", "refusal", "no_certificate", "pending")
    return {
        name: read_answer(said) if name in answers and isinstance(said, str) else said for name, said in table.items()
    }
