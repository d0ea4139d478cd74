"""What of the tables a member of staff may see: everything, or what belongs to the tenants of the account's limit.

``PATHS`` is the rule of each table. A table without a rule shows nothing to limited staff, and neither does a row that
belongs to no tenant, such as a provider app that all tenants share.
"""

import uuid
from collections.abc import Mapping
from typing import TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model, QuerySet

from connections.models import (
    AccessGrant,
    ApiClient,
    ApiKey,
    AppKey,
    Approval,
    AuditEvent,
    Brand,
    BulkJob,
    BulkRow,
    Bundle,
    Connection,
    ConnectSession,
    CredentialVersion,
    DataKey,
    Finding,
    HeldConnection,
    ImportRow,
    ImportRun,
    Incident,
    ManagementSession,
    Offboarding,
    OutboxEvent,
    ProviderApp,
    ReceivedPush,
    RefreshAttempt,
    RegisteredClient,
    Scope,
    StaffLimit,
    Tenant,
    TenantDomain,
    TrustedIssuer,
    WebhookDelivery,
    WebhookEndpoint,
)

Staff = AbstractBaseUser | AnonymousUser
_Row = TypeVar("_Row", bound=Model)

# By table, the lookup that leads to the id of the tenant to which a row belongs.
PATHS: Mapping[type[Model], str] = {
    **dict.fromkeys((AccessGrant, ApiClient, Approval, Brand, Bundle, Connection, ConnectSession), "tenant_id"),
    **dict.fromkeys((DataKey, ImportRow, ImportRun, ManagementSession, Offboarding, ProviderApp), "tenant_id"),
    **dict.fromkeys((AuditEvent, OutboxEvent, TenantDomain, TrustedIssuer, WebhookEndpoint), "tenant_id"),
    **dict.fromkeys((CredentialVersion, HeldConnection, RefreshAttempt, Scope), "connection__tenant_id"),
    **dict.fromkeys((AppKey, Incident, ReceivedPush, RegisteredClient), "provider_app__tenant_id"),
    **dict.fromkeys((ApiKey, Finding), "client__tenant_id"),
    BulkJob: "tenant_id",
    BulkRow: "job__tenant_id",
    Tenant: "id",
    WebhookDelivery: "endpoint__tenant_id",
}
_KEPT = "_latchkey_limit"


def limit_of(user: Staff | None) -> frozenset[uuid.UUID] | None:
    """Return the ids of the only tenants that ``user`` may see, or None for one who may see all of them.

    Superusers are never limited: they can change accounts, their own included. Whoever is not logged in sees none. One
    query for each request, since a request has a user of its own.
    """
    if user is None or not user.is_authenticated:
        return frozenset()
    if getattr(user, "is_superuser", False):
        return None
    if not hasattr(user, _KEPT):
        found = list(StaffLimit.objects.filter(user_id=user.pk).values_list("tenants", flat=True))
        setattr(user, _KEPT, frozenset(one for one in found if one is not None) if found else None)
    kept: frozenset[uuid.UUID] | None = getattr(user, _KEPT)
    return kept


def visible(user: Staff | None, rows: QuerySet[_Row]) -> QuerySet[_Row]:
    """Return those of ``rows`` that ``user`` may see. Call it before ``rows`` is sliced. One query for each request."""
    tenants = limit_of(user)
    if tenants is None:
        return rows
    path = PATHS.get(rows.model)
    return rows.none() if path is None else rows.filter(**{f"{path}__in": tenants})


def is_limited(user: Staff | None) -> bool:
    """Whether ``user`` sees some tenants only. One query for each request."""
    return limit_of(user) is not None
