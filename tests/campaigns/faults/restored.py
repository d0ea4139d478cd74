"""A database that is put back to before its last refreshes, against a provider that ends a grant at the first reuse.

Real: the provider, the commands ``backup make`` and ``backup restore``, PostgreSQL's own base backup, log and recovery,
the claims, the sorting, the provider's request log. Sped up: that the backup is an hour old (the rows' times and what
Redis has noted are moved), and each refresh is ordered here instead of by a sweep. After the restore everything is
ordered to refresh, again and again, as sweeps and callers would.
"""

import shutil
import subprocess
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection as orm

from config.local.services.account import server_account
from config.local.services.ports import any_free_port
from connections.database.clock import database_now
from connections.lifecycle.quarantine.pulse import beat
from connections.lifecycle.quarantine.sort import sort_held
from connections.lifecycle.refresh import sent
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import HeldConnection, RewindCause
from providers.sandbox.waiting import until
from tests.campaigns.faults.figures import Figure
from tests.campaigns.faults.ground import Ground, Member

_HOUR = timedelta(hours=1)


def by_dump(ground: Ground) -> Figure:
    """Restore a backup that ``manage.py backup`` has made."""
    with tempfile.TemporaryDirectory(prefix="latchkey-backup-", dir=ground.stack.state_dir) as folder:
        secret, backup = Path(folder) / "passphrase", Path(folder) / "backup"
        secret.write_text(uuid.uuid4().hex)
        options = {"passphrase_file": str(secret), "programs": "", "json": False}

        def take() -> None:
            call_command("backup", "make", str(backup), **options, recipient=None)

        def put_back() -> None:
            ground.reconnect()
            name = urlsplit(ground.stack.environment["DATABASE_URL"]).path[1:]
            call_command("backup", "restore", str(backup), **options, identity_file=None, replace=name)

        return _figure("restored", "restore of a backup, strict provider", ground, take, put_back)


def to_a_moment(ground: Ground) -> Figure:
    """Recover a second server to a moment before the refreshes, from a base backup and the log, without any command."""
    server = ground.stack.postgres
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_receivewal"))
    if server is None or not found:
        return Figure("restored_to_a_moment", "recovery to a moment", "not played: no pg_receivewal here", "", True)
    with _Recovery(ground.stack.environment["DATABASE_URL"], found[-1].parent) as recovery:
        return _figure(
            "restored_to_a_moment",
            "recovery to a moment, strict provider",
            ground,
            recovery.mark,
            recovery.put_back,
        )


class _Recovery:
    """A second server, recovered from the first one's base backup and log. The product in this process moves to it."""

    def __init__(self, url: str, programs: Path) -> None:
        self._url, self._programs = url, programs
        self._account = server_account(Path("/var/tmp/latchkey-recovery/data"))
        self._place = Path(tempfile.mkdtemp(prefix="latchkey-recovery-", dir="/var/tmp"))
        self._data, self._log = self._place / "data", self._place / "log"
        self._port, self._moment = any_free_port(), ""
        self._receiver: subprocess.Popen[bytes] | None = None
        self._before = (orm.settings_dict["HOST"], orm.settings_dict["PORT"])

    def __enter__(self) -> "_Recovery":
        self._log.mkdir()
        self._run("pg_basebackup", "-D", str(self._data), "-X", "stream", "--checkpoint=fast")
        log = self._programs / "pg_receivewal"
        self._receiver = subprocess.Popen([log, "-D", self._log, "-d", self._url, "--synchronous"])
        return self

    def __exit__(self, *_: object) -> None:
        orm.close()
        orm.close_pool()  # type: ignore[attr-defined]
        orm.settings_dict["HOST"], orm.settings_dict["PORT"] = self._before
        if self._data.exists():
            self._account.run([self._programs / "pg_ctl", "-D", self._data, "-m", "immediate", "stop"])
        if self._receiver is not None:
            self._receiver.kill()
            self._receiver.wait()
        shutil.rmtree(self._place, ignore_errors=True)

    def mark(self) -> None:
        """Remember this moment."""
        with psycopg.connect(self._url, autocommit=True) as connected:
            self._moment = str(connected.execute("SELECT clock_timestamp()").fetchone()[0])  # type: ignore[index]
        time.sleep(1)

    def put_back(self) -> None:
        """Recover to the moment, and move this process there."""
        with psycopg.connect(self._url, autocommit=True) as connected:
            row = connected.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        assert row is not None
        until((self._log / str(row[0])).exists, "the log of the incident")
        (self._data / "recovery.signal").touch()
        with (self._data / "postgresql.auto.conf").open("a") as file:
            file.write(
                f"restore_command = 'cp {self._log}/%f %p'\nrecovery_target_time = '{self._moment}'\n"
                "recovery_target_action = 'promote'\n"
            )
        for path in (self._place, *self._place.rglob("*")):
            self._account.own(path)
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c hot_standby=off"
        pg_ctl = [self._programs / "pg_ctl", "-D", self._data, "-l", self._place / "server.log", "-o", options]
        started = self._account.run([*pg_ctl, "-w", "-t", "60", "start"])
        assert started.returncode == 0, started.stdout
        orm.close()
        orm.close_pool()  # type: ignore[attr-defined]
        orm.settings_dict["PORT"] = self._port
        until(self._is_promoted, "the end of the recovery")

    def _is_promoted(self) -> bool:
        with orm.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery()")
            return cursor.fetchone() == (False,)

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run([self._programs / name, "-d", self._url, *arguments], check=True, capture_output=True)


