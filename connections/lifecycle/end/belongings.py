"""Belongings: what an end user has, by kind. ``offboard`` ends it; the API lists it. Querysets alone."""

import uuid

from django.db.models import QuerySet

from connections.models import (
    LIVE,
    SESSION_OPEN,
    AccessGrant,
    Connection,
    ConnectSession,
    OwnerKind,
    Status,
    SubjectKind,
)
from connections.models.access_grant import AccessGrantQuerySet


def own_of(tenant_id: uuid.UUID, end_user: str) -> QuerySet[Connection]:
    """Return every connection that is theirs, whatever its status."""
    return Connection.objects.for_tenant(tenant_id).filter(owner_kind=OwnerKind.END_USER, end_user=end_user)


def connected_of(tenant_id: uuid.UUID, end_user: str) -> QuerySet[Connection]:
    """Return those to disconnect. A pending one is left out: it ends with its connect session."""
    return own_of(tenant_id, end_user).exclude(status__in=(Status.DISCONNECTED, Status.PENDING))


def shared_of(tenant_id: uuid.UUID, end_user: str) -> QuerySet[Connection]:
    """Return the live connections of the whole tenant that they answer for."""
    return Connection.objects.for_tenant(tenant_id).filter(granted_by=end_user, status__in=LIVE)


def grants_to(tenant_id: uuid.UUID, end_user: str) -> AccessGrantQuerySet:
    """Return the access grants that name them."""
    return AccessGrant.objects.for_tenant(tenant_id).filter(subject_kind=SubjectKind.END_USER, subject=end_user)


def grants_by(tenant_id: uuid.UUID, end_user: str) -> AccessGrantQuerySet:
    """Return the access grants that they gave."""
    return AccessGrant.objects.for_tenant(tenant_id).filter(granted_by=end_user)


def open_sessions_of(tenant_id: uuid.UUID, end_user: str) -> QuerySet[ConnectSession]:
    """Return their connect sessions that have not ended."""
    return ConnectSession.objects.filter(state__in=SESSION_OPEN, tenant_id=tenant_id, end_user=end_user)


def has_anything(tenant_id: uuid.UUID, end_user: str) -> bool:
    """Whether anything of theirs has not ended. A few queries."""
    return (
        open_sessions_of(tenant_id, end_user).exists()
        or connected_of(tenant_id, end_user).exists()
        or shared_of(tenant_id, end_user).exists()
        or grants_to(tenant_id, end_user).standing().exists()
    )
