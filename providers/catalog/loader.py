"""Reading the catalogue: every ``<slug>.toml`` beside this file and in the folder of added entries, checked as a whole.

An added entry replaces a built-in one with the same slug. Running processes notice added files by themselves;
``providers.catalog.additions`` writes them.

Also owns the JSON Schema of what the end user types. ``providers.catalog.schema`` is the shape of an entry, and
``providers.catalog.checks`` says what must agree across its fields.
"""

import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import structlog
from pydantic import ValidationError

from providers.catalog.checks import problems_of
from providers.catalog.fields import Param, SecretField
from providers.catalog.schema import CatalogEntry

logger = structlog.get_logger(__name__)

_FOLDER = Path(__file__).parent


class CatalogError(ValueError):
    """An entry is wrong; the text names the file, the key and what to do."""


class UnknownProvider(KeyError):
    """No entry has this slug."""

    def __str__(self) -> str:
        return f"the catalogue has no provider {self.args[0]!r}"


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The entries as read from the files, and when the files were last checked for changes."""

    entries: Mapping[str, CatalogEntry]
    edition: int
    signature: tuple[tuple[str, int, int], ...]
    looked_at: float


_added_folder: Path | None = None
_loaded: _Loaded | None = None
_LOOK_AGAIN_SECONDS = 1.0
_editions = count(1)


def configure_catalog(added_folder: Path | None) -> None:
    """Also load entries from ``added_folder``, which need not exist yet; None loads only the built-in ones."""
    global _added_folder, _loaded  # noqa: PLW0603 - the process's one catalogue
    _added_folder = added_folder
    _loaded = None


def catalog_files() -> dict[str, Path]:
    """Return the file of each entry by its slug, in alphabetical order. Reads folders."""
    files = {path.stem: path for path in _FOLDER.glob("*.toml")}
    if _added_folder is not None:
        files |= {path.stem: path for path in _added_folder.glob("*.toml")}
    return dict(sorted(files.items()))


def is_built_in(path: Path) -> bool:
    """Whether an entry's file comes with Latchkey."""
    return path.parent == _FOLDER


def load_catalog() -> Mapping[str, CatalogEntry]:
    """Return every entry by its slug, in alphabetical order. Raises ``CatalogError``.

    Reads the files once, and again when they have changed; it checks for changes at most once a second. If changed
    files are invalid, the entries read before stay in force, and one line of the log says why.
    """
    return _load().entries


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
    files = catalog_files()
    signature = tuple((str(path), *_changes(path)) for path in files.values())
    if loaded is None:
        loaded = _Loaded(_read(files), next(_editions), signature, now)
    elif loaded.signature != signature:
        try:
            loaded = _Loaded(_read(files), next(_editions), signature, now)
        except CatalogError as error:
            logger.error("catalog_not_reloaded", problem=str(error))
            loaded = replace(loaded, signature=signature, looked_at=now)
    else:
        loaded = replace(loaded, looked_at=now)
    _loaded = loaded
    return loaded


def _read(files: Mapping[str, Path]) -> Mapping[str, CatalogEntry]:
    return MappingProxyType({slug: load_entry(path) for slug, path in files.items()})


def _changes(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def entry(slug: str) -> CatalogEntry:
    """Return the entry of ``slug``. Raises ``UnknownProvider``."""
    try:
        return load_catalog()[slug]
    except KeyError:
        raise UnknownProvider(slug) from None


def load_entry(path: Path) -> CatalogEntry:
    """Return the entry that ``path`` holds; its slug is the file's name. Raises ``CatalogError``. Reads the file."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        loaded = CatalogEntry.model_validate({"slug": path.stem} | document)
    except OSError as error:
        raise CatalogError(f"{path.name}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"{path.name}: is not TOML: {error}") from error
    except ValidationError as error:
        raise CatalogError("\n".join(f"{path.name}: {problem}" for problem in _shape_problems(error))) from error
    if problems := list(problems_of(loaded, path.stem)):
        raise CatalogError("\n".join(f"{path.name}: {problem}" for problem in problems))
    return loaded


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


def _shape_problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in problem["loc"]) or "the entry"
        hint = "remove it or mend its spelling" if problem["type"] == "extra_forbidden" else problem["msg"]
        yield f"{key}: {hint}"
