"""Find the connection of {tenant, provider, end user}, their own or one that an access grant lets them use.

Refusals leave audit rows like those of the vend itself.
"""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from connections.journal import audit
from connections.lifecycle.provision.callers import (
    check_permission,
    check_stopped,
    known_by,
    refuse_key,
    tenant_meant,
)
from connections.lifecycle.vend.reconnect_url import connect_url
from connections.models import LIVE, AccessGrant, Connection, OwnerKind, Permission, Status, SubjectKind, Tenant
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
    groups: Sequence[str] = (),
) -> uuid.UUID:
    """Return the id of the one connection of ``end_user`` (None: of the whole tenant) at ``provider``.

    An alias of the provider means the connection by the style that it stands for, and no other; a ``label`` means the
    connection that has it. With ``or_the_tenants`` it may be the whole tenant's, if the end user has none. Without any
    it is one on which an access grant is for this end user, one of their ``groups``, the agent or the client. The
    owner's default comes first, working or not: another one would be another account. Else connections that work are
    preferred to broken ones, and those to pending ones. The vend itself checks the rest. A few queries. Raises
    ``Unauthorized``, ``Suspended``, ``ClientHeld``, ``PermissionDenied``, ``InvalidRequest``, ``NotFound`` and
    ``AmbiguousConnection``.
    """
    known = known_by(key_hash, address=asker.address)
    if known is None:
        refuse_key(key_hash, address=asker.address)
    client = known.client
    owner = client.tenant
    try:
        check_stopped(client)
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
            with suppress(NotFound):
                named = _naming(end_user=end_user, groups=groups, agent=asker.agent, client_id=client.id)
                return _granted(meant, named, provider=provider, label=label)
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
    rows = list(_at(tenant, provider=provider, label=label).filter(owner_kind=owner, end_user=end_user or ""))
    default = next((row for row in rows if row.is_default and row.status in LIVE), None)
    return default.id if default is not None else _chosen(rows)


def _granted(tenant: Tenant, named: Q, *, provider: str, label: str) -> uuid.UUID:
    """Return the one connection at ``provider`` that a grant for the ``named`` subjects is on."""
    slug, _ = meant_by(provider)
    grants = AccessGrant.objects.for_tenant(tenant.id).standing().exclude(expires_at__lte=Now()).filter(named)
    there = grants.filter(Q(connection__provider=slug) | Q(provider=slug))
    on = set(there.values_list("connection", flat=True))
    found = _at(tenant, provider=provider, label=label)
    return _chosen(list(found if None in on else found.filter(id__in=on)))


def _naming(*, end_user: str | None, groups: Sequence[str], agent: str, client_id: uuid.UUID) -> Q:
    """Return which grants name one of these (``policy.decide``)."""
    named = Q(subject_kind=SubjectKind.API_CLIENT, subject=str(client_id))
    if end_user is not None:
        named |= Q(subject_kind=SubjectKind.END_USER, subject=end_user)
        named |= Q(subject_kind=SubjectKind.GROUP, subject__in=groups)
    if agent:
        named |= Q(subject_kind=SubjectKind.AGENT, subject=agent)
    return named


def _at(tenant: Tenant, *, provider: str, label: str) -> QuerySet[Connection]:
    """Return the tenant's connections at ``provider`` that have not ended, oldest first; with a ``label``, that one."""
    slug, style = meant_by(provider)
    found = Connection.objects.for_callers_of(tenant.id).filter(provider=slug).exclude(status=Status.DISCONNECTED)
    if style:
        found = found.filter(provider_app__auth_style=style)
    if label:
        found = found.filter(label=label)
    return found.order_by("created_at", "id").only(*_CHOSEN_BY)


def _chosen(rows: Sequence[Connection]) -> uuid.UUID:
    """Return the id of the one to use: those that work come first. Raises ``AmbiguousConnection``, ``NotFound``."""
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
