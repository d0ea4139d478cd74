"""What the scenarios stand on: connections with real grants of the sandbox, the passing of time, what to look at."""

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connection as database
from django.db.models import F

from connections.drills.grants import store_grant
from connections.drills.throwaway import Server
from connections.lifecycle.audit import SYSTEM
from connections.lifecycle.claim import Need, RefreshReport
from connections.lifecycle.clock import database_now
from connections.lifecycle.provision import (
    Registration,
    TenantProfile,
    hash_key,
    issue_key,
    save_api_client,
    save_provider_app,
    upsert_tenant,
)
from connections.lifecycle.refresh import refresh
from connections.lifecycle.vend import Vended, VendOrder, vend
from connections.models import (
    Connection,
    CredentialVersion,
    OutboxEvent,
    Permission,
    Reason,
    RefreshAttempt,
    Status,
)
from providers import egress
from providers.catalog.loader import entry
from providers.sandbox.client import SandboxControl
from providers.sandbox.log import Entry
from providers.sandbox.waiting import until

_NOBODY = "redis://127.0.0.1:1/0"
_LEASE_SECONDS = 61
_USER = "drill"


class Broken(Exception):
    """A promise was not kept; the text says how."""


def expect(holds: object, what: str) -> None:
    """Raise ``Broken`` unless ``holds``."""
    if not holds:
        raise Broken(what)


@dataclass(frozen=True, slots=True)
class Subject:
    """One connection of a scenario, with what calls it."""

    id: uuid.UUID
    app_id: uuid.UUID
    client_id: str
    key_hash: bytes


