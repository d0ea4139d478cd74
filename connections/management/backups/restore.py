"""Restore a backup: checked before anything is touched, and put in with its quarantine in one transaction."""

import secrets
import subprocess
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.core.management.base import CommandError
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from connections.access.secrets import keyring
from connections.database.clock import database_now
from connections.database.pool import release_database
from connections.journal import audit
from connections.journal.audit_keys import audit_keys
from connections.lifecycle.quarantine.pulse import beat
from connections.lifecycle.quarantine.sort import sort_held
from connections.lifecycle.refresh import presence
from connections.management.backups import envelope, programs
from connections.management.operator_command import operator
from connections.models.fields import outer_keys

_PART = 1024 * 1024
# The installation's row says in the same transaction that everything waits. Which database it is, the first beat finds.
_QUARANTINE = """
INSERT INTO public.connections_installation (id, "only", database, number, quarantined_at, cause, rewound_to)
VALUES (gen_random_uuid(), true, '', 0, clock_timestamp(), 'restored', '{made_at}')
ON CONFLICT ("only") DO UPDATE SET database = '', quarantined_at = clock_timestamp(), cause = 'restored',
                                 rewound_to = '{made_at}', sorted_at = NULL;
COMMIT;
"""
_BEGIN = b"BEGIN;\nSET client_min_messages = error;\nSET lock_timeout = '60s';\n"
# pg_restore sets this from version 17 on, whatever the server's version, and psql stops at what a server does not know.
_SETS_TIMEOUT = 17
_UNKNOWN = b"SET transaction_timeout = 0;\n"
# psql writes out at once what its own commands print. All else that is printed goes nowhere.
_IS_HERE = f"SELECT {{key}} IN ({presence.HELD_KEYS}) AS is_here \\gset\n\\qecho :is_here\n\\o /dev/null\n"
_EMPTY = b"DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in. ``counts`` says how many connections wait, and why; ``is_older``: migrations are due."""

    contents: envelope.Contents
    counts: Counter[str] | None
    is_older: bool


@dataclass(frozen=True, slots=True)
class Unlocking:
    """What opens a backup."""

    passphrase: str = ""
    identities: Sequence[str] = ()


def check_backup(path: str, unlocking: Unlocking) -> envelope.Contents:
    """Read a backup as a whole. Raises ``CommandError`` unless it is whole, opens, and can be restored here.

    Touches nothing. Says which keys are missing, and whether it is from a newer version.
    """
    try:
        with Path(path).open("rb") as file:
            contents = envelope.check(file)
            envelope.keys_of(file, passphrase=unlocking.passphrase, identities=unlocking.identities)
    except OSError as error:
        raise CommandError(f"The file {path!r} cannot be read: {error.strerror}.") from None
    here = {"FERNET_KEYS": {key.fingerprint for key in outer_keys()}, "KEK_KEYS": set(keyring().ids)}
    missing = [
        f"{setting} {key}"
        for setting, known in here.items()
        for key in contents.keys.get(setting, ())
        if key not in known
    ]
    if missing:
        raise CommandError(
            f"These keys are needed to open what is in it, and are not here: {', '.join(missing)}. Put them back, after"
            " the newer ones."
        )
    if ("connections", contents.migration) not in MigrationLoader(None).graph.nodes:
        raise CommandError(
            f"The backup is of a newer Latchkey, which has the migration {contents.migration}: install that first."
        )
    return contents


def missing_audit_keys(contents: envelope.Contents) -> list[str]:
    """Return which keys are not here under which seals in it were made. It is restored without them. No I/O."""
    return [key for key in contents.keys.get("AUDIT_KEYS", ()) if key not in audit_keys().known]


def restore_backup(path: str, unlocking: Unlocking, *, replace: str, folder: str) -> Restored:
    """Put a backup into the database of the settings. Raises ``CommandError``, and has changed nothing then.

    Everything that it holds is in refresh quarantine from the first moment. ``replace`` is the name of a database that
    is not empty, whose contents go.
    """
    contents = check_backup(path, unlocking)
    programs.check_way()
    major = programs.server_major()
    reader = programs.find("pg_restore", folder=folder, least=contents.server_major)
    writer = programs.find("psql", folder=folder, least=major)
    unknown = _UNKNOWN if reader.major >= _SETS_TIMEOUT > major else b""
    with _writing(writer, replace) as run:
        _put_in(path, unlocking, contents, reader, run, is_replaced=bool(replace), unknown=unknown)
    is_older = contents.migration != _newest()
    counts = None
    if not is_older:
        beat(now=database_now())
        counts = sort_held(now=database_now())
        audit.record("backup.restored", actor=operator(), detail={"made_at": contents.made_at})
    return Restored(contents, counts, is_older)


