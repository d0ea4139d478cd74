"""Callers: to whom an API key or a proven token belongs, and which tenant a call is about. The rules live here.

A vend by id applies the same rules in its own statement (``vend.query``), so that it costs one round trip; a test
compares the two. A call with an invalid key leaves an audit row, but not more rows than ``journal.flood`` allows.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NoReturn

from django.db.models.functions import Now

from connections.access.secrets import digest
from connections.database.clock import database_now
from connections.journal import audit
from connections.journal.flood import Gate
from connections.lifecycle.throttle.pace import wait_of
from connections.models import ApiClient, ApiKey, Permission, ProvenToken, Restriction, Tenant
from connections.refusals import ClientHeld, InvalidRequest, PermissionDenied, Suspended, Throttled, Unauthorized

gate = Gate()


@dataclass(frozen=True, slots=True)
class Known:
    """An API client that has proven itself: by the key ``key_id``, or by ``proof`` of who vouches (``ProvenToken``)."""

    client: ApiClient
    proof: Mapping[str, str] | None = None
    key_id: uuid.UUID | None = None


def known_by(key_hash: bytes, *, address: str | None) -> Known | None:
    """Return the API client of the valid key, or of the proven token, with this digest; None for neither.

    Its tenant is loaded. A key is valid until it expires or is revoked, and where its client may call from ``address``.
    ``check_client`` checks whether the client is suspended or held. One query for a key, two for a token.
    """
    valid = ApiKey.objects.select_related("client__tenant").filter(
        key_hash=key_hash, revoked_at=None, expires_at__gt=Now()
    )
    known: Known | None = None
    if (key := valid.first()) is not None:
        known = Known(key.client, key_id=key.id)
    else:
        proven = ProvenToken.objects.select_related("client__tenant").filter(token_hash=key_hash, expires_at__gt=Now())
        known = next((Known(token.client, token.proof) for token in proven), None)
    return known if known is not None and known.client.may_call_from(address) else None


def refuse_key(key_hash: bytes, *, address: str | None) -> NoReturn:
    """Record that a key is not valid, and raise ``Unauthorized``. Short queries.

    The words are the same whether the key never existed, has expired or was revoked, so that they reveal nothing.
    """
    note_refused_key(key_hash, address=address)
    raise Unauthorized("The API key is missing, unknown, revoked or expired.")


def check_named(secret: str, *, client_id: str, address: str | None) -> bytes:
    """Return the digest by which the client with ``client_id`` is known, whose key or proven token ``secret`` is.

    So a client says its name beside its key (RFC 6749 §2.3.1). Two short queries. Raises ``Unauthorized``, in the same
    words whether the name or the secret is wrong, with an audit row as for any refused key.
    """
    secret_hash = digest(secret)
    known = known_by(secret_hash, address=address)
    if known is None or str(known.client.id) != client_id:
        note_refused_key(secret_hash, address=address)
        raise Unauthorized("The client's id and its secret do not belong together, or the secret is not valid.")
    return secret_hash


def check_client(*, is_suspended: bool, restriction: str) -> None:
    """Raise ``Suspended`` for a client whose kill switch is thrown, ``ClientHeld`` for one that is held."""
    if is_suspended:
        raise Suspended("This API client is suspended.")
    if restriction == Restriction.HELD:
        raise ClientHeld(
            "This API client is held, because its use was suspicious. Have its key rotated, or have somebody of the"
            " operator's who answers for security vouch for it."
        )


def check_stopped(client: ApiClient) -> None:
    """Raise as ``check_client`` for a loaded client: exactly where it ``is_stopped``. No I/O."""
    check_client(is_suspended=client.suspended_at is not None, restriction=client.restriction)


def check_pace(client_id: uuid.UUID, *, restriction: str) -> None:
    """Count one use of a client that is slowed down. Raises ``Throttled``. No I/O for any other client."""
    if restriction == Restriction.THROTTLED and (wait := wait_of(client_id)):
        raise Throttled(
            "This API client is slowed down, because its use was suspicious: ask again later, or have somebody of the"
            " operator's who answers for security look at it.",
            retry_after_seconds=wait,
        )


def check_permission(permissions: Collection[str], *, may: Permission) -> None:
    """Raise ``PermissionDenied`` unless ``may`` is among the client's permissions."""
    if may not in permissions:
        raise PermissionDenied(f"This API client lacks the permission {may.value!r}.")


def tenant_meant(client: ApiClient, slug: str | None) -> Tenant | None:
    """Return the tenant that a call of ``client`` is about. One query at most.

    None where there is no such tenant, or where ``client`` belongs to another one. A tenant's own client may leave out
    the slug; raises ``InvalidRequest`` where an operator-wide client leaves it out.
    """
    if client.tenant is not None:
        return client.tenant if slug in (None, client.tenant.slug) else None
    if slug is None:
        raise InvalidRequest("An operator-wide API client has to name the tenant.", field="tenant")
    return Tenant.objects.filter(slug=slug).first()


def note_refused_key(key_hash: bytes, *, address: str | None) -> None:
    """Record that a key was refused: unknown, revoked, expired, or its client stopped or elsewhere. Short queries.

    The audit row holds neither the key nor its digest; if the key exists, it holds the key's id.
    """
    detail = gate.admit(address)
    if detail is None:
        return
    key = ApiKey.objects.select_related("client").filter(key_hash=key_hash).first()
    proven = None if key is not None else ProvenToken.objects.filter(token_hash=key_hash).first()
    if proven is not None:
        actor = audit.Actor(api_client_id=proven.client_id, address=address, proof=proven.proof)
        audit.record("caller_token.refused", decision="client", actor=actor, detail=detail)
        return
    if key is None:
        audit.record("api_key.refused", decision="unknown", actor=audit.Actor(address=address), detail=detail)
        return
    why = "suspended" if key.client.suspended_at else "held"
    if key.revoked_at:
        why = "revoked"
    elif key.expires_at <= database_now():
        why = "expired"
    elif not key.client.may_call_from(address):
        why = "network"
    audit.record(
        "api_key.refused",
        decision=why,
        actor=audit.Actor(api_client_id=key.client_id, address=address),
        tenant_id=key.client.tenant_id,
        detail={"api_key": str(key.id), **detail},
    )
