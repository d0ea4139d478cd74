"""The ladder: what is done about a finding that goes on, and how it is undone.

Each step acts through what there is for it: the restriction of an API client, and its kill switch.
"""

from datetime import datetime

import structlog
from django.db.models import Max

from connections.database.locks import lock_finding
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.journal.event_types import EventType
from connections.lifecycle.steer.switches import resume_within, suspend_within
from connections.lifecycle.watch.findings import tell
from connections.lifecycle.watch.rules import due_step
from connections.lifecycle.watch.settings import steps_after, watch_settings
from connections.models import ApiClient, Finding, Restriction, Step, WatchRule

logger = structlog.get_logger(__name__)


def climb(*, now: datetime) -> int:
    """Take the steps that are due about the open findings. Return how many. A short transaction for each.

    A finding that has lasted for long enough gets the strongest step that is due, once: what an operator undoes by hand
    stays undone.
    """
    settings = watch_settings()
    taken = 0
    for found in Finding.objects.filter(resolved_at=None).only("id", "rule", "step", "first_at", "last_at"):
        due = due_step(steps_after(settings[WatchRule(found.rule)]), lasted=found.last_at - found.first_at)
        if due > found.step:
            with short_transaction():
                taken += _take(found, due, now=now)
    return taken


def _take(found: Finding, due: Step, *, now: datetime) -> bool:
    locked = lock_finding(found.id)
    if locked is None or locked.resolved_at is not None or locked.step >= due:
        return False
    client = locked.client
    if due is Step.KILL:
        suspend_within(client, now=now, actor=audit.SYSTEM)
    else:
        set_restriction(client, restriction_of(due), actor=audit.SYSTEM)
    locked.take(due, at=now)
    tell(EventType.USE_RESTRICTED, locked)
    logger.error("use_restricted", rule=locked.rule, finding=str(locked.id), step=due.name.lower())
    return True


def set_restriction(client: ApiClient, restriction: Restriction, *, actor: audit.Actor, eases: bool = False) -> bool:
    """Restrict ``client``, in the caller's transaction, with an audit row. Return False where nothing changes.

    Only to something stronger than what it has, unless this ``eases`` it.
    """
    ranks = list(Restriction)
    stronger = ranks.index(restriction) > ranks.index(Restriction(client.restriction))
    if restriction == client.restriction or not (stronger or eases):
        return False
    client.restrict(restriction)
    audit.record(
        "api_client.restricted",
        decision=restriction.value or audit.ALLOWED,
        actor=actor,
        tenant_id=client.tenant_id,
        detail={"api_client": str(client.id)},
    )
    return True


def undo(found: Finding, *, actor: audit.Actor) -> None:
    """Undo what was done about ``found``, which is settled, as far as no other finding asks for it. In a transaction.

    A kill switch that somebody else has thrown stays thrown.
    """
    client = found.client
    if found.step == Step.KILL and client.suspended_at is not None and client.suspended_at == found.stepped_at:
        resume_within(client, actor=actor)
    others = Finding.objects.filter(client=client, resolved_at=None).aggregate(step=Max("step"))["step"]
    set_restriction(client, restriction_of(Step(others or Step.ALERT)), actor=actor, eases=True)


def restriction_of(step: Step) -> Restriction:
    """Return the restriction by which ``step`` acts; a suspended client is held as well. No I/O."""
    if step is Step.ALERT:
        return Restriction.NONE
    return Restriction.THROTTLED if step is Step.THROTTLE else Restriction.HELD
