"""Make a backup: one snapshot of the whole database, encrypted on its way to the file."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

from django.core.management.base import CommandError
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from connections.access.secrets import keyring
from connections.database.clock import database_now
from connections.journal import audit
from connections.lifecycle.keys.uses import KeyUse, audit_uses, fernet_uses, kek_uses
from connections.management.backups import envelope, programs
from connections.management.operator_command import operator


def make_backup(path: str, *, passphrase: str, recipients: Sequence[str], folder: str) -> envelope.Contents:
    """Write a backup to ``path``, which must not be there, readable by nobody else. Raises ``CommandError``.

    Nothing is written in the clear, and nothing is held as a whole. What fails leaves no file. A ``pg_dump`` that would
    reach another database than Django does fails.
    """
    programs.check_way()
    dump = programs.find("pg_dump", folder=folder, least=programs.server_major())
    contents = _contents()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(f"The file {path!r} is there already: it is not overwritten.") from None
    except OSError as error:
        raise CommandError(f"The backup cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            _write(file, dump, contents, passphrase, recipients)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:  # it goes on: also an interrupted backup leaves no half of one
        Path(path).unlink(missing_ok=True)
        raise
    audit.record("backup.made", actor=operator(), detail={"made_at": contents.made_at})
    return contents


def _write(
    file: IO[bytes], dump: programs.Program, contents: envelope.Contents, passphrase: str, recipients: Sequence[str]
) -> None:
    with _dumping(dump) as (process, dumped):
        envelope.write(file, dumped, contents, passphrase=passphrase, recipients=recipients)
        programs.finish(process, doing="pg_dump")


@contextmanager
def _dumping(dump: programs.Program) -> "Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]":
    """Have the database dumped that Django reaches, and no other, at a moment of now. Yields what the program writes.

    Opens a short transaction, whose snapshot is dumped: only a session at the same database can take it, so a program
    that is led elsewhere fails.
    """
    with ExitStack() as ending:
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_export_snapshot()")
                (snapshot,) = cursor.fetchone()
            process = programs.start(
                dump,
                *("--format=custom", "--no-owner", "--no-privileges", "--lock-wait-timeout=60s"),
                f"--snapshot={snapshot}",
                reads=subprocess.DEVNULL,
                writes=subprocess.PIPE,
            )
            ending.callback(programs.end, process)
            dumped = cast("BufferedReader", process.stdout)
            dumped.peek(1)  # it waits for the first byte, and by then the program has taken the snapshot
        yield process, dumped


def _contents() -> envelope.Contents:
    """Return what is said of a backup that begins now. A few queries."""
    made_at = database_now()
    applied = MigrationRecorder(connection).migration_qs.filter(app="connections")
    return envelope.Contents(
        made_at=made_at.isoformat(),
        server_major=programs.server_major(),
        migration=str(applied.order_by("-name").values_list("name", flat=True)[0]),
        keys={
            "FERNET_KEYS": _needed(fernet_uses(is_exact=False)),
            "KEK_KEYS": sorted({*_needed(kek_uses()), keyring().primary_id}),
            "AUDIT_KEYS": _needed(audit_uses()),
        },
    )


def _needed(uses: Sequence[KeyUse]) -> list[str]:
    return sorted(use.key for use in uses if use.key and (use.rows or use.place == 1))
