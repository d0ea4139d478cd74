"""An operator's word on a finding. It ends it, and says what is to be expected from now on."""

import uuid
from datetime import datetime

from django.db import transaction

from connections.database.locks import lock_finding
from connections.journal import audit
from connections.journal.event_types import EventType
from connections.lifecycle.watch.findings import tell
from connections.lifecycle.watch.ladder import set_restriction, undo
from connections.lifecycle.watch.usual import keep_networks
from connections.models import ApiClient, ClientUse, Finding, Restriction, Verdict, WatchRule
from connections.refusals import InvalidRequest, NotFound

MOST_NOTE = 1000


def settle(
    finding_id: uuid.UUID,
    verdict: Verdict,
    *,
    note: str,
    now: datetime,
    actor: audit.Actor,
    judge: ApiClient | None = None,
) -> Finding:
    """End the finding with this ``verdict``, and a ``note`` that says why.

    ``EXPECTED`` undoes what was done about it, and the client is known for it from now on. ``HARMFUL`` teaches nothing,
    and holds the client until its key is rotated, or somebody vouches for it; a thrown kill switch stays. If what was
    found goes on, a new finding begins.

    ``judge`` is the API client that says so, if it is no person: none judges itself. One transaction with an audit row
    and an event. Raises ``NotFound``, and ``InvalidRequest`` for a finding that is settled, or no note.
    """
    written = note.strip()
    if not written or len(written) > MOST_NOTE:
        raise InvalidRequest(f"Say why, in up to {MOST_NOTE} characters.", field="note")
    with transaction.atomic():
        found = lock_finding(finding_id)
        if found is None:
            raise NotFound("There is no such finding.")
        if found.resolved_at is not None:
            raise InvalidRequest("This finding has been settled already.", field="finding")
        if judge is not None and judge.id == found.client_id:
            raise InvalidRequest("No API client settles a finding about itself: ask an operator.", field="finding")
        found.settle(verdict, note=written, by=actor.operator, at=now)
        if verdict is Verdict.EXPECTED:
            _expect(found, now=now)
            undo(found, actor=actor)
        else:
            set_restriction(found.client, Restriction.HELD, actor=actor)
        _forgive(found)
        audit.record(
            "use.settled",
            decision=verdict.value,
            actor=actor,
            detail={"finding": str(found.id), "api_client": str(found.client_id), "rule": found.rule},
        )
        tell(EventType.USE_SETTLED, found)
    return found


def vouch(client: ApiClient, *, actor: audit.Actor) -> bool:
    """Lift the restriction of ``client``: a person vouches for it. Return False where it has none. One transaction."""
    with transaction.atomic():
        return set_restriction(client, Restriction.NONE, actor=actor, eases=True)


def _expect(found: Finding, *, now: datetime) -> None:
    """Let the client be known for what was found."""
    use = ClientUse.objects.filter(client=found.client_id).first()
    if found.rule == WatchRule.NEW_NETWORK:
        keep_networks(found.client_id, found.evidence.get("networks", ()), at=now)
    if use is None:
        return
    if found.rule in (WatchRule.WIDE_USE, WatchRule.AWAKENED):
        use.learn(found.evidence.get("connections_counted", 0), day=use.day)
    if found.rule == WatchRule.MANY_DENIALS:
        use.highest_denied = max(use.highest_denied, found.evidence.get("asked_for_counted", 0))
    if found.rule == WatchRule.AWAKENED:
        use.usual_sleep_days = max(use.usual_sleep_days, found.evidence.get("slept_days", 0))
    use.save(update_fields=["highest", "highest_day", "highest_denied", "usual_sleep_days"])


def _forgive(found: Finding) -> None:
    """Let what was done until now count no more, so that the same use does not begin a finding anew."""
    use = ClientUse.objects.filter(client=found.client_id).first()
    if use is None:
        return
    if found.rule in (WatchRule.WIDE_USE, WatchRule.AWAKENED):
        use.forgiven, use.woke_at = use.today, None
    if found.rule == WatchRule.MANY_DENIALS:
        use.forgiven_denied = use.denied_today
    use.save(update_fields=["forgiven", "woke_at", "forgiven_denied"])
