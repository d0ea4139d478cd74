"""Planted secrets: after successes and failures on the whole stack, none is in any sink.

Real: a second stack of its own with all processes, people at browsers, the API over HTTP, the worker's tasks. Planted
are the keys of the installation, the client's secret, API keys and passwords; every token of the sandbox says by its
first letters that it is one, so none has to be known beforehand. Searched are the logs of all processes, every command
that Redis was sent (and with them each Celery message), what Redis keeps, all tables, what PostgreSQL shows of its
statements while they run, the spool, the admin's pages, and each answer of the API but those that are meant to hold
the secret.
"""

import json
import os
import re
import secrets
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
import requests
from psycopg import sql

from config.local.demo.stack import LocalStack
from connections.drills import faults
from providers.sandbox.client import SandboxControl
from providers.sandbox.tokens import ACCESS_PREFIX, API_KEY_PREFIX, REFRESH_PREFIX
from providers.sandbox.waiting import until
from tests.campaigns.faults.beside import beside
from tests.campaigns.faults.figures import Figure
from tests.campaigns.faults.ground import Ground
from tests.campaigns.stacks import control, database
from tests.connections.api.test_canaries import Sinks
from tests.smoke.browser import forms_of
from tests.smoke.visitor import Visitor
from tests.warm.start import Warm

_INTERVALS = {"LATCHKEY_SWEEP_SECONDS": "1", "LATCHKEY_PROBE_SECONDS": "3,3,3", "SANDBOX_ACCESS_SECONDS": "30"}
_ISSUED = re.compile(
    rf"(?:{ACCESS_PREFIX}|{REFRESH_PREFIX}|{API_KEY_PREFIX})[A-Za-z0-9_-]{{32,}}|\blk_[A-Za-z0-9_-]{{32,}}"
)
_FAULTS = (
    *faults.MALFORMED,
    faults.SERVER_ERRORS[0],
    faults.LOST[0],
    faults.CLIENT_REJECTED,
    faults.GRANT_REJECTED.but(description="planted"),
)
_PAGES = (
    *("", "connections/connection/", "connections/credentialversion/", "connections/providerapp/"),
    *("connections/apikey/", "connections/auditevent/", "connections/outboxevent/", "connections/refreshattempt/"),
)


@dataclass
class _Seen:
    """What was seen on the way: named texts."""

    texts: list[tuple[str, str]] = field(default_factory=list)

    def keep(self, sink: str, text: str) -> None:
        self.texts.append((sink, text))


def canaries(ground: Ground) -> Figure:
    """Count the planted secrets that were found."""
    folder = Path(tempfile.mkdtemp(prefix="latchkey-canaries-", dir="/var/tmp"))
    sinks, seen = Sinks(), _Seen()
    planted = {"SANDBOX_CLIENT_SECRET": f"planted-client-secret-{secrets.token_hex(8)}"}
    with Warm() as warm:
        stack = LocalStack(state_dir=folder, overrides=_INTERVALS | planted, durable=False, restart=False, popen=warm)
        try:
            with _own_services():
                stack.start()
            for name in ("SECRET_KEY", "FERNET_KEYS", "SANDBOX_CLIENT_SECRET"):
                sinks.plant(name, stack.environment[name])
            for name in ("KEK_KEYS", "AUDIT_KEYS"):
                sinks.plant(name, stack.environment[name].partition(":")[2])
            sinks.plant("API key", stack.seeded["api_key"])
            with _watched_redis(stack, seen), _watched_statements(stack, seen):
                _live(stack, sinks, seen, rounds=ground.count(20, least=1))
                _look_around(stack, seen)
            _search_rows(stack, seen)
            stack.stop()
            for path in sorted([*folder.glob("logs/*.log"), *folder.glob("*/*.log"), *folder.glob("spool/*")]):
                seen.keep(f"{path.parent.name}/{path.name}", path.read_text(errors="replace"))
        finally:
            stack.destroy()
    found = sorted({hit for sink, text in seen.texts for hit in _hits(sinks, sink, text)})
    assert any("connections.refresh" in text for sink, text in seen.texts if sink == "Redis commands"), "blind"
    assert any("refresh_failed" in text for sink, text in seen.texts if sink.startswith("logs/")), "blind"
    return Figure(
        row="canaries",
        measure="planted secrets found in any sink",
        measured=f"{len(found)} of {len(sinks.secrets)} planted, and of every token issued, in {len(seen.texts)} texts",
        target="0",
        is_kept=not found,
        facts={"found": found[:20], "sinks": sorted({sink for sink, _ in seen.texts})},
    )


def _hits(sinks: Sinks, sink: str, text: str) -> list[str]:
    found = sinks.search(sink, text)
    return found + [f"{one[:6]}… in {sink}" for one in _ISSUED.findall(text)]


