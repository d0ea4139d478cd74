"""Both oracles of a fault for a connection in this process: what the provider saw of it, and what the database says."""

import uuid
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings

from connections.lifecycle.claim import Need, RefreshReport
from connections.lifecycle.clock import database_now
from connections.lifecycle.refresh import refresh
from connections.lifecycle.sealing import open_credential
from connections.models import Connection, CredentialVersion, OutboxEvent, RefreshAttempt, Stage
from providers.sandbox.client import SandboxProcess
from providers.sandbox.tokens import fingerprint
from providers.values import Credential
from tests.connections.lifecycle.clockwork import age
from tests.flows import EndUser


@dataclass
class Subject:
    """The connection under trial, with its provider and its end user."""

    connection: Connection
    sandbox: SandboxProcess
    owner: EndUser

    @property
    def id(self) -> uuid.UUID:
        return self.connection.id

    def row(self) -> Connection:
        """Return the connection as it is stored now."""
        return Connection.objects.select_related("provider_app").get(id=self.id)

    def current(self) -> CredentialVersion:
        return CredentialVersion.objects.get(connection_id=self.id, stage=Stage.CURRENT)

    def credential(self) -> Credential:
        """Return the secrets of the current version."""
        return open_credential(self.row(), self.current())

    def attempts(self) -> list[RefreshAttempt]:
        """Return the attempts, oldest first."""
        return list(RefreshAttempt.objects.filter(connection_id=self.id).order_by("claimed_at"))

    def states(self) -> list[str]:
        return [attempt.state for attempt in self.attempts()]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the payloads of the events of that type."""
        found = OutboxEvent.objects.filter(connection_id=self.id, type=f"connection.{kind}")
        return [event.payload for event in found]

    def requests(self) -> list[Any]:
        """Return the refreshes that reached the provider, oldest first."""
        return self.sandbox.control.log(grant_type="refresh_token")

    def shown(self) -> list[str]:
        """Return the fingerprint of the refresh token in each of them."""
        return [entry.refresh_presented for entry in self.requests()]

    def refresh_token(self) -> str:
        """Return the fingerprint of the current refresh token."""
        token = self.credential().refresh_token
        assert token is not None
        return fingerprint(token.get_secret_value())

    def meet(self, kind: str, **options: Any) -> None:
        """Have the next refresh meet a fault."""
        self.sandbox.control.fault(kind, grant_type="refresh_token", **options)

    def make_due(self) -> None:
        """Make a refresh due; the access token stays valid."""
        Connection.objects.filter(id=self.id).update(refresh_due_at=database_now(), next_attempt_at=None)

    def begin_again(self) -> None:
        """Forget earlier attempts, failures, restraints and requests, and make a refresh due."""
        RefreshAttempt.objects.filter(connection_id=self.id).delete()
        Connection.objects.filter(id=self.id).update(
            failures=0, next_attempt_at=None, refused_at=None, status="active", reason="connected"
        )
        with redis.Redis.from_url(settings.REDIS_URL) as restraints:
            restraints.flushdb()
        self.sandbox.control.clear_log()
        self.make_due()

    def expire(self) -> None:
        """Let the access token expire."""
        age(self.id, hours=1)

    def wait(self, **delta: float) -> None:
        """Let time pass for what holds a refresh back; the access token stays as it is."""
        expires_at = self.row().access_expires_at
        age(self.id, **delta)
        Connection.objects.filter(id=self.id).update(access_expires_at=expires_at)
        CredentialVersion.objects.filter(connection_id=self.id, stage=Stage.CURRENT).update(
            access_expires_at=expires_at
        )

    def refresh(self, *, at_once: bool = False) -> RefreshReport:
        """Refresh as a worker does, or ``at_once`` whatever holds it back."""
        need = Need(instead_of=self.row().current_version_id, at_once=True) if at_once else Need()
        return refresh(self.id, trigger="sweep", need=need)

    def vend(self, **body: Any) -> Any:
        """Have the operator's backend vend."""
        return self.owner.vend(str(self.id), **body)
