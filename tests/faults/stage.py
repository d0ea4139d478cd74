"""A running stack with idle connections, of which each test takes its own: for faults that need a worker and a broker.

What is asserted is what the provider saw (``requests``) and what the database says (the methods of ``Scene``). Waits of
the product are sped up by moving times in the database; its code is never changed.
"""

from dataclasses import dataclass
from typing import Any

import requests

from config.local.demo.stack import LocalStack
from providers.sandbox.client import SandboxControl
from providers.sandbox.waiting import until
from tests.campaigns.stacks import control, database, populate


class Stage:
    """One stack for the tests of a module. ``reset`` before each."""

    def __init__(self, stack: LocalStack, *, count: int) -> None:
        self.stack = stack
        self.reset()
        populated = populate(stack, count, "--follow-settings")
        self.key = str(populated["key"])
        self._idle = [(connection, f"user-{number}") for number, connection in enumerate(populated["connections"])]

    @property
    def provider(self) -> SandboxControl:
        return control(self.stack)

    def reset(self) -> None:
        """Make the provider behave, strict about rotation, with tokens of an hour, and forget what it has seen."""
        self.provider.clear()
        self.provider.settings(access_lifetime=3600, grace_seconds=0, rotate=True, delay_seconds=0)

    def take(self, count: int = 1) -> "list[Scene]":
        """Return connections that no test has touched."""
        taken, self._idle = self._idle[:count], self._idle[count:]
        assert len(taken) == count, "more connections are needed on this stage"
        return [Scene(self, connection, end_user) for connection, end_user in taken]

    def requests(self) -> list[Any]:
        """Return the refreshes that reached the provider, oldest first."""
        return self.provider.log(grant_type="refresh_token")

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows, if it has any."""
        with database(self.stack) as connected:
            cursor = connected.execute(statement, values)
            return cursor.fetchall() if cursor.description else []


@dataclass
class Scene:
    """One connection on the stage."""

    stage: Stage
    id: str
    end_user: str

    def make_due(self) -> None:
        """Make a refresh due, whatever holds it back; the access token stays as it is."""
        self.change("refresh_due_at = now(), refresh_enqueued_until = NULL, next_attempt_at = NULL")

    def send_off(self) -> None:
        """Have a refresh wait for its answer, which the provider has ready and is to release; return while it waits."""
        self.stage.provider.fault("stall", grant_type="refresh_token", seconds=15)
        self.make_due()
        until(self.stage.requests, "the refresh at the provider")

    def expire(self) -> None:
        """Let the access token expire, so that a refresh is due and a vend must wait for it."""
        self.change("access_expires_at = now() - interval '1 minute'")
        self.stage.sql(
            "UPDATE connections_credentialversion SET access_expires_at = now() - interval '1 minute',"
            " received_at = received_at - interval '1 hour' WHERE connection_id = %s",
            self.id,
        )
        self.make_due()

    def change(self, assignments: str) -> None:
        self.stage.sql(f"UPDATE connections_connection SET {assignments} WHERE id = %s", self.id)

    def column(self, name: str) -> Any:
        return self.stage.sql(f"SELECT {name} FROM connections_connection WHERE id = %s", self.id)[0][0]

    def status(self) -> tuple[str, str]:
        """Return status and reason."""
        return self.column("status"), self.column("reason")

    def states(self) -> list[str]:
        """Return the states of the attempts, oldest first."""
        return self._column("state", "refreshattempt", "claimed_at")

    def reach(self, *states: str) -> None:
        """Return once the attempts have these states, oldest first."""
        until(lambda: self.states() == [*states], lambda: f"attempts {states}, but they are {self.states()}", pause=0.1)

    def stages(self) -> list[str]:
        """Return the stages of the versions, oldest first."""
        return self._column("stage", "credentialversion", "received_at")

    def vend(self, **body: object) -> requests.Response:
        """Vend over the running web process."""
        return requests.post(
            f"{self.stage.stack.urls['web']}/api/v1/connections/{self.id}/credential",
            json={"end_user": self.end_user, **body},
            headers={"Authorization": f"Bearer {self.stage.key}"},
            timeout=30,
        )

    def works_at_the_provider(self) -> bool:
        """Whether what is vended now is accepted by the provider."""
        vended = self.vend()
        if vended.status_code != 200:
            return False
        me = requests.get(
            f"{self.stage.stack.urls['sandbox']}/me", headers=vended.json()["credential"]["headers"], timeout=10
        )
        return me.status_code == 200

    def _column(self, name: str, table: str, order: str) -> list[Any]:
        rows = self.stage.sql(
            f"SELECT {name} FROM connections_{table} WHERE connection_id = %s ORDER BY {order}", self.id
        )
        return [value for (value,) in rows]
