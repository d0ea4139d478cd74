"""The calls of an entry that a credential is used for: how it travels, the probe, the choice of workspace.

Owns also the rules that say what an answer means; how they are applied is ``providers.oauth.classify``.
"""

from typing import Literal

from pydantic import Field, JsonValue

from providers.catalog.fields import ParamName, Shape
from providers.vocabulary import Meaning


class ErrorRule(Shape):
    """One row of the classification: an answer that matches means ``means``. Unset matchers match everything.

    ``field`` is a top-level field of the JSON body, or a pointer into it, compared with ``value`` as text. ``contains``
    is looked for in the body as it came, for providers that answer in plain text.
    """

    status: int | None = None
    field: str = "error"
    value: str | None = None
    contains: str = ""
    means: Meaning


class Presentation(Shape):
    """How a credential goes into a request. Templates know ``access_token``, the secret fields, params and extra."""

    headers: dict[str, str] = Field(default_factory=lambda: {"Authorization": "Bearer {access_token}"})
    query: dict[str, str] = Field(default_factory=dict)


class Workspaces(Shape):
    """The choice that some grants leave open: which of several sites or organisations a connection is about.

    ``url`` lists them; ``items`` points to the list, ``id`` and ``name`` into one of its items. An object in the place
    of the list is the only workspace. ``param`` is the parameter of scope ``workspace`` that the chosen id becomes,
    ``params`` are further ones and where in the item they are; one of them may lead to the id instead of ``param``. An
    item counts only where each value fits its parameter's pattern. ``label`` is what the provider calls one of them.
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
        """Where each parameter is in an item."""
        return {**self.params, **({self.param: self.id} if self.param else {})}

    @property
    def key(self) -> str:
        """The parameter that the id becomes, "" where none does."""
        return next((name for name, pointer in self.pointers.items() if pointer == self.id), "")


class Probe(Shape):
    """A cheap authenticated call. Pointers are JSON Pointers (RFC 6901) into the answer, or "" for none.

    ``body`` may hold any JSON; texts in it are templates, written loosely: see ``providers.catalog.template``. With
    ``format = "form"`` it is sent as a form, of texts alone. ``headers`` are sent besides those of the presentation.
    ``account_id`` may be several pointers with spaces between them, where one field alone is not unique. With
    ``lists_workspaces`` the answer is the list that ``Workspaces`` describes: the connection's own must be in it, and
    is the account. Otherwise the id of the chosen workspace comes before the account's.
    """

    method: Literal["GET", "POST"] = "GET"
    url: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    format: Literal["json", "form"] = "json"
    body: dict[str, JsonValue] = Field(default_factory=dict)
    dead: tuple[ErrorRule, ...] = (ErrorRule(status=401, means=Meaning.GRANT_REJECTED),)
    account_id: str = ""
    account_name: str = ""
    scopes_header: str = ""
    lists_workspaces: bool = False
