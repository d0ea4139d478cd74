"""Delete a tenant: from the first transaction on it vends nothing, and in the end none of its secrets can be opened.

There are two steps. *Ordered*: the tenant is suspended for good, its connect sessions end, its connections are
disconnected, their providers are asked to revoke, and the clients that it registered end at their servers
(``registration.renew``). *Shredded*: the tenant's data keys are destroyed, which makes everything that was sealed under
them unreadable, wherever a copy may be; then its rows are deleted, in batches. Shredding follows when every revocation
and registration has ended, after 24 hours at the latest. Where the operator orders deletion at
once, it follows immediately and no provider is asked.

After each transaction any process can go on, and repeating any step is harmless. Only the audit trail stays. Provider
apps that all tenants share, and operator-wide API clients, do not belong to the tenant.
"""

import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db.models import Count, Model, ProtectedError, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Least

from connections.database.locks import RowCheck, lock_to_compare
from connections.database.pool import LockTimeout, short_transaction
from connections.journal import audit
from connections.lifecycle.credentials import spool
from connections.lifecycle.credentials.promote import SECRETS_KEPT
from connections.lifecycle.credentials.subject_tokens import forget_subject_tokens
from connections.lifecycle.end.batches import delete_in_batches
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.end.end_sessions import end_sessions
from connections.models import (
    EXCHANGE_LIMIT,
    SESSION_OPEN,
    AccessGrant,
    ActivityFigures,
    ApiClient,
    ApiKey,
    AppKey,
    AttemptState,
    Connection,
    ConnectionFigures,
    ConnectSession,
    DataKey,
    ImportRow,
    ManagementSession,
    OutboxEvent,
    ProviderApp,
    PushContent,
    RefreshAttempt,
    RegisteredClient,
    Revocation,
    SessionState,
    Status,
    Tenant,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)
from connections.models.bundle import has_moved
from connections.models.data_key import SHREDDED
from connections.refusals import NotFound

logger = structlog.get_logger(__name__)

RUN_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Deletion:
    """How far the deletion of a tenant has come.

    ``connections`` counts the connections that are left, ``revoking`` those whose revocation has not ended.
    ``shred_at`` is when the data keys are destroyed at the latest; None when the tenant is gone.
    """

    slug: str
    shred_at: datetime | None
    connections: int = 0
    revoking: int = 0

    @property
    def is_done(self) -> bool:
        """Whether nothing is left but the audit trail."""
        return self.shred_at is None


def contents_of(tenant: Tenant) -> dict[str, int]:
    """Return how many rows of each kind ("connections", "API keys"…) go with ``tenant``. One query for each kind."""
    rows: dict[str, QuerySet[Model]] = {
        "connections": Connection.objects.for_tenant(tenant.id),
        "provider apps": ProviderApp.objects.filter(tenant=tenant),
        "API clients": ApiClient.objects.filter(tenant=tenant),
        "API keys": ApiKey.objects.filter(client__tenant=tenant),
        "access grants": AccessGrant.objects.for_tenant(tenant.id),
        "connect sessions": ConnectSession.objects.filter(tenant=tenant),
        "webhook endpoints": WebhookEndpoint.objects.filter(tenant=tenant),
        "events": OutboxEvent.objects.filter(tenant_id=tenant.id),
        "data keys": DataKey.objects.filter(tenant=tenant),
    }
    return {name: found.count() for name, found in rows.items()}


def revocations_of(tenant: Tenant) -> list[tuple[str, int]]:
    """Return the providers that will be asked to revoke the connections of ``tenant``, with how many. One query."""
    live = Connection.objects.for_tenant(tenant.id).live().exclude(status=Status.REVOKED).order_by()
    counted = live.values_list("provider").annotate(count=Count("id"))
    return sorted(counted, key=lambda item: (-item[1], item[0]))


