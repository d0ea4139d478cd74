"""Switches over the API: kill switches, which anybody who manages a thing may throw, and pauses.

Only an operator-wide client takes a kill switch back: a tenant's own client must not undo what an operator has stopped.
"""

from datetime import datetime

from pydantic import Field

from connections.api.auth import Caller
from connections.api.texts import Request
from connections.database.locks import RowCheck
from connections.lifecycle.steer import switches
from connections.lifecycle.steer.switches import Pausable, Suspendable
from connections.refusals import PermissionDenied

_SUSPENDED = "the kill switch, in force from the next request on; only an operator-wide client takes it back"


class KillSwitchIn(Request):
    """What is switched off; a switch that stands as asked is not changed."""

    suspended: bool = Field(description=_SUSPENDED)


class SwitchesIn(Request):
    """What is switched off; what is not given stays, and a switch that stands as asked is not changed."""

    suspended: bool | None = Field(None, description=_SUSPENDED)
    paused: bool | None = Field(None, description="no refreshes and probes; valid credentials still vend")


def turn_kill_switch(
    subject: Suspendable, *, suspended: bool, caller: Caller, now: datetime, check: RowCheck | None
) -> None:
    """Throw the kill switch of ``subject``, or take it back.

    Raises ``PermissionDenied``, ``InvalidRequest``, and what ``check`` raises of the locked row.
    """
    if suspended:
        switches.suspend(subject, now=now, actor=caller.actor, check=check)
    elif subject.suspended_at is not None:
        if caller.client.tenant_id is not None:
            raise PermissionDenied("Only an operator-wide API client takes a kill switch back.")
        switches.resume(subject, actor=caller.actor, check=check)
    elif check is not None:
        switches.compare(subject, check)


def turn_switches(
    subject: Pausable, body: SwitchesIn, *, caller: Caller, now: datetime, check: RowCheck | None
) -> None:
    """Turn the switches of ``subject`` as ``body`` says. Raises as ``turn_kill_switch``, with nothing changed."""
    if body.suspended is not None:
        turn_kill_switch(subject, suspended=body.suspended, caller=caller, now=now, check=check)
        check = None  # the other switch is turned after this change of our own
    if body.paused:
        switches.pause(subject, now=now, actor=caller.actor, check=check)
    elif body.paused is not None:
        switches.unpause(subject, actor=caller.actor, check=check)
    elif check is not None:
        switches.compare(subject, check)
