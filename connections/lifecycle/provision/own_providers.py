"""Entries of the operator's own: checked, kept in the folder of added entries, and taken out again.

An entry says where secrets are sent. So whoever may describe providers must not be able to have stored secrets sent to
an address of theirs: a change that moves an address, by which an entry also begins or ends to stand in for another, is
refused while connections, keys or connects in flight would follow it, and the client secrets of the provider apps have
to be entered again. Whoever can write to the folder itself, as ``manage.py providers`` does, can read the keys as well.
"""

import errno
import hashlib
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from connections.database.locks import RowCheck, lock_own_entries
from connections.journal import audit
from connections.models import (
    UNFINISHED,
    AppKey,
    Connection,
    ConnectSession,
    CredentialVersion,
    ProviderApp,
    RegisteredClient,
    SessionState,
    Status,
)
from connections.refusals import InvalidRequest
from providers.catalog.additions import check_entry, store_entry
from providers.catalog.destinations import moved
from providers.catalog.loader import CatalogError, UnknownProvider, configure_catalog, entry, load_entry
from providers.catalog.schema import CatalogEntry

LARGEST_TEXT = 200_000
_MOST_COUNTED = 1_000  # more would make a page wait, and no difference


@dataclass(frozen=True, slots=True)
class Uses:
    """What stands on an entry: how many provider apps, and how many things that hold or await a secret.

    ``secrets`` are the apps that hold client secrets, ``keys`` their key pairs, ``clients`` what they have registered
    without hands. ``connections`` are those that are not disconnected or whose credential is still stored, counted up
    to a limit. ``sessions`` are the connects that are under way.
    """

    apps: int = 0
    secrets: int = 0
    keys: int = 0
    clients: int = 0
    connections: int = 0
    sessions: int = 0

    def __str__(self) -> str:
        counts = (
            (self.apps, "provider app", "provider apps"),
            (self.connections, "connection", "connections"),
            (self.keys, "key", "keys"),
            (self.clients, "registered client", "registered clients"),
            (self.sessions, "connect under way", "connects under way"),
        )
        told = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
        return ", ".join(told) or "nothing"

    @property
    def holds_back(self) -> bool:
        """Whether something would follow the entry to another address that only its owner can take back."""
        return bool(self.connections or self.keys or self.clients or self.sessions)


@dataclass(frozen=True, slots=True)
class PreparedEntry:
    """An entry that is checked and may be stored. ``before`` is what stands under its slug now, in whatever file.

    ``moves`` are the keys by which secrets would go elsewhere, () for none or if nothing uses the entry. ``forgets`` is
    the number of provider apps whose client secrets have to be entered again therefore. ``edition`` is that of the file
    on which it is based.
    """

    text: str
    entry: CatalogEntry
    before: CatalogEntry | None
    uses: Uses
    moves: tuple[str, ...] = ()
    edition: str = ""

    @property
    def forgets(self) -> int:
        """How many provider apps lose their client secrets."""
        return self.uses.secrets if self.moves else 0

    @property
    def hides_built_in(self) -> bool:
        """Whether it takes the place of an entry that comes with Latchkey."""
        return self.before is not None and not own_file(self.entry.slug).exists()


def own_file(slug: str) -> Path:
    """Return the file in which the operator's own entry ``slug`` is or would be. No I/O."""
    return Path(settings.CATALOG_DIR) / f"{slug}.toml"


def own_text(slug: str) -> str | None:
    """Return the operator's own entry ``slug`` as it is written, None if there is none. Reads a file.

    No more is read than shows that it is too long to be changed here. Raises ``InvalidRequest`` where it cannot be
    read.
    """
    try:
        if not own_file(slug).is_file():
            return None
        with own_file(slug).open(encoding="utf-8", errors="replace") as file:
            return file.read(LARGEST_TEXT + 1).removeprefix("\ufeff")
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise InvalidRequest(
            f"The file of the entry {slug!r} cannot be read: {error.strerror}.", field="slug"
        ) from None


