"""Find the connection of {tenant, provider, end user}. Refusals leave audit rows like those of the vend itself."""

import uuid
from contextlib import suppress
from dataclasses import replace
from typing import Any

from connections.journal import audit
from connections.lifecycle.provision.callers import (
    check_client,
    check_permission,
    known_by,
    refuse_key,
    tenant_meant,
)
from connections.lifecycle.vend.reconnect_url import connect_url
from connections.models import LIVE, Connection, OwnerKind, Permission, Status, Tenant
from connections.refusals import (
    AmbiguousConnection,
    NotFound,
    Refusal,
)
from providers.catalog.loader import meant_by

_CHOSEN_BY = ("id", "status", "label", "is_default", "provider_account_id", "provider_account_name")


def connection_of_owner(
    *,
    key_hash: bytes,
    tenant: str | None,
    provider: str,
    end_user: str | None,
    asker: audit.Actor,
    label: str = "",
    or_the_tenants: bool = False,
) -> uuid.UUID:
    """Return the id of the one connection of ``end_user`` (None: of the whole tenant) at ``provider``.

    An alias of the provider means the connection by the style that it stands for, and no other; a ``label`` means the
    connection that has it. With ``or_the_tenants`` it may be the whole tenant's, if the end user has none. The owner's
    default comes first, working or not: another one would be another account. Without one, connections that work are
    preferred to broken ones, and those to pending ones. The vend itself checks the rest. A few queries. Raises
    ``Unauthorized``, ``Suspended``, ``PermissionDenied``, ``InvalidRequest``, ``NotFound`` and ``AmbiguousConnection``.
    """
    known = known_by(key_hash, address=asker.address)
    if known is None:
        refuse_key(key_hash, address=asker.address)
    client = known.client
    owner = client.tenant
    try:
        check_client(is_suspended=client.suspended_at is not None)
        check_permission(client.permissions, may=Permission.VEND)
        meant = tenant_meant(client, tenant)
        if meant is None:
            raise NotFound("There is no such connection.")
        owner = meant
        try:
            return _connection_of(meant, provider=provider, end_user=end_user, label=label)
        except NotFound:
            if end_user is not None and or_the_tenants:
                with suppress(NotFound):
                    return _connection_of(meant, provider=provider, end_user=None, label=label)
            raise _not_connected(meant, provider=provider, end_user=end_user) from None
    except Refusal as refusal:
        audit.record(
            "credential.vend",
            decision=refusal.code,
            actor=replace(asker, api_client_id=client.id, proof=known.proof),
            tenant_id=owner.id if owner else None,
            detail={"asked_for": provider},
        )
        raise


def _not_connected(tenant: Tenant, *, provider: str, end_user: str | None) -> NotFound:
    """Return the refusal for an owner without a connection, with the page where the end user may connect."""
    url = connect_url(tenant.reconnect_url, connection_id=None, provider=provider, end_user=end_user or "")
    told: dict[str, Any] = {"connect_url": url} if url and end_user else {}
    return NotFound("There is no such connection.", **told)


def _connection_of(tenant: Tenant, *, provider: str, end_user: str | None, label: str) -> uuid.UUID:
    owner = OwnerKind.TENANT if end_user is None else OwnerKind.END_USER
    slug, style = meant_by(provider)
    found = Connection.objects.for_tenant(tenant.id).filter(provider=slug, owner_kind=owner, end_user=end_user or "")
    if style:
        found = found.filter(provider_app__auth_style=style)
    if label:
        found = found.filter(label=label)
    rows = list(found.exclude(status=Status.DISCONNECTED).order_by("created_at", "id").only(*_CHOSEN_BY))
    default = next((row for row in rows if row.is_default and row.status in LIVE), None)
    if default is not None:
        return default.id
    for statuses in (
        (Status.ACTIVE, Status.SUSPECT),
        (Status.NEEDS_REAUTH, Status.REVOKED),
        (Status.PENDING,),
    ):
        fitting = [row for row in rows if row.status in statuses]
        if len(fitting) > 1 and statuses != (Status.PENDING,):
            raise AmbiguousConnection(
                "More than one connection matches: vend by the id or the label of one, or make one the default.",
                connections=[_choice(row) for row in fitting],
            )
        if fitting:
            return fitting[0].id
    raise NotFound("There is no such connection.")


def _choice(connection: Connection) -> dict[str, str | None]:
    """Return what a caller needs to choose: ``id``, ``label`` and the ``account``'s name, "" where they are unknown."""
    account = connection.provider_account_name or connection.provider_account_id
    return {"id": str(connection.id), "label": connection.label, "account": account}
