"""Verifications that the workers run: those that operators order, and one a day. What each found stays to be read."""

import time
from datetime import datetime, timedelta

import structlog
from django.db.models import Q

from connections.journal import audit
from connections.journal.sealing import last_seal
from connections.journal.verify import count_unsealed, verify_chain
from connections.models import AuditVerification

_RUN_SECONDS = 15.0
_CLAIM = timedelta(seconds=60)
_EACH = timedelta(days=1)
KEPT = timedelta(days=90)

logger = structlog.get_logger(__name__)


def order_verification(*, now: datetime, actor: audit.Actor = audit.SYSTEM) -> AuditVerification | None:
    """Order a verification of all seals, or return the one that is under way. None where there is no seal."""
    newest = last_seal()
    if newest is None:
        return None
    under_way = AuditVerification.objects.filter(finished_at=None).first()
    if under_way is not None:
        return under_way
    if actor.operator:
        audit.record("audit.verify", actor=actor, detail={"to_seal": newest.number})
    return AuditVerification.objects.create(operator=actor.operator, ordered_at=now, to_seal=newest.number)


def continue_verifications(*, now: datetime, seconds: float = _RUN_SECONDS) -> None:
    """Go on with what is under way, for so long at the most; begin the day's if none was ordered within a day.

    A killed process loses at most what it did since its last note, of a second ago.
    """
    if not AuditVerification.objects.filter(ordered_at__gt=now - _EACH).exists():
        order_verification(now=now)
    AuditVerification.objects.filter(finished_at__lt=now - KEPT).delete()
    give_up_at = time.monotonic() + seconds
    free = AuditVerification.objects.filter(Q(claimed_until=None) | Q(claimed_until__lt=now), finished_at=None)
    for run in list(free.order_by("ordered_at")):
        claim = AuditVerification.objects.filter(Q(claimed_until=None) | Q(claimed_until__lt=now), id=run.id)
        if time.monotonic() < give_up_at and claim.update(claimed_until=now + _CLAIM):
            _go_on(run, now=now, give_up_at=give_up_at)
            AuditVerification.objects.filter(id=run.id).update(claimed_until=None)


def _go_on(run: AuditVerification, *, now: datetime, give_up_at: float) -> None:
    noted_at, rows = time.monotonic(), 0
    reached = run.reached
    for checked in verify_chain(from_seal=run.reached + 1, to_seal=run.to_seal):
        rows += checked.rows
        if checked.broken is not None:
            run.go_on(reached=reached, rows=rows)
            run.finish(at=now, finding=checked.broken.as_json(), unsealed=count_unsealed())
            logger.error("audit_broken", **checked.broken.as_json())
            return
        reached = checked.seal
        if time.monotonic() > give_up_at:
            run.go_on(reached=reached, rows=rows)
            return
        if time.monotonic() > noted_at + 1:
            run.go_on(reached=reached, rows=rows)
            noted_at, rows = time.monotonic(), 0
    run.go_on(reached=reached, rows=rows)
    run.finish(at=now, finding={}, unsealed=count_unsealed())
