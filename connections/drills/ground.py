"""What the scenarios share: connections with real grants of the sandbox, the passing of time, and what to look at."""

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
from typing import Any, Generic, TypeVar

import psycopg
from django.conf import settings
from django.db import connection as database
from django.db.models import F

from connections import dispatch
from connections.access.secrets import digest, open_credential
from connections.database.clock import database_now
from connections.database.pool import direct_parameters
from connections.drills.faults import Answer
from connections.drills.grants import store_grant
from connections.drills.oracles import Broken, current_version, expect_status
from connections.drills.throwaway import Server
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.api_clients import issue_key, save_api_client
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.provision.tenants import TenantProfile, upsert_tenant
from connections.lifecycle.refresh.claim import LEASE, Need, RefreshReport
from connections.lifecycle.refresh.refresh import refresh
from connections.lifecycle.sweep import sweep_refreshes
from connections.lifecycle.vend.opening import Vended
from connections.lifecycle.vend.order import VendOrder
from connections.lifecycle.vend.vend import vend
from connections.models import (
    Connection,
    CredentialVersion,
    OutboxEvent,
    Permission,
    Reason,
    RefreshAttempt,
    Status,
    Trigger,
)
from connections.refusals import Refusal
from providers import egress
from providers.catalog.loader import entry
from providers.sandbox.client import SandboxControl
from providers.sandbox.log import Entry
from providers.sandbox.tokens import fingerprint
from providers.sandbox.waiting import until

_UNREAD = "memory://"  # queues in this process, which no worker reads
_PAST_THE_LEASE_SECONDS = LEASE.total_seconds() + 1
_PAST_EXPIRY_SECONDS = 4000.0
_USER = "drill"
_SCOPES = ("profile.read", "files.read")


