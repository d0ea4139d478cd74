"""Reading the catalogue: every ``<slug>.toml`` beside this file and in the folder of added entries.

An added entry replaces a built-in one with the same slug; ``providers.catalog.naming`` says what other names mean.
Every file is checked when it is new or has changed; ``providers.catalog.compiled`` keeps the result, so that most
starts parse none of them. Running processes notice changed files by themselves; ``providers.catalog.additions`` writes
added ones. Whatever is wrong with an added file concerns that file alone: ``faulty_files`` says what it is.

Also owns the JSON Schema of what the end user types. ``providers.catalog.schema`` is the shape of an entry, and
``providers.catalog.checks`` says what must agree across its fields.
"""

import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import structlog
from pydantic import ValidationError

from providers.catalog.checks import problems_of
from providers.catalog.compiled import LARGEST_BYTES, NOTHING, Compiled, Listed, Signature, compiled, signatures_in
from providers.catalog.fields import Param, SecretField
from providers.catalog.mistakes import (
    OutOfReach,
    encoding_mistake,
    name_mistake,
    shape_mistakes,
    toml_mistake,
    value_mistakes,
    without_slips,
)
from providers.catalog.naming import clashes_of, names_of, repeated
from providers.catalog.schema import CatalogEntry

logger = structlog.get_logger(__name__)

_FOLDER = Path(__file__).parent


class CatalogError(ValueError):
    """An entry is wrong; the text names the file, the key and what to do."""


class UnknownProvider(KeyError):
    """No entry has this slug."""

    def __str__(self) -> str:
        return f"the catalogue has no provider {self.args[0]!r}"


class _Entries(Mapping[str, CatalogEntry]):
    """The entries in force by slug, each validated when it is first used. An alias finds its entry, and is not listed.

    An added entry has no facts, whatever its file says: it may be a changed copy, which nobody has confirmed.
    Threads may validate one entry twice at once; both results are the same.
    """

    def __init__(self, built_in: Compiled, added: Compiled) -> None:
        self.built_in, self.added = built_in, added
        own = {slug: replace(line, confidence={}) for slug, line in added.listed.items()}
        self.listed = MappingProxyType(dict(sorted({**built_in.listed, **own}.items())))
        self.names = names_of(built_in.listed, added.listed)
        self._of = {slug: added if slug in added.listed else built_in for slug in self.listed}
        self._validated: dict[str, CatalogEntry] = {}

    def meant(self, slug: str) -> tuple[str, str]:
        """Return the slug of the entry that ``slug`` names, and the style that it stands for, "" if it is no alias."""
        return self.names.aliases.get(slug, (slug, ""))

    def __getitem__(self, slug: str) -> CatalogEntry:
        slug, _ = self.meant(slug)
        found = self._validated.get(slug)
        if found is None:
            document = self._of[slug].document(slug)
            if self._of[slug] is self.added:
                document.pop("facts", None)
            found = _entry_from(slug, document)
            self._validated[slug] = found
        return found

    def __contains__(self, slug: object) -> bool:
        return slug in self._of or slug in self.names.aliases

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def __len__(self) -> int:
        return len(self._of)


@dataclass(frozen=True, slots=True)
class FaultyFile:
    """An added file that is not in force as it stands: ``problems`` says why, a line each.

    ``has_entry``: there is an entry all the same, read before the file became wrong, or without what clashes.
    """

    path: Path
    problems: tuple[str, ...]
    has_entry: bool


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The entries in force, how they were ``read`` last, and when the files were last checked for changes."""

    entries: _Entries
    edition: int
    faulty: tuple[FaultyFile, ...]
    read: tuple[Compiled, Compiled]
    signatures: tuple[Mapping[str, Signature], Mapping[str, Signature]]
    looked_at: float


_added_folder: Path | None = None
_built_in: Compiled | None = None
_loaded: _Loaded | None = None
_LOOK_AGAIN_SECONDS = 1.0
_KEPT_IN = _FOLDER / "__pycache__" / "catalogue.json"  # who can write there can change the code as well
_ADDED_KEPT_IN = ".catalogue.json"
_editions = count(1)


def configure_catalog(added_folder: Path | None) -> None:
    """Also load entries from ``added_folder``, which need not exist yet; None loads only the built-in ones."""
    global _added_folder, _loaded  # noqa: PLW0603 - the process's one catalogue
    _added_folder = added_folder
    _loaded = None


def catalog_files() -> dict[str, Path]:
    """Return the file of each entry by its slug, in alphabetical order. Reads folders."""
    folders = (_FOLDER, _added_folder) if _added_folder is not None else (_FOLDER,)
    files = {slug: folder / f"{slug}.toml" for folder in folders for slug in signatures_in(folder)}
    return dict(sorted(files.items()))


def is_built_in(path: Path) -> bool:
    """Whether an entry's file comes with Latchkey."""
    return path.parent == _FOLDER


