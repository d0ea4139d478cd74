"""How entries of the operator's own travel over the API: as the TOML that they are written in."""

from typing import Annotated

from pydantic import BaseModel, Field

from connections.api.catalogue import ProviderOut, provider_out
from connections.api.pages import Page
from connections.api.texts import Request, Text
from connections.lifecycle.provision.own_providers import LARGEST_TEXT, own_text, prepare_own_provider, uses_of
from connections.refusals import InvalidRequest


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


class OwnProviderDraft(Request):
    """An entry that is tried, and not stored."""

    toml: Annotated[Text, Field(max_length=LARGEST_TEXT)]


class OwnProviderVerdict(BaseModel):
    """What would come of an entry. ``provider`` is how it would be shown, null while ``problems`` has sentences."""

    problems: list[str] = Field(description="what is wrong with it, as `manage.py providers check` says it")
    moves: list[str] = Field(description="the keys by which stored secrets would go to another address")
    forgets: int = Field(description="how many provider apps would need their client secrets again")
    hides_built_in: bool = Field(description="it would take the place of an entry that comes with Latchkey")
    provider: ProviderOut | None


class OwnProviderPage(Page[OwnProviderOut]):
    """One page, by slug; ``next`` is the cursor of the next one, or null."""


def verdict_on(slug: str, text: str) -> OwnProviderVerdict:
    """Return what would come of ``text`` as the entry ``slug``. Stores nothing; reads files, and asks the database."""
    try:
        prepared = prepare_own_provider(slug, text)
    except InvalidRequest as refusal:
        problems = refusal.extra.get("problems") or [refusal.detail]
        return OwnProviderVerdict(problems=problems, moves=[], forgets=0, hides_built_in=False, provider=None)
    return OwnProviderVerdict(
        problems=[],
        moves=list(prepared.moves),
        forgets=prepared.forgets,
        hides_built_in=prepared.hides_built_in,
        provider=provider_out(prepared.entry, ()),
    )


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
