"""The spool: what the database cannot take is kept on disk, sealed, and stored once by whoever comes first."""

import json
import os
import stat
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from pytest_django import Settings

from connections.database.clock import database_now
from connections.lifecycle.credentials import spool
from connections.lifecycle.credentials.store import store_received
from connections.lifecycle.refresh.claim import Claim, Need, claim
from connections.lifecycle.refresh.recover import recover_unfinished
from connections.lifecycle.refresh.refresh import refresh
from connections.lifecycle.refresh.settle import settle_failure
from connections.models import AttemptState, AuditEvent, Connection, CredentialVersion, ProviderApp, RefreshAttempt
from connections.models.fields import outer_fernet
from providers.errors import Evidence, GrantRejected
from providers.sandbox.client import SandboxProcess
from tests.connected import connect_at
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.unfinished import answered, open_attempt, received
from tests.factories import Caller
from tests.flows import EndUser

OTHER_KEYS = ["another-key-of-at-least-32-characters"]


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """A spool of the test's own."""
    settings.SPOOL_DIR = tmp_path / "spool"
    return tmp_path / "spool"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def set_aside() -> list[tuple[str, str]]:
    """What operators are told of files: (why, file)."""
    told = AuditEvent.objects.filter(action="spool.set_aside").order_by("id")
    return [(event.decision, event.detail["file"]) for event in told]


def test_a_spooled_version_is_stored_and_promoted(
    alice: EndUser, connection: Connection, sandbox: SandboxProcess, folder: Path
) -> None:
    sealed = received(connection, sandbox)
    path = spool.write(sealed)
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert recover_unfinished(now=database_now()) == 1
    row = Connection.objects.get(id=connection.id)
    assert (row.current_version_id, row.status) == (sealed.id, "active")
    assert names(folder) == []
    assert RefreshAttempt.objects.get(id=sealed.attempt_id).state == AttemptState.PROMOTED
    assert alice.vend(str(connection.id)).status_code == 200


def test_a_spooled_version_is_stored_once(connection: Connection, sandbox: SandboxProcess) -> None:
    sealed = received(connection, sandbox)
    spool.write(sealed)
    assert spool.replay() == [connection.id]
    spool.write(sealed)
    assert spool.replay() == []
    assert CredentialVersion.objects.filter(id=sealed.id).count() == 1


def test_processes_that_replay_at_once_store_each_version_once(
    connection: Connection, sandbox: SandboxProcess, folder: Path
) -> None:
    sealed = received(connection, sandbox)
    versions = [replace(sealed, id=uuid.uuid4(), attempt_id=None) for _ in range(30)]
    for version in versions:
        spool.write(version)
    (folder / "torn.version").write_bytes(b"torn")
    ready = threading.Barrier(4)

    def replay() -> list[uuid.UUID]:
        ready.wait()
        try:
            return spool.replay()
        finally:
            database.close()

    with ThreadPoolExecutor() as pool:
        replays = [pool.submit(replay) for _ in range(4)]
    stored = [connection_id for finished in replays for connection_id in finished.result()]
    assert len(stored) == len(versions)
    assert CredentialVersion.objects.filter(id__in=[version.id for version in versions]).count() == len(versions)
    assert names(folder) == ["torn.version.aside"]
    assert set_aside() == [("unreadable", "torn.version")]


def test_a_torn_or_foreign_file_is_set_aside_and_blocks_nobody(
    connection: Connection, sandbox: SandboxProcess, folder: Path
) -> None:
    path = spool.write(received(connection, sandbox))
    (folder / "00-torn.version").write_bytes(path.read_bytes()[:-20])
    (folder / "01-foreign\udcff.version").write_text("hello")
    (folder / "02-folder.version").mkdir()
    (folder / "03-huge.version").write_bytes(b"x" * 2_000_000)
    assert spool.replay() == [connection.id]
    assert {name.rpartition(".")[2] for name in names(folder)} == {"aside"}
    assert set_aside() == [
        ("unreadable", "00-torn.version"),
        ("unreadable", "01-foreign\\udcff.version"),
        ("unreadable", "02-folder.version"),
        ("unreadable", "03-huge.version"),
    ]
    assert spool.replay(retries_aside=True) == []
    assert len(set_aside()) == 4


