"""The use case of the beat: read the audit trail on from where it was left, and find what is suspicious.

What is read and counted is kept outside of transactions. Then one short transaction moves the position on, and writes
what is usual by now and what was found; where another process has moved the position meanwhile, it writes nothing. So
each row counts once, also if a process is killed.
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from connections.database.locks import lock_watch_position
from connections.database.pool import short_transaction
from connections.database.settled import last_given, settled_to
from connections.journal.sealing import SEQUENCE
from connections.lifecycle.watch.canaries import note_touched, touched
from connections.lifecycle.watch.counted import CountsAway, count_with
from connections.lifecycle.watch.findings import note, texts
from connections.lifecycle.watch.ladder import climb
from connections.lifecycle.watch.lay import renew_canaries
from connections.lifecycle.watch.rules import Suspicion, Usual, is_awakened, is_denied_much, is_wide, most_expected
from connections.lifecycle.watch.settings import watch_settings
from connections.lifecycle.watch.use import DayOfUse, read_use
from connections.lifecycle.watch.usual import learn_networks, row_of, usual_of
from connections.models import ApiClient, AuditEvent, WatchPosition, WatchRule, WatchSetting

logger = structlog.get_logger(__name__)

BATCH = 10_000  # ids of audit rows
_SETTLE_SECONDS = 0.5
_LOOKED_UP = 2_000  # ids that were none for a client, in one batch


@dataclass(frozen=True, slots=True)
class _Counted:
    """A client's day, and how many different connections and denied ids it has by now."""

    seen: DayOfUse
    today: int
    denied: int


def watch_use(*, now: datetime, seconds: float) -> int:
    """Watch what has been written since the last time, for so long at the most. Return up to which row it was counted.

    The first time nothing is counted: what was before is not known. Takes the due steps of the ladder as well, and
    keeps canaries alive. Short transactions, and queries in between that must not share a snapshot.
    """
    give_up_at = time.monotonic() + seconds
    position = _position(now=now)
    to = settled_to(SEQUENCE, within_seconds=_SETTLE_SECONDS)
    _look_for_canaries(position, to=to, now=now)
    reached = position.audit_id
    try:
        while to is not None and reached < to and time.monotonic() < give_up_at:
            end = min(reached + BATCH, to)
            if not _look_at(after=reached, to=end, began_at=position.began_at, now=now):
                break
            reached = end
    except CountsAway:
        logger.warning("watch_waits", reached=reached)
    climb(now=now)
    renew_canaries(now=now)
    return reached


def _position(*, now: datetime) -> WatchPosition:
    at = last_given(SEQUENCE)
    found, _ = WatchPosition.objects.get_or_create(
        id=WatchPosition.ONLY, defaults={"began_at": now, "audit_id": at, "canary_id": at}
    )
    return found


def _look_for_canaries(position: WatchPosition, *, to: int | None, now: datetime) -> None:
    """Find who has touched a canary, also in rows ahead of which others may still appear."""
    after = position.canary_id
    found = touched(after=after, to=last_given(SEQUENCE) if to is None else to)
    with short_transaction():
        locked = lock_watch_position()
        if locked is None or locked.canary_id != after:
            return
        if found and watch_settings()[WatchRule.CANARY_USED].is_on:
            note_touched(found, is_final=to is not None, now=now)
        if to is not None:
            WatchPosition.objects.update(canary_id=to)


def _look_at(*, after: int, to: int, began_at: datetime, now: datetime) -> bool:
    """Count one part of the trail, and find what is suspicious in it. Return False if another process has done so."""
    counted = _counted(read_use(after=after, to=to))
    settings = watch_settings()
    with short_transaction():
        locked = lock_watch_position()
        if locked is None or locked.audit_id != after:
            return False
        clients = ApiClient.objects.select_related("tenant").in_bulk([one.seen.client_id for one in counted])
        for one in counted:
            if (client := clients.get(one.seen.client_id)) is not None:
                _judge(client, one, settings, began_at=began_at, now=now)
        WatchPosition.objects.update(audit_id=to)
    return True


def _counted(use: list[DayOfUse]) -> list[_Counted]:
    """Return the days of use with what they add up to. Round trips to Redis; a query where ids were none."""
    tenants = dict(ApiClient.objects.filter(id__in={one.client_id for one in use}).values_list("id", "tenant_id"))
    counted = []
    for seen in use:
        if seen.guessed:
            seen.denied -= _with_a_past(seen.guessed, tenant_id=tenants.get(seen.client_id))
        today = count_with("used", seen.client_id, seen.day, seen.connections)
        denied = count_with("denied", seen.client_id, seen.day, seen.denied)
        counted.append(_Counted(seen, today, denied))
    return counted


def _with_a_past(ids: set[uuid.UUID], *, tenant_id: uuid.UUID | None) -> set[uuid.UUID]:
    """Return those of the ids that were connections of the tenant (None: of any): they were not guessed.

    So a service that asks for all that its tenant once had does not look like one that tries ids.
    """
    known = AuditEvent.objects.of_connections(set(sorted(ids)[:_LOOKED_UP]))
    if tenant_id is not None:
        known = known.filter(tenant_id=tenant_id)
    return {one for one in known.values_list("connection_id", flat=True).distinct() if one is not None}


def _judge(
    client: ApiClient,
    counted: _Counted,
    settings: Mapping[WatchRule, WatchSetting],
    *,
    began_at: datetime,
    now: datetime,
) -> None:
    """Let one client's day add to what is usual of it, and begin findings or go on with them. In a transaction."""
    seen = counted.seen
    row = row_of(client, seen, began_at=began_at)
    if seen.day == row.day:  # rows of a day that is over come late at midnight, and are few
        row.today, row.denied_today = max(row.today, counted.today), max(row.denied_today, counted.denied)
    usual = usual_of(row, client)
    unknown = learn_networks(client, seen, usual)
    row.save()
    for suspicion in _suspicions(seen, usual, unknown, settings):
        if settings[suspicion.rule].is_on:
            facts = {"networks": sorted(seen.networks), **suspicion.facts}
            note(client, suspicion.rule, span=seen.span, facts=facts, now=now)


def _suspicions(
    seen: DayOfUse, usual: Usual, unknown: list[str], settings: Mapping[WatchRule, WatchSetting]
) -> list[Suspicion]:
    at = seen.span.last_at
    touched_here = {"connections": texts(seen.connections), "connections_counted": usual.today}
    found = []
    if unknown:
        found.append(Suspicion(WatchRule.NEW_NETWORK, {"networks": unknown, "connections": texts(seen.connections)}))
    if seen.connections and is_wide(usual, at=at, least=settings[WatchRule.WIDE_USE].least):
        limit = {"highest": usual.highest, "most_expected": int(most_expected(usual, at=at))}
        found.append(Suspicion(WatchRule.WIDE_USE, touched_here | limit))
    if seen.denied and is_denied_much(usual, least=settings[WatchRule.MANY_DENIALS].least):
        facts = {"asked_for": texts(seen.denied), "asked_for_counted": usual.denied_today}
        found.append(Suspicion(WatchRule.MANY_DENIALS, facts | {"highest": usual.highest_denied}))
    if seen.connections and is_awakened(usual, at=at, least=settings[WatchRule.AWAKENED].least):
        found.append(Suspicion(WatchRule.AWAKENED, touched_here | {"slept_days": usual.slept_days}))
    return found
