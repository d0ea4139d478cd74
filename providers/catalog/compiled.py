"""The compiled form of a folder of entries: every document in one file, so that a start parses and checks no TOML.

A folder is compiled once. The result is kept beside bytecode, or in a hidden file of the folder, and each process reads
that; only files that have changed since are read and checked again. An entry is validated when it is first used.

What is kept is JSON with a digest, never code, and it is kept where only those can write who can change the entries or
the code as well. It is believed only if nobody else could have written the file, and if it was made by this very code.
An entry is taken from it if its file has the signature that it had then, or else the content: a copy with the times and
the size of another file has another inode or time of change. It appears as a whole; processes that start together wait
for the one that compiles. Where it cannot be kept, each process compiles for itself.

A folder of an operator's own is forgiven what is wrong with a file: the entry that was read before stays, if there was
one, and ``problems`` says what is wrong. A file that is being written at this moment is left for the next look.
"""

import fcntl
import hashlib
import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pydantic
import structlog

from providers.catalog.schema import CatalogEntry

logger = structlog.get_logger(__name__)

_FORMAT = 2
_LONGEST_WAIT_SECONDS = 20.0
_LOOK_AGAIN_SECONDS = 0.05
_OTHERS_MAY_WRITE = 0o022
_CODE = (Path(__file__).parent, Path(__file__).parent.parent / "vocabulary.py")

LARGEST_BYTES = 1 << 20
# A file that was changed less than this before it was looked at may be changed once more without another time.
_COARSE_SECONDS = 0.1
# A file that was changed less than this ago may still be being written.
SETTLES_SECONDS = 1.0

# Of a file: when its content and when anything of it was changed, in nanoseconds, its size and its inode.
Signature = tuple[int, int, int, int]
_UNSURE: Signature = (0, 0, 0, 0)


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

    def is_meant_by(self, words: Iterable[str]) -> bool:
        """Whether a search for ``words``, in small letters, finds the entry: by name, slug, alias or category."""
        text = " ".join((self.name, self.slug, self.category, *self.aliases)).casefold()
        return all(word in text for word in words)

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
    """A folder's entries: the line in lists and the place in ``documents`` of each, by slug.

    ``signatures`` and ``digests`` (of the content, "" if it could not be read) are of all files. ``problems`` says, by
    slug, what is wrong with a file: its entry is an earlier one, or there is none.
    """

    signatures: Mapping[str, Signature]
    digests: Mapping[str, str]
    listed: Mapping[str, Listed]
    places: Mapping[str, tuple[int, int]]
    problems: Mapping[str, str]
    documents: bytes = field(repr=False)

    def document(self, slug: str) -> dict[str, Any]:
        """Return what the entry's file holds."""
        found: dict[str, Any] = json.loads(self._raw(slug))
        return found

    def _raw(self, slug: str) -> bytes:
        start, length = self.places[slug]
        return self.documents[start : start + length]


NOTHING = Compiled({}, {}, {}, {}, {}, b"")
Read = Callable[[Path, bytes], tuple[dict[str, Any], CatalogEntry]]


def signatures_in(folder: Path) -> dict[str, Signature]:
    """Return the signature of each entry's file in ``folder``, by slug and in alphabetical order. Reads the folder.

    Hidden files are none, because editors and mounts leave such behind; nor is what is no file. What nobody can read in
    a name, because it is no UTF-8 or cannot be seen, is written with a backslash: no slug has one.
    """
    found: dict[str, Signature] = {}
    try:
        with os.scandir(folder) as files:
            for file in files:
                if file.name.endswith(".toml") and not file.name.startswith("."):
                    try:
                        status = file.stat()
                    except OSError:
                        continue
                    if stat.S_ISREG(status.st_mode):
                        signature = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
                        found[_readable(file.name.removesuffix(".toml"))] = signature
    except OSError:
        return {}
    return dict(sorted(found.items()))


def _readable(name: str) -> str:
    known = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in known)


def compiled(
    folder: Path, *, keep_in: Path, read: Read, forgives: bool = False, before: Compiled | None = None
) -> Compiled:
    """Return the entries of ``folder``, from the file ``keep_in`` as far as it is up to date.

    ``read`` checks the content of one file, and raises ``ValueError`` saying what is wrong with it; with ``forgives``
    that becomes one of the ``problems``. ``before`` is what this process has used so far. Reads and writes files; may
    wait for another process that compiles the same folder.
    """
    wanted = signatures_in(folder)
    unsettled = _unsettled(wanted, before)
    wanted |= unsettled
    code = _code()
    kept = _kept(keep_in, code)
    if kept is not None and _is_whole(kept, wanted, before):
        return kept
    if not wanted:
        return NOTHING
    with _alone(keep_in):
        kept = _kept(keep_in, code) or kept
        if kept is not None and _is_whole(kept, wanted, before):
            return kept
        made = _compile(folder, wanted, [one for one in (kept, before) if one is not None], read, forgives=forgives)
        if not unsettled:
            _keep(keep_in, code, made, is_new=kept is None or made.digests != kept.digests)
    return made


def _unsettled(wanted: Mapping[str, Signature], before: Compiled | None) -> dict[str, Signature]:
    """Return the earlier signatures of the files that are being changed at this moment, by slug."""
    if before is None:
        return {}
    now = time.time()
    return {
        slug: before.signatures[slug]
        for slug, signature in wanted.items()
        if slug in before.listed
        and signature != before.signatures[slug]
        and before.signatures[slug] != _UNSURE
        and 0 <= now - max(signature[:2]) / 1e9 < SETTLES_SECONDS
    }


