"""The calls that an entry describes: how a credential travels in each, the probe, the choice of workspace, revocation.

Also owns the rules that say what an answer means; ``providers.oauth.classify`` applies them.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, JsonValue

from providers.catalog.fields import ParamName, Shape
from providers.vocabulary import Meaning


class ErrorRule(Shape):
    """One row of the classification: an answer that matches means ``means``. Unset matchers match everything.

    ``field`` is a top-level field of the JSON body, or a pointer into it; it is compared with ``value`` as text.
    ``contains`` must occur in the raw body, in capitals or not, for providers that answer in plain text.
    """

    status: int | None = None
    field: str = "error"
    value: str | None = None
    contains: str = ""
    means: Meaning


class Presentation(Shape):
    """How a credential goes into each request. Templates know ``access_token``, the secret fields, params and extra.

    ``headers`` and ``query`` are added to the request, and ``body`` to the fields of its body. ``base_url`` takes the
    place of the entry's, for an API that wants the credential in the path. What is left out is as the style has it.
    """

    headers: dict[str, str] = Field(default_factory=lambda: {"Authorization": "Bearer {access_token}"})
    query: dict[str, str] = Field(default_factory=dict)
    body: dict[str, str] = Field(default_factory=dict)
    base_url: str = ""

    @property
    def exposed(self) -> Mapping[str, tuple[str, ...]]:
        """The templates of each place other than the headers: ``query``, ``base_url`` and ``body``."""
        return {
            "query": tuple(self.query.values()),
            "base_url": (self.base_url,),
            "body": tuple(self.body.values()),
        }


class Call(Shape):
    """A request. ``headers`` are templates, and so is each text in ``body``, loosely (``providers.catalog.template``).

    ``body`` may hold any JSON; with ``format = "form"`` it is sent as a form, and may hold only texts. One that is
    empty is not sent, or with ``empty_body = "object"`` as ``{}``, which some APIs want.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"] = "POST"
    url: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    format: Literal["json", "form"] = "json"
    body: dict[str, JsonValue] = Field(default_factory=dict)
    empty_body: Literal["nothing", "object"] = "nothing"


class Workspaces(Shape):
    """The choice that some grants leave open: which of several sites or organisations a connection is about.

    A GET of ``url`` lists them; ``items`` points to the list, ``id`` and ``name`` into one of its items. An object in
    place of the list is the only workspace. ``param`` is the parameter of scope ``workspace`` that gets the chosen id.
    ``params`` maps further parameters to pointers into the item; one of them may point to the id instead of ``param``.
    An item counts only if each value fits its parameter's pattern. ``label`` is the provider's word for a workspace.
    """

    url: str
    headers: dict[str, str] = Field(default_factory=lambda: {"Authorization": "Bearer {access_token}"})
    items: str = ""
    id: str
    name: str = ""
    param: ParamName | None = None
    params: dict[ParamName, str] = Field(default_factory=dict)
    label: str = "Workspace"

    @property
    def pointers(self) -> dict[str, str]:
        """The pointer into an item, by parameter."""
        return {**self.params, **({self.param: self.id} if self.param else {})}

    @property
    def key(self) -> str:
        """The parameter that gets the id, "" if none does."""
        return next((name for name, pointer in self.pointers.items() if pointer == self.id), "")


class Probe(Call):
    """A cheap authenticated call. Pointers are JSON Pointers (RFC 6901) into the answer, or "" for none.

    ``headers`` and ``body`` are added to those of the presentation.
    ``account_id`` may be several pointers with spaces between them, if no single field is unique. With
    ``lists_workspaces`` the answer is the list that ``Workspaces`` describes: the connection's own workspace must be in
    it, and is the account. Otherwise the account's id gets the id of the chosen workspace as a prefix.
    With ``speaks = "mcp"`` it is the greeting of an MCP server at ``url`` (``providers.mcp_server``), and names nobody.
    """

    method: Literal["GET", "POST"] = "GET"
    dead: tuple[ErrorRule, ...] = (ErrorRule(status=401, means=Meaning.GRANT_REJECTED),)
    account_id: str = ""
    account_name: str = ""
    scopes_header: str = ""
    speaks: Literal["http", "mcp"] = "http"
    lists_workspaces: bool = False


class Revocation(Shape):
    """How to call the revocation endpoint, if not as RFC 7009 says.

    ``tokens`` are sent one by one, in this order, as ``token_parameter`` beside ``params``; with "" the token itself
    stays out of the body. ``authentication`` says what authenticates the request: the client as at the token endpoint
    or by another method, the client secret as a bearer token (if it is an API key) or under the scheme ``Client``, the
    revoked token, or nothing.
    ``errors`` take precedence over the method's own: ``grant_rejected`` means that the token is already gone.

    ``ends`` says how far a revocation reaches: to everything that the account has granted to the client, or only to the
    tokens of the one authorization. In the first case ``narrowed_url`` may be an address at which the same request ends
    only the one token; it is used while other connections live on the grant.
    """

    ends: Literal["grant", "token"] = "grant"
    narrowed_url: str = ""

    method: Literal["POST", "DELETE"] = "POST"
    format: Literal["form", "json", "as_token_request"] = "as_token_request"
    authentication: Literal[
        "as_token_request",
        "client_secret_basic",
        "client_secret_basic_raw",
        "client_secret_bearer",
        "client_secret_client",
        "token_bearer",
        "none",
    ] = "as_token_request"
    tokens: tuple[Literal["refresh_token", "access_token"], ...] = ("refresh_token", "access_token")
    token_parameter: str = "token"  # noqa: S105 - no password
    params: dict[str, str] = Field(default_factory=dict)
    errors: tuple[ErrorRule, ...] = ()
