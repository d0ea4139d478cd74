"""Attend: look at incidents, for the beat: open those of silence, learn what they come from, close what is over.

Hysteresis: many failures open an incident at a fifth of the connections, and it is over when for ten minutes fewer than
a tenth fail; or two at most, and others were proved to work since. So one that is about to end does not open anew, and
a single dead grant keeps none open. And where at least as many have worked for a day as fail, what fails is at fault
itself, however many that are: nobody keeps the others from being judged by letting grants of their own be refused.
"""

import uuid
from datetime import datetime, timedelta

from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.health.causes import Facts, probable_cause
from connections.lifecycle.health.facts import WITHIN, away_apps, gather, still_failing
from connections.lifecycle.health.incidents import (
    MANY,
    MANY_SHARE,
    OUTLASTED,
    close_incident,
    count_refused,
    open_silence_incident,
)
from connections.models import VENDS, Connection, Incident, IncidentCause, IncidentKind, ProviderApp

OVER_SHARE = 0.1
OUTLASTED_AFTER = timedelta(days=1)
# Of these nothing is counted: they are over when nobody was refused for so long.
QUIET_FOR = {IncidentKind.ADDRESS_REFUSED: timedelta(hours=1), IncidentKind.CLIENT_REJECTED: timedelta(hours=24)}


def attend_incidents(*, now: datetime) -> int:
    """Look at all incidents once, and return how many were closed. A few queries and a transaction for each."""
    _notice_silence(now=now)
    closed = 0
    for incident in Incident.objects.filter(closed_at=None).select_related("provider_app"):
        kind = IncidentKind(incident.kind)
        facts = gather(kind, incident.provider_app, party=incident.party, now=now)
        with short_transaction():
            count_refused(incident)
            if facts.failing and not _is_settling(incident, facts):
                # Later on those that work again would be taken for ones that were never concerned.
                is_young = incident.opened_at > now - WITHIN or not incident.cause
                cause = probable_cause(kind, facts) if is_young else IncidentCause(incident.cause)
                incident.learn(cause, facts.as_dict(), now=now)
            if _is_over(incident, facts, now=now):
                closed += close_incident(incident, now=now, actor=audit.SYSTEM)
            elif _is_outlasted(incident, facts, now=now):
                closed += close_incident(incident, now=now, actor=audit.SYSTEM, what=OUTLASTED)
    return closed


def _notice_silence(*, now: datetime) -> None:
    for app_id, party, failing, tried in away_apps(now=now):
        if failing >= MANY and failing >= MANY_SHARE * tried:
            _open_silence(app_id, party, failing, now=now)


def _open_silence(app_id: uuid.UUID, party: uuid.UUID | None, failing: int, *, now: datetime) -> None:
    app = ProviderApp.objects.filter(id=app_id).first()
    if app is not None:
        with short_transaction():
            open_silence_incident(app, party=party, failing=failing, now=now)


def _is_over(incident: Incident, facts: Facts, *, now: datetime) -> bool:
    if (quiet := QUIET_FOR.get(IncidentKind(incident.kind))) is not None:
        return incident.last_seen_at < now - quiet
    if facts.failing and not _is_settling(incident, facts):
        Incident.objects.filter(id=incident.id).update(last_seen_at=now)
        return False
    return incident.last_seen_at < now - WITHIN


def _is_outlasted(incident: Incident, facts: Facts, *, now: datetime) -> bool:
    """Whether at least as many as fail were proved to work after a day of the incident."""
    since = incident.opened_at + OUTLASTED_AFTER
    if incident.kind != IncidentKind.MANY_FAILURES or now < since:
        return False
    failing = still_failing(IncidentKind.MANY_FAILURES, incident.provider_app, party=incident.party, now=now)
    theirs = Connection.objects.filter(provider_app=incident.provider_app, party=incident.party, status__in=VENDS)
    return theirs.filter(verified_at__gt=since).exclude(id__in=failing.values("id")).count() >= facts.failing


def _is_settling(incident: Incident, facts: Facts) -> bool:
    """Whether so few fail that these are at fault themselves."""
    if facts.failing < OVER_SHARE * facts.live:
        return True
    proved = Connection.objects.filter(
        provider_app=incident.provider_app, party=incident.party, verified_at__gt=incident.last_seen_at
    )
    return facts.failing <= MANY // 2 and proved.exists()
