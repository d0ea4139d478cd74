"""``manage.py providers try`` and ``dialect``: an entry is rehearsed at a stand-in, for those who write entries.

Owns the choice of the dialect and the words about what was proven; ``providers.dialects`` has the stand-ins.
"""

import tomllib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from connections.management.operator_command import text_from
from connections.management.output import Answer
from providers.catalog.loader import UnknownProvider, entry, load_entry, meant_by
from providers.catalog.schema import CatalogEntry
from providers.dialects.connecting import Disagreement
from providers.dialects.fixture import Fixture, fixture_of, fixtures
from providers.dialects.life import style_of
from providers.dialects.questions import KIND_OF, questions
from providers.dialects.trial import Trial, unproven

_MARKS = {"sent": "->", "answered": "<-", "read": "=="}
_BUILT_IN = "the vendor's documentation, as somebody wrote it down who had not seen the entry"
_OWN = "{source}: as right as its author's reading of the vendor's documentation"


@dataclass(frozen=True, slots=True)
class _Chosen:
    """An entry, a style of it, the dialect to try it against, and where that comes from."""

    entry: CatalogEntry
    style: str
    fixture: Fixture
    source: str = field(default=_BUILT_IN)


def try_entry(options: dict[str, Any]) -> Answer:
    """Rehearse the entry that the options name. Raises ``CommandError``."""
    if not __debug__:
        raise CommandError("Python runs with -O, which takes the stand-in's checks away: run it without.")
    tried = [_tried(chosen) for chosen in _chosen(options)]
    data = [one for one, _ in tried]
    text = "\n\n".join(told for _, told in tried)
    return Answer(data, text, is_success=all(one["agrees"] for one in data))


def ask_about(options: dict[str, Any]) -> Answer:
    """Return the questions about the dialect of an entry's vendor. Raises ``CommandError``."""
    described, named = _entry_of(options["slug"])
    style = _styles(described, options["auth_style"] or named)[0]
    text = questions(described.slug, style)
    return Answer({"slug": described.slug, "auth_style": style, "questions": text}, text.rstrip("\n"))


def _entry_of(slug: str) -> tuple[CatalogEntry, str]:
    """Return the entry in the file or of the slug, and the style that an alias stands for, "" if it is none."""
    if slug.endswith(".toml"):
        return load_entry(Path(slug)), ""
    try:
        return entry(slug), meant_by(slug)[1]
    except UnknownProvider:
        raise CommandError(f"There is no provider {slug!r}, and no file {slug}.toml is named.") from None


def _styles(described: CatalogEntry, wanted: str) -> Sequence[str]:
    if wanted and wanted not in described.auth_styles:
        raise CommandError(f"{described.name} connects by {', '.join(described.auth_styles)} only.")
    return [wanted] if wanted else described.auth_styles


def _chosen(options: dict[str, Any]) -> list[_Chosen]:
    described, named = _entry_of(options["slug"])
    styles = _styles(described, options["auth_style"] or named)
    said = _said(options["say"] or [])
    if options["dialect"]:
        table, source = _table(options["dialect"], described.slug), options["dialect"]
        style = next((one for one in styles if KIND_OF[one] == table.get("kind", KIND_OF[one])), styles[0])
        return [_of_their_own(described, style, table | said, source)]
    known = [_Chosen(described, style, fixture) for style in styles for fixture in _known(described, style)]
    if known and not said:
        return known
    if not said:
        raise CommandError(
            f"Nothing independent is known of the dialect of {described.slug} by {', '.join(styles)}, and an entry that"
            " is tried against itself proves nothing. Answer the questions of `manage.py providers dialect"
            f" {described.slug}` from the vendor's documentation, and give them with --dialect FILE; or --say some."
        )
    if not known:
        return [_of_their_own(described, styles[0], said, "what the command line says")]
    first = known[0]
    table = first.fixture.model_dump(exclude_unset=True, exclude={"slug"}) | said
    return [_of_their_own(described, first.style, table, "what is known of the vendor, and what the command line says")]


def _known(described: CatalogEntry, style: str) -> list[Fixture]:
    """Return the fixtures that are about ``style`` of the entry."""
    found = []
    for slug, fixture in fixtures().items():
        owner, named = meant_by(fixture.entry or slug)
        if owner != described.slug or fixture.kind != KIND_OF[style]:
            continue
        with suppress(Disagreement):  # an alias may name a style that this edition of the entry lacks
            if style == style_of(described, fixture, named or meant_by(slug)[1]):
                found.append(fixture)
    return found


def _of_their_own(described: CatalogEntry, style: str, table: dict[str, Any], source: str) -> _Chosen:
    try:
        fixture = fixture_of(described.slug, {"kind": KIND_OF[style]} | table, source)
    except ValueError as error:
        raise CommandError(str(error)) from None
    if fixture.kind not in KIND_OF.values():
        raise CommandError(f"{source}: kind: is none of {', '.join(sorted(set(KIND_OF.values())))}")
    if fixture.kind != KIND_OF[style]:
        raise CommandError(f"{source}: kind: is {fixture.kind!r}, and {style} is of the kind {KIND_OF[style]!r}")
    return _Chosen(described, style, fixture, _OWN.format(source=source))


def _table(file: str, slug: str) -> dict[str, Any]:
    try:
        document = tomllib.loads(text_from(file))
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"{file}: is not TOML: {error}") from None
    except (ValueError, RecursionError):  # a number without an end, or lists in lists
        raise CommandError(f"{file}: holds a value that is too long to read") from None
    table: Any = document if isinstance(document.get("kind"), str) else document.get(slug)
    if not isinstance(table, dict):
        raise CommandError(f"{file}: has no table [{slug}]")
    return table


def _said(given: Sequence[str]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise CommandError(f"{item!r} is not of the form KEY=VALUE.")
        try:
            said[name] = tomllib.loads(f"value = {value}")["value"]
        except (ValueError, RecursionError):  # no TOML, or more of it than can be read: a text
            said[name] = value
    return said


def _tried(chosen: _Chosen) -> tuple[dict[str, Any], str]:
    trial = Trial(chosen.fixture, chosen.entry, chosen.style)
    agrees = trial.attempt()
    silent = unproven(chosen.fixture)
    data = {
        "slug": chosen.entry.slug,
        "auth_style": chosen.style,
        "agrees": agrees,
        "problem": trial.problem,
        "keys": trial.keys,
        "steps": [
            {"name": step.name, "lines": [{"kind": kind, "text": text} for kind, text in step.lines]}
            for step in trial.steps
        ],
        "dialect": chosen.source,
        "unproven": silent,
    }
    lines = [f"{chosen.entry.name} by {chosen.style}"]
    for number, step in enumerate(trial.steps, start=1):
        lines += [f"{number}. {step.name}", *(f"   {_MARKS[kind]} {text}" for kind, text in step.lines)]
    if agrees:
        lines.append(f"The entry and the dialect agree in {len(trial.steps)} steps.")
    else:
        lines.append(f"The entry and the dialect disagree: {trial.problem}")
        lines += [f"Look at {', '.join(trial.keys)}: or the dialect is wrong."] if trial.keys else []
    lines.append(f"The dialect: {chosen.source}. Nothing was sent to the vendor: an account there proves the rest.")
    lines.append("What it leaves out of a request or an answer is as RFC 6749 has it.")
    lines += [f"Not proven, because the dialect does not say it: {one}." for one in silent]
    return data, "\n".join(lines)
