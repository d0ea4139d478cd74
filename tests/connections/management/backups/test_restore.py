"""A backup and its way back: all of it or nothing, and nothing of it is refreshed before it is sorted."""

import base64
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest
from django.db import connection as database
from django.test import override_settings
from pytest_django import Settings

from connections.access.secrets import open_credential
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import AuditEvent, Connection, CredentialVersion, HeldConnection, Installation, Tenant
from tests.connections.api.stored import expire_in, make_connection
from tests.connections.management.backups.conftest import at
from tests.connections.management.conftest import Run


def tables() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
        (count,) = cursor.fetchone()
    return int(count)


def led_to(name: str, tmp_path: Path) -> Path:
    """Return a folder with the real programs, of which those that reach a database reach another one."""
    folder = tmp_path / "led"
    folder.mkdir()
    for program in ("pg_dump", "psql", "pg_restore"):
        (folder / program).write_text(f'#!/bin/sh\nPGDATABASE={name} exec {shutil.which(program)} "$@"\n')
        (folder / program).chmod(0o755)
    return folder


@contextmanager
def direct(name: str) -> Iterator[None]:
    """Let ``DATABASE_DIRECT_URL`` lead to a database of the server."""
    address = {key: database.settings_dict[key] for key in ("USER", "PASSWORD", "HOST", "PORT")}
    with override_settings(DATABASE_DIRECT={"NAME": name} | address):
        yield


def faked(tmp_path: Path, script: str, *, version: str = "") -> Path:
    """Return a folder with the real psql, and a pg_restore that is this script, where ``$real`` is the real one."""
    folder = tmp_path / "programs"
    folder.mkdir()
    psql, real = shutil.which("psql"), shutil.which("pg_restore")
    assert psql and real
    (folder / "psql").symlink_to(psql)
    said = f"echo 'pg_restore (PostgreSQL) {version}'" if version else f"{real} --version"
    fake = folder / "pg_restore"
    fake.write_text(f'#!/bin/sh\nreal={real}\ncase "$1" in --version) {said}; exit;; esac\n{script}\n')
    fake.chmod(0o755)
    return folder


def test_from_a_database_into_another(
    run: Run, acme: Tenant, make: Callable[[], Path], passphrase: str, other: str
) -> None:
    connection = make_connection(acme, access_token="at-before")
    expire_in(connection, -1)
    backup = make()
    content = backup.read_bytes()
    assert backup.stat().st_mode & 0o077 == 0
    assert b"CREATE TABLE" not in content and b"connections_connection" not in content
    checked = run("backup", "check", str(backup), "--passphrase-file", passphrase)
    assert checked.out.startswith("Whole, of "), checked.err
    with at(other):
        ran = run("backup", "restore", str(backup), "--passphrase-file", passphrase, "--json")
        assert ran.code == 0, ran.err
        assert ran.data["sorted"]["unknown"] == 1
        row = Connection.objects.get()
        version = CredentialVersion.objects.get(id=row.current_version_id)
        token = open_credential(row, version).access_token
        assert token is not None and token.get_secret_value() == "at-before"
        here = Installation.objects.get()
        assert (here.cause, here.rewound_to.isoformat()) == ("restored", ran.data["made_at"])
        assert refresh(row.id, trigger="sweep").outcome is Outcome.QUARANTINED
        assert HeldConnection.objects.get().connection_id == row.id
        assert AuditEvent.objects.filter(action="backup.restored").count() == 1

        refused = run("backup", "restore", str(backup), "--passphrase-file", passphrase)
        assert (refused.code, "is not empty" in refused.err, other in refused.err) == (1, True, True)
        HeldConnection.objects.all().delete()
        Connection.objects.update(end_user="changed")
        again = run("backup", "restore", str(backup), "--passphrase-file", passphrase, "--replace", other)
        assert again.code == 0, again.err
        assert (Connection.objects.get().end_user, HeldConnection.objects.count()) == ("alice", 1)
    assert not HeldConnection.objects.exists()


@pytest.mark.parametrize("how", ["DATABASE_DIRECT_URL", "the programs' own way"])
def test_only_the_database_that_was_checked_is_saved_or_replaced(
    run: Run, acme: Tenant, backup: Path, passphrase: str, other: str, tmp_path: Path, how: str
) -> None:
    """That of Django's is checked, and another one is reached by the programs."""
    make_connection(acme)
    here, written = database.settings_dict["NAME"], tmp_path / "written.backup"
    is_direct = how == "DATABASE_DIRECT_URL"
    passes = ("--passphrase-file", passphrase)

    def away(name: str) -> tuple[AbstractContextManager[None], tuple[str, ...]]:
        return (direct(name), ()) if is_direct else (nullcontext(), ("--programs", str(led_to(name, tmp_path))))

    with at(other):
        assert run("backup", "restore", str(backup), *passes).code == 0
        leads, options = away(here)
        with leads:
            ran = run("backup", "restore", str(backup), *passes, "--replace", other, *options)
            assert ran.code == 1, "the other database was emptied"
            assert ("DATABASE_DIRECT_URL leads to another" if is_direct else "psql reaches another") in ran.err
            ran = run("backup", "make", str(written), *passes, *options)
            assert (ran.code, written.exists()) == (1, False)
            assert ("DATABASE_DIRECT_URL leads to another" if is_direct else "pg_dump failed") in ran.err
        assert Installation.objects.count() == 1
    assert Connection.objects.count() == 1
    with direct(here):
        assert run("backup", "make", str(written), *passes).code == 0
    with direct("nowhere"):
        assert "cannot be reached at DATABASE_DIRECT_URL" in run("backup", "restore", str(backup), *passes).err