def load_catalog() -> Mapping[str, CatalogEntry]:
    """Return every entry by its slug, in alphabetical order; an alias finds its entry as well. Raises ``CatalogError``.

    An entry is validated when it is taken from the mapping, so take only those that you need: ``listed`` is for lists.
    Reads the files once, and again when they have changed; it checks for changes at most once a second. If a changed
    file is wrong, its entry that was read before stays in force, and one line of the log says why: so do the others.
    """
    return _load().entries


def listed() -> Mapping[str, Listed]:
    """Return what lists show of every entry, by its slug and in alphabetical order. Raises ``CatalogError``."""
    return _load().entries.listed


def added_slugs() -> frozenset[str]:
    """Return the slugs of the entries in force that do not come with Latchkey. Raises ``CatalogError``."""
    return frozenset(_load().entries.added.listed)


def meant_by(slug: str) -> tuple[str, str]:
    """Return the slug of the entry that ``slug`` names, and the auth style that it stands for.

    The style is "" unless ``slug`` is an alias. A slug that the catalogue does not know is returned as it is. Raises
    ``CatalogError``.
    """
    return _load().entries.meant(slug)


def faulty_files() -> tuple[FaultyFile, ...]:
    """Return the added files that are not in force as they stand. Raises ``CatalogError``."""
    return _load().faulty


def clashes(entry: CatalogEntry) -> tuple[str, ...]:
    """Return where the names of ``entry`` mean another entry of the catalogue already, a line each.

    An entry of the same slug gives way to it. Raises ``CatalogError``.
    """
    entries = _load().entries
    return clashes_of(Listed.of(entry), entries.built_in.listed, entries.added.listed)


def catalog_edition() -> int:
    """Return a number that changes when the entries in force change: a key for caches of anything made from an entry.

    Reads files as ``load_catalog`` does. Raises ``CatalogError``.
    """
    return _load().edition


def _load() -> _Loaded:
    global _loaded  # noqa: PLW0603 - likewise
    now, loaded = time.monotonic(), _loaded
    if loaded is not None and now - loaded.looked_at < _LOOK_AGAIN_SECONDS:
        return loaded
    added = signatures_in(_added_folder) if _added_folder is not None else {}
    signatures = (signatures_in(_FOLDER), added)
    if loaded is None:
        loaded = _loaded_from(_read(signatures[0], None), None, now)
    elif loaded.signatures != signatures:
        try:
            loaded = _loaded_from(_read(signatures[0], loaded.read[1]), loaded, now)
        except CatalogError as error:
            logger.error("catalog_not_reloaded", problem=str(error))
            loaded = replace(loaded, signatures=signatures, looked_at=now)
    else:
        loaded = replace(loaded, looked_at=now)
    _loaded = loaded
    return loaded


def _loaded_from(entries: _Entries, before: _Loaded | None, now: float) -> _Loaded:
    faulty = tuple(_faulty_in(entries))
    for file in faulty:
        if before is None or file not in before.faulty:
            logger.error(
                "catalog_file_not_in_force", file=str(file.path), problems=file.problems, has_entry=file.has_entry
            )
    read = (entries.built_in, entries.added)
    signatures = (entries.built_in.signatures, entries.added.signatures)
    if before is not None and _holds_the_same(read, before.read):
        return replace(before, faulty=faulty, read=read, signatures=signatures, looked_at=now)
    return _Loaded(entries, next(_editions), faulty, read, signatures, now)


def _faulty_in(entries: _Entries) -> Sequence[FaultyFile]:
    problems = {slug: tuple(told.splitlines()) for slug, told in entries.added.problems.items()}
    for slug, told in entries.names.clashes.items():
        problems[slug] = (*problems.get(slug, ()), *(f"{slug}.toml: {problem}" for problem in told))
    folder = _added_folder or _FOLDER
    return [
        FaultyFile(folder / f"{slug}.toml", told, slug in entries.added.listed)
        for slug, told in sorted(problems.items())
    ]


def _holds_the_same(read: Sequence[Compiled], others: Sequence[Compiled]) -> bool:
    pairs = zip(read, others, strict=True)
    return all((one.listed, one.documents) == (other.listed, other.documents) for one, other in pairs)


