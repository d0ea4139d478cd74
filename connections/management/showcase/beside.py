"""What stands beside the connections: access grants, approvals, deliveries, offboardings, imports, background jobs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from connections.lifecycle.steer.export import standing_of
from connections.management.showcase.chance import Chance
from connections.management.showcase.grants import Granted
from connections.management.showcase.ground import Ground
from connections.management.showcase.names import AGENTS, PURPOSES
from connections.management.showcase.rows import write
from connections.models import (
    VENDS,
    AccessGrant,
    Approval,
    BulkAct,
    BulkJob,
    BulkRow,
    DeliveryState,
    ImportRow,
    ImportRun,
    Offboarding,
    OutboxEvent,
    SubjectKind,
    Tenant,
    TenantDomain,
    WebhookDelivery,
)
from connections.models.import_run import ImportState, RowState

_PATHS = ("/contacts/**", "/crm/v3/objects/**", "/invoices/*", "/v1/messages")


def lay_beside(chance: Chance, ground: Ground, granted: Sequence[Granted], events: Sequence[OutboxEvent]) -> None:
    """Write all of it."""
    well = [one for one in granted if one.condition.status in VENDS]
    grants = [_grant(chance, one, place) for place, one in enumerate(chance.some_of(well, len(granted) // 40))]
    write(grants)
    write([_approval(chance, grant, ground) for grant in grants if grant.needs_approval])
    _deliveries(chance, ground, events)
    _offboardings(chance, granted)
    _imports(chance, ground)
    _jobs(chance, ground, granted)
    write([_domain(chance, tenant) for tenant in ground.tenants])


def _grant(chance: Chance, granted: Granted, place: int) -> AccessGrant:
    kind = chance.one_of((SubjectKind.END_USER, SubjectKind.GROUP, SubjectKind.AGENT))
    subjects = {
        SubjectKind.END_USER: ".".join(chance.person()).lower(),
        SubjectKind.GROUP: chance.one_of(("sales", "finance", "support", "engineering")),
        SubjectKind.AGENT: chance.one_of(AGENTS[3:]),
    }
    created_at = chance.before(timedelta(days=40))
    grant = AccessGrant(
        id=chance.id(),
        tenant=granted.tenant,
        subject_kind=kind,
        subject=subjects[kind],
        connection=granted.connection,
        methods=chance.one_of((["GET"], ["GET", "POST"], None)),
        paths=chance.one_of(([_PATHS[0]], list(_PATHS[1:3]), None)),
        needs_approval=place % 3 == 0,
        granted_by=granted.connection.end_user,
        note=chance.one_of(("", "while Priya is away", "for the quarter's report")),
        created_at=created_at,
        expires_at=chance.after(timedelta(days=60)) if chance.falls(0.6) else None,
        revoked_at=created_at + (chance.now - created_at) / 2 if chance.falls(0.15) else None,
    )
    grant.seal_terms()
    return grant


def _approval(chance: Chance, grant: AccessGrant, ground: Ground) -> Approval:
    at = chance.before(timedelta(days=3))
    approval = Approval(
        id=chance.id(),
        tenant=grant.tenant,
        grant=grant,
        connection=grant.connection,
        api_client_id=ground.callers[grant.tenant.slug][0].id,
        end_user=grant.subject if grant.subject_kind == SubjectKind.END_USER else "",
        agent=grant.subject if grant.subject_kind == SubjectKind.AGENT else "",
        purpose=chance.one_of(PURPOSES),
        action="proxy",
        method="POST",
        path=chance.one_of(("/crm/v3/objects/notes", "/v1/messages", "/invoices/1042")),
        asked=chance.digest(),
        created_at=at,
        expires_at=at + timedelta(hours=12),
    )
    if chance.falls(0.6):
        approval.is_approved = chance.falls(0.8)
        approval.decided_at = at + timedelta(minutes=chance.number(2, 90))
        approval.decided_by = grant.granted_by or "olga"
        approval.good_until = approval.decided_at + timedelta(hours=1) if approval.is_approved else None
        approval.used_at = approval.decided_at + timedelta(minutes=3) if approval.is_approved else None
    return approval


def _deliveries(chance: Chance, ground: Ground, events: Sequence[OutboxEvent]) -> None:
    by_tenant = {endpoint.tenant_id: endpoint for endpoint in ground.endpoints.values()}
    broken = {endpoint.id for endpoint in chance.some_of(list(ground.endpoints.values()), 2)}
    rows = []
    for event in events:
        endpoint = by_tenant.get(event.tenant_id)
        if endpoint is None or event.created_at < chance.now - timedelta(days=14):
            continue
        is_failed = endpoint.id in broken and chance.falls(0.7)
        at = event.created_at + timedelta(milliseconds=chance.number(80, 4000))
        rows.append(
            WebhookDelivery(
                id=chance.id(),
                endpoint=endpoint,
                event=event,
                lane=event.connection_id or endpoint.id,
                state=DeliveryState.FAILED if is_failed else DeliveryState.DELIVERED,
                attempts=chance.number(9, 14) if is_failed else chance.one_of((1, 2), (95, 5)),
                answer_status=503 if is_failed else 204,
                error="It answered 503." if is_failed else "",
                attempted_at=at,
                failing_since=event.created_at if is_failed else None,
                ended_at=at + timedelta(hours=70) if is_failed else at,
                created_at=event.created_at,
            )
        )
    write(rows)


def _offboardings(chance: Chance, granted: Sequence[Granted]) -> None:
    rows = []
    for one in chance.some_of([one for one in granted if one.condition.status not in VENDS], 24):
        ordered_at = chance.before(timedelta(days=50))
        receipt = {
            "provider": one.connection.provider,
            "owner": "end_user",
            "act": "disconnected",
            "revocation": "confirmed",
        }
        rows.append(
            Offboarding(
                id=chance.id(),
                tenant=one.tenant,
                end_user=f"former-{chance.number(1000, 9999)}",
                mode="offboard",
                connections={str(one.connection.id): receipt},
                counts={"sessions": chance.number(0, 3)},
                ordered_at=ordered_at,
                done_at=ordered_at + timedelta(seconds=chance.number(3, 900)),
            )
        )
    write(rows)


def _imports(chance: Chance, ground: Ground) -> None:
    runs, rows = [], []
    for tenant in chance.some_of(ground.tenants, 3):
        at = chance.before(timedelta(days=20))
        run = ImportRun(
            id=chance.id(),
            tenant=tenant,
            state=ImportState.DONE,
            options={"dry_run": False},
            operator="olga",
            lines=12,
            created_at=at,
            finished_at=at + timedelta(minutes=2),
        )
        runs.append(run)
        for line in range(1, 13):
            is_refused = chance.falls(0.2)
            rows.append(
                ImportRow(
                    id=chance.id(),
                    run=run,
                    line=line,
                    tenant=tenant,
                    state=RowState.REFUSED if is_refused else RowState.SETTLED,
                    code="unknown_provider" if is_refused else "imported",
                    field="provider" if is_refused else "",
                    detail="The catalogue has no such provider." if is_refused else "",
                    provider=chance.one_of(ground.apps).row.provider,
                    end_user=".".join(chance.person()).lower(),
                )
            )
    write(runs)
    write(rows)


def _jobs(chance: Chance, ground: Ground, granted: Sequence[Granted]) -> None:
    """Write background jobs: two that are done, one that was cancelled half-way, and an export that is under way."""
    outcomes = {
        BulkAct.REFRESH: ("ordered", "Ordered: a worker refreshes it."),
        BulkAct.PAUSE: ("turned", "Done."),
        BulkAct.DISCONNECT: ("disconnected", "Disconnected: it is revoked at the provider in the background."),
        BulkAct.EXPORT: ("exported", "Noted."),
    }
    jobs, rows = [], []
    for place, (act, (code, detail)) in enumerate(outcomes.items()):
        is_last = place == len(outcomes) - 1
        tenant = None if is_last else chance.one_of(ground.tenants)
        chosen = [one for one in granted if tenant is None or one.tenant.id == tenant.id]
        chosen = chance.some_of(chosen, 200 if is_last else 60)
        at = chance.before(timedelta(minutes=2) if is_last else timedelta(days=20))
        is_cancelled = act is BulkAct.DISCONNECT
        job = BulkJob(
            id=chance.id(),
            act=act,
            tenant=tenant,
            operator="olga",
            address="10.20.0.14",
            total=len(chosen),
            ordered_at=at,
            cancelled_at=at + timedelta(seconds=21) if is_cancelled else None,
            finished_at=None if is_last else at + timedelta(seconds=chance.number(22, 90)),
        )
        jobs.append(job)
        for number, one in enumerate(chosen):
            told: dict[str, Any] = {"code": code, "is_success": True, "detail": detail}
            if is_cancelled and number > len(chosen) // 3:
                told = {"code": "cancelled", "is_success": False, "detail": "Cancelled."}
            elif is_last and number > len(chosen) // 2:
                told = {}
            elif act is BulkAct.PAUSE and chance.falls(0.1):
                told = {"code": "already", "is_success": False, "detail": "It was so already."}
            elif is_last:
                told["facts"] = standing_of(one.connection)
            rows.append(BulkRow(job=job, connection=one.connection, **told))
    write(jobs)
    write(rows)


def _domain(chance: Chance, tenant: Tenant) -> TenantDomain:
    is_verified = chance.falls(0.8)
    return TenantDomain(
        id=chance.id(),
        tenant=tenant,
        host=f"app.{tenant.slug}.example",
        challenge=chance.token(12),
        verified_at=chance.before(timedelta(days=90)) if is_verified else None,
        verified_until=chance.now + timedelta(days=20) if is_verified else None,
        looked_at=chance.before(timedelta(hours=20)),
        failure="" if is_verified else "The host did not answer.",
        created_at=chance.before(timedelta(days=300)),
    )
