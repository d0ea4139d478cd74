"""The spool: where a fresh credential waits when the database cannot be reached to store it.

The credential may be the only live token of its grant. Each version is one file, encrypted under ``FERNET_KEYS`` as a
whole (its secrets are sealed already). File and folder are synced to disk before the writer goes on. Every process with
the same folder replays the spool: when it starts to claim, when it reaches the database again, and every few seconds
(``presence``); in each run of ``recover``; and before it retries a refresh that is in doubt.

A file is set aside if it does not open, if another release wrote it in another format, or if the database rejects it.
The log and the audit trail then say so, and the other files are not blocked. Each process that starts tries the files
that were set aside again, because the fault may have lain in the keys or the release of the process before.
"""

import base64
import json
import os
import socket
import time
import uuid
from dataclasses import asdict, fields, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import DataError, IntegrityError, transaction
from django.db import connection as database

from connections.journal import audit
from connections.lifecycle.credentials.store import store_received
from connections.lifecycle.credentials.unread import SealedAnswer, store_unread
from connections.lifecycle.credentials.versions import SealedVersion
from connections.models import Connection, CredentialVersion, UnreadAnswer
from connections.models.fields import outer_fernet

logger = structlog.get_logger(__name__)

FORMAT = 1  # of a file: raise it when a member of SealedVersion changes its type or its meaning
_SUFFIX = ".version"
_DRAFT = ".draft"
_ASIDE = ".aside"
_DRAFT_SECONDS = 60.0
_LONGEST = 1_000_000  # bytes; a version takes a few thousand


_Sealed = SealedVersion | SealedAnswer

_KINDS: dict[str, type[_Sealed]] = {"version": SealedVersion, "answer": SealedAnswer}


class _OtherFormat(Exception):
    """Another release wrote the file."""


def write(sealed: _Sealed) -> Path:
    """Write ``sealed`` durably: the file and its folder are synced before this returns. Disk only, no database.

    Raises ``OSError``, and ``TypeError`` for a value that could not be read back.
    """
    content = outer_fernet().encrypt(_encode(sealed))
    where = folder()
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = where / f"{sealed.id}{_SUFFIX}"
    draft = path.with_suffix(_DRAFT)
    with open(draft, "wb", opener=_private) as file:  # Path.open takes no opener
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync(where)
    logger.error("version_spooled", connection=str(sealed.connection_id), version=str(sealed.id))
    return path


def replay(where: Path | None = None, *, retries_aside: bool = False) -> list[uuid.UUID]:
    """Store the versions in the spool. Return the ids of their connections, whose versions the caller promotes next.

    ``where`` is the folder; without it, that of the settings. ``retries_aside`` also tries the files that were set
    aside. Several processes may replay at once: a version that is stored already is only removed from the spool. Each
    version is stored in a transaction of its own. Raises Django's ``OperationalError`` or ``InterfaceError`` where the
    database is away, and keeps all files then. Raises ``RuntimeError`` inside a transaction: that transaction may hold
    a lock for which the rows written here would wait (a deadlock).
    """
    if database.in_atomic_block:
        raise RuntimeError("The spool is replayed inside a transaction.")
    connection_ids = []
    for path in _files(where or folder(), retries_aside=retries_aside):
        try:
            sealed = _decode(outer_fernet().decrypt(_read(path)))
        except FileNotFoundError:
            continue
        except OSError as error:  # it may be temporary: the file is tried again
            logger.error("spool_file_unread", file=path.name, error=type(error).__name__)
            continue
        except _OtherFormat:
            _set_aside(path, why="other_format")
            continue
        except (InvalidToken, ValueError, TypeError, KeyError):
            _set_aside(path, why="unreadable")
            continue
        try:
            if _store(sealed, path):
                connection_ids.append(sealed.connection_id)
        except (IntegrityError, DataError):
            if _is_stored(sealed):
                remove(path)  # another process has just stored it
            else:
                _set_aside(path, why="refused")
    return connection_ids


def _is_stored(sealed: _Sealed) -> bool:
    """Whether ``sealed`` is in the database, or is an unread answer that has been read or discarded since."""
    model = CredentialVersion if isinstance(sealed, SealedVersion) else UnreadAnswer
    return model.objects.filter(id=sealed.id).exists()