def order_deletion(
    tenant_id: uuid.UUID, *, now: datetime, at_once: bool, actor: audit.Actor, check: RowCheck | None = None
) -> Deletion:
    """Suspend a tenant for good and order its deletion. One short transaction; ``continue_deletion`` does the rest.

    ``at_once`` waits for no revocation, and that is how a tenant goes which has moved: its grants live on elsewhere.
    Repeating the order changes nothing, except that ``at_once`` hastens an earlier order. Raises ``NotFound``, and what
    ``check`` raises of the locked tenant.
    """
    shred_at = now if at_once or has_moved(tenant_id) else now + SECRETS_KEPT
    with short_transaction():
        found = Tenant.objects.filter(id=tenant_id)
        if check is not None and (seen := found.first()) is not None:
            lock_to_compare(seen, check)
        changed = found.filter(Q(shred_at=None) | Q(shred_at__gt=shred_at)).update(
            suspended_at=Coalesce("suspended_at", Value(now)), shred_at=Least("shred_at", Value(shred_at))
        )
        tenant = found.only("id", "slug", "shred_at").first()
        if tenant is None:
            raise NotFound("There is no such tenant.")
        if changed:
            forget_subject_tokens(tenant)
            audit.record(
                "tenant.delete_ordered",
                actor=actor,
                tenant_id=tenant.id,
                detail={"slug": tenant.slug, "shred_at": str(tenant.shred_at)},
            )
    return _progress(tenant)


def delete_ordered(*, now: datetime) -> int:
    """Continue every ordered deletion, for 20 s at the most. Return how many tenants are gone. No HTTP."""
    give_up_at = time.monotonic() + RUN_SECONDS
    ordered = list(Tenant.objects.filter(shred_at__isnull=False).order_by("shred_at").values_list("id", flat=True))
    return sum(continue_deletion(tenant_id, now=now, give_up_at=give_up_at).is_done for tenant_id in ordered)


def continue_deletion(tenant_id: uuid.UUID, *, now: datetime, give_up_at: float | None = None) -> Deletion:
    """Take the ordered deletion of a tenant as far as possible now, and return how far it has come. No HTTP.

    Opens short transactions. ``give_up_at`` is a moment of ``time.monotonic()``; without it, 20 s from now. Rows that
    another transaction has locked, and rows to which an exchange under way may still write, are left for the next run.
    Does nothing for a tenant whose deletion was not ordered. Raises ``NotFound`` where there is no such tenant.
    """
    give_up_at = time.monotonic() + RUN_SECONDS if give_up_at is None else give_up_at
    tenant = Tenant.objects.only("id", "slug", "shred_at").filter(id=tenant_id).first()
    if tenant is None:
        raise NotFound("There is no such tenant.")
    if tenant.shred_at is None:
        raise ValueError("The deletion of this tenant was not ordered.")
    if tenant.shred_at > now:
        end_sessions(_open_sessions(tenant), now=now, give_up_at=give_up_at)
        _disconnect(tenant, now=now, give_up_at=give_up_at)
        _registered(tenant).filter(Q(claimed_until=None) | Q(claimed_until__lte=now), replaced_at=None).update(
            replaced_at=now, renew_at=None
        )
        if _is_in_use(tenant):
            return _progress(tenant)
    _shred(tenant)
    if not _is_written_to(tenant, now=now) and _delete_rows(tenant, give_up_at=give_up_at):
        return Deletion(tenant.slug, None)
    return _progress(tenant)


def _progress(tenant: Tenant) -> Deletion:
    left = Connection.objects.for_tenant(tenant.id)
    revoking = left.filter(revocation=Revocation.PENDING).count()
    return Deletion(tenant.slug, tenant.shred_at, connections=left.count(), revoking=revoking)


def _open_sessions(tenant: Tenant) -> QuerySet[ConnectSession]:
    return ConnectSession.objects.filter(tenant=tenant, state__in=SESSION_OPEN)


def _disconnect(tenant: Tenant, *, now: datetime, give_up_at: float) -> None:
    for connection_id in list(_connected(tenant).order_by("id").values_list("id", flat=True)):
        if time.monotonic() > give_up_at:
            return
        with suppress(LockTimeout, NotFound):
            disconnect(connection_id, now=now, actor=audit.SYSTEM)


def _connected(tenant: Tenant) -> QuerySet[Connection]:
    """Return the connections to disconnect. A pending one is left out: it ends with its connect session."""
    return Connection.objects.for_tenant(tenant.id).exclude(status__in=(Status.DISCONNECTED, Status.PENDING))


def _registered(tenant: Tenant) -> QuerySet[RegisteredClient]:
    return RegisteredClient.objects.filter(provider_app__tenant=tenant)


