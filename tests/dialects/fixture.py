"""What is known of a vendor's dialect, read from the TOML files of this folder: a table for each slug.

The tables were written from what vendors document, by somebody who has not seen the catalogue's entries; neither may
ever be made from the other. A key that is left out means what its default below says. Addresses may have placeholders,
``{subdomain}``: each stands for one value, the same throughout a life.
"""

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

FOLDER = Path(__file__).parent
# The styles by which an entry may describe each kind of life.
STYLES = {
    "code": ("oauth2_authorization_code",),
    "machine": ("oauth2_client_credentials",),
    "device": ("oauth2_device_authorization",),
    "password": ("oauth2_password",),
    "key": ("api_key", "bearer_token", "http_basic"),
    "login": ("two_step_login",),
    "oauth1": ("oauth1",),
}


class Fixture(BaseModel):
    """One dialect.

    ``kind`` is the kind of its life. ``authorize``, ``token``, ``refresh_at``, ``revoke``, ``device``, ``temporary``
    (of OAuth 1.0a, whose requests have a ``signature``), ``probe`` and ``api`` are addresses; each may begin with a
    method, and several may stand with ``|`` between them.

    ``server`` is an MCP server, whose metadata names the authorization server ``issuer`` and its endpoints.

    ``client`` is how the client proves itself at the token endpoint (``post``, ``basic``, ``none``, ``key``; several
    with ``|`` between them), ``client_names`` are the names of its id and secret there. ``grant`` is the grant type of
    the first request, if it is not the RFC's, ``format`` how its body is written (``form``, ``json``, ``query``).
    ``asks``
    are the parameters that an authorization request needs, ``demands`` those of a token request or a login, and
    ``demand_headers`` the headers of a login. ``separator`` stands between scopes, None if none are asked for;
    ``offline`` is the scope that brings a refresh token. ``pkce``: ``required``, ``refused``, or "" if either will do.
    ``code_name`` and ``state_name`` are what the authorization response calls the two, ``callback`` are its further
    parameters.

    ``tokens_at`` leads to the object that holds the tokens, ``token_name`` and ``refresh_name`` name them in it;
    ``expiry`` names the lifetime, "" if it is not told, in ``expiry_form``. ``lifetime`` is in seconds, None if it is
    not known. ``refresh``: ``rotates``, ``stays``, ``adds`` (a new one each time, beside the old), ``none``, or "" if
    that is not known: then the stand-in rotates. ``answer`` are further members of the token response.

    ``headers``, ``query`` and ``body`` say how a credential is carried. ``me`` is the answer to the probe, None if its
    shape is not known; ``account`` is whom it names. ``probe_sends`` are words of the probe's body. ``dead``,
    ``wrong_client`` and ``refusal`` are the answers to a dead grant, to a wrong client, and to a dead credential at the
    API: a status and a document. ``meanings`` are further answers of the token endpoint, written likewise, with what
    each means: ``grant``, ``client``, ``later`` or ``address``. ``pages`` are further answers, by method and address.
    ``unsaid`` names what an entry has no words for: it is not asked of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: str
    kind: str
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
    grant: str = ""
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
    dead: tuple[int, Any] = (400, {"error": "invalid_grant"})
    wrong_client: tuple[int, Any] = (401, {"error": "invalid_client"})
    refusal: tuple[int, Any] = (401, {})
    meanings: dict[str, str] = Field(default_factory=dict)
    unsaid: tuple[str, ...] = ()
    pages: dict[str, Any] = Field(default_factory=dict)

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
        for slug, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if slug in found:
                raise ValueError(f"{path.name}: {slug} is there twice")
            try:
                found[slug] = Fixture(slug=slug, **_read(table))
            except ValueError as error:
                raise ValueError(f"{path.name}: {slug}: {error}") from error
    return found


def read_answer(said: str) -> tuple[int, Any]:
    """Return the status and the document of an answer that is written ``400 {"error": "gone"}``."""
    status, _, document = said.partition(" ")
    return int(status), json.loads(document) if document else {}


def _read(table: dict[str, Any]) -> dict[str, Any]:
    answers = ("dead", "wrong_client", "refusal")
    return {name: read_answer(said) if name in answers else said for name, said in table.items()}
