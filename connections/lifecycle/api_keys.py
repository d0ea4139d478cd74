"""API keys over time: replaced with an overlap, and revoked. Issuing the first one is ``provision.issue_key``."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from connections.lifecycle import audit
from connections.lifecycle.provision import DEFAULT_KEY_LIFETIME, IssuedKey, issue_key
from connections.models import ApiClient, ApiKey

DEFAULT_OVERLAP = timedelta(hours=24)


def rotate_key(
    client: ApiClient,
    *,
    now: datetime,
    overlap: timedelta = DEFAULT_OVERLAP,
    lifetime: timedelta = DEFAULT_KEY_LIFETIME,
    actor: audit.Actor,
    key_id: uuid.UUID | None = None,
) -> IssuedKey:
    """Give ``client`` a fresh key, and let every earlier one end after ``overlap`` at the latest.

    One transaction. ``key_id`` as for ``issue_key``.
    """
    ends_at = now + overlap
    with transaction.atomic():
        ended = ApiKey.objects.filter(client=client, revoked_at=None, expires_at__gt=ends_at).update(expires_at=ends_at)
        issued = issue_key(client, now=now, lifetime=lifetime, actor=actor, key_id=key_id)
        audit.record(
            "api_key.rotated",
            actor=actor,
            tenant_id=client.tenant_id,
            detail={"api_client": str(client.id), "earlier_keys": ended, "earlier_keys_end_at": ends_at.isoformat()},
        )
    return issued


def revoke_key(key: ApiKey, *, now: datetime, actor: audit.Actor) -> bool:
    """Revoke one key at once. False if it was revoked already."""
    with transaction.atomic():
        if not ApiKey.objects.filter(id=key.id, revoked_at=None).update(revoked_at=now):
            return False
        audit.record(
            "api_key.revoked",
            actor=actor,
            tenant_id=key.client.tenant_id,
            detail={"api_client": str(key.client_id), "api_key": str(key.id)},
        )
    key.revoked_at = now
    return True
