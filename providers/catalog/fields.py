"""What an entry asks people for: its parameters, and the fields of a pasted credential; and the base of every shape."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from providers.vocabulary import ParamScope

ParamName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]


class Shape(BaseModel):
    """Anything that an entry describes: it never changes, and says nothing that we do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Param(Shape):
    """A value that templates need and that differs by provider app or by connection (a subdomain, an issuer).

    One of scope ``workspace`` is not asked for: ``Workspaces`` finds it once the grant is there.
    """

    name: ParamName
    label: str
    scope: ParamScope = ParamScope.CONNECTION
    help: str = ""
    default: str = ""
    pattern: str = r"^[A-Za-z0-9][A-Za-z0-9.-]{0,250}$"
    example: str = ""


class SecretField(Shape):
    """One field of a pasted credential, as the widget asks for it."""

    name: ParamName
    label: str
    help: str = ""
    secret: bool = True
    pattern: str = r"^\S{1,4096}$"
    example: str = ""
