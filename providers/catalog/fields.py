"""What an entry asks people for: parameters, and the fields of a pasted credential. Also the base of every shape."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from providers.vocabulary import ParamScope

# A provider's name for a parameter of its authorization response.
ResponseName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,60}$")]
ParamName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]

_LONGEST_PARAM = 2000


class Shape(BaseModel):
    """The base of all parts of an entry: immutable, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Param(Shape):
    """A value that templates need and that differs by provider app or by connection (a subdomain, an issuer).

    Nobody types a parameter of scope ``workspace``: ``Workspaces`` finds it after the consent. Nor one of scope
    ``discovered``, which is called ``resource``: the metadata of the protected resource names it. Nor one of scope
    ``invitation``: the operator's backend gives it with each connect session. A parameter of scope
    ``callback`` gets the value of the parameter ``callback`` of the authorization response; if a connection is made
    without such a response, with a key, the end user types it. With ``choices`` the value must be one of their keys,
    and templates get the value of that key: so an answer may choose a host, but only from the entry's list.
    ``typed_by`` names the sections by which an end user types a parameter of scope ``invitation`` all the same: those
    in which they consent at the provider, so that it opens no account but their own.
    What is ``public`` may be known to everybody: such a parameter of scope ``app`` may go to hosts of end users.
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
    public: bool = False
    typed_by: tuple[str, ...] = ()

    def accepts(self, value: str) -> bool:
        """Whether the parameter may have this value."""
        if self.choices:
            return value in self.choices
        # Beyond the pattern: no address, header or text column holds what nobody can see.
        fits = len(value) <= _LONGEST_PARAM and value.isprintable()
        return fits and re.fullmatch(self.pattern, value) is not None

    def filled_in(self, value: str) -> str:
        """Return what templates get for an accepted ``value``."""
        return self.choices.get(value, value)


class SecretField(Shape):
    """One field of a pasted credential, as the widget asks for it.

    ``multiline``: it may have line breaks, as a key in PEM has. ``optional``: it may be left empty.
    """

    name: ParamName
    label: str
    help: str = ""
    secret: bool = True
    pattern: str = r"^\S{1,4096}$"
    example: str = ""
    multiline: bool = False
    optional: bool = False