def _is_in_use(tenant: Tenant) -> bool:
    """Whether a session, connection or registration has not ended yet, or a revocation is pending."""
    revoking = Connection.objects.for_tenant(tenant.id).filter(revocation=Revocation.PENDING)
    is_registered = _registered(tenant).filter(management__isnull=False).exists()
    return is_registered or revoking.exists() or _connected(tenant).exists() or _open_sessions(tenant).exists()


def _shred(tenant: Tenant) -> None:
    """Destroy the tenant's data keys in one short transaction, however many rows they open."""
    with short_transaction():
        keys = DataKey.objects.filter(tenant=tenant).exclude(wrapped=SHREDDED).update(wrapped=SHREDDED)
        ProviderApp.objects.filter(tenant=tenant).update(secrets=None, push_secrets=None)
        PushContent.objects.filter(tenant=tenant).delete()
        AppKey.objects.filter(provider_app__tenant=tenant, private_key__isnull=False).update(private_key=None)
        _registered(tenant).update(secrets=None, management=None)
        WebhookSecret.objects.filter(endpoint__tenant=tenant).delete()
        if keys:
            detail = {"slug": tenant.slug, "data_keys": keys, "not_revoked": _not_revoked(tenant)}
            audit.record("tenant.shredded", tenant_id=tenant.id, detail=detail)


def _not_revoked(tenant: Tenant) -> dict[str, int]:
    """Return of how many connections the secrets go although no provider has confirmed their revocation, by provider.

    These are the ones that were never asked for, or are given up; what cannot be revoked anywhere is not among them.
    """
    live = Connection.objects.for_tenant(tenant.id).filter(current_version__isnull=False).order_by()
    return dict(live.values_list("provider").annotate(count=Count("id")))


def _is_written_to(tenant: Tenant, *, now: datetime) -> bool:
    """Whether an exchange or a refresh is under way. Its answer has to find its row, although nobody will use it."""
    sent = RefreshAttempt.objects.filter(connection__tenant=tenant, state=AttemptState.SENT, deadline_at__gt=now)
    exchanging = ConnectSession.objects.filter(
        tenant=tenant, state=SessionState.EXCHANGING, exchange_started_at__gt=now - EXCHANGE_LIMIT
    )
    return sent.exists() or exchanging.exists()


def _of_trials(tenant: Tenant) -> QuerySet[OutboxEvent]:
    """Return the events of operators' trials with this tenant, which are the operator's."""
    trials = Connection.objects.for_tenant(tenant.id).filter(is_trial=True)
    return OutboxEvent.objects.filter(tenant_id=None, connection_id__in=trials.values("id"))


def _delete_rows(tenant: Tenant, *, give_up_at: float) -> bool:
    """Delete the tenant's rows, each before the rows to which it refers. Return whether all of them are gone."""
    kinds: tuple[QuerySet[Model], ...] = (
        ConnectSession.objects.filter(tenant=tenant),
        ImportRow.objects.filter(tenant=tenant),
        ManagementSession.objects.filter(tenant=tenant),
        _of_trials(tenant),
        Connection.objects.for_tenant(tenant.id),
        ProviderApp.objects.filter(tenant=tenant),
        ApiClient.objects.filter(tenant=tenant),
        DataKey.objects.filter(tenant=tenant),
        WebhookDelivery.objects.filter(endpoint__tenant=tenant),
        WebhookEndpoint.objects.filter(tenant=tenant),
        OutboxEvent.objects.filter(tenant_id=tenant.id),
        ConnectionFigures.objects.filter(tenant_id=tenant.id),
        ActivityFigures.objects.filter(tenant_id=tenant.id),
    )
    if not all(delete_in_batches(rows, give_up_at=give_up_at) for rows in kinds):
        return False
    with suppress(ProtectedError, LockTimeout), short_transaction():  # a row was added: the next run deletes it
        _, counts = Tenant.objects.filter(id=tenant.id).delete()
        if counts.get(Tenant._meta.label):
            audit.record("tenant.deleted", tenant_id=tenant.id, detail={"slug": tenant.slug})
            logger.info("tenant_deleted", tenant=str(tenant.id))
    if Tenant.objects.filter(id=tenant.id).exists():
        return False
    spool.replay(retries_aside=True)  # drops the files of connections that are gone
    return True
