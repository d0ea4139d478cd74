"""The compiled form of a folder of entries: every document in one file, so that a start parses and checks no TOML.

A folder is compiled once. The result is kept beside bytecode, or in a hidden file of the folder, and each process reads
that; only files that have changed since are read and checked again. An entry is validated when it is first used.

What is kept is JSON with a digest, never code, and it is kept where only those can write who can change the entries or
the code as well. It is believed only if nobody else could have written the file, if it was made by this very code, and
if each entry has the size and the time that it had then. It appears as a whole; processes that start together wait for
the one that compiles. Where it cannot be kept, each process compiles for itself.
"""

import fcntl
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pydantic
import structlog

from providers.catalog.schema import CatalogEntry

logger = structlog.get_logger(__name__)

_FORMAT = 1
_LONGEST_WAIT_SECONDS = 20.0
_LOOK_AGAIN_SECONDS = 0.05
_OTHERS_MAY_WRITE = 0o022
_CODE = (Path(__file__).parent, Path(__file__).parent.parent / "vocabulary.py")

Signature = tuple[int, int]  # of a file: when it was changed, in nanoseconds, and its size


@dataclass(frozen=True, slots=True)
class Listed:
    """What lists show of an entry, without its document.

    ``confidence`` says for each auth style how sure its facts are, and is empty for an operator's own entry.
    """

    slug: str
    name: str
    category: str
    docs_url: str = ""
    colour: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    styles: tuple[str, ...] = ()
    confidence: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, entry: CatalogEntry) -> "Listed":
        """Return what lists show of ``entry``; its aliases stand for auth styles here."""
        by_section = {method.section(): style for style, method in entry.methods.items()}
        return cls(
            slug=entry.slug,
            name=entry.name,
            category=entry.category,
            docs_url=entry.docs_url,
            colour=entry.colour,
            aliases={alias: by_section[section] for alias, section in entry.aliases.items()},
            styles=entry.auth_styles,
            confidence={style: sure.value for style in entry.auth_styles if (sure := entry.confidence_of(style))},
        )


@dataclass(frozen=True, slots=True)
class Compiled:
    """A folder's entries: the signature, the line in lists and the place in ``documents`` of each, by slug."""

    signatures: Mapping[str, Signature]
    listed: Mapping[str, Listed]
    places: Mapping[str, tuple[int, int]]
    documents: bytes = field(repr=False)

    def document(self, slug: str) -> dict[str, Any]:
        """Return what the entry's file holds."""
        found: dict[str, Any] = json.loads(self._raw(slug))
        return found

    def _raw(self, slug: str) -> bytes:
        start, length = self.places[slug]
        return self.documents[start : start + length]


Read = Callable[[Path], tuple[dict[str, Any], CatalogEntry]]


def signatures_in(folder: Path) -> dict[str, Signature]:
    """Return the signature of each entry's file in ``folder``, by slug and in alphabetical order. Reads the folder."""
    found: dict[str, Signature] = {}
    try:
        with os.scandir(folder) as files:
            for file in files:
                if file.name.endswith(".toml"):
                    try:
                        status = file.stat()
                    except OSError:
                        continue
                    found[file.name.removesuffix(".toml")] = (status.st_mtime_ns, status.st_size)
    except OSError:
        return {}
    return dict(sorted(found.items()))


def compiled(folder: Path, *, keep_in: Path, read: Read) -> Compiled:
    """Return the entries of ``folder``, from the file ``keep_in`` as far as it is up to date.

    ``read`` parses and checks one file, and raises what is wrong with it. Reads and writes files; may wait for another
    process that compiles the same folder.
    """
    wanted = signatures_in(folder)
    code = _code()
    kept = _kept(keep_in, code)
    if kept is not None and kept.signatures == wanted:
        return kept
    if not wanted:
        return Compiled({}, {}, {}, b"")
    with _alone(keep_in):
        kept = _kept(keep_in, code) or kept
        if kept is not None and kept.signatures == wanted:
            return kept
        made = _compile(folder, wanted, kept, read)
        _keep(keep_in, code, made)
    return made


def _compile(folder: Path, wanted: Mapping[str, Signature], kept: Compiled | None, read: Read) -> Compiled:
    listed: dict[str, Listed] = {}
    places: dict[str, tuple[int, int]] = {}
    parts: list[bytes] = []
    at = 0
    for slug, signature in wanted.items():
        if kept is not None and kept.signatures.get(slug) == signature:
            listed[slug], raw = kept.listed[slug], kept._raw(slug)
        else:
            document, entry = read(folder / f"{slug}.toml")
            listed[slug], raw = Listed.of(entry), json.dumps(document, ensure_ascii=False).encode()
        places[slug] = (at, len(raw))
        parts.append(raw)
        at += len(raw)
    return Compiled(dict(wanted), listed, places, b"".join(parts))


def _kept(file: Path, code: str) -> Compiled | None:
    """Return what ``file`` holds, or None if there is none that can be believed and used."""
    try:
        with file.open("rb") as opened:
            if not _is_safe(os.fstat(opened.fileno()), file.parent.stat()):
                return None
            digest, _, content = opened.read().partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() != digest:
            return None
        head, _, documents = content.partition(b"\n")
        index = json.loads(head)
        if index["format"] != _FORMAT or index["code"] != code:
            return None
        rows = index["entries"]
        return Compiled(
            signatures={slug: (row["changed"], row["size"]) for slug, row in rows.items()},
            listed={slug: _listed(row["listed"]) for slug, row in rows.items()},
            places={slug: (row["start"], row["length"]) for slug, row in rows.items()},
            documents=documents,
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _listed(row: dict[str, Any]) -> Listed:
    return Listed(**row | {"styles": tuple(row["styles"])})


def _keep(file: Path, code: str, made: Compiled) -> None:
    """Write ``made`` to ``file``, as a whole or not at all; where that is not allowed, say so once and go on."""
    rows = {
        slug: {
            "changed": changed,
            "size": size,
            "start": made.places[slug][0],
            "length": made.places[slug][1],
            "listed": asdict(made.listed[slug]),
        }
        for slug, (changed, size) in made.signatures.items()
    }
    head = json.dumps({"format": _FORMAT, "code": code, "entries": rows}, ensure_ascii=False).encode()
    content = head + b"\n" + made.documents
    temporary = ""
    try:
        file.parent.mkdir(mode=0o755, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)
        with os.fdopen(handle, "wb") as opened:
            opened.write(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
            os.fchmod(opened.fileno(), 0o644)
        Path(temporary).replace(file)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        logger.warning("catalog_not_kept", file=str(file), problem=error.strerror)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Wait while another process compiles for the same ``file``, but not for ever, nor where there can be no lock."""
    try:
        file.parent.mkdir(mode=0o755, exist_ok=True)
        lock = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        give_up_at = time.monotonic() + _LONGEST_WAIT_SECONDS
        while not _locked(lock) and time.monotonic() < give_up_at:
            time.sleep(_LOOK_AGAIN_SECONDS)
        yield
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_safe(file: os.stat_result, folder: os.stat_result) -> bool:
    """Whether nobody could have written the file but root, this user, and the owner of the folder that it is in."""
    return file.st_uid in (0, os.geteuid(), folder.st_uid) and not file.st_mode & _OTHERS_MAY_WRITE


def _code() -> str:
    """Return a text that differs where the code differs that reads and checks entries."""
    files = [file for path in _CODE for file in ([path] if path.is_file() else sorted(path.glob("*.py")))]
    seen = [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files]
    return hashlib.sha256(repr((sys.version, pydantic.VERSION, seen)).encode()).hexdigest()