def _live(stack: LocalStack, sinks: Sinks, seen: _Seen, *, rounds: int) -> None:
    """Connect, vend, refresh, fail in every way, be refused, report, disconnect."""
    sandbox = control(stack)
    ann = Visitor(stack.urls, name="ann", account="alice")
    ann.log_in()
    for _ in range(rounds):
        connection = ann.connect()
        for answer in _FAULTS:
            sandbox.fault(answer.kind, grant_type="refresh_token", **answer.options)
            _call(stack, seen, "POST", f"connections/{connection}/refresh")
        sandbox.clear_faults()
        for body in ({"end_user": "ann"}, {"end_user": "ben"}, {"end_user": "ann", "scopes": ["nothing"]}):
            _call(
                stack, seen, "POST", f"connections/{connection}/credential", body, is_vend=body == {"end_user": "ann"}
            )
        for _ in range(2):
            _call(stack, seen, "POST", f"connections/{connection}/refresh")
        shown = _call(stack, seen, "GET", f"connections/{connection}")
        _call(stack, seen, "POST", f"connections/{connection}/report", {"version": shown["version"], "status": 401})
        guess = sinks.plant(f"guess {connection}", f"planted-guess-{uuid.uuid4().hex}")
        _call(stack, seen, "POST", "connect-sessions", {"end_user": {"x": guess}})
        _call(stack, seen, "POST", "connect-sessions", {"unknown": guess})
        answer = requests.get(f"{stack.urls['web']}/api/v1/connections", headers={"Authorization": guess}, timeout=10)
        seen.keep("answer to a wrong key", answer.text)
        link = f"{stack.urls['web']}/connect/callback/{uuid.uuid4()}?code={guess}&state={guess}"
        seen.keep("page of a wrong callback", requests.get(link, timeout=10).text)
        # The worker refreshes by itself as well: its messages and its log are sinks.
        with database(stack) as connected:
            connected.execute("UPDATE connections_connection SET refresh_due_at = now(), next_attempt_at = NULL")
        _wait_for_refresh(sandbox)
        _call(stack, seen, "GET", "events?limit=200")
        _call(stack, seen, "DELETE", f"connections/{connection}")


def _wait_for_refresh(sandbox: SandboxControl) -> None:
    before = sandbox.log(grant_type="refresh_token")[-1].id
    until(lambda: sandbox.log(after=before, grant_type="refresh_token"), "a refresh of the worker", seconds=30)


def _call(
    stack: LocalStack, seen: _Seen, method: str, path: str, body: Any = None, *, is_vend: bool = False
) -> dict[str, Any]:
    answer = requests.request(
        method,
        f"{stack.urls['web']}/api/v1/{path}",
        json=body,
        headers={"Authorization": f"Bearer {stack.seeded['api_key']}"},
        timeout=30,
    )
    document = answer.json() if answer.content else {}
    if is_vend and answer.ok:
        for name in ("value", "headers"):
            document["credential"].pop(name)  # what a vend is for
    seen.keep(f"answer to {method} {path.partition('?')[0]}", json.dumps(document) + str(answer.headers))
    return dict(document)


def _look_around(stack: LocalStack, seen: _Seen) -> None:
    """Log in as the operator and keep the admin's lists, and the page of the first row of each."""
    operator = stack.seeded["operator"]
    visitor = Visitor(stack.urls, name="operator", account="")
    admin = f"{stack.urls['web']}/admin/"
    form = next(form for form in forms_of(visitor.browser.follow(admin)) if "username" in form.names)
    visitor.browser.follow(visitor.browser.submit(form, username=operator["username"], password=operator["password"]))
    for path in _PAGES:
        page = visitor.browser.follow(f"{admin}{path}")
        seen.keep(f"admin {path}", page.text)
        for target in re.findall(rf'href="/admin/({re.escape(path)}[0-9a-f-]+/change/)"', page.text)[:3]:
            seen.keep(f"admin {target}", visitor.browser.follow(f"{admin}{target}").text)
    assert any(stack.urls["sandbox"] in text for sink, text in seen.texts if sink.startswith("admin")), "blind"


def _search_rows(stack: LocalStack, seen: _Seen) -> None:
    """Keep the text of every row of every table, and what Redis holds."""
    with database(stack) as connected:
        tables = connected.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in tables.fetchall():
            rows = connected.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
            seen.keep(f"table {table}", "\n".join(row[0] for row in rows))
    with redis.Redis.from_url(stack.environment["REDIS_URL"]) as client:
        for key in client.scan_iter():
            kept = client.dump(key)
            seen.keep("Redis keys", f"{key!r} {kept!r}")


@contextmanager
def _own_services() -> Iterator[None]:
    """Let a stack start databases of its own, although this process knows those of the campaign."""
    known = {name: os.environ.pop(name) for name in ("DATABASE_URL", "REDIS_URL")}
    try:
        yield
    finally:
        os.environ.update(known)


@contextmanager
def _watched_redis(stack: LocalStack, seen: _Seen) -> Iterator[None]:
    """Keep every command that Redis is sent."""
    heard: list[str] = []
    last = f"the-end-{uuid.uuid4().hex}"
    url = stack.environment["REDIS_URL"]
    with redis.Redis.from_url(url, socket_timeout=None) as client, redis.Redis.from_url(url) as other:
        listening = client.connection_pool.get_connection()
        listening.send_command("MONITOR")
        listening.read_response()

        def listen() -> None:
            while not heard or last not in heard[-1]:
                heard.append(listening.read_response(disable_decoding=True).decode(errors="replace"))

        thread = threading.Thread(target=listen, name="monitor", daemon=True)
        thread.start()
        try:
            yield
        finally:
            other.echo(last)
            thread.join(10)
            listening.disconnect()
    seen.keep("Redis commands", "\n".join(heard))


@contextmanager
def _watched_statements(stack: LocalStack, seen: _Seen) -> Iterator[None]:
    """Keep what PostgreSQL shows of the statements that run."""
    found: set[str] = set()

    def look(over: threading.Event) -> None:
        with database(stack) as connected:
            while not over.wait(0.05):
                rows = connected.execute("SELECT query FROM pg_stat_activity WHERE query IS NOT NULL")
                found.update(row[0] for row in rows)

    with beside(look, name="statements"):
        yield
    seen.keep("pg_stat_activity", "\n".join(found))