def test_a_file_that_cannot_be_read_at_the_moment_is_kept_and_blocks_nobody(
    connection: Connection, sandbox: SandboxProcess, folder: Path
) -> None:
    sealed = received(connection, sandbox)
    spool.write(sealed)
    (folder / "0.version").symlink_to("0.version")  # reading it is an error of the system's
    assert spool.replay() == [connection.id]
    assert names(folder) == ["0.version"]
    assert set_aside() == []


def test_a_draft_that_could_not_be_finished_goes_when_the_database_has_the_version(
    connection: Connection, sandbox: SandboxProcess, folder: Path
) -> None:
    sealed = received(connection, sandbox)
    path = spool.write(sealed)
    path.rename(path.with_suffix(".draft")).write_bytes(b"half of it")
    spool.discard(sealed)
    assert names(folder) == []
    folder.rmdir()
    spool.discard(sealed)


def test_a_version_that_the_database_refuses_is_set_aside_and_blocks_nobody(
    connection: Connection, sandbox: SandboxProcess, folder: Path
) -> None:
    sealed = received(connection, sandbox)
    refused = replace(sealed, id=uuid.UUID(int=0), attempt_id=None, data_key_id=uuid.uuid4())
    spool.write(refused)
    spool.write(sealed)
    assert spool.replay() == [connection.id]
    assert names(folder) == [f"{refused.id}.version.aside"]
    assert set_aside() == [("refused", f"{refused.id}.version")]


def test_what_a_process_with_wrong_keys_set_aside_is_stored_by_the_next_that_starts(
    connection: Connection, sandbox: SandboxProcess, folder: Path, settings: Settings
) -> None:
    spool.write(received(connection, sandbox))
    right_keys = settings.FERNET_KEYS
    settings.FERNET_KEYS = OTHER_KEYS
    assert spool.replay() == []
    settings.FERNET_KEYS = right_keys
    assert spool.replay() == []
    assert spool.replay(retries_aside=True) == [connection.id]
    assert names(folder) == []


@pytest.mark.parametrize("change", [{"format": 2}, {"endpoint_of_tomorrow": "x"}], ids=["format", "member"])
def test_a_file_of_another_release_is_kept_and_told(
    connection: Connection, sandbox: SandboxProcess, folder: Path, change: dict[str, Any]
) -> None:
    path = spool.write(received(connection, sandbox))
    document = json.loads(outer_fernet().decrypt(path.read_bytes()))
    assert document["format"] == spool.FORMAT
    written = outer_fernet().encrypt(json.dumps(document | change).encode())
    path.write_bytes(written)
    assert spool.replay() == []
    assert [found.read_bytes() for found in folder.iterdir()] == [written]
    assert set_aside() == [("other_format", path.name)]


def test_a_file_from_before_formats_were_named_is_stored(connection: Connection, sandbox: SandboxProcess) -> None:
    path = spool.write(received(connection, sandbox))
    document = json.loads(outer_fernet().decrypt(path.read_bytes()))
    del document["format"]
    path.write_bytes(outer_fernet().encrypt(json.dumps(document).encode()))
    assert spool.replay() == [connection.id]


def test_every_member_of_a_version_comes_back_as_it_was(connection: Connection, sandbox: SandboxProcess) -> None:
    sealed = received(connection, sandbox)
    assert spool._decode(spool._encode(sealed)) == sealed


def test_a_value_that_could_not_be_read_back_is_refused_when_it_is_written(
    connection: Connection, sandbox: SandboxProcess, folder: Path
) -> None:
    odd: Any = timedelta(seconds=60)
    with pytest.raises(TypeError, match="does not know how to keep a timedelta"):
        spool.write(replace(received(connection, sandbox), lifetime_seconds=odd))
    assert not folder.exists()


