"""The doctor names what is wrong with an installation, and only that. Each case is a real one, broken in one way.

It is asked as operators ask: by ``manage.py doctor`` in a process of its own, over servers of its own. All but one of
these processes are forked: where settings differ from a process that has the packages, else from one that also has the
sound installation's settings.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.test import override_settings

from config.local.demo.stack import LocalStack
from config.local.supervisor.environment import generate_secrets
from config.local.supervisor.state import PROJECT_ROOT
from connections.access.key_lists import mark
from connections.management.doctor import storage
from connections.management.doctor.findings import Level
from tests.campaigns.stacks import database, populate, stack_to_break
from tests.roles import make_role
from tests.warm.start import Warm

_NOWHERE = "127.0.0.1:9"
_FIGURES = (
    "INSERT INTO connections_figurestaken (id, taken_at, took_seconds, audit_seen_to) VALUES (1, now() - %s::interval,"
    " 0, 0) ON CONFLICT (id) DO UPDATE SET taken_at = excluded.taken_at"
)
# From where the client secrets are read, and in how long again.
_SOURCED = (
    "UPDATE connections_providerapp SET (secret_source, secret_read_at, secret_look_at, secret_failing_since) ="
    " (%s, now(), now() + %s::interval, now() - %s::interval)"
)

_QUARANTINE = (
    'INSERT INTO connections_installation (id, "only", database, number, quarantined_at, cause, sorted_at) VALUES'
    " (gen_random_uuid(), true, '', 0, now(), 'behind', {sorted_at}) ON CONFLICT (\"only\") DO UPDATE SET"
    " quarantined_at = excluded.quarantined_at, cause = excluded.cause, sorted_at = excluded.sorted_at"
)
_NO_QUARANTINE = "UPDATE connections_installation SET quarantined_at = NULL, cause = '', sorted_at = NULL"
_UNANSWERED = _QUARANTINE.replace("sorted_at", "unanswered_at").format(unanswered_at="now()")
_HELD = (
    f"WITH sorted AS ({_QUARANTINE.format(sorted_at='now()')}) INSERT INTO connections_heldconnection (connection_id,"
    " verdict, held_at) SELECT id, 'used', now() FROM connections_connection"
)
_NOT_HELD = f"WITH ended AS ({_NO_QUARANTINE}) DELETE FROM connections_heldconnection"


@dataclass
class Installation:
    """A sound one: a stack, and the environment in which the command is run."""

    stack: LocalStack
    packages: Warm
    environment: dict[str, str] = field(default_factory=dict)
    settings: Warm | None = None
    worker: "psycopg.Connection[Any] | None" = None

    def has_worker(self, *, runs: bool) -> None:
        """Have a worker's session at the database, or none. One that runs: ``tests.processes.test_metrics``."""
        if self.worker is not None:
            self.worker.close()
        lists = {name: self.environment[name].split(",") for name in ("FERNET_KEYS", "KEK_KEYS", "AUDIT_KEYS")}
        with override_settings(**lists):
            name = f"latchkey presence {mark()} worker:7@a"
        self.worker = psycopg.connect(self.stack.environment["DATABASE_URL"], application_name=name) if runs else None

    def examine(self, **changes: str) -> list[dict[str, str]]:
        """Run the command with ``changes`` to its environment, and return what it finds beside what is well."""
        ran = self.doctor("--json", "--no-asks", **changes)
        assert ran.stdout, ran.stderr
        answer = json.loads(ran.stdout)
        assert ran.returncode == (1 if answer["faults"] else 0)
        return [found for found in answer["findings"] if found["level"] != Level.FINE]

    def doctor(self, *options: str, **changes: str) -> "subprocess.CompletedProcess[str]":
        """Run the command with ``changes`` to its environment."""
        if changes or self.settings is None:
            return self.packages.run("manage.py", "doctor", *options, env=self.whole_environment | changes)
        return self.settings.run("manage.py", "doctor", *options)

    @property
    def whole_environment(self) -> dict[str, str]:
        """The environment of a process of this installation."""
        return os.environ | self.environment

    def sql(self, statement: Any, *values: Any) -> None:
        """Run one statement, outside a transaction."""
        with database(self.stack) as connected:
            connected.execute(statement, values)

    def valkey(self) -> "redis.Redis":
        """Return a client of the broker."""
        return redis.Redis.from_url(self.environment["REDIS_URL"])


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, warmed: Warm) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("doctor")
    with stack_to_break(folder / "stack", "sandbox", durable=True) as stack:
        populate(stack, 2)
        sound = Installation(stack, warmed)
        (folder / "static" / "latchkey_admin").mkdir(parents=True)
        sound.environment = stack.environment | {
            "LATCHKEY_ENV": "production",
            "PUBLIC_URL": "https://connect.example.com",
            "BEHIND_TLS_PROXY": "true",
            "TRUSTED_PROXY_COUNT": "1",
            "LATCHKEY_SECOND_FACTOR_REQUIRED": "true",
            "STATIC_ROOT": str(folder / "static"),
            "LATCHKEY_CATALOG_DIR": str(folder / "catalog"),
            "LATCHKEY_SPOOL_DIR": str(folder / "spool"),
            "DATABASE_URL": _as_a_role_without_tables(stack),
        }
        sound.sql("UPDATE connections_providerapp SET provider = 'hubspot' WHERE provider = 'sandbox'")
        sound.sql(_FIGURES, "1 minute")
        sound.has_worker(runs=True)
        has = ("connections.management.commands.doctor", "config.urls")
        with Warm(has, env=sound.whole_environment) as sound.settings:
            yield sound
        sound.has_worker(runs=False)