@pytest.mark.parametrize("at_byte", [0, 40, 2000, -40, -1])
def test_a_changed_byte_is_found_before_anything_is_touched(
    run: Run, backup: Path, passphrase: str, other: str, at_byte: int
) -> None:
    content = bytearray(backup.read_bytes())
    content[at_byte] ^= 1
    backup.write_bytes(content)
    with at(other):
        ran = run("backup", "restore", str(backup), "--passphrase-file", passphrase)
        assert (ran.code, tables()) == (1, 0)
        assert any(words in ran.err for words in ("was changed", "is no backup", "FERNET_KEYS")), ran.err


@pytest.mark.parametrize("kept", [0, 10, 1500, 0.5, -1])
def test_a_file_that_was_cut_off_is_refused(run: Run, backup: Path, passphrase: str, kept: float) -> None:
    content = backup.read_bytes()
    backup.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    ran = run("backup", "check", str(backup), "--passphrase-file", passphrase)
    assert ran.code == 1
    assert any(words in ran.err for words in ("cut off", "is no backup")), ran.err


def test_missing_keys_are_named_and_nothing_is_touched(
    run: Run, backup: Path, passphrase: str, settings: Settings
) -> None:
    known = settings.KEK_KEYS
    settings.KEK_KEYS = [f"another:{known[0].partition(':')[2]}"]
    ran = run("backup", "check", str(backup), "--passphrase-file", passphrase)
    assert (ran.code, f"KEK_KEYS {known[0].partition(':')[0]}" in ran.err) == (1, True)
    settings.KEK_KEYS, settings.FERNET_KEYS = known, ["another-key-of-forty-four-characters-or-more-x"]
    ran = run("backup", "check", str(backup), "--passphrase-file", passphrase)
    assert (ran.code, "No key of FERNET_KEYS" in ran.err) == (1, True)


def test_a_missing_key_of_the_audit_trail_is_named_and_keeps_nobody_out(
    run: Run, backup: Path, passphrase: str, other: str, settings: Settings
) -> None:
    known = settings.AUDIT_KEYS[0].partition(":")[0]
    passes = (str(backup), "--passphrase-file", passphrase)
    assert run("backup", "check", *passes, "--json").data["missing_audit_keys"] == []
    settings.AUDIT_KEYS = [f"another:{base64.b64encode(secrets.token_bytes(32)).decode()}"]
    ran = run("backup", "check", *passes)
    assert (ran.code, f"AUDIT_KEYS does not have {known}:" in ran.out) == (0, True)
    with at(other):
        ran = run("backup", "restore", *passes)
        assert (ran.code, f"AUDIT_KEYS does not have {known}:" in ran.out) == (0, True), ran.err


def test_a_restore_that_fails_in_the_middle_leaves_what_was_there(
    run: Run, backup: Path, passphrase: str, other: str, tmp_path: Path
) -> None:
    folder = faked(tmp_path, 'echo "CREATE TABLE half (x int);"; echo "it broke" >&2; exit 3')
    with at(other):
        ran = run("backup", "restore", str(backup), "--passphrase-file", passphrase, "--programs", str(folder))
        assert (ran.code, tables()) == (1, 0)
        assert "it broke" in ran.err


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('echo "it ended" >&2; exit 1', "pg_restore failed: it ended"),
        ("exit 0", "ended before it had read the whole backup"),
        ("exec <&-; sleep 0.3; echo 'it ended' >&2; exit 1", "pg_restore failed: it ended"),
    ],
)
def test_a_restore_ends_when_the_unpacking_program_does(
    run: Run,
    acme: Tenant,
    make: Callable[[], Path],
    passphrase: str,
    other: str,
    tmp_path: Path,
    script: str,
    says: str,
) -> None:
    for _ in range(30):
        make_connection(acme)  # more than a pipe holds, so that the backup is still being written
    backup = make()
    assert backup.stat().st_size > 70_000
    folder = faked(tmp_path, script)
    with at(other):
        ran = run("backup", "restore", str(backup), "--passphrase-file", passphrase, "--programs", str(folder))
        assert (ran.code, tables()) == (1, 0)
        assert says in ran.err


def test_a_setting_that_only_later_servers_know_is_left_out(
    run: Run, acme: Tenant, make: Callable[[], Path], passphrase: str, other: str, tmp_path: Path
) -> None:
    line = "SET transaction_timeout = 0;"
    make_connection(acme)
    backup = make()
    script = f"printf -- '--\\n{line}\\n'; \"$real\" \"$@\" | sed '/^{line}$/d'"
    folder = faked(tmp_path, script, version="17.2")
    with at(other):
        ran = run("backup", "restore", str(backup), "--passphrase-file", passphrase, "--programs", str(folder))
        assert ran.code == 0, ran.err
        assert Connection.objects.count() == 1


def test_a_file_is_never_overwritten(run: Run, backup: Path, passphrase: str) -> None:
    content = backup.read_bytes()
    ran = run("backup", "make", str(backup), "--passphrase-file", passphrase)
    assert (ran.code, "is not overwritten" in ran.err, backup.read_bytes() == content) == (1, True, True)