def test_a_draft_whose_writer_died_is_stored(
    connection: Connection, sandbox: SandboxProcess, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spool.write(received(connection, sandbox))
    draft = path.rename(path.with_suffix(".draft"))
    assert spool.replay() == [], "its writer may be about to rename it"
    monkeypatch.setattr(spool, "_DRAFT_SECONDS", -1)
    assert spool.replay() == [connection.id]
    assert not draft.exists()


def test_no_lock_is_held_while_the_spool_is_replayed(connection: Connection, sandbox: SandboxProcess) -> None:
    path = spool.write(received(connection, sandbox))
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        spool.replay()
    assert path.exists()
    assert spool.replay() == [connection.id]


def test_two_refusals_with_each_other_s_answers_in_the_spool_wait_for_nobody(
    backend: Caller, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    claims = []
    for name in ("alice", "bob"):
        connection = connect_at(sandbox, app, end_user=name, scopes=["profile.read"])
        age(connection.id, hours=1)
        claimed = claim(connection.id, trigger="sweep", need=Need())
        assert isinstance(claimed, Claim)
        spool.write(answered(RefreshAttempt.objects.get(id=claimed.attempt_id), sandbox))
        claims.append(claimed)
    database.close()
    ready = threading.Barrier(2)

    def refuse(claimed: Claim) -> str:
        ready.wait(60)
        try:
            return settle_failure(
                claimed, GrantRejected(Evidence("The provider refused the grant.", status=400))
            ).outcome
        finally:
            database.close()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(refuse, claims)) == ["refused", "refused"]
    for claimed in claims:
        row = Connection.objects.get(id=claimed.connection_id)
        assert row.status == "active"
        assert row.current_version_id != claimed.parent_version_id, "what was in the spool is current now"


def test_a_spooled_answer_comes_before_a_retry(connection: Connection, sandbox: SandboxProcess, folder: Path) -> None:
    sealed = received(connection, sandbox)
    RefreshAttempt.objects.update(state=AttemptState.IN_DOUBT)
    spool.write(sealed)
    refresh(connection.id, trigger="vend")
    assert Connection.objects.get(id=connection.id).current_version_id == sealed.id
    assert sandbox.control.log(grant_type="refresh_token") == []


def test_a_spool_file_shows_nothing(connection: Connection, sandbox: SandboxProcess) -> None:
    sealed = received(connection, sandbox)
    content = spool.write(sealed).read_bytes()
    assert str(connection.id).encode() not in content
    assert content.startswith(b"gAAAA")


def test_a_version_of_a_deleted_connection_is_dropped(
    connection: Connection, sandbox: SandboxProcess, folder: Path
) -> None:
    spool.write(received(connection, sandbox))
    Connection.objects.filter(id=connection.id).update(status="pending", reason="awaiting_confirmation")
    RefreshAttempt.objects.all().delete()
    Connection.objects.all().delete()
    assert spool.replay() == []
    assert names(folder) == []


def test_an_attempt_given_up_meanwhile_is_marked_when_its_answer_is_stored(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    sealed = received(connection, sandbox)
    RefreshAttempt.objects.update(state=AttemptState.SUPERSEDED)
    open_attempt(connection)
    store_received(sealed)
    assert RefreshAttempt.objects.get(id=sealed.attempt_id).state == AttemptState.RECEIVED


def test_a_file_is_whole_and_on_the_disk_before_it_has_its_name_and_its_name_before_anybody_goes_on(
    connection: Connection, sandbox: SandboxProcess, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a loss of power there is the whole file, or none: never half of one, and never a name without bytes."""
    sealed = received(connection, sandbox)
    steps: list[tuple[str, int]] = []
    fsync, rename, unlink = os.fsync, Path.rename, Path.unlink

    def synced(descriptor: int) -> None:
        status = os.fstat(descriptor)
        steps.append(("folder", 0) if stat.S_ISDIR(status.st_mode) else ("file", status.st_size))
        fsync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        steps.append((f"{path.suffix} to {Path(target).suffix}", 0))
        return rename(path, target)

    def unlinked(path: Path, **options: bool) -> None:
        steps.append((f"remove {path.suffix}", 0))
        unlink(path, **options)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    monkeypatch.setattr(Path, "unlink", unlinked)
    path = spool.write(sealed)
    assert steps == [("file", path.stat().st_size), (".draft to .version", 0), ("folder", 0)]
    steps.clear()
    assert spool.replay() == [connection.id]
    assert steps == [("remove .version", 0), ("folder", 0)], "or a crash would bring back a token that is used up"