def _as_a_role_without_tables(stack: LocalStack) -> str:
    """Make a role that may use the tables and owns none, as ``OPERATIONS.md`` wants it; return its URL."""
    owner = stack.environment["DATABASE_URL"]
    with psycopg.connect(owner, autocommit=True) as connected:
        make_role(connected, "runs")
    return f"postgresql://runs:runs@{owner.rpartition('@')[2]}"


def test_a_sound_installation_is_found_sound(installation: Installation) -> None:
    assert installation.examine() == []


def other_keys() -> dict[str, str]:
    return generate_secrets()


@pytest.mark.parametrize(
    ("changes", "area", "says"),
    [
        ({"DATABASE_URL": f"postgresql://runs:runs@{_NOWHERE}/latchkey"}, "database", "cannot be reached"),
        ({"REDIS_URL": f"redis://{_NOWHERE}/0"}, "broker", "cannot be reached"),
        ({"KEK_KEYS": other_keys()["KEK_KEYS"]}, "keys", "which KEK_KEYS does not have"),
        ({"FERNET_KEYS": other_keys()["FERNET_KEYS"]}, "keys", "open under no key of FERNET_KEYS"),
        ({"LATCHKEY_SPOOL_DIR": "/dev/null/spool"}, "folders", "cannot be written"),
        ({"STATIC_ROOT": "/nonexistent"}, "folders", "no static files"),
        ({"TRUSTED_PROXY_COUNT": "0"}, "settings", "TRUSTED_PROXY_COUNT is 0"),
        ({"BEHIND_TLS_PROXY": "false", "TRUSTED_PROXY_COUNT": "0"}, "settings", "BEHIND_TLS_PROXY is off"),
        ({"EGRESS_PROXY_URL": "http://proxy.example:3128"}, "egress", "EGRESS_ADDRESSES"),
        ({"PUBLIC_URL": "https://example.com/latchkey"}, "addresses", "PUBLIC_URL has a path (/latchkey)"),
        ({"ADMIN_URL": "https://connect.example.com:8443"}, "addresses", "differ in the port alone"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_setting_that_is_wrong_is_named(
    installation: Installation, changes: dict[str, str], area: str, says: str
) -> None:
    (found,) = [one for one in installation.examine(**changes) if "follow other lists" not in one["says"]]
    assert found["area"] == area
    assert says in found["says"]
    assert found["what_to_do"].endswith(".")


def test_a_developer_s_settings_are_no_production(installation: Installation) -> None:
    found = installation.examine(LATCHKEY_ENV="development", STATIC_ROOT="/nonexistent")
    assert [each["says"].split(":")[0] for each in found] == ["LATCHKEY_ENV is development"]


# What breaks, what mends, and what is said of it.
Break = Callable[[Installation], None]
BROKEN: dict[str, tuple[Break, Break, str, str]] = {
    "migrations": (
        lambda at: at.sql(
            "UPDATE django_migrations SET name = 'x' || name WHERE app = 'connections' AND name = (SELECT max(name)"
            " FROM django_migrations WHERE app = 'connections')"
        ),
        lambda at: at.sql("UPDATE django_migrations SET name = substr(name, 2) WHERE name LIKE 'x%%'"),
        "database",
        "1 migrations are not applied",
    ),
    "a commit that waits for no disk": (
        lambda at: at.sql("ALTER ROLE runs SET synchronous_commit = off"),
        lambda at: at.sql("ALTER ROLE runs RESET synchronous_commit"),
        "database",
        "synchronous_commit is off",
    ),
    "another isolation": (
        lambda at: at.sql("ALTER ROLE runs SET default_transaction_isolation = 'serializable'"),
        lambda at: at.sql("ALTER ROLE runs RESET default_transaction_isolation"),
        "database",
        "serializable",
    ),
    "a table that nobody granted": (
        lambda at: at.sql("REVOKE ALL ON django_session FROM runs"),
        lambda at: at.sql("GRANT SELECT, INSERT, UPDATE, DELETE ON django_session TO runs"),
        "database",
        "lacks DELETE, INSERT, SELECT, UPDATE on django_session.",
    ),
    "a broker that forgets": (
        lambda at: at.valkey().config_set("maxmemory-policy", "allkeys-lru"),
        lambda at: at.valkey().config_set("maxmemory-policy", "noeviction"),
        "broker",
        "drops tasks",
    ),
    "a queue that nobody empties": (
        lambda at: at.valkey().rpush("refresh", json.dumps({"headers": {"latchkey_sent_at": time.time() - 300}})),
        lambda at: at.valkey().delete("refresh"),
        "broker",
        "1 tasks wait in the queue refresh",
    ),
    "no worker": (
        lambda at: at.has_worker(runs=False),
        lambda at: at.has_worker(runs=True),
        "workers",
        "None runs",
    ),
    "no beat": (
        lambda at: at.sql(_FIGURES, "2 hours"),
        lambda at: at.sql(_FIGURES, "1 minute"),
        "beat",
        "for 120 minutes",
    ),
    "a quarantine that nobody has sorted": (
        lambda at: at.sql(_QUARANTINE.format(sorted_at="NULL")),
        lambda at: at.sql(_NO_QUARANTINE),
        "quarantine",
        "No refresh is sent. It is behind",
    ),
    "a quarantine that cannot be sorted, since Redis does not answer": (
        lambda at: at.sql(_UNANSWERED),
        lambda at: at.sql(_NO_QUARANTINE),
        "quarantine",
        "Redis does not answer since",
    ),
    "connections that wait in quarantine": (
        lambda at: at.sql(_HELD),
        lambda at: at.sql(_NOT_HELD),
        "quarantine",
        "2 connections wait to refresh, and of 2",
    ),
    "an app at a provider that is not described": (
        lambda at: at.sql("UPDATE connections_providerapp SET provider = 'nowhere'"),
        lambda at: at.sql("UPDATE connections_providerapp SET provider = 'hubspot'"),
        "provider apps",
        "does not describe",
    ),
    "a credential that does not open": (
        lambda at: at.sql("UPDATE connections_connection SET undecryptable_at = now()"),
        lambda at: at.sql("UPDATE connections_connection SET undecryptable_at = NULL"),
        "keys",
        "of 2 connections do not open",
    ),
    "a client secret that is not where it was": (
        lambda at: at.sql(_SOURCED, "file:/run/latchkey/gone", "1 hour", "1 hour"),
        lambda at: at.sql(_SOURCED, "", None, None),
        "client secrets",
        "is not read since",
    ),
    "an entry that is no TOML": (
        lambda at: _entry(at).write_text("this is no entry"),  # type: ignore[func-returns-value]
        lambda at: _entry(at).unlink(),
        "catalogue",
        "own.toml",
    ),
    "an incident": (
        lambda at: at.sql(
            "INSERT INTO connections_incident (id, provider_app_id, kind, cause, at, evidence, facts, timeline, spared,"
            " opened_at, last_seen_at) SELECT gen_random_uuid(), id, 'client_rejected', '', '', '{}', '{}', '[]', 0,"
            " now(), now() FROM connections_providerapp"
        ),
        lambda at: at.sql("DELETE FROM connections_incident"),
        "incidents",
        "refuses our client registration",
    ),
}


def _entry(installation: Installation) -> Path:
    folder = Path(installation.environment["LATCHKEY_CATALOG_DIR"])
    folder.mkdir(exist_ok=True)
    return folder / "own.toml"


@pytest.mark.parametrize("case", BROKEN)
def test_an_installation_that_is_broken_in_one_way_hears_of_that(installation: Installation, case: str) -> None:
    breaks, mends, area, says = BROKEN[case]
    breaks(installation)
    try:
        (found,) = installation.examine()
    finally:
        mends(installation)
    assert found["area"] == area
    assert says in found["says"]
    assert found["what_to_do"].endswith(".")


@pytest.mark.django_db
def test_clocks_that_differ_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of this machine is the one that can be moved here."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 30)
    (found,) = [each for each in storage.database() if each.area == "clocks"]
    assert found.level is Level.FAULT
    assert "30 s apart" in found.says


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"KEK_KEYS": "no key"}, "KEK_KEYS entry 1"),
        ({"AUDIT_KEYS": ""}, "AUDIT_KEYS"),
        ({"PUBLIC_URL": "http://connect.example.com"}, "PUBLIC_URL must be https"),
        ({"ADMIN_URL": "https://admin.example.com/latchkey"}, "ADMIN_URL must have the path of PUBLIC_URL"),
        ({"EGRESS_CA_FILE": "/nonexistent/ca.pem"}, "/nonexistent/ca.pem does not exist"),
        ({"EGRESS_ALLOWED_TARGETS": "10.0.0.0/99"}, "10.0.0.0/99"),
    ],
    ids=str,
)
def test_what_keeps_everything_from_starting_is_said_in_one_line(
    installation: Installation, changes: dict[str, str], says: str
) -> None:
    ran = installation.doctor(**changes)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert says in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_people_get_sentences(installation: Installation) -> None:
    environment = installation.whole_environment | {"REDIS_URL": f"redis://{_NOWHERE}/0"}
    command = [sys.executable, "manage.py", "doctor", "--no-asks"]
    ran = subprocess.run(command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "FAULT    broker: It cannot be reached" in ran.stdout
    assert "         Check REDIS_URL" in ran.stdout
    assert "1 fault found." in ran.stderr
    assert "ok       database: PostgreSQL" in ran.stdout