def _is_whole(kept: Compiled, wanted: Mapping[str, Signature], before: Compiled | None) -> bool:
    """Whether ``kept`` is of just these files, and has every entry of theirs that was in use ``before``."""
    used = () if before is None else before.listed
    return kept.signatures == wanted and all(slug in kept.listed for slug in used if slug in wanted)


def _compile(
    folder: Path, wanted: Mapping[str, Signature], known: Sequence[Compiled], read: Read, *, forgives: bool
) -> Compiled:
    signatures: dict[str, Signature] = {}
    digests: dict[str, str] = {}
    listed: dict[str, Listed] = {}
    problems: dict[str, str] = {}
    places: dict[str, tuple[int, int]] = {}
    parts: list[bytes] = []
    at, coarse_from = 0, time.time() - _COARSE_SECONDS
    for slug, signature in wanted.items():
        earlier = next((one for one in known if slug in one.listed), None)
        same = next((one for one in known if one.signatures.get(slug) == signature != _UNSURE), None)
        content: bytes | OSError = b"" if same is not None else _content(folder / f"{slug}.toml")
        digest = same.digests[slug] if same is not None else _digest(content)
        signatures[slug] = signature if max(signature[:2]) / 1e9 < coarse_from or same is not None else _UNSURE
        digests[slug] = digest
        same = same or next((one for one in known if digest and one.digests.get(slug) == digest), None)
        raw: bytes | None = None
        if same is not None and (slug in same.listed or slug in same.problems):
            if slug in same.problems:
                problems[slug] = same.problems[slug]
            earlier = same if slug in same.listed else earlier
        else:
            try:
                if isinstance(content, OSError):
                    raise content
                document, entry = read(folder / f"{slug}.toml", content)
                listed[slug], raw = Listed.of(entry), json.dumps(document, ensure_ascii=False).encode()
            except Exception as error:
                if not forgives:
                    raise
                problems[slug] = _told(slug, error)
        if raw is None:
            if earlier is None:
                continue
            listed[slug], raw = earlier.listed[slug], earlier._raw(slug)
        places[slug] = (at, len(raw))
        parts.append(raw)
        at += len(raw)
    return Compiled(signatures, digests, listed, places, problems, b"".join(parts))


def _content(path: Path) -> bytes | OSError:
    """Return what ``path`` holds, or why it cannot be read; no more than is too large for an entry."""
    if "\\" in path.stem:
        return b""  # whatever it holds: the name alone keeps it from being an entry
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except OSError as error:
        return error


def _digest(content: bytes | OSError) -> str:
    return "" if isinstance(content, OSError) else hashlib.sha256(content).hexdigest()


def _told(slug: str, error: Exception) -> str:
    if isinstance(error, ValueError):
        return str(error)
    return f"{slug}.toml: cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}"


def _kept(file: Path, code: str) -> Compiled | None:
    """Return what ``file`` holds, or None if there is none that can be believed and used."""
    try:
        # Without O_NONBLOCK a pipe by this name would be waited for, by every process and for ever.
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:
            if not _is_safe(os.fstat(opened.fileno()), file.parent.stat()):
                return None
            digest, _, content = opened.read().partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() != digest:
            return None
        head, _, documents = content.partition(b"\n")
        index = json.loads(head)
        if index["format"] != _FORMAT or index["code"] != code:
            return None
        rows = index["files"]
        has_entry = {slug: row for slug, row in rows.items() if row["listed"] is not None}
        return Compiled(
            signatures={slug: _signature(row["signature"]) for slug, row in rows.items()},
            digests={slug: row["digest"] for slug, row in rows.items()},
            listed={slug: _listed(row["listed"]) for slug, row in has_entry.items()},
            places={slug: (row["start"], row["length"]) for slug, row in has_entry.items()},
            problems={slug: row["problem"] for slug, row in rows.items() if row["problem"]},
            documents=documents,
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _signature(said: Sequence[int]) -> Signature:
    written, changed, size, inode = said
    return (written, changed, size, inode)


def _listed(row: dict[str, Any]) -> Listed:
    return Listed(**row | {"styles": tuple(row["styles"])})


def _keep(file: Path, code: str, made: Compiled, *, is_new: bool) -> None:
    """Write ``made`` to ``file``, as a whole or not at all; where that is not allowed, say so once and go on.

    Nothing is said if nothing ``is_new``: a read-only copy has other signatures than the original, and that is all.
    """
    rows = {
        slug: {
            "signature": signature,
            "digest": made.digests[slug],
            "start": made.places.get(slug, (0, 0))[0],
            "length": made.places.get(slug, (0, 0))[1],
            "problem": made.problems.get(slug, ""),
            "listed": asdict(made.listed[slug]) if slug in made.listed else None,
        }
        for slug, signature in made.signatures.items()
    }
    head = json.dumps({"format": _FORMAT, "code": code, "files": rows}, ensure_ascii=False).encode()
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
        if is_new:
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
    """Whether it is a file that nobody could have written but root, this user, and the owner of the folder it is in."""
    is_theirs = file.st_uid in (0, os.geteuid(), folder.st_uid)
    return stat.S_ISREG(file.st_mode) and is_theirs and not file.st_mode & _OTHERS_MAY_WRITE


def _code() -> str:
    """Return a text that differs where the code differs that reads and checks entries."""
    files = [file for path in _CODE for file in ([path] if path.is_file() else sorted(path.glob("*.py")))]
    seen = [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files]
    return hashlib.sha256(repr((sys.version, pydantic.VERSION, seen)).encode()).hexdigest()
