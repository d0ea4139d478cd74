"""``/own-providers``: catalogue entries that are the operator's own. ``/providers`` shows the whole catalogue."""

import re
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Status

from connections.api.auth import operator_of
from connections.api.conditional import unchanged
from connections.api.own_providers import (
    OwnProviderDraft,
    OwnProviderIn,
    OwnProviderOut,
    OwnProviderPage,
    OwnProviderVerdict,
    own_provider_out,
    verdict_on,
)
from connections.api.pages import Cursor, Limit, read_cursor, write_cursor
from connections.api.texts import Slug
from connections.lifecycle.provision.own_providers import (
    own_text,
    prepare_own_provider,
    remove_own_provider,
    store_own_provider,
)
from connections.models import Permission
from connections.refusals import InvalidRequest, NotFound
from providers.catalog.schema import SLUG_PATTERN

router = Router(tags=["providers"])
_LIST = "own-providers"


@router.get("", response=OwnProviderPage, summary="List the entries of your own")
def list_own_providers(request: HttpRequest, cursor: Cursor | None = None, limit: Limit = 50) -> OwnProviderPage:
    """List the entries of your own by slug, those that are not in order too. Operator-wide clients only."""
    operator_of(request, may=Permission.CATALOGUE)
    after = "" if cursor is None else read_cursor(cursor, of=_LIST)
    slugs = sorted(file.stem for file in Path(settings.CATALOG_DIR).glob("*.toml") if file.stem > after)
    page = slugs[:limit]
    following = write_cursor(page[-1], of=_LIST) if len(slugs) > limit else None
    return OwnProviderPage(items=[own_provider_out(slug) for slug in page], next=following)


@router.get("/{own_slug}", response=OwnProviderOut, summary="Show an entry of your own")
def get_own_provider(request: HttpRequest, own_slug: Slug) -> OwnProviderOut:
    """Show how an entry of your own is written, and what uses it. Operator-wide clients only."""
    operator_of(request, may=Permission.CATALOGUE)
    return own_provider_out(_known(own_slug))


@router.put("/{own_slug}", response=OwnProviderOut, summary="Describe a provider of your own")
def put_own_provider(request: HttpRequest, own_slug: Slug, body: OwnProviderIn) -> OwnProviderOut:
    """Add or replace an entry. It is checked as `manage.py providers check` does, and `problems` has its sentences.

    A change that moves an address is refused while connections, keys or connects in flight would follow it.
    Operator-wide clients only.
    """
    caller = operator_of(request, may=Permission.CATALOGUE, conditional=True)
    prepared = prepare_own_provider(own_slug, body.toml)
    is_other = own_text(own_slug) != prepared.text
    if is_other and (prepared.forgets or prepared.hides_built_in) and not body.confirm:
        what = (
            f"{prepared.forgets} provider apps would lose their client secrets ({', '.join(prepared.moves)} moves)"
            if prepared.forgets
            else "It would take the place of an entry that comes with Latchkey"
        )
        raise InvalidRequest(f"{what}: confirm it.", field="confirm")
    store_own_provider(prepared, actor=caller.actor, check=unchanged(request, own_provider_out))
    return own_provider_out(own_slug)


@router.post("/{own_slug}/check", response=OwnProviderVerdict, summary="Try an entry without storing it")
def check_own_provider(request: HttpRequest, own_slug: Slug, body: OwnProviderDraft) -> OwnProviderVerdict:
    """Say what is wrong with an entry, what storing it would do, and what it would ask end users for.

    Operator-wide clients only.
    """
    operator_of(request, may=Permission.CATALOGUE)
    return verdict_on(own_slug, body.toml)


@router.delete("/{own_slug}", response={204: None}, summary="Remove an entry of your own")
def delete_own_provider(request: HttpRequest, own_slug: Slug) -> Status[None]:
    """Remove an entry that nothing uses. One that comes with Latchkey, if it hid one, is in force again."""
    caller = operator_of(request, may=Permission.CATALOGUE, conditional=True)
    remove_own_provider(_known(own_slug), actor=caller.actor, check=unchanged(request, own_provider_out))
    return Status(204, None)


def _known(slug: str) -> str:
    if re.fullmatch(SLUG_PATTERN, slug) is None or own_text(slug) is None:
        raise NotFound("There is no such entry of your own.")
    return slug