def _figure(row: str, measure: str, ground: Ground, take: Callable[[], None], put_back: Callable[[], None]) -> Figure:
    settings.REDIS_URL = ground.stack.environment["REDIS_URL"]  # which ``unthrottled`` has taken away
    try:
        return _play(row, measure, ground, take, put_back)
    finally:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"


def _play(row: str, measure: str, ground: Ground, take: Callable[[], None], put_back: Callable[[], None]) -> Figure:
    ground.control.settings(grace_seconds=0)
    members = ground.make_members(ground.make_app(), ground.count(1000, least=8))
    used, fresh = members[::2], members[1::2]
    now = database_now()
    beat(now=now)
    until(lambda: _noted_since(now - _HOUR), "notes of the last hour")
    _make_due(members)
    take()
    for member in used:
        assert refresh(member.id, trigger="vend").outcome is Outcome.REFRESHED
    beat(now=database_now())
    after = ground.control.last_id()
    put_back()
    sorting = beat(now=database_now())
    sort_held(now=database_now())
    held = dict(HeldConnection.objects.values_list("connection_id", "verdict"))
    outcomes: Counter[str] = Counter()
    for _ in range(2):
        for member in members:
            outcomes[refresh(member.id, trigger="vend").outcome] += 1
    requests = ground.provider_log(after=after)
    alive = {grant["id"] for grant in ground.control.grants() if not grant.get("revoked")}
    lost = [member for member in members if member.grant not in alive]
    # Where a note was late, less is sure, and more waits; of what was used nothing may ever go on.
    stale = {member.id for member in used} - set(held)
    facts: dict[str, Any] = {
        "connections": len(members),
        "refreshed after the backup": len(used),
        "held": dict(Counter(held.values())),
        "refreshed at once after the restore": outcomes[Outcome.REFRESHED],
        "not sent": outcomes[Outcome.QUARANTINED],
        "requests at the provider": len(requests),
        "noticed as": sorting or RewindCause.RESTORED,
        "lost": len(lost),
    }
    return Figure(
        row,
        measure,
        f"{len(lost)} of {len(members)} grants lost; {len(held)} wait, {outcomes[Outcome.REFRESHED]} went on",
        "0 lost, and no used token sent",
        not lost and not stale and len(requests) == outcomes[Outcome.REFRESHED] <= len(fresh),
        facts,
    )


def _noted_since(moment: datetime) -> bool:
    """Say that the notes are whole since ``moment``, which a busy machine may not take at once."""
    sent.keep(now=moment, has_gap=True)
    return sent.recall([]).whole_since == moment


def _make_due(members: Sequence[Member]) -> None:
    hour = "interval '1 hour'"
    ids = [member.id for member in members]
    with orm.cursor() as cursor:
        cursor.execute(
            f"UPDATE connections_connection SET refresh_due_at = now() - {hour}, access_expires_at = now() - {hour}"
            " WHERE id = ANY(%s)",
            [ids],
        )
        cursor.execute(
            f"UPDATE connections_credentialversion SET received_at = received_at - 2 * {hour}"
            " WHERE connection_id = ANY(%s)",
            [ids],
        )