def _store(sealed: _Sealed, path: Path) -> bool:
    with transaction.atomic(durable=True):
        transaction.on_commit(partial(remove, path))
        if not Connection.objects.filter(id=sealed.connection_id).exists():
            logger.warning("spooled_version_dropped", version=str(sealed.id), reason="the connection is deleted")
            return False
        if _is_stored(sealed):
            return False
        if isinstance(sealed, SealedVersion):
            store_received(sealed)
        else:
            store_unread(sealed)
    logger.warning("spooled_version_stored", connection=str(sealed.connection_id), version=str(sealed.id))
    return True


def _encode(sealed: _Sealed) -> bytes:
    kind = "version" if isinstance(sealed, SealedVersion) else "answer"
    return json.dumps({"format": FORMAT, "kind": kind} | asdict(sealed), default=_as_text).encode()


def _as_text(value: object) -> str:
    """Return ``value`` as the text that ``_decode`` reads. Raise ``TypeError`` now for a type it could not read."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case uuid.UUID():
            return str(value)
        case datetime():
            return value.isoformat()
    raise TypeError(f"The spool does not know how to keep a {type(value).__name__}.")


def _decode(plaintext: bytes) -> _Sealed:
    document: dict[str, Any] = json.loads(plaintext)
    # A file without a format number was written before files had one: it is of format 1.
    kind = _KINDS.get(document.pop("kind", "version"))
    if document.pop("format", 1) != FORMAT or kind is None or not document.keys() <= {m.name for m in fields(kind)}:
        raise _OtherFormat
    for name in ("secrets", "fingerprint") if kind is SealedVersion else ("answer",):
        document[name] = base64.b64decode(document[name])
    for name in ("id", "connection_id", "grant_id", "parent_id", "attempt_id", "data_key_id"):
        document[name] = None if document[name] is None else uuid.UUID(document[name])
    if kind is SealedAnswer:
        return SealedAnswer(**document | {"received_at": datetime.fromisoformat(document["received_at"])})
    for name in ("received_at", "refresh_expires_at", "grant_expires_at"):
        stated = document.get(name)  # a version that was spooled before an upgrade lacks the later ones
        document[name] = None if stated is None else datetime.fromisoformat(stated)
    return replace(SealedVersion(**document), scopes=tuple(document["scopes"]))


def count_spooled() -> int:
    """Return how many files wait in the spool of this machine, those that were set aside among them."""
    where = folder()
    return sum(len(list(where.glob(f"*{suffix}"))) for suffix in (_SUFFIX, _DRAFT, _ASIDE))


def folder() -> Path:
    """Return the spool's folder by the settings. It need not exist. No I/O."""
    return Path(settings.SPOOL_DIR)


def _files(where: Path, *, retries_aside: bool) -> list[Path]:
    """Return the files to replay. Include a draft only if its writer must have died before it could rename it."""
    paths = list(where.glob(f"*{_SUFFIX}"))
    paths += [path for path in where.glob(f"*{_DRAFT}") if _age_seconds(path) > _DRAFT_SECONDS]
    if retries_aside:
        paths += where.glob(f"*{_ASIDE}")
    return sorted(paths)


def _read(path: Path) -> bytes:
    if not path.is_file() and path.exists():
        raise ValueError("It is no file.")
    with path.open("rb") as file:
        return file.read(_LONGEST)


def _age_seconds(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def discard(sealed: _Sealed) -> None:
    """Remove what ``write`` left on disk for a version that is stored now: its file, or a draft that failed."""
    for suffix in (_SUFFIX, _DRAFT):
        remove(folder() / f"{sealed.id}{suffix}")


def remove(path: Path) -> None:
    """Remove a file whose version is stored."""
    try:
        path.unlink(missing_ok=True)
        sync(path.parent)  # after a crash, a version that was used up and deleted since must not come back
    except FileNotFoundError:
        return  # there is no folder, and so no file
    except OSError as error:
        logger.error("spool_file_stuck", file=path.name, error=type(error).__name__)


def _set_aside(path: Path, *, why: str) -> None:
    if path.suffix == _ASIDE:
        return
    name = path.name.encode("ascii", "backslashreplace").decode()[:200]
    try:
        with transaction.atomic():
            audit.record("spool.set_aside", decision=why, detail={"file": name, "host": socket.gethostname()})
            path.rename(f"{path}{_ASIDE}")
    except FileNotFoundError:
        return  # another process was first
    except OSError as error:
        logger.error("spool_file_stuck", file=name, error=type(error).__name__)
        return
    logger.error("spool_file_set_aside", file=name, why=why)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def sync(where: Path) -> None:
    """Write the names in the folder ``where`` to the disk. Raises ``OSError``."""
    descriptor = os.open(where, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
