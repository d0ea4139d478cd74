"""Verifications that the workers run: those that operators order, and one a day. What each found stays to be read."""

import time
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Max

from connections.database.claims import claim, give_back, is_free
from connections.journal import audit, notices
from connections.journal.sealing import last_seal
from connections.journal.verify import count_unsealed, verify_chain
from connections.models import AuditVerification

_RUN_SECONDS = 15.0
_EACH = timedelta(days=1)
KEPT = timedelta(days=90)

logger = structlog.get_logger(__name__)

_BROKEN = """{detail}{further}

What it means: whoever did that can write to the database past Latchkey, or a seal's key is missing from AUDIT_KEYS.

What to do: compare with an export or a backup from before, and see "The audit trail is broken" in OPERATIONS.md.

The verification: {page}
"""


def order_verification(*, now: datetime, actor: audit.Actor = audit.SYSTEM) -> AuditVerification | None:
    """Order a verification of all seals, or return the one that is under way. None where there never was a seal.

    It looks as far as the seal that an earlier one has looked for, also where the newest seals are gone by now.
    """
    newest = last_seal()
    known = AuditVerification.objects.aggregate(last=Max("to_seal"))["last"] or 0
    to_seal = max(known, 0 if newest is None else newest.number)
    if not to_seal:
        return None
    under_way = AuditVerification.objects.filter(finished_at=None).first()
    if under_way is not None:
        return under_way
    if actor.operator:
        audit.record("audit.verify", actor=actor, detail={"to_seal": to_seal})
    return AuditVerification.objects.create(operator=actor.operator, ordered_at=now, to_seal=to_seal)


def last_finding() -> dict[str, Any]:
    """Return what the last verification that has ended found broken; empty where that is nothing. One query.

    An earlier release stopped at what was broken first, and counted no ``further`` ones.
    """
    last = AuditVerification.objects.filter(finished_at__isnull=False).order_by("-finished_at").first()
    return {"further": 0} | last.finding if last is not None and last.finding else {}


def continue_verifications(*, now: datetime, seconds: float = _RUN_SECONDS) -> None:
    """Go on with what is under way, for so long at the most; begin the day's if none was ordered within a day.

    A killed process loses at most what it did since its last note, of a second ago.
    """
    if not AuditVerification.objects.filter(ordered_at__gt=now - _EACH).exists():
        order_verification(now=now)
    AuditVerification.objects.filter(finished_at__lt=now - KEPT).delete()
    give_up_at = time.monotonic() + seconds
    for run in list(AuditVerification.objects.filter(is_free(now=now), finished_at=None).order_by("ordered_at")):
        row = AuditVerification.objects.filter(id=run.id)
        if time.monotonic() < give_up_at and (until := claim(row, now=now)):
            _go_on(run, now=now, give_up_at=give_up_at)
            give_back(row, until=until)


def _go_on(run: AuditVerification, *, now: datetime, give_up_at: float) -> None:
    noted_at, rows = time.monotonic(), 0
    reached = run.reached
    for checked in verify_chain(from_seal=run.reached + 1, to_seal=run.to_seal):
        rows += checked.rows
        reached = max(reached, checked.seal)
        if checked.broken is not None and checked.seal > run.reached:  # a missing one before the first is told again
            run.find(checked.broken.as_json())
        if time.monotonic() > give_up_at and reached < run.to_seal:
            run.go_on(reached=reached, rows=rows)
            return
        if time.monotonic() > noted_at + 1:
            run.go_on(reached=reached, rows=rows)
            noted_at, rows = time.monotonic(), 0
    with transaction.atomic():
        run.go_on(reached=reached, rows=rows)
        run.finish(at=now, unsealed=count_unsealed())
        if run.finding:
            _tell(run, now=now)


def _tell(run: AuditVerification, *, now: datetime) -> None:
    """Tell the operators, once for what is the same each day, and the log each time."""
    found = run.finding
    logger.error("audit_broken", **found)
    further = f" {found['further']} further seals are broken." if found["further"] else ""
    notices.tell(
        f"audit_broken:{found['kind']}:{found['seal']}:{found['row']}:{found['further']}",
        "The audit trail is broken",
        _BROKEN.format(detail=found["detail"], further=further, page=notices.admin_page(run)),
        now=now,
    )