def _newest() -> str:
    return max(str(name) for _, name in MigrationLoader(None).graph.leaf_nodes("connections"))


@contextmanager
def _writing(writer: programs.Program, replace: str) -> "Iterator[subprocess.Popen[bytes]]":
    """Start the program that runs statements. Raises ``CommandError`` unless it may: it has changed nothing yet.

    What may be is looked up by Django, and a lock of Django's shows the program that it is in the same database.
    """
    run = programs.start(
        writer,
        *("--no-psqlrc", "--quiet", "--file=-"),
        *("--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--set=SHOW_CONTEXT=never"),
        reads=subprocess.PIPE,
        writes=subprocess.PIPE,
    )
    try:
        with transaction.atomic(durable=True):
            _check_target(replace)
            key = secrets.randbelow(2**63 - 1) + 1
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
            _write(run, [_IS_HERE.format(key=key).encode()])
            is_here = run.stdout.readline() if run.stdout else b""
        if not is_here:
            programs.finish(run, doing="Restoring")
        if is_here != b"t\n":
            raise CommandError(
                "psql reaches another database than Django does. Nothing was done. Name the host, the port and the"
                " database in DATABASE_URL (and DATABASE_DIRECT_URL): variables such as PGHOST do not count."
            )
        release_database()
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one
        yield run
    finally:
        programs.end(run)


def _check_target(replace: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_database(), count(*) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        name, tables = cursor.fetchone()
    if tables and replace != name:
        raise CommandError(
            f"The database {name!r} is not empty: it has {tables} tables. Name an empty one in DATABASE_URL, or stop"
            f" everything that uses this one and say --replace {name}: then what it holds is gone."
        )
    if replace and replace != name:
        raise CommandError(f"--replace names {replace!r}, and DATABASE_URL leads to {name!r}.")


def _put_in(
    path: str,
    unlocking: Unlocking,
    contents: envelope.Contents,
    reader: programs.Program,
    run: "subprocess.Popen[bytes]",
    *,
    is_replaced: bool,
    unknown: bytes,
) -> None:
    """Have one program make statements of the dump, and ``run`` run them. Only a whole dump is committed.

    ``unknown`` is a line that the first one writes and the server does not know.
    """
    unpack = programs.start(
        reader, "--no-owner", "--no-privileges", "--file=-", reads=subprocess.PIPE, writes=subprocess.PIPE
    )
    if unpack.stdin is None or run.stdin is None:
        raise RuntimeError("A program has no pipe.")
    opening = _Opening(path, unlocking, unpack.stdin)
    try:
        opening.start()
        _write(run, _parts(unpack.stdout, first=_BEGIN + (_EMPTY if is_replaced else b""), unknown=unknown))
        opening.join()
        if isinstance(opening.failure, BrokenPipeError):
            programs.finish(unpack, doing="pg_restore")  # it ended early, and says why
            raise CommandError("pg_restore ended before it had read the whole backup: look at its version.")
        if opening.failure is not None:
            raise opening.failure
        programs.finish(unpack, doing="pg_restore")
        _write(run, [_QUARANTINE.format(made_at=contents.made_at).encode()])
        run.stdin.close()
        programs.finish(run, doing="Restoring")
    finally:
        programs.end(run)
        programs.end(unpack)
        opening.join()


class _Opening(threading.Thread):
    """Decrypts the dump into a program."""

    def __init__(self, path: str, unlocking: Unlocking, sink: IO[bytes]) -> None:
        super().__init__(name="opening")
        self._path, self._unlocking, self._sink = path, unlocking, sink
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            with Path(self._path).open("rb") as file, self._sink as sink:
                envelope.open_into(
                    file, sink, passphrase=self._unlocking.passphrase, identities=self._unlocking.identities
                )
        except Exception as error:  # noqa: BLE001 (the caller raises it)
            self.failure = error


def _parts(source: IO[bytes] | None, *, first: bytes, unknown: bytes) -> Iterator[bytes]:
    """Yield what a program writes, after ``first``. Leaves out the line ``unknown``, which is among its settings."""
    if source is None:
        raise RuntimeError("A program has no pipe.")
    yield first
    yield source.read(_PART).replace(unknown, b"", 1) if unknown else b""
    while part := source.read(_PART):
        yield part


def _write(run: "subprocess.Popen[bytes]", parts: Iterable[bytes]) -> None:
    """Write to a program that runs statements. Raises ``CommandError`` with its words if it has ended."""
    if run.stdin is None:
        raise RuntimeError("A program has no pipe.")
    for part in parts:
        try:
            run.stdin.write(part)
            run.stdin.flush()
        except BrokenPipeError:
            programs.finish(run, doing="Restoring")
            raise
