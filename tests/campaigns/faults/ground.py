"""What every row stands on: a private stack, connections with real grants, the provider's log, the database.

The campaign's own process has the product set up in it as well: it makes the connections, recovers what killed
processes left, and judges, with the product's own functions.
"""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import redis
import requests
from django.db import connection as orm

from config.local.demo.stack import LocalStack
from connections.access.secrets import open_credential
from connections.database.clock import database_now
from connections.drills.grants import move_app, store_grant
from connections.lifecycle.refresh.claim import Need, Outcome
from connections.lifecycle.refresh.recover import recover_unfinished
from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection, CredentialVersion, ProviderApp, Stage
from providers.sandbox.client import SandboxControl
from providers.sandbox.log import Entry
from providers.sandbox.tokens import fingerprint
from providers.sandbox.waiting import until
from tests.campaigns.faults.lean import Zygote
from tests.campaigns.stacks import control, database
from tests.factories import make_sandbox_app_at, make_tenant

_LEASE = "interval '61 seconds'"


@dataclass(frozen=True, slots=True)
class Member:
    """One connection and the grant behind it at the provider."""

    id: uuid.UUID
    grant: str


class Ground:
    """The stack of one campaign. ``scale`` shrinks the counts; 1 is the full campaign.

    ``minutes`` is how long a simulated day is to be, None for the share of a day that ``scale`` says.
    """

    def __init__(self, stack: LocalStack, zygote: Zygote, *, scale: float, minutes: int | None) -> None:
        self.stack = stack
        self.zygote = zygote
        self.scale = scale
        self.minutes = minutes
        self.control: SandboxControl = control(stack)
        self._watching: psycopg.Connection[Any] | None = None
        self._session = requests.Session()
        self._session.trust_env = False

    def count(self, full: int, *, least: int) -> int:
        """Return the share of a ``full`` count that this campaign makes, but not fewer than ``least``."""
        return max(least, round(full * self.scale))

    # --- Making things -----------------------------------------------------------------------------------------------
    def make_app(self, *, issuer: str | None = None, **client: Any) -> ProviderApp:
        """Make a tenant with an app of its own at the provider (or at another ``issuer``)."""
        app = make_sandbox_app_at(
            self.stack.urls["sandbox"], tenant=make_tenant(f"t-{uuid.uuid4().hex[:10]}"), **client
        )
        if issuer is not None:
            move_app(app, issuer)
            app.refresh_from_db()
        return app

    def make_members(self, app: ProviderApp, count: int) -> list[Member]:
        """Make that many active connections, each with a grant of its own."""
        assert app.tenant is not None
        tokens = self.control.mint(app.client_id, count=count)
        grants = {token: grant["id"] for grant in self.control.grants(client_id=app.client_id)
                  for token in grant["refresh_tokens"]}  # fmt: skip
        return [
            Member(
                store_grant(one, tenant=app.tenant, app=app, end_user=f"user-{number}"),
                grants[fingerprint(str(one["refresh_token"]))],
            )
            for number, one in enumerate(tokens)
        ]

    @contextmanager
    def running(self, *names: str) -> Iterator[None]:
        """Run further processes of the stack until the block ends; no task of an earlier row waits for them."""
        with redis.Redis.from_url(self.stack.environment["REDIS_URL"]) as client:
            client.flushall()
        for name in names:
            self.stack.start_process(name)
        try:
            if "web" in names:
                until(self._web_is_ready, "a web server that is ready")
            yield
        finally:
            for name in names:
                self.stack.stop_process(name)

    def _web_is_ready(self) -> bool:
        # While it boots, it refuses the connection or answers too late; ``until`` asks again, and fails in the end.
        with contextlib.suppress(requests.RequestException):
            return self._session.get(f"{self.stack.urls['web']}/readyz", timeout=5).ok
        return False

    # --- Looking -----------------------------------------------------------------------------------------------------
    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what ``statement`` answers, on a connection that is none of the product's."""
        if self._watching is None:
            self._watching = database(self.stack)
        try:
            cursor = self._watching.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []
        except psycopg.OperationalError:
            self._watching.close()
            self._watching = None
            raise

    def reconnect(self) -> None:
        """Drop this process's database connections: the database was restarted under them."""
        orm.close()
        orm.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one
        if self._watching is not None:
            self._watching.close()
            self._watching = None

    def provider_log(self, *, after: int = 0) -> list[Entry]:
        """Return the provider's entries of refreshes."""
        return self.control.log(after=after, grant_type="refresh_token")

    def wait_for_provider(self, *, after: int) -> list[Entry]:
        """Return the refreshes after that number, once none of them is still being answered."""
        entries: list[Entry] = []

        def ended() -> bool:
            entries[:] = self.provider_log(after=after)
            return all(entry.ended_at is not None for entry in entries)

        until(ended, "the end of the provider's answers", seconds=30, pause=0.005)
        return entries

    def wait_for_backends(self) -> None:
        """Return once PostgreSQL has noticed that the killed are gone: until then their last statement may commit."""
        until(
            lambda: not any(self._busy_backends() for _ in range(3)),
            "the end of the killed processes' sessions",
            seconds=30,
            pause=0.01,
        )

    def _busy_backends(self) -> int:
        ((count,),) = self.rows(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
            " AND pid <> pg_backend_pid()"
        )
        return int(count)

    # --- Recovering and judging --------------------------------------------------------------------------------------
    def pass_leases(self, ids: Sequence[uuid.UUID]) -> None:
        """Let the lease of everything unfinished run out, by moving its times in the database."""
        self.rows(
            f"UPDATE connections_refreshattempt SET claimed_at = claimed_at - {_LEASE},"
            f" deadline_at = deadline_at - {_LEASE} WHERE connection_id = ANY(%s)"
            " AND state IN ('sent', 'received', 'in_doubt')",
            list(ids),
        )

    def recover(self, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Outcome]:
        """Recover with the product's own functions, then refresh each connection once; return the last outcomes.

        The refresh is the proof: a connection whose refresh token was lost cannot do it.
        """
        self.pass_leases(ids)
        recover_unfinished(now=database_now())
        return {connection_id: self.prove(connection_id) for connection_id in ids}

    def prove(self, connection_id: uuid.UUID, *, tries: int = 8) -> Outcome:
        """Refresh one connection as if it were due; what is busy or backing off is tried again."""
        outcome = Outcome.GONE
        for attempt in range(tries):
            self.rows(
                "UPDATE connections_connection SET refresh_due_at = now(), next_attempt_at = NULL"
                " WHERE id = %s AND status IN ('active', 'suspect')",
                connection_id,
            )
            outcome = refresh(connection_id, trigger="campaign", need=Need(at_once=True)).outcome
            if outcome in (Outcome.REFRESHED, Outcome.GONE, Outcome.REFUSED):
                break
            time.sleep(0.1 * attempt)
        orm.close()
        return outcome

    def works(self, connection_id: uuid.UUID) -> bool:
        """Whether the provider takes the access token that is current."""
        connection = Connection.objects.get(id=connection_id)
        version = CredentialVersion.objects.filter(connection=connection, stage=Stage.CURRENT).first()
        if version is None:
            return False
        token = open_credential(connection, version).access_token
        assert token is not None
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
        answer = self._session.get(f"{self.stack.urls['sandbox']}/me", headers=headers, timeout=10)
        return answer.ok

    def statuses(self, ids: Sequence[uuid.UUID]) -> dict[str, int]:
        """Return how many of the connections have each status and reason."""
        found = self.rows(
            "SELECT status || '(' || reason || ')', count(*) FROM connections_connection WHERE id = ANY(%s) GROUP BY 1",
            list(ids),
        )
        return {str(name): int(count) for name, count in found}


def patient(act: Callable[[], Any], *, seconds: float = 60.0) -> Any:
    """Return what ``act`` returns, trying again while the database is away."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return act()
        except psycopg.OperationalError:  # sessions are cut, and new ones refused, while the server restarts
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
