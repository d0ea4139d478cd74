"""What an entry asks people for: its parameters, and the fields of a pasted credential; and the base of every shape."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from providers.vocabulary import ParamScope

# What a provider calls a parameter of its authorization response.
ResponseName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,60}$")]
ParamName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]


class Shape(BaseModel):
    """Anything that an entry describes: it never changes, and says nothing that we do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Param(Shape):
    """A value that templates need and that differs by provider app or by connection (a subdomain, an issuer).

    One of scope ``workspace`` is not asked for: ``Workspaces`` finds it once the grant is there. One of scope
    ``callback`` is what the parameter ``callback`` of the authorization response holds; where a connection is made
    without one, with a key, the end user types it. With ``choices`` the value is one of their keys, and templates are
    filled with what stands beside it: that is how an answer may choose a host, from the entry's list alone.
    """

    name: ParamName
    label: str
    scope: ParamScope = ParamScope.CONNECTION
    help: str = ""
    default: str = ""
    pattern: str = r"^[A-Za-z0-9][A-Za-z0-9.-]{0,250}$"
    example: str = ""
    callback: ResponseName | None = None
    choices: dict[str, str] = Field(default_factory=dict)

    def accepts(self, value: str) -> bool:
        """Whether this is a value that the parameter may have."""
        return value in self.choices if self.choices else re.fullmatch(self.pattern, value) is not None

    def filled_in(self, value: str) -> str:
        """Return what templates get for an accepted ``value``."""
        return self.choices.get(value, value)


class SecretField(Shape):
    """One field of a pasted credential, as the widget asks for it."""

    name: ParamName
    label: str
    help: str = ""
    secret: bool = True
    pattern: str = r"^\S{1,4096}$"
    example: str = ""
