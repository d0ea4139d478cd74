"""Which connection is meant by {tenant, provider, end user}."""

import uuid

from connections.lifecycle.clock import database_now
from connections.lifecycle.outcomes import AmbiguousConnection, InvalidRequest, NotFound, Unauthorized
from connections.models import ApiKey, Connection, OwnerKind, Status


def connection_of_owner(*, key_hash: bytes, tenant: str | None, provider: str, end_user: str | None) -> uuid.UUID:
    """Return the id of the one connection of ``end_user`` (None: of the whole tenant) at ``provider``.

    Connections that work are preferred to broken ones, those to pending ones. The vend itself checks the rest. Raises
    ``Unauthorized``, ``InvalidRequest``, ``NotFound`` and ``AmbiguousConnection``.
    """
    key = (
        ApiKey.objects.select_related("client")
        .filter(key_hash=key_hash, revoked_at=None, expires_at__gt=database_now())
        .first()
    )
    if key is None:
        raise Unauthorized("The API key is missing, unknown, revoked or expired.")
    if key.client.tenant_id is None and tenant is None:
        raise InvalidRequest("An operator-wide API client has to name the tenant.", field="tenant")
    owner = OwnerKind.TENANT if end_user is None else OwnerKind.END_USER
    found = Connection.objects.filter(provider=provider, owner_kind=owner, end_user=end_user or "").exclude(
        status=Status.DISCONNECTED
    )
    if key.client.tenant_id is not None:
        found = found.filter(tenant_id=key.client.tenant_id)
    if tenant is not None:
        found = found.filter(tenant__slug=tenant)
    rows = list(found.values_list("id", "status"))
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
