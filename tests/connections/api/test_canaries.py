"""Planted secrets: after every way a connection can go, none is anywhere but in the vend's answer.

Searched are all tables, Redis, the logs, what PostgreSQL shows of its statements, and each answer over HTTP but the one
that is meant to hold the secret.
"""

import base64
import json
import logging
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
import redis
import structlog
from django.conf import settings as project
from django.db import connection as database
from django.http import HttpResponse
from django.test import Client

from connections.access.secrets import open_credential, open_for_session
from connections.access.targets import redirect_uri
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.connect.hold import discard_expired
from connections.lifecycle.credentials.reread import discard_unread, reread
from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.sweep import sweep_probes, sweep_refreshes
from connections.models import (
    AuditEvent,
    BurntCode,
    Connection,
    ConnectSession,
    CredentialVersion,
    OutboxEvent,
    ProviderApp,
    UnreadAnswer,
)
from providers.catalog.methods import ApiKeyMethod, AuthorizationCodeMethod
from providers.sandbox.client import SandboxProcess
from tests.connections.lifecycle.clockwork import age
from tests.factories import RETURN_URL, Caller, make_caller, make_tenant
from tests.flows import SAME_ORIGIN, EndUser, call, completion_code
from tests.person import parameters_of

CLIENT_SECRET = "planted-client-secret-52c1"
PASTED_WRONG = "planted-wrong-key-81dd"
UNREAD = "planted-unread-token-0f6e"
UNREADABLE = f'{{"access_token": "{UNREAD}", "refresh_token": "{UNREAD}-2", "expires_in": 3600'
TYPED_ELSEWHERE = "planted-completion-guess-3b7a"


@dataclass
class Sinks:
    """What was seen, and the secrets that must not be in it."""

    answers: list[tuple[str, bytes]] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def plant(self, name: str, secret: str) -> str:
        assert len(secret) >= 16, f"{name} is too short to be searched for"
        self.secrets[name] = secret
        return secret

    def forms(self) -> Iterator[tuple[str, str]]:
        """Return each secret as it may be written: plain, in a URL, in base64, and in hexadecimal."""
        for name, secret in self.secrets.items():
            yield name, secret
            yield name, quote_plus(secret)
            yield name, secret.encode().hex()
            for cut in range(3):
                encoded = base64.b64encode(secret.encode()[cut:]).decode().rstrip("=")[:-1]
                yield name, encoded
                yield name, encoded.replace("+", "-").replace("/", "_")

    def search(self, sink: str, text: str) -> list[str]:
        return [f"{name} in {sink}" for name, form in self.forms() if form in text]


@contextmanager
def watched(sinks: Sinks) -> Iterator[None]:
    """Keep every answer that Django gives, with its headers."""
    original = Client.request

    def kept(client: Client, **request: Any) -> HttpResponse:
        answer = original(client, **request)
        sinks.answers.append((f"{request.get('REQUEST_METHOD', 'GET')} {request['PATH_INFO']}", whole(answer)))
        return answer

    pytest_patch = pytest.MonkeyPatch()
    pytest_patch.setattr(Client, "request", kept)
    try:
        yield
    finally:
        pytest_patch.undo()


def whole(answer: HttpResponse) -> bytes:
    headers = "\n".join(f"{name}: {value}" for name, value in answer.items())
    return headers.encode() + answer.cookies.output().encode() + b"\n" + answer.content


def every_table() -> Iterator[tuple[str, str]]:
    with database.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        assert "connections_auditevent" in tables
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            yield table, "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("SELECT query FROM pg_stat_activity WHERE query IS NOT NULL")
        yield "pg_stat_activity", "\n".join(row[0] for row in cursor.fetchall())


def as_printed(record: logging.LogRecord) -> str:
    """Return the line that Latchkey's own handler prints, and what a plainer one would."""
    (ours,) = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    ]
    return f"{ours.format(record)}\n{record.getMessage()} {record.exc_info} {record.exc_text}"


def all_of_redis() -> str:
    client = redis.Redis.from_url(project.REDIS_URL)
    found = []
    with client:
        for key in client.scan_iter():
            kind = client.type(key)
            value = {
                b"string": client.get,
                b"list": lambda name: client.lrange(name, 0, -1),
                b"set": client.smembers,
                b"hash": client.hgetall,
                b"zset": lambda name: client.zrange(name, 0, -1),
            }[kind](key)
            found.append(f"{key!r} {value!r}")
    return "\n".join(found)


@pytest.fixture
def planted_app(transactional_db: None, sandbox: SandboxProcess) -> ProviderApp:
    acme = make_tenant("acme", reconnect_url="https://app.acme.example/mend/{connection}")
    app = save_provider_app(
        Registration(
            provider="sandbox",
            auth_style=AuthorizationCodeMethod.style,
            client_id="planted",
            client_secrets=[CLIENT_SECRET],
            params={"issuer": sandbox.url},
        ),
        tenant=acme,
        actor=SYSTEM,
    )
    sandbox.control.register_client(
        "planted",
        client_secret=CLIENT_SECRET,
        redirect_uris=[redirect_uri(app.id)],
        scopes=["profile.read", "files.read", "files.write"],
    )
    save_provider_app(
        Registration(provider="sandbox", auth_style=ApiKeyMethod.style, params={"issuer": sandbox.url}),
        tenant=acme,
        actor=SYSTEM,
    )
    return app


