"""Which connection is meant by {tenant, provider, end user}. Refusals are audited like those of the vend itself."""

import uuid
from dataclasses import replace

from connections.database.clock import database_now
from connections.journal import audit
from connections.lifecycle.provision.refused_keys import note_refused_key
from connections.models import ApiClient, ApiKey, Connection, OwnerKind, Permission, Status, Tenant
from connections.refusals import (
    AmbiguousConnection,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    Refusal,
    Suspended,
    Unauthorized,
)


def connection_of_owner(
    *, key_hash: bytes, tenant: str | None, provider: str, end_user: str | None, asker: audit.Actor
) -> uuid.UUID:
    """Return the id of the one connection of ``end_user`` (None: of the whole tenant) at ``provider``.

    Connections that work are preferred to broken ones, those to pending ones. The vend itself checks the rest. Raises
    ``Unauthorized``, ``Suspended``, ``PermissionDenied``, ``InvalidRequest``, ``NotFound`` and ``AmbiguousConnection``.
    """
    key = (
        ApiKey.objects.select_related("client__tenant")
        .filter(key_hash=key_hash, revoked_at=None, expires_at__gt=database_now())
        .first()
    )
    if key is None:
        note_refused_key(key_hash, address=asker.address)
        raise Unauthorized("The API key is missing, unknown, revoked or expired.")
    client = key.client
    owner = client.tenant
    try:
        _check_client(client)
        owner = _tenant_meant(client, tenant)
        return _connection_of(owner, provider=provider, end_user=end_user)
    except Refusal as refusal:
        audit.record(
            "credential.vend",
            decision=refusal.code,
            actor=replace(asker, api_client_id=client.id),
            tenant_id=owner.id if owner else None,
            detail={"asked_for": provider},
        )
        raise


def _check_client(client: ApiClient) -> None:
    if client.suspended_at is not None:
        raise Suspended("This API client is suspended.")
    if Permission.VEND not in client.permissions:
        raise PermissionDenied("This API client may not vend.")


def _tenant_meant(client: ApiClient, slug: str | None) -> Tenant:
    if client.tenant is None and slug is None:
        raise InvalidRequest("An operator-wide API client has to name the tenant.", field="tenant")
    tenant = client.tenant or Tenant.objects.filter(slug=slug).first()
    if tenant is None or slug not in (None, tenant.slug):
        raise NotFound("There is no such connection.")
    return tenant


def _connection_of(tenant: Tenant, *, provider: str, end_user: str | None) -> uuid.UUID:
    owner = OwnerKind.TENANT if end_user is None else OwnerKind.END_USER
    found = Connection.objects.for_tenant(tenant.id).filter(
        provider=provider, owner_kind=owner, end_user=end_user or ""
    )
    rows = list(found.exclude(status=Status.DISCONNECTED).values_list("id", "status"))
    for statuses in (
        (Status.ACTIVE, Status.SUSPECT),
        (Status.NEEDS_REAUTH, Status.REVOKED),
        (Status.PENDING,),
    ):
        ids = [connection_id for connection_id, status in rows if status in statuses]
        if len(ids) > 1 and statuses != (Status.PENDING,):
            raise AmbiguousConnection(
                "More than one connection matches: vend by the id of one.", connections=[str(id_) for id_ in ids]
            )
        if ids:
            return ids[0]
    raise NotFound("There is no such connection.")