class Ground:
    """The stage of the scenarios. Each makes its own subjects, so that none sees another's."""

    def __init__(self, sandbox: SandboxControl, server: Server, spool: Path) -> None:
        self.sandbox = sandbox
        self.server = server
        self.spool = spool

    def connect(self, *, grace_seconds: int = 60, count: int = 1) -> list[Subject]:
        """Make ``count`` active connections of one new tenant at one app of its own."""
        slug = f"drill-{uuid.uuid4().hex[:12]}"
        secret = uuid.uuid4().hex
        profile = TenantProfile(name=slug, allowed_origins=[], return_urls=["https://drill.example/connected"])
        tenant = upsert_tenant(slug, profile, actor=SYSTEM)
        app = save_provider_app(
            Registration(
                provider="sandbox",
                auth_style=next(style for style, said in entry("sandbox").methods.items() if said.redirects),
                client_id=slug,
                client_secrets=[secret],
                params={"issuer": self.sandbox.base_url},
            ),
            tenant=tenant,
            actor=SYSTEM,
        )
        self.sandbox.register_client(
            slug,
            client_secret=secret,
            redirect_uris=["https://drill.example/callback"],
            scopes=["profile.read", "files.read"],
            grace_seconds=grace_seconds,
            access_lifetime=3600,
        )
        caller = save_api_client(slug, tenant=tenant, permissions=[Permission.VEND], actor=SYSTEM)
        key_hash = hash_key(issue_key(caller, now=database_now(), actor=SYSTEM).key)
        return [
            Subject(store_grant(tokens, tenant=tenant, app=app, end_user=_USER), app.id, slug, key_hash)
            for tokens in self.sandbox.mint(slug, count=count)
        ]

    # --- Acting ------------------------------------------------------------------------------------------------------
    def fault(self, subject: Subject, kind: str, *, times: int = 1, **options: Any) -> None:
        """Arm a fault for the refreshes of the subject's app."""
        self.sandbox.fault(kind, client_id=subject.client_id, grant_type="refresh_token", times=times, **options)

    def due(self, subject: Subject) -> None:
        """Let the moment come at which the credential is to be refreshed."""
        Connection.objects.filter(id=subject.id).update(refresh_due_at=database_now(), next_attempt_at=None)

    def refresh(self, subject: Subject) -> RefreshReport:
        """Do what the worker does when the connection is due."""
        self.due(subject)
        return refresh(subject.id, trigger="drill", need=Need())

    def vend(self, subject: Subject, *scopes: str) -> Vended:
        """Vend as a caller does."""
        return vend(VendOrder(subject.key_hash, subject.id, end_user=_USER, scopes=scopes))

    def in_thread(self, subject: Subject) -> "Running":
        """Begin a refresh in a thread, and return when its request is at the provider."""
        running = Running(lambda: self.refresh(subject))
        until(lambda: self.requests(subject), "the request at the provider")
        return running

    @contextmanager
    def in_process(self, subject: Subject) -> "Iterator[subprocess.Popen[bytes]]":
        """Begin a refresh in a process of its own, which is killed at the end of the block if it still runs."""
        self.due(subject)
        process = subprocess.Popen(
            [sys.executable, "-m", "connections.drills.process", self.server.name, str(self.spool), str(subject.id)],
            cwd=settings.BASE_DIR,
            env=dict(os.environ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def pass_time(self, subject: Subject, *, seconds: float = _LEASE_SECONDS) -> None:
        """Let time pass for one connection, by moving every time that is stored of it."""
        passed = timedelta(seconds=seconds)
        for rows, names in (
            (
                Connection.objects.filter(id=subject.id),
                ("access_expires_at", "refresh_due_at", "next_attempt_at", "refused_at", "probe_due_at"),
            ),
            (CredentialVersion.objects.filter(connection_id=subject.id), ("received_at", "access_expires_at")),
            (RefreshAttempt.objects.filter(connection_id=subject.id), ("claimed_at", "deadline_at", "ended_at")),
        ):
            rows.update(**{name: F(name) - passed for name in names})

    # --- Looking -----------------------------------------------------------------------------------------------------
    def state(self, subject: Subject) -> Connection:
        """Return the connection as it is now."""
        return Connection.objects.get(id=subject.id)

    def attempt(self, subject: Subject) -> RefreshAttempt:
        """Return the newest attempt."""
        return RefreshAttempt.objects.filter(connection_id=subject.id).order_by("-claimed_at")[0]

    def requests(self, subject: Subject) -> list[Entry]:
        """Return the provider's log of the refreshes of the subject's app."""
        return self.sandbox.log(client_id=subject.client_id, grant_type="refresh_token")

    def events(self, subject: Subject, type_: str) -> int:
        """Return how many events of that type were told of the connection."""
        return OutboxEvent.objects.filter(connection_id=subject.id, type=type_).count()

    def works(self, subject: Subject) -> bool:
        """Whether a vended credential is taken by the provider."""
        presented = self.vend(subject).presentation
        return egress.request("GET", f"{self.sandbox.base_url}/me", headers=presented.headers).status == 200

    def expect_status(self, subject: Subject, status: Status, reason: Reason | None = None) -> None:
        """Raise ``Broken`` unless the connection has that status, and that reason if one is given."""
        found = self.state(subject)
        wanted = status if reason is None else f"{status} ({reason})"
        expect(
            found.status == status and reason in (None, found.reason),
            f"the connection is {found.status} ({found.reason}), not {wanted}",
        )


class Running:
    """A call in a thread of its own."""

    def __init__(self, call: Callable[[], RefreshReport]) -> None:
        self._found: list[RefreshReport] = []
        self._failure: list[Exception] = []

        def run() -> None:
            try:
                self._found.append(call())
            except Exception as error:  # noqa: BLE001 (raised again by whoever waits for the result)
                self._failure.append(error)
            finally:
                database.close()

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def result(self) -> RefreshReport:
        """Wait for the end, and return what the call returned, or raise what it raised."""
        self._thread.join()
        if self._failure:
            raise self._failure[0]
        return self._found[0]


@contextmanager
def isolate(spool: Path) -> Iterator[None]:
    """Let this process call loopback, keep its spool apart, and send no task to the installation's broker."""
    policy, kept, celery = egress.current_policy(), settings.SPOOL_DIR, current_app.conf
    broker = celery.broker_url
    egress.configure(replace(policy, allow_loopback=True, proxy_url=""))
    settings.SPOOL_DIR = spool
    celery.update(broker_url=_NOBODY)
    try:
        yield
    finally:
        egress.configure(policy)
        settings.SPOOL_DIR = kept
        celery.update(broker_url=broker)
