"""How entries of the operator's own travel over the API: as the TOML that they are written in."""

from typing import Annotated

from pydantic import BaseModel, Field

from connections.api.pages import Page
from connections.api.texts import Request, Text
from connections.lifecycle.provision.own_providers import LARGEST_TEXT, own_text, uses_of


class OwnProviderIn(Request):
    """An entry of your own, as `manage.py providers` reads it (TOML)."""

    toml: Annotated[Text, Field(max_length=LARGEST_TEXT)]
    confirm: bool = Field(
        False,
        description="needed where client secrets would go to another address, so that they have to be entered again, "
        "and where the entry takes the place of one that comes with Latchkey",
    )


class OwnProviderOut(BaseModel):
    """An entry of your own. ``used_by`` counts what stands on it: provider apps, connections, keys, …."""

    slug: str
    toml: str
    used_by: dict[str, int]


class OwnProviderPage(Page[OwnProviderOut]):
    """One page, by slug; ``next`` is the cursor of the next one, or null."""


def own_provider_out(slug: str) -> OwnProviderOut:
    """Return what the API shows of an entry of the operator's own. Reads its file, and asks what uses it."""
    uses = uses_of(slug)
    return OwnProviderOut(
        slug=slug,
        toml=own_text(slug) or "",
        used_by={
            "provider_apps": uses.apps,
            "connections": uses.connections,
            "keys": uses.keys,
            "registered_clients": uses.clients,
            "connect_sessions": uses.sessions,
        },
    )
