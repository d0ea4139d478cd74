"""The entries of the operator's own that a document declares: each is a file, so no transaction holds it."""

from collections.abc import Iterator

from connections.journal.audit import Actor
from connections.lifecycle.provision.own_providers import own_text, prepare_own_provider, store_own_provider
from connections.management.declarations.changes import Change, Hidden
from connections.management.declarations.document import (
    Document,
    text_at,
)
from connections.management.declarations.work import Work
from connections.refusals import InvalidRequest


def slugs_of(entries: list[Change]) -> set[str]:
    """Return which entries change."""
    return {change.name for change in entries if change.what != "leave"}


def entries_of(document: Document, *, actor: Actor) -> list[Change]:
    """Return what becomes of the entries of the operator's own. Checks each, and stores none."""
    work, found = Work(document, actor), []
    for slug, place, text, confirmed in _texts(document):
        with work.at(place):
            prepared = prepare_own_provider(slug, text)
            known = own_text(slug)
            if prepared.text != known and (prepared.forgets or prepared.hides_built_in) and not confirmed:
                raise InvalidRequest(
                    "Provider apps would lose their client secrets, or an entry that comes with Latchkey would be "
                    "replaced: say `confirm = true`.",
                    field="confirm",
                )
        columns = {} if prepared.text == known else {"toml": (Hidden(), Hidden())}
        what = "leave" if not columns else "make" if known is None else "change"
        found.append(Change(what, "own provider", slug, columns))  # type: ignore[arg-type]  # one of the three
    return found


def store_entries(document: Document, changed: set[str], *, actor: Actor) -> None:
    """Store the entries with the slugs ``changed``. Raises ``DeclarationError``."""
    work = Work(document, actor)
    for slug, place, text, _ in _texts(document):
        if slug in changed:
            with work.at(place):
                store_own_provider(prepare_own_provider(slug, text), actor=actor)


def _texts(document: Document) -> Iterator[tuple[str, str, str, bool]]:
    for slug, declared in document.own_providers.items():
        place = f"own_providers.{slug}"
        text = declared.toml if declared.toml is not None else text_at(str(declared.file), document, f"{place}.file")
        yield slug, place, text, declared.confirm
