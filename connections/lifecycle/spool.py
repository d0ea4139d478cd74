"""The spool: where a fresh credential waits when the database cannot be reached to store it.

It may be the only live token of its grant. One file a version, encrypted under ``FERNET_KEYS`` as a whole (its secrets
are sealed already), written durably, replayed by whoever recovers next with the same folder. A file that does not open,
torn or foreign, is set aside and reported, and blocks nobody.
"""

import base64
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import transaction

from connections.lifecycle.versions import SealedVersion, insert_received
from connections.models import AttemptState, Connection, CredentialVersion, RefreshAttempt
from connections.models.fields import outer_fernet

logger = structlog.get_logger(__name__)

_SUFFIX = ".version"
_ASIDE = ".aside"


def write(sealed: SealedVersion) -> Path:
    """Write ``sealed`` durably: the file and its folder are synced before this returns. Raises ``OSError``."""
    folder = _folder()
    path = folder / f"{sealed.id}{_SUFFIX}"
    draft = path.with_suffix(".draft")
    with open(draft, "wb", opener=_private) as file:  # Path.open takes no opener
        file.write(outer_fernet().encrypt(_encode(sealed)))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    _sync(folder)
    logger.error("version_spooled", connection=str(sealed.connection_id), version=str(sealed.id))
    return path


def replay() -> list[uuid.UUID]:
    """Store what the spool holds, and return the connections concerned; they are to be promoted next.

    Several processes may replay at once: a version that is stored already is only removed from the spool.
    """
    connection_ids = []
    for path in _files():
        try:
            sealed = _decode(outer_fernet().decrypt(path.read_bytes()))
        except FileNotFoundError:
            continue
        except (InvalidToken, ValueError, TypeError, KeyError):
            _set_aside(path)
            continue
        if _store(sealed):
            connection_ids.append(sealed.connection_id)
        path.unlink(missing_ok=True)
    return connection_ids


def _store(sealed: SealedVersion) -> bool:
    with transaction.atomic():
        connection = Connection.objects.filter(id=sealed.connection_id).first()
        if connection is None:
            logger.warning("spooled_version_dropped", version=str(sealed.id), reason="the connection is deleted")
            return False
        if CredentialVersion.objects.filter(id=sealed.id).exists():
            return False
        store(sealed)
    return True


def store(sealed: SealedVersion) -> None:
    """Insert ``sealed`` and mark its attempt as received, in the caller's transaction (T2a)."""
    insert_received(sealed)
    if sealed.attempt_id is not None:
        RefreshAttempt.objects.filter(id=sealed.attempt_id, state=AttemptState.SENT).update(state=AttemptState.RECEIVED)


def _encode(sealed: SealedVersion) -> bytes:
    document = asdict(sealed)
    for name in ("secrets", "fingerprint"):
        document[name] = base64.b64encode(document[name]).decode()
    return json.dumps(document, default=str).encode()


def _decode(plaintext: bytes) -> SealedVersion:
    document: dict[str, Any] = json.loads(plaintext)
    for name in ("secrets", "fingerprint"):
        document[name] = base64.b64decode(document[name])
    for name in ("id", "connection_id", "grant_id", "parent_id", "attempt_id", "data_key_id"):
        document[name] = None if document[name] is None else uuid.UUID(document[name])
    document["received_at"] = datetime.fromisoformat(document["received_at"])
    return replace(SealedVersion(**document), scopes=tuple(document["scopes"]))


def _folder() -> Path:
    folder = Path(settings.SPOOL_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _files() -> Iterator[Path]:
    folder = Path(settings.SPOOL_DIR)
    return iter(sorted(folder.glob(f"*{_SUFFIX}"))) if folder.is_dir() else iter(())


def _set_aside(path: Path) -> None:
    path.rename(path.with_suffix(_ASIDE))
    logger.error("spool_file_set_aside", file=path.name)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
