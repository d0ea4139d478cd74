"""The spool: where a fresh credential waits when the database cannot be reached to store it.

It may be the only live token of its grant. One file a version, encrypted under ``FERNET_KEYS`` as a whole (its secrets
are sealed already), synced to disk with its folder before the writer goes on. It is replayed by every process with the
same folder: when it starts to claim, when it finds the database again, and every few seconds (``presence``); by each
run of ``recover``; and by whoever would otherwise retry a refresh that is in doubt.

A file that does not open, that another release wrote in another format, or that the database does not take, is set
aside and told in the log and in the audit trail, and blocks nobody. Each process that starts tries again what was set
aside, because the fault may have been its keys or its release.
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
    """Write ``sealed`` durably: the file and its folder are synced before this returns. Raises ``OSError``.

    Raises ``TypeError`` for what could not be read back.
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
    _sync(where)
    logger.error("version_spooled", connection=str(sealed.connection_id), version=str(sealed.id))
    return path


def replay(where: Path | None = None, *, retries_aside: bool = False) -> list[uuid.UUID]:
    """Store what the spool holds, and return the connections concerned; they are to be promoted next.

    ``where`` is the folder of the settings unless given. Several processes may replay at once: a version that is stored
    already is only removed from the spool. Each is stored in a transaction of its own. Raises Django's
    ``OperationalError`` or ``InterfaceError`` where the database is away; all files are kept then. Raises
    ``RuntimeError`` inside a transaction: that may hold a lock, which the rows written here would wait for in turn.
    """
    if database.in_atomic_block:
        raise RuntimeError("The spool is replayed inside a transaction.")
    connection_ids = []
    for path in _files(where or folder(), retries_aside=retries_aside):
        try:
            sealed = _decode(outer_fernet().decrypt(_read(path)))
        except FileNotFoundError:
            continue
        except OSError as error:  # of this moment, or of the disk: the file is tried again
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
                remove(path)  # another process stored it in this moment
            else:
                _set_aside(path, why="refused")
    return connection_ids


def _is_stored(sealed: _Sealed) -> bool:
    """Whether it is in the database, or, of an unread answer, has been read or discarded since."""
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
    """Return what ``_decode`` reads back. Raises ``TypeError`` for anything else: here, and not at the replay."""
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
    # What was written before files named their format is of the first.
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


def folder() -> Path:
    """Return the folder of the settings; it need not exist."""
    return Path(settings.SPOOL_DIR)


def _files(where: Path, *, retries_aside: bool) -> list[Path]:
    """Return what is to be replayed; drafts only when their writer must have died before it could rename them."""
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
    """Remove what ``write`` made for a version that is stored: its file, or the draft at which it failed."""
    for suffix in (_SUFFIX, _DRAFT):
        remove(folder() / f"{sealed.id}{suffix}")


def remove(path: Path) -> None:
    """Remove a file whose version is stored."""
    try:
        path.unlink(missing_ok=True)
        _sync(path.parent)  # a crash must not bring back a version that has been used up and deleted since
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


def _sync(where: Path) -> None:
    descriptor = os.open(where, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
