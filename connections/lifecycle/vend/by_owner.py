"""Find the connection of {tenant, provider, end user}. Refusals leave audit rows like those of the vend itself."""

import uuid
from dataclasses import replace

from connections.journal import audit
from connections.lifecycle.provision.callers import (
    check_client,
    check_permission,
    client_with_key,
    refuse_key,
    tenant_meant,
)
from connections.models import Connection, OwnerKind, Permission, Status, Tenant
from connections.refusals import (
    AmbiguousConnection,
    NotFound,
    Refusal,
)
from providers.catalog.loader import meant_by


def connection_of_owner(
    *,
    key_hash: bytes,
    tenant: str | None,
    provider: str,
    end_user: str | None,
    asker: audit.Actor,
    or_the_tenants: bool = False,
) -> uuid.UUID:
    """Return the id of the one connection of ``end_user`` (None: of the whole tenant) at ``provider``.

    An alias of the provider means the connection by the style that it stands for, and no other.
    With ``or_the_tenants`` it may be the whole tenant's, if the end user has none. Prefers connections that work to
    broken ones, and broken ones to pending ones. The vend itself checks the rest. A few queries. Raises
    ``Unauthorized``, ``Suspended``, ``PermissionDenied``, ``InvalidRequest``, ``NotFound`` and ``AmbiguousConnection``.
    """
    client = client_with_key(key_hash)
    if client is None:
        refuse_key(key_hash, address=asker.address)
    owner = client.tenant
    try:
        check_client(is_suspended=client.suspended_at is not None)
        check_permission(client.permissions, may=Permission.VEND)
        meant = tenant_meant(client, tenant)
        if meant is None:
            raise NotFound("There is no such connection.")
        owner = meant
        try:
            return _connection_of(meant, provider=provider, end_user=end_user)
        except NotFound:
            if end_user is None or not or_the_tenants:
                raise
            return _connection_of(meant, provider=provider, end_user=None)
    except Refusal as refusal:
        audit.record(
            "credential.vend",
            decision=refusal.code,
            actor=replace(asker, api_client_id=client.id),
            tenant_id=owner.id if owner else None,
            detail={"asked_for": provider},
        )
        raise


def _connection_of(tenant: Tenant, *, provider: str, end_user: str | None) -> uuid.UUID:
    owner = OwnerKind.TENANT if end_user is None else OwnerKind.END_USER
    slug, style = meant_by(provider)
    found = Connection.objects.for_tenant(tenant.id).filter(provider=slug, owner_kind=owner, end_user=end_user or "")
    if style:
        found = found.filter(provider_app__auth_style=style)
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
