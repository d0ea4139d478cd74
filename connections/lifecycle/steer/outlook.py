"""Outlook: what happens next to a connection, in words, from a snapshot and ``now``. Pure: no I/O, no clock.

It predicts what the sweeps, ``claim`` and ``revoke`` will decide; it decides nothing itself.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connections.lifecycle.connect import not_refreshable
from connections.lifecycle.end.given_up import IGNORED_SINCE
from connections.lifecycle.health.moved import MARK
from connections.lifecycle.health.rules import STRIKE_INTERVAL
from connections.lifecycle.quarantine.standing import Hold
from connections.models import (
    AttemptState,
    Connection,
    Incident,
    IncidentKind,
    Reason,
    RefreshAttempt,
    Revocation,
    Status,
    TokenVerdict,
)
from connections.models.switches import KILL_SWITCH, PAUSE, thrown

# A unit is used until the next larger one would give at least two.
_UNITS = (("s", 1, 90), ("min", 60, 5400), ("h", 3600, 172_800), ("days", 86_400, math.inf))


@dataclass(frozen=True, slots=True)
class Step:
    """One event to come. ``at`` is None where it has no time; ``is_held`` marks an obstacle instead of an event."""

    text: str
    at: datetime | None = None
    is_held: bool = False


def outlook(
    connection: Connection,
    *,
    attempt: RefreshAttempt | None,
    incidents: Sequence[Incident],
    hold: Hold | None,
    now: datetime,
) -> list[Step]:
    """Return what happens next to ``connection``, the most important first.

    ``attempt`` is its open refresh attempt; ``incidents`` are the open incidents of its provider app; ``hold`` is what
    a quarantine holds of it. The tenant and the provider app of ``connection`` have to be loaded.
    """
    match Status(connection.status):
        case Status.PENDING:
            return [Step("Waits for the operator's backend to confirm who connected.")]
        case Status.NEEDS_REAUTH:
            return [
                *_unread(connection),
                Step("Nothing, until the end user connects again."),
                *_reconnect_page(connection),
            ]
        case Status.REVOKED:
            return [*_revocation(connection), Step("The end user can connect it anew.")]
        case Status.DISCONNECTED:
            return list(_revocation(connection)) or [Step("Nothing: it is over.")]
        case _:
            return [
                *_undecryptable(connection),
                *_unread(connection),
                *_moved(connection),
                *_switches(connection),
                *_failing(connection),
                *_incidents(incidents),
                *(_refresh(connection, attempt, now=now) if hold is None else _quarantine(connection, hold)),
                *_probe(connection),
                *_end(connection),
            ]


def refresh_at(connection: Connection) -> datetime | None:
    """Return when the next refresh may be sent: when it is due, or later where failures hold it back. None: never."""
    if connection.refresh_due_at is None:
        return None
    return max(connection.refresh_due_at, connection.next_attempt_at or connection.refresh_due_at)


def _reconnect_page(connection: Connection) -> Iterator[Step]:
    if not connection.tenant.reconnect_url:
        yield Step(
            "The tenant names no reconnect page: vends point to one of ours, which leads to the tenant's product."
        )


def _revocation(connection: Connection) -> Iterator[Step]:
    if connection.revocation == Revocation.WITHHELD:
        yield Step("The grant lives on at the provider, because another connection needs it; its last one revokes it.")
    if connection.revocation != Revocation.PENDING:
        return
    yield Step(
        "The provider is asked to revoke the grant, and tried until that is confirmed.", connection.revocation_due_at
    )
    if since := connection.evidence.get(IGNORED_SINCE):
        words = "The provider said yes, and the credential works all the same, as was seen"
        yield Step(words, datetime.fromisoformat(since), is_held=True)
    yield Step("The stored secrets are destroyed at the latest.", connection.revocation_deadline_at)


def _undecryptable(connection: Connection) -> Iterator[Step]:
    if connection.undecryptable_at is not None:
        yield Step(
            "The stored credential does not open, so nothing is vended or refreshed: bring back its key, restore the"
            " row from a backup, or let the end user connect again.",
            is_held=True,
        )


def _unread(connection: Connection) -> Iterator[Step]:
    if connection.answer_unread_at is not None:
        yield Step(
            "The provider answered a refresh, and the answer could not be read: it is kept. Mend the catalogue entry,"
            " and it is read within a minute; or discard it (manage.py connections discard-answer), and the refresh is"
            " sent with the old token.",
            is_held=True,
        )


def _moved(connection: Connection) -> Iterator[Step]:
    if MARK in connection.evidence:
        yield Step(
            "The provider app's endpoints are not those that gave this credential, so it is sent nowhere. Put them"
            " back, have it follow (manage.py provider_apps rebind), or let the end user connect again.",
            is_held=True,
        )


def _switches(connection: Connection) -> Iterator[Step]:
    for whose, _ in thrown(connection, KILL_SWITCH):
        yield Step(f"The {whose} is suspended: it neither vends nor refreshes.", is_held=True)
    for whose, _ in thrown(connection, PAUSE):
        yield Step(f"The {whose} is paused: it vends while valid, and is neither refreshed nor probed.", is_held=True)


def _quarantine(connection: Connection, hold: Hold) -> Iterator[Step]:
    if hold.verdict is None:
        says = "Refresh quarantine: the database was put back. A worker sorts what is safe once Redis answers."
        yield Step(says, is_held=True)
        return
    if hold.verdict is TokenVerdict.USED:
        yield Step(
            "Refresh quarantine: the database was put back to before its last refresh, and the refresh token that it"
            " has was replaced since. It is not sent, since that may end the grant: let the end user connect again.",
            is_held=True,
        )
    else:
        yield Step(
            "Refresh quarantine: the database was put back, and its refresh token may have been replaced since. It is"
            " not sent until somebody releases it, or the end user connects again.",
            is_held=True,
        )
    if connection.access_expires_at is not None:
        yield Step("Its access token ends, and with it what is vended", connection.access_expires_at)


def _failing(connection: Connection) -> Iterator[Step]:
    if connection.refresh_failing_at is not None:
        yield Step(
            "No valid token is left and refreshes fail: nothing is vended until one succeeds, or the end user connects"
            " again.",
            is_held=True,
        )


def _incidents(incidents: Sequence[Incident]) -> Iterator[Step]:
    for incident in incidents:
        if incident.kind == IncidentKind.CLIENT_REJECTED:
            yield Step("The provider refuses our client registration: refreshes are held back.", is_held=True)
        elif incident.kind == IncidentKind.ADDRESS_REFUSED:
            yield Step("The provider takes no calls from our addresses for one of its app: list them there.")
        elif incident.kind == IncidentKind.UNAVAILABLE:
            yield Step("Its provider does not answer: none of the app's connections is downgraded.", is_held=True)
        else:
            yield Step("Many connections of its app fail at once: none of them is downgraded.", is_held=True)


def _refresh(connection: Connection, attempt: RefreshAttempt | None, *, now: datetime) -> Iterator[Step]:
    if attempt is not None and attempt.state == AttemptState.SENT:
        yield Step("A refresh is under way; its time is up", attempt.deadline_at)
    elif attempt is not None and connection.answer_unread_at is None:
        yield Step("The last refresh was never answered: the next one finds out whether its token was used.")
    due = refresh_at(connection)
    if due is None:
        ends = connection.access_expires_at
        if said := not_refreshable.notice(connection):
            yield Step(said, is_held=True)
        else:
            yield Step("It is never refreshed: the provider gave nothing to refresh it with.")
        if ends is not None:
            yield Step("The credential expires, and the end user has to connect again.", ends)
    elif connection.failures and due > now:
        times = "1 failure" if connection.failures == 1 else f"{connection.failures} failures in a row"
        yield Step(f"Refresh, held back after {times}", due)
    else:
        yield Step("Refresh" if due > now else "Refresh, due", due)
    if connection.reason == Reason.REFRESH_FAILING:
        yield Step("Refusals that go on for 10 min end it, unless its siblings are refused as well.")
    if connection.status == Status.SUSPECT and connection.refused_at is not None:
        decides_at = connection.refused_at + STRIKE_INTERVAL
        yield Step("One more refusal ends it", decides_at if decides_at > now else None)


def _probe(connection: Connection) -> Iterator[Step]:
    if connection.probe_due_at is None:
        yield Step("It is never probed: the provider offers no call to prove a credential with.")
    else:
        yield Step("Probe", connection.probe_due_at)


def _end(connection: Connection) -> Iterator[Step]:
    if connection.refresh_due_at is not None and connection.refresh_expires_at is not None:
        yield Step("Unless it is refreshed by then, the provider ends the grant", connection.refresh_expires_at)
    if connection.grant_expires_at is not None:
        yield Step("The provider ends the grant, and the end user has to connect again.", connection.grant_expires_at)


def distance(moment: datetime, *, now: datetime) -> str:
    """Return how far ``moment`` is from ``now`` in words: "in 12 min", "3 h ago", "now"."""
    seconds = (moment - now) / timedelta(seconds=1)
    size = abs(seconds)
    if size < 1:
        return "now"
    unit, length = next((unit, length) for unit, length, limit in _UNITS if size < limit)
    amount = f"{round(size / length)} {unit}"
    return f"in {amount}" if seconds > 0 else f"{amount} ago"