def connect(alice: EndUser, app: ProviderApp, sinks: Sinks, label: str, *, right: bool = True) -> str:
    """Go the whole way, and plant every secret of it on the way."""
    invitation = alice.invite()
    sinks.plant(f"{label}: connect token", invitation.token)
    started = alice.start(invitation)
    (cookie,) = started.cookies.values()
    sinks.plant(f"{label}: browser secret", cookie.value)
    left = alice.browser.post(f"/connect/{invitation.id}/method/{app.id}", headers=SAME_ORIGIN)
    link = re.search(r'id="leave" href="([^"]+)"', left.content.decode())
    assert link is not None
    session = ConnectSession.objects.get(id=invitation.id)
    sinks.plant(f"{label}: code verifier", json.loads(open_for_session(session, "code_verifier"))["kept"])
    back = alice.person.authorize(link[1].replace("&amp;", "&"))
    sinks.plant(f"{label}: state", parameters_of(back)["state"])
    sinks.plant(f"{label}: code", parameters_of(back)["code"])
    code = sinks.plant(f"{label}: completion code", completion_code(alice.visit(back)))
    answer = alice.complete(invitation, code, end_user=None if right else "mallory")
    return str(answer.json()["connection"]["id"]) if answer.status_code == 200 else ""


def plant_versions(sinks: Sinks) -> None:
    for version in CredentialVersion.objects.select_related("connection"):
        credential = open_credential(version.connection, version)
        sinks.plant(f"secret of {version.id}", credential.main_secret().removeprefix("api_key="))
        if credential.refresh_token is not None:
            sinks.plant(f"refresh token of {version.id}", credential.refresh_token.get_secret_value())


def paste(alice: EndUser, key: str) -> HttpResponse:
    invitation = alice.invite()
    alice.start(invitation)
    app = ProviderApp.objects.get(auth_style=ApiKeyMethod.style)
    return alice.browser.post(f"/connect/{invitation.id}/method/{app.id}", {"api_key": key}, headers=SAME_ORIGIN)


