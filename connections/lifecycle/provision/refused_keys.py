"""Refused keys: that somebody called with an API key that is not valid is recorded, but not as often as they like."""

from connections.database.clock import database_now
from connections.journal import audit
from connections.journal.flood import Gate
from connections.models import ApiKey

gate = Gate()


def note_refused_key(key_hash: bytes, *, address: str | None) -> None:
    """Record that a key was refused: unknown, revoked, expired, or its client suspended. One or two short queries.

    Neither the key nor its digest is kept; of a key that exists its id is.
    """
    detail = gate.admit(address)
    if detail is None:
        return
    key = ApiKey.objects.select_related("client").filter(key_hash=key_hash).first()
    if key is None:
        audit.record("api_key.refused", decision="unknown", actor=audit.Actor(address=address), detail=detail)
        return
    why = "revoked" if key.revoked_at else "expired" if key.expires_at <= database_now() else "suspended"
    audit.record(
        "api_key.refused",
        decision=why,
        actor=audit.Actor(api_client_id=key.client_id, address=address),
        tenant_id=key.client.tenant_id,
        detail={"api_key": str(key.id), **detail},
    )