def edition_of(slug: str) -> str:
    """Return what tells one text of the operator's own entry ``slug`` from another, "" if there is none. Reads a file.

    Raises ``InvalidRequest`` where it cannot be read.
    """
    text = own_text(slug)
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()


def prepare_own_provider(slug: str, text: str, *, edition: str | None = None) -> PreparedEntry:
    """Check ``text`` as the operator's own entry ``slug``, by the rules of ``manage.py providers check``.

    ``edition`` is that of the file which was changed into ``text``, None for what stands there now.
    Raises ``InvalidRequest``: its ``problems`` are the sentences of that command; or it says what uses the entry and
    would follow it to another address. Reads and writes files, and asks the database.
    """
    text = text.replace("\r\n", "\n")
    if len(text) > LARGEST_TEXT:
        raise InvalidRequest(f"An entry is at most {LARGEST_TEXT:,} characters long.", field="toml")
    try:
        found = check_entry(slug, text)
    except CatalogError as error:
        problems = str(error).splitlines()
        raise InvalidRequest("The entry is not in order.", field="toml", problems=problems) from None
    names = (slug, *found.aliases)
    # Rows without an entry are those of one that has gone: their secrets were meant for its addresses.
    changed = {key for name in names if uses_of(name) != Uses() for key in moved(_in_force(name), found)}
    uses, moves = uses_of(*names), tuple(sorted(changed))
    if moves and uses.holds_back:
        raise InvalidRequest(
            f"This would send stored secrets elsewhere ({', '.join(moves)}), and the entry is used: {uses}. Describe "
            "the new address under another name, or disconnect what uses this one first.",
            field="toml",
        )
    edition = edition_of(slug) if edition is None else edition
    return PreparedEntry(text, found, _in_force(slug), uses, moves, edition)


def store_own_provider(prepared: PreparedEntry, *, actor: audit.Actor, check: RowCheck | None = None) -> CatalogEntry:
    """Write a prepared entry to the folder, with an audit row, and forget the client secrets that it moves.

    One transaction, in which one own entry at a time is stored; other processes notice the file by themselves, within
    seconds. An entry that is written so already is left alone. Raises ``InvalidRequest`` where the folder cannot be
    written, or where the file or what uses the entry has changed since, and what ``check`` raises of the slug, None
    where there is no such entry.
    """
    slug = prepared.entry.slug
    names = (slug, *prepared.entry.aliases)
    with transaction.atomic():
        lock_own_entries()
        if check is not None:
            check(None if own_text(slug) is None else slug)
        if own_text(slug) == prepared.text:
            return prepared.entry
        if edition_of(slug) != prepared.edition:
            raise InvalidRequest(
                "The entry was changed meanwhile, by somebody else or in the folder: nothing was stored. Open it anew, "
                "and make your change there.",
                field="toml",
            )
        if prepared.moves and uses_of(*names).holds_back:
            raise InvalidRequest("Somebody has begun to use the entry meanwhile: nothing was changed.", field="toml")
        for app in ProviderApp.objects.filter(provider__in=names, secrets__isnull=False) if prepared.moves else ():
            app.forget_secrets()
            said = {"provider_app": str(app.id), "provider": slug, "reason": "entry_moved"}
            audit.record("provider_app.secrets_forgotten", actor=actor, tenant_id=app.tenant_id, detail=said)
        try:
            stored = _write(prepared, actor=actor)
        except CatalogError as error:
            problems = str(error).splitlines()
            raise InvalidRequest("The entry is not in order.", field="toml", problems=problems) from None
        except OSError as error:
            raise InvalidRequest(
                f"The folder of your own entries cannot be written ({error.strerror}): see LATCHKEY_CATALOG_DIR.",
                field="toml",
            ) from None
    configure_catalog(settings.CATALOG_DIR)
    return stored