def test_no_planted_secret_is_in_any_sink(
    planted_app: ProviderApp,
    sandbox: SandboxProcess,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    sinks = Sinks()
    sinks.plant("client secret", CLIENT_SECRET)
    sinks.plant("wrong key", PASTED_WRONG)
    sinks.plant("guess", TYPED_ELSEWHERE)
    sinks.plant("unread token", UNREAD)
    backend = make_caller(planted_app.tenant)
    sinks.plant("API key", backend.key)
    alice = EndUser("alice", backend)
    with watched(sinks):
        succeed_and_fail(alice, backend, planted_app, sandbox, sinks)
        plant_versions(sinks)
    sweep_refreshes(now=database_now())
    sweep_probes(now=database_now())
    call(backend, "DELETE", f"/connections/{Connection.objects.filter(status='active')[0].id}")

    found: list[str] = []
    tables = dict(every_table())
    for name, text in tables.items():
        found += sinks.search(name, text)
    queued = all_of_redis()
    found += sinks.search("Redis", queued)
    logged = "\n".join(as_printed(record) for record in caplog.records)
    found += sinks.search("the log", logged)
    found += [hit for name, answer in sinks.answers for hit in _strange(sinks, name, answer.decode())]

    assert found == []
    assert len(sinks.secrets) > 25
    assert AuditEvent.objects.count() > 15
    assert OutboxEvent.objects.count() > 5
    assert "connections.revoke" in queued
    assert "planted" in tables["connections_providerapp"]  # the client id: the search would find what is there
    assert "refresh_failed" in logged
    assert "unhandled" not in logged


# Where a secret is meant to be, by what names it and the request whose answer may hold it.
_MEANT = (
    (r"connect token", r"POST /api/v1/connect-sessions$"),
    (r"browser secret", r"POST /connect/[^/]+/start$"),
    (r"state", r"POST /connect/[^/]+/(start|method/.+)$"),
    (r": code$", r"POST /connect/callback/[^/]+$"),  # a form that comes in again by a GET of our own
    (r"completion code", r"GET /connect/callback/.+$"),
    (r"secret of", r"POST /api/v1/(connections/[^/]+/credential|credentials)$"),
)


def _strange(sinks: Sinks, request: str, answer: str) -> list[str]:
    return [
        hit
        for hit in sinks.search(request, answer)
        if not any(
            re.search(secret, hit.partition(" in ")[0]) and re.search(where, request) for secret, where in _MEANT
        )
    ]


def succeed_and_fail(alice: EndUser, backend: Caller, app: ProviderApp, sandbox: SandboxProcess, sinks: Sinks) -> None:
    """Take every path that handles a secret, the failures as well as the successes."""
    connection_id = connect(alice, app, sinks, "success")
    connect(alice, app, sinks, "mismatch", right=False)
    for kind, options in (
        ("error", {"error": "invalid_grant", "description": "planted"}),
        ("error", {"error": "invalid_client"}),
        ("html", {}),
        ("status", {"status": 500}),
        ("no_access_token", {}),
        ("lost_response", {}),
    ):
        sandbox.control.fault(kind, **options)
        connect(alice, app, sinks, f"{kind} {options.get('error', '')}")
    sandbox.control.fault("status", endpoint="me", status=401)
    connect(alice, app, sinks, "dead at once")

    key = sinks.plant("pasted key", sandbox.control.api_key("alice"))
    paste(alice, PASTED_WRONG)
    completion_code(paste(alice, key))
    ConnectSession.objects.filter(state="held").update(completion_expires_at=database_now())
    discard_expired(now=database_now())

    bring_to_strangers(alice, backend, app, sinks)
    sandbox.control.fault("status", status=200, body=UNREADABLE, content_type="application/json", processed=True)
    connect(alice, app, sinks, "unreadable")
    alice.visit(f"/connect/callback/{app.id}?state={TYPED_ELSEWHERE}&code={TYPED_ELSEWHERE}&iss=x")
    call(
        backend,
        "POST",
        f"/connect-sessions/{ConnectSession.objects.all()[0].id}/complete",
        {
            "completion_code": TYPED_ELSEWHERE,
            "end_user": "alice",
        },
    )
    call(backend, "POST", "/connect-sessions", {"end_user": {"x": TYPED_ELSEWHERE}})
    body = {"end_user": "alice", "provider": "sandbox", "return_url": RETURN_URL.format(slug="acme")}
    call(backend, "POST", "/connect-sessions", body | {"unknown": TYPED_ELSEWHERE})

    plant_versions(sinks)
    alice.vend(connection_id)
    alice.vend(connection_id, scopes=["files.write"])
    call(backend, "POST", "/credentials", {"provider": "sandbox", "end_user": "alice"})
    call(backend, "POST", f"/connections/{connection_id}/credential", {"end_user": "bob"})
    call(backend, "POST", f"/connections/{connection_id}/probe")
    call(backend, "POST", f"/connections/{connection_id}/refresh")
    plant_versions(sinks)
    alice.vend(connection_id)
    age(connection_id, seconds=15)  # refreshes on demand keep 10 s apart
    sandbox.control.fault("html")
    call(backend, "POST", f"/connections/{connection_id}/refresh")
    age(connection_id, minutes=10)
    sandbox.control.fault("status", status=200, body=UNREADABLE, content_type="application/json", processed=True)
    call(backend, "POST", f"/connections/{connection_id}/refresh")
    assert UnreadAnswer.objects.filter(connection_id=connection_id).exists()
    call(backend, "GET", f"/connections/{connection_id}")
    alice.vend(connection_id)
    reread(uuid.UUID(connection_id))
    discard_unread(uuid.UUID(connection_id), actor=SYSTEM)
    version = str(Connection.objects.get(id=connection_id).current_version_id)
    call(backend, "POST", f"/connections/{connection_id}/report", {"version": version, "status": 401})
    plant_versions(sinks)
    damage_a_copy(alice, connection_id)
    call(backend, "GET", f"/connections/{connection_id}")
    call(backend, "GET", "/events?limit=500")
    call(backend, "DELETE", f"/connections/{connection_id}")
    revoke(Connection.objects.get(id=connection_id).id)
    connect(alice, app, sinks, "once more")


def bring_to_strangers(alice: EndUser, backend: Caller, app: ProviderApp, sinks: Sinks) -> None:
    """Bring codes to browsers that did not ask for them, late, twice and with no state; look where they stand."""
    for label, change in (("a stranger", {}), ("no state", {"state": None}), ("another state", {"state": "x" * 43})):
        invitation = alice.invite()
        alice.start(invitation)
        left = alice.browser.post(f"/connect/{invitation.id}/method/{app.id}", headers=SAME_ORIGIN)
        link = re.search(r'id="leave" href="([^"]+)"', left.content.decode())
        assert link is not None
        back = alice.person.authorize(link[1].replace("&amp;", "&"))
        given = {name: value for name, value in (parameters_of(back) | change).items() if value is not None}
        sinks.plant(f"{label}: code", given["code"])
        stranger = EndUser("mallory", backend)
        for user in (stranger, alice, stranger):
            user.visit(f"/connect/callback/{app.id}?{urlencode(given)}")
            user.visit(f"/connect/{invitation.id}/outcome")
        user.browser.post(f"/connect/callback/{app.id}", given)
    assert BurntCode.objects.count() == 3


def damage_a_copy(alice: EndUser, connection_id: str) -> None:
    """Vend while the stored credential does not open."""
    version = CredentialVersion.objects.get(connection_id=connection_id, stage="current")
    stored = version.secrets.stored
    for content in (stored[:-4] + b"AAA=", stored):
        with database.cursor() as cursor:
            cursor.execute("UPDATE connections_credentialversion SET secrets = %s WHERE id = %s", [content, version.id])
        alice.vend(connection_id)
