"""``/approvals``: what waits for a yes or no under access grants that need one for each thing."""

import uuid

from django.http import HttpRequest
from ninja import Router

from connections.api.approvals import ApprovalIn, ApprovalOut, ApprovalPage, DecisionIn, approval_out
from connections.api.auth import Caller, caller_of
from connections.api.filters import After, Before, made_between
from connections.api.pages import Cursor, Limit, page_of
from connections.api.texts import Slug
from connections.database.clock import database_now
from connections.lifecycle.policy.approve import decide_approval
from connections.models import Approval, Permission
from connections.refusals import NotFound

router = Router(tags=["access grants"])


@router.get("", response=ApprovalPage, summary="List approvals")
def list_approvals(
    request: HttpRequest,
    tenant: Slug | None = None,
    connection: uuid.UUID | None = None,
    grant: uuid.UUID | None = None,
    decided: bool | None = None,
    created_after: After = None,
    created_before: Before = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> ApprovalPage:
    """List what was asked, the newest first. One that expired without an answer counts as not decided at first."""
    caller = caller_of(request, may=Permission.READ)
    owner, now = caller.tenant(tenant), database_now()
    wanted = {
        "connection_id": connection,
        "grant_id": grant,
        "decided_at__isnull": None if decided is None else not decided,
    }
    found = Approval.objects.filter(
        tenant=owner, **{name: value for name, value in wanted.items() if value is not None}
    )
    found = found.filter(made_between(created_after, created_before))
    page, following = page_of(found, cursor, limit=limit)
    return ApprovalPage(
        items=[approval_out(row, tenant=owner.slug, now=now) for row in page],
        next=following,
    )


@router.get("/{approval_id}", response=ApprovalOut, summary="Show one approval")
def get_approval(request: HttpRequest, approval_id: uuid.UUID, tenant: Slug | None = None) -> ApprovalOut:
    """Show what was asked, by whom, and the answer."""
    approval = _approval(caller_of(request, may=Permission.READ), approval_id, tenant)
    return approval_out(approval, tenant=approval.tenant.slug, now=database_now())


@router.post("/{approval_id}/approve", response=ApprovalOut, summary="Approve what was asked")
def approve(request: HttpRequest, approval_id: uuid.UUID, body: ApprovalIn) -> ApprovalOut:
    """Allow exactly what was asked: one time within 15 minutes, or until a moment. The caller then repeats its request.

    Whoever you let answer, you know who that is: `decided_by` goes into the audit trail. An API client approves nothing
    that it has asked for.
    """
    caller = caller_of(request, may=Permission.GRANT)
    approval, now = _approval(caller, approval_id, body.tenant), database_now()
    decided = decide_approval(
        approval.id, approves=True, by=body.decided_by, until=body.until, now=now, actor=caller.actor
    )
    return approval_out(decided, tenant=approval.tenant.slug, now=now)


@router.post("/{approval_id}/deny", response=ApprovalOut, summary="Deny what was asked")
def deny(request: HttpRequest, approval_id: uuid.UUID, body: DecisionIn) -> ApprovalOut:
    """Say no: until the question expires, the same request is refused (`policy_denied`, rule `approval_denied`)."""
    caller = caller_of(request, may=Permission.GRANT)
    approval, now = _approval(caller, approval_id, body.tenant), database_now()
    decided = decide_approval(approval.id, approves=False, by=body.decided_by, now=now, actor=caller.actor)
    return approval_out(decided, tenant=approval.tenant.slug, now=now)


def _approval(caller: Caller, approval_id: uuid.UUID, slug: str | None) -> Approval:
    """Return one approval of the tenant that the call is about. Raises ``NotFound``, always in the same words."""
    tenant = caller.tenant(slug)
    found = Approval.objects.filter(tenant=tenant, id=approval_id).select_related("tenant").first()
    if found is None:
        raise NotFound("There is no such approval.")
    return found