def write_own_provider(slug: str, text: str, *, actor: audit.Actor) -> CatalogEntry:
    """Write ``text`` to the folder as the entry ``slug``, with an audit row, whatever uses the entry. One transaction.

    For those who could write the file themselves. Secrets go nowhere else by it: each is bound to the party that it was
    meant for. Raises ``CatalogError`` and ``OSError``.
    """
    found = check_entry(slug, text)
    before, uses = _in_force(slug), uses_of(slug, *found.aliases)
    moves = moved(before, found) if uses != Uses() else ()
    with transaction.atomic():
        lock_own_entries()
        stored = _write(PreparedEntry(text, found, before, uses, moves), actor=actor)
    configure_catalog(settings.CATALOG_DIR)
    return stored


def _write(prepared: PreparedEntry, *, actor: audit.Actor) -> CatalogEntry:
    """Write the audit row, and then the file. Raises ``CatalogError`` and ``OSError``, which take the row back."""
    slug = prepared.entry.slug
    what = "changed" if own_file(slug).exists() else "added"
    detail = {"provider": slug, "moves": list(prepared.moves), "hides_built_in": prepared.hides_built_in}
    audit.record(f"own_provider.{what}", actor=actor, detail=detail)
    return store_entry(slug, prepared.text, folder=Path(settings.CATALOG_DIR))


def remove_own_provider(slug: str, *, actor: audit.Actor, check: RowCheck | None = None) -> None:
    """Take the operator's own entry ``slug`` out of the folder, with an audit row. One transaction.

    Where it stands in for an entry that comes with Latchkey, that one is in force again. Raises ``InvalidRequest``
    while something uses it, saying by what, and what ``check`` raises of the slug.
    """
    file = own_file(slug)
    with transaction.atomic():
        lock_own_entries()
        if check is not None:
            check(slug if file.is_file() else None)
        if not file.is_file():
            raise InvalidRequest(f"There is no entry {slug!r} of your own.", field="slug")
        uses = uses_of(slug, *_aliases_in(file))
        if uses != Uses():
            raise InvalidRequest(f"The entry is used: {uses}.", field="slug")
        audit.record("own_provider.removed", actor=actor, detail={"provider": slug})
        try:
            file.unlink()
        except OSError as error:
            raise InvalidRequest(
                f"The folder of your own entries cannot be written ({error.strerror}): see LATCHKEY_CATALOG_DIR.",
                field="slug",
            ) from None
    configure_catalog(settings.CATALOG_DIR)


def uses_of(*slugs: str) -> Uses:
    """Return what uses the entry that has these names. Six counts, of which that of connections goes up to a limit."""
    by_app = Q(provider_app__provider__in=slugs)
    apps = ProviderApp.objects.filter(provider__in=slugs)
    under_way = [state for state in UNFINISHED if state != SessionState.STARTED]
    stored = Exists(CredentialVersion.objects.filter(connection=OuterRef("pk"))) | ~Q(status=Status.DISCONNECTED)
    return Uses(
        apps=apps.exclude(suspended_at__isnull=False, secrets__isnull=True).count(),
        secrets=apps.filter(secrets__isnull=False).count(),
        keys=AppKey.objects.filter(by_app, private_key__isnull=False).count(),
        clients=RegisteredClient.objects.filter(by_app, replaced_at=None).count(),
        connections=Connection.objects.filter(stored, by_app)[:_MOST_COUNTED].count(),
        sessions=ConnectSession.objects.filter(by_app, state__in=under_way).count(),
    )


def _in_force(slug: str) -> CatalogEntry | None:
    try:
        return entry(slug)
    except UnknownProvider:
        return None


def _aliases_in(file: Path) -> tuple[str, ...]:
    """Return the further names that a file gives its entry; () where it is not in order."""
    try:
        return tuple(load_entry(file).aliases)
    except CatalogError:
        return ()