def _read(signatures: Mapping[str, Signature], added: Compiled | None) -> _Entries:
    """Return the entries as the files are now; those of before are where a file is wrong now.

    The built-in ones are read only if their ``signatures`` are not those that were read last.
    """
    global _built_in  # noqa: PLW0603 - likewise
    if _built_in is None or _built_in.signatures != signatures:
        try:
            built_in = compiled(_FOLDER, keep_in=_KEPT_IN, read=_checked, before=_built_in)
        except OSError as error:
            raise CatalogError(f"{error.filename}: cannot be read: {error.strerror}") from error
        if problems := list(repeated(built_in.listed)):
            raise CatalogError("\n".join(problems))
        _built_in = built_in
    if _added_folder is None:
        return _Entries(_built_in, NOTHING)
    kept_in = _added_folder / _ADDED_KEPT_IN
    return _Entries(_built_in, compiled(_added_folder, keep_in=kept_in, read=_checked, forgives=True, before=added))


def entry(slug: str) -> CatalogEntry:
    """Return the entry of ``slug``, which may be an alias. Raises ``UnknownProvider``."""
    try:
        return load_catalog()[slug]
    except KeyError:
        raise UnknownProvider(slug) from None


def load_entry(path: Path) -> CatalogEntry:
    """Return the entry that ``path`` holds; its slug is the file's name. Raises ``CatalogError``. Reads the file."""
    _check_name(path)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise CatalogError(f"{path.name}: cannot be read: {error.strerror}") from error
    return _checked(path, content)[1]


def document_in(text: str) -> dict[str, Any] | None:
    """Return what ``text`` says; None if an entry could not say it, whatever its keys. No I/O."""
    document, problems = _parsed(text)
    return None if problems else document


def _parsed(text: str) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the document in ``text``, None if it cannot be looked at, and what is wrong with it."""
    try:
        document = tomllib.loads(text)
        return document, list(value_mistakes(document))
    except RecursionError:
        return None, ["is nested too deeply"]
    except tomllib.TOMLDecodeError as error:
        return None, [toml_mistake(error, text)]
    except OutOfReach as error:
        return None, [str(error)]
    except ValueError:
        return None, ["holds a number that is too long to read"]


def _check_name(path: Path) -> None:
    if mistake := name_mistake(path.stem):
        raise CatalogError(f"{path.name!a}: {mistake}")


def _checked(path: Path, content: bytes) -> tuple[dict[str, Any], CatalogEntry]:
    """Return the document that ``content`` of ``path`` holds, and the entry it describes. Raises ``CatalogError``."""
    _check_name(path)
    if len(content) > LARGEST_BYTES:
        raise CatalogError(f"{path.name}: is larger than 1 MiB, and so no entry")
    try:
        document, problems = _parsed(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        document, problems = None, [encoding_mistake(error)]
    loaded, told = (None, []) if document is None else _entry_in(document, path.stem)
    problems += told
    if problems or document is None or loaded is None:
        raise CatalogError("\n".join(f"{path.name}: {problem}" for problem in problems))
    return document, loaded


def _entry_in(document: dict[str, Any], slug: str) -> tuple[CatalogEntry | None, list[str]]:
    """Return the entry that ``document`` describes, if any, and all that is wrong with it.

    Misspelled keys do not keep the rest from being checked.
    """
    try:
        loaded = _entry_from(slug, document)
    except ValidationError as error:
        told = list(shape_mistakes(error, document))
        mended = without_slips(error, document)
    else:
        return loaded, list(problems_of(loaded, slug))
    with suppress(ValidationError):  # what is wrong besides shows when this is mended
        told += [] if mended is None else problems_of(_entry_from(slug, mended), slug)
    return None, told


def _entry_from(slug: str, document: Mapping[str, Any]) -> CatalogEntry:
    return CatalogEntry.model_validate({"slug": slug, **document})


def form_schema(entry: CatalogEntry, style: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of what the end user types: the connection's parameters, then the secrets.

    Secrets are marked ``writeOnly`` with the format ``password``. A parameter with a default is not required.
    """
    properties: dict[str, Any] = {}
    required: list[str] = []
    for param in entry.typed_params(style):
        properties[param.name] = _property(param) | ({"default": param.default} if param.default else {})
        if not param.default:
            required.append(param.name)
    for item in entry.fields_of(style):
        properties[item.name] = _property(item) | ({"format": "password", "writeOnly": True} if item.secret else {})
        if item.multiline:
            properties[item.name]["multiline"] = True  # no word of JSON Schema, which lets others stand
        if not item.optional:
            required.append(item.name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _property(item: Param | SecretField) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string", "title": item.label}
    if isinstance(item, Param) and item.choices:
        found["enum"] = list(item.choices)
    else:
        found["pattern"] = item.pattern
    if item.help:
        found["description"] = item.help
    if item.example:
        found["examples"] = [item.example]
    return found
