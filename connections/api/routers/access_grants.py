"""``/access-grants``: who may use whose connection."""

import uuid

from django.http import HttpRequest
from ninja import Router

from connections.api.access_grants import AccessGrantIn, AccessGrantOut, AccessGrantPage, access_grant_out
from connections.api.auth import Caller, caller_of
from connections.api.conditional import unchanged
from connections.api.filters import After, Before, made_between
from connections.api.pages import Cursor, Limit, page_of
from connections.api.texts import EndUser, Slug
from connections.database.clock import database_now
from connections.lifecycle.policy.give import give
from connections.lifecycle.policy.revoke import revoke_grant
from connections.models import AccessGrant, Permission, SubjectKind
from connections.refusals import NotFound

router = Router(tags=["access grants"])


@router.post("", response={200: AccessGrantOut, 201: AccessGrantOut}, summary="Give an access grant")
def create_access_grant(request: HttpRequest, body: AccessGrantIn) -> tuple[int, AccessGrantOut]:
    """Let somebody use a connection who is not its owner, within the limits that you name.

    A grant of the same terms that stands already is returned as it is (200). The terms of a grant never change: give
    another one, and revoke this. No API client gives a grant to itself.
    """
    caller = caller_of(request, may=Permission.GRANT)
    tenant, now = caller.tenant(body.tenant), database_now()
    grant, is_new = give(body.terms(), tenant=tenant, now=now, actor=caller.actor)
    return 201 if is_new else 200, access_grant_out(grant, tenant=tenant.slug, now=now)


@router.get("", response=AccessGrantPage, summary="List access grants")
def list_access_grants(
    request: HttpRequest,
    tenant: Slug | None = None,
    subject_kind: SubjectKind | None = None,
    subject: EndUser | None = None,
    connection: uuid.UUID | None = None,
    provider: Slug | None = None,
    granted_by: EndUser | None = None,
    revoked: bool | None = None,
    created_after: After = None,
    created_before: Before = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> AccessGrantPage:
    """List a tenant's grants, the newest first. `connection` means those that name it, not those on its provider."""
    caller = caller_of(request, may=Permission.READ)
    owner, now = caller.tenant(tenant), database_now()
    wanted = {
        "subject_kind": subject_kind,
        "subject": subject,
        "connection_id": connection,
        "provider": provider,
        "granted_by": granted_by,
        "revoked_at__isnull": None if revoked is None else not revoked,
    }
    found = AccessGrant.objects.for_tenant(owner.id).filter(
        **{name: value for name, value in wanted.items() if value is not None}
    )
    found = found.filter(made_between(created_after, created_before))
    page, following = page_of(found, cursor, limit=limit)
    return AccessGrantPage(
        items=[access_grant_out(row, tenant=owner.slug, now=now) for row in page],
        next=following,
    )


@router.get("/{grant_id}", response=AccessGrantOut, summary="Show one access grant")
def get_access_grant(request: HttpRequest, grant_id: uuid.UUID, tenant: Slug | None = None) -> AccessGrantOut:
    """Show one grant, revoked or not."""
    grant = _grant(caller_of(request, may=Permission.READ), grant_id, tenant)
    return access_grant_out(grant, tenant=grant.tenant.slug, now=database_now())


@router.delete("/{grant_id}", response=AccessGrantOut, summary="Revoke an access grant")
def delete_access_grant(request: HttpRequest, grant_id: uuid.UUID, tenant: Slug | None = None) -> AccessGrantOut:
    """Revoke a grant: it allows nothing from the next request on, and stays to be read. Repeating it changes nothing.

    A credential that was vended under it lives until its own end.
    """
    caller = caller_of(request, may=Permission.GRANT, conditional=True)
    grant, now = _grant(caller, grant_id, tenant), database_now()
    seen = unchanged(request, lambda row: access_grant_out(row, tenant=grant.tenant.slug, now=now))
    revoke_grant(grant.id, now=now, actor=caller.actor, check=seen)
    grant.refresh_from_db(fields=["revoked_at"])
    return access_grant_out(grant, tenant=grant.tenant.slug, now=now)


def _grant(caller: Caller, grant_id: uuid.UUID, slug: str | None) -> AccessGrant:
    """Return one grant of the tenant that the call is about. Raises ``NotFound``, always in the same words."""
    tenant = caller.tenant(slug)
    grant = AccessGrant.objects.for_tenant(tenant.id).select_related("tenant").filter(id=grant_id).first()
    if grant is None:
        raise NotFound("There is no such access grant.")
    return grant