@dataclass(frozen=True, slots=True)
class Subject:
    """One connection of a scenario, with its provider app, OAuth client, and the hash of an API key that vends it."""

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
        self.register(slug, secret, grace_seconds=grace_seconds)
        caller = save_api_client(slug, tenant=tenant, permissions=[Permission.VEND], actor=SYSTEM)
        key_hash = digest(issue_key(caller, now=database_now(), actor=SYSTEM).key)
        return [
            Subject(store_grant(tokens, tenant=tenant, app=app, end_user=_USER), app.id, slug, key_hash)
            for tokens in self.sandbox.mint(slug, count=count)
        ]

    def register(self, client_id: str, secret: str, *, grace_seconds: int = 60) -> None:
        """Register a client at the provider, or give a known client another secret."""
        self.sandbox.register_client(
            client_id,
            client_secret=secret,
            redirect_uris=["https://drill.example/callback"],
            scopes=_SCOPES,
            grace_seconds=grace_seconds,
            access_lifetime=3600,
        )

    # --- Acting ------------------------------------------------------------------------------------------------------
    def fault(self, subject: Subject, answer: Answer, *, times: int = 1) -> None:
        """Arm a fault for the refreshes of the subject's app; 0 times are all until ``sandbox.clear``."""
        self.sandbox.fault(
            answer.kind, client_id=subject.client_id, grant_type="refresh_token", times=times, **answer.options
        )

    def due(self, subject: Subject) -> None:
        """Make the connection's refresh due now."""
        Connection.objects.filter(id=subject.id).update(
            refresh_due_at=database_now(), next_attempt_at=None, refresh_enqueued_until=None
        )

    def refresh(self, subject: Subject) -> RefreshReport:
        """Do what the worker does when the connection is due."""
        self.due(subject)
        return refresh(subject.id, trigger=Trigger.DRILL, need=Need())

    def refresh_if_due(self, subject: Subject) -> RefreshReport:
        """Do what the worker does with a sweep's task: refresh if a refresh is due and nothing holds it back."""
        return refresh(subject.id, trigger=Trigger.SWEEP, need=Need())

    def is_swept(self, subject: Subject) -> bool:
        """Run a sweep, and return whether it sends the connection."""
        before = self.state(subject).refresh_enqueued_until
        sweep_refreshes(now=database_now())
        return self.state(subject).refresh_enqueued_until != before

    def vend(self, subject: Subject, *scopes: str, min_ttl_seconds: float | None = None) -> Vended:
        """Vend as a caller does."""
        return vend(
            VendOrder(subject.key_hash, subject.id, end_user=_USER, scopes=scopes, min_ttl_seconds=min_ttl_seconds)
        )

    def refusal(self, subject: Subject, *scopes: str, min_ttl_seconds: float | None = None) -> Refusal:
        """Vend as a caller does, and return the refusal. Raises ``Broken`` if the vend succeeds."""
        try:
            self.vend(subject, *scopes, min_ttl_seconds=min_ttl_seconds)
        except Refusal as refusal:
            return refusal
        raise Broken("a vend was answered that must be refused")

    def in_thread(self, subject: Subject) -> "Running[RefreshReport]":
        """Begin a refresh in a thread, and return when its request is at the provider."""
        running = Running(lambda: self.refresh(subject))
        until(lambda: self.requests(subject), "the request at the provider")
        return running

    @contextmanager
    def in_process(self, *subjects: Subject, **environment: str) -> "Iterator[subprocess.Popen[bytes]]":
        """Begin a refresh in a process of its own, or several together. The end of the block kills the process."""
        for subject in subjects:
            self.due(subject)
        ids = [str(subject.id) for subject in subjects]
        process = subprocess.Popen(
            [sys.executable, "-m", "connections.drills.process", self.server.name, str(self.spool), *ids],
            cwd=settings.BASE_DIR,
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def session(self) -> "Iterator[psycopg.Connection[Any]]":
        """Open a separate session at the throw-away database, whose locks can stand in the product's way."""
        parameters = direct_parameters() | {"dbname": self.server.name, "autocommit": True}
        with psycopg.connect(**parameters) as session:
            yield session

    def pass_time(self, subject: Subject, *, seconds: float = _PAST_THE_LEASE_SECONDS) -> None:
        """Let time pass for one connection by moving all of its stored times back; by default past the lease."""
        passed = timedelta(seconds=seconds)
        for rows, names in (
            (
                Connection.objects.filter(id=subject.id),
                (
                    *("access_expires_at", "refresh_due_at", "next_attempt_at", "refused_at", "probe_due_at"),
                    "refresh_enqueued_until",
                ),
            ),
            (CredentialVersion.objects.filter(connection_id=subject.id), ("received_at", "access_expires_at")),
            (RefreshAttempt.objects.filter(connection_id=subject.id), ("claimed_at", "deadline_at", "ended_at")),
        ):
            rows.update(**{name: F(name) - passed for name in names})

    def lengthen_backoff(self, subject: Subject, *, seconds: float) -> None:
        """Move the time of the next try away, so that a slow machine does not reach it while it is looked at."""
        later = F("next_attempt_at") + timedelta(seconds=seconds)
        Connection.objects.filter(id=subject.id).update(next_attempt_at=later)

    def expire(self, subject: Subject) -> None:
        """Let the access token run out."""
        self.pass_time(subject, seconds=_PAST_EXPIRY_SECONDS)

    # --- Looking -----------------------------------------------------------------------------------------------------
    def state(self, subject: Subject) -> Connection:
        """Return the connection as it is now."""
        return Connection.objects.get(id=subject.id)

    def attempt(self, subject: Subject) -> RefreshAttempt:
        """Return the newest attempt."""
        return RefreshAttempt.objects.filter(connection_id=subject.id).order_by("-claimed_at")[0]

    def attempts(self, subject: Subject, field: str = "state") -> list[Any]:
        """Return one field of the attempts, oldest first."""
        found = RefreshAttempt.objects.filter(connection_id=subject.id).order_by("claimed_at")
        return list(found.values_list(field, flat=True))

    def stages(self, subject: Subject) -> list[str]:
        """Return the stages of the versions, oldest first."""
        found = CredentialVersion.objects.filter(connection_id=subject.id).order_by("received_at")
        return [str(stage) for stage in found.values_list("stage", flat=True)]

    def requests(self, subject: Subject) -> list[Entry]:
        """Return the provider's log of the refreshes of the subject's app."""
        return self.sandbox.log(client_id=subject.client_id, grant_type="refresh_token")

    def outcomes(self, subject: Subject) -> list[str]:
        """Return what the provider did with each of those requests, oldest first."""
        return [entry.outcome for entry in self.requests(subject)]

    def refresh_token(self, subject: Subject) -> str:
        """Return the current refresh token as the provider's log shows it."""
        version = current_version(subject.id)
        token = open_credential(version.connection, version).refresh_token
        return "" if token is None else fingerprint(token.get_secret_value())

    def events(self, subject: Subject, type_: str) -> list[Any]:
        """Return the payloads of the events of that type."""
        return list(OutboxEvent.objects.filter(connection_id=subject.id, type=type_).values_list("payload", flat=True))

    def kinds_of_events(self, subject: Subject) -> set[str]:
        """Return the types of all its events."""
        return set(OutboxEvent.objects.filter(connection_id=subject.id).values_list("type", flat=True))

    def works(self, subject: Subject) -> bool:
        """Whether the provider accepts a vended credential."""
        presented = self.vend(subject).presentation
        return egress.request("GET", f"{self.sandbox.base_url}/me", headers=presented.headers).status == 200

    def expect_status(self, subject: Subject, status: Status, reason: Reason | None = None) -> None:
        """Raise ``Broken`` unless the connection has that status, and that reason if one is given."""
        expect_status(subject.id, status, reason)


_Result = TypeVar("_Result")


class Running(Generic[_Result]):
    """A call in a thread of its own."""

    def __init__(self, call: Callable[[], _Result]) -> None:
        self._found: list[_Result] = []
        self._failure: list[Exception] = []

        def run() -> None:
            try:
                self._found.append(call())
            except Exception as error:  # noqa: BLE001 (``result`` raises it again)
                self._failure.append(error)
            finally:
                database.close()

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def result(self) -> _Result:
        """Wait for the end of the call. Returns its result, or raises its exception."""
        self._thread.join()
        if self._failure:
            raise self._failure[0]
        return self._found[0]


@contextmanager
def isolate(spool: Path) -> Iterator[None]:
    """Until the block ends, let this process call loopback, use its own spool, and send nothing to the real broker."""
    policy, kept, celery = egress.current_policy(), settings.SPOOL_DIR, dispatch.application().conf
    broker = celery.broker_url
    egress.configure(replace(policy, allow_loopback=True, proxy_url=""))
    settings.SPOOL_DIR = spool
    celery.update(broker_url=_UNREAD)
    try:
        yield
    finally:
        egress.configure(policy)
        settings.SPOOL_DIR = kept
        celery.update(broker_url=broker)


@contextmanager
def deadlines(*, total_seconds: float, connect_seconds: float = 5.0) -> Iterator[float]:
    """Shorten the deadlines of this process's calls to providers until the block ends."""
    policy = egress.current_policy()
    egress.configure(replace(policy, total_seconds=total_seconds, connect_seconds=connect_seconds))
    try:
        yield total_seconds
    finally:
        egress.configure(policy)
