"""Close an incident by hand: the operator has mended what was wrong, and downgrades may go on."""

from datetime import datetime

from django.db import transaction

from connections.lifecycle import audit
from connections.models import Incident


def close_incident(incident: Incident, *, now: datetime, actor: audit.Actor) -> bool:
    """Close ``incident``; it opens anew if the fault is still there. False if it was closed already."""
    with transaction.atomic():
        if not Incident.objects.filter(id=incident.id, closed_at=None).update(closed_at=now):
            return False
        audit.record(
            "incident.closed",
            decision=incident.kind,
            actor=actor,
            tenant_id=incident.provider_app.tenant_id,
            detail={"provider_app": str(incident.provider_app_id), "incident": str(incident.id)},
        )
    incident.closed_at = now
    return True
