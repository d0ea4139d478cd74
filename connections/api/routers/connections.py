"""``/connections``: reading, changing and steering them."""

import uuid

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query

from connections.api.access_grants import SharingIn
from connections.api.auth import Caller, caller_of
from connections.api.conditional import unchanged
from connections.api.filters import After, Before, Tag, has_tags, made_between
from connections.api.pages import Cursor, Limit, page_of
from connections.api.problems import say_when_again
from connections.api.representations import connection_out
from connections.api.schemas import (
    ChangedOut,
    ConnectionOut,
    ConnectionPage,
    ConnectionPatch,
    OutcomeOut,
    ReportIn,
    ReportOut,
)
from connections.api.self_service import ReceiptPage, receipt_before, receipts_out
from connections.api.texts import EndUser, Label, Note, Slug
from connections.database.clock import database_now
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.policy.share import share
from connections.lifecycle.probe.report import report
from connections.lifecycle.self_service.receipts import Wanted, receipts
from connections.lifecycle.steer.describe import describe
from connections.lifecycle.steer.on_demand import probe_on_demand, refresh_on_demand
from connections.models import Connection, Permission, Trigger
from connections.models import Status as ConnectionStatus
from providers.catalog.loader import meant_by

router = Router(tags=["connections"])

_STATUSES = Query([], max_length=10, description="repeat it for any of several")
_TAGS = Query(
    [],
    max_length=10,
    description="`name:value` of the metadata: the member has this value, or lists it; repeat it, and all hold",
)


@router.get("", response=ConnectionPage, summary="List connections")
def list_connections(
    request: HttpRequest,
    tenant: Slug | None = None,
    end_user: EndUser | None = None,
    provider: Slug | None = None,
    status: list[ConnectionStatus] = _STATUSES,
    label: Label | None = None,
    tag: list[Tag] = _TAGS,
    created_after: After = None,
    created_before: Before = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> ConnectionPage:
    """List a tenant's connections, newest first. An alias of a provider means those by the style it stands for."""
    caller = caller_of(request, may=Permission.READ)
    found = Connection.objects.for_callers_of(caller.tenant(tenant).id)
    slug, style = meant_by(provider) if provider is not None else (None, "")
    wanted = {
        "end_user": end_user,
        "provider": slug,
        "status__in": status or None,
        "label": label,
        "provider_app__auth_style": style or None,
    }
    found = found.filter(**{name: value for name, value in wanted.items() if value is not None})
    found = found.filter(has_tags(tag), made_between(created_after, created_before))
    found = found.select_related("tenant", "provider_app").prefetch_related("scopes")
    page, following = page_of(found, cursor, limit=limit)
    return ConnectionPage(items=[connection_out(row) for row in page], next=following)


@router.get("/{connection_id}", response=ConnectionOut, summary="Show one connection")
def get_connection(request: HttpRequest, connection_id: uuid.UUID, tenant: Slug | None = None) -> ConnectionOut:
    """Show one connection: its status and why, its scopes and its health."""
    caller = caller_of(request, may=Permission.READ)
    return connection_out(caller.connection(connection_id, tenant))


@router.get("/{connection_id}/receipts", response=ReceiptPage, summary="List who used a connection")
def list_receipts(
    request: HttpRequest,
    connection_id: uuid.UUID,
    tenant: Slug | None = None,
    client: uuid.UUID | None = None,
    end_user: EndUser | None = None,
    agent: Note | None = None,
    purpose: Note | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> ReceiptPage:
    """List each credential that was handed out: to which client, for whom, for what, as which agent; newest first."""
    caller = caller_of(request, may=Permission.READ)
    connection = caller.connection(connection_id, tenant)
    wanted = Wanted(api_client=client, subject=end_user, agent=agent, purpose=purpose)
    list_ = f"receipts {connection.id} {wanted}"
    before = None if cursor is None else receipt_before(cursor, of=list_)
    return receipts_out(receipts(connection.id, before=before, limit=limit, wanted=wanted), of=list_)


@router.patch("/{connection_id}", response=ConnectionOut | ChangedOut, summary="Change metadata, label or default")
def patch_connection(
    request: HttpRequest, connection_id: uuid.UUID, body: ConnectionPatch
) -> ConnectionOut | ChangedOut:
    """Change what you give: `metadata` (your own notes, at most 16 KiB of JSON, replaced whole), `label`, `default`."""
    caller = caller_of(request, may=Permission.MANAGE, conditional=True)
    connection = caller.connection(connection_id, body.tenant)
    describe(
        connection.id,
        metadata=body.metadata,
        label=body.label,
        is_default=body.default,
        check=unchanged(request, connection_out),
        actor=caller.actor,
    )
    return as_it_is(caller, connection_id, body.tenant)


@router.put("/{connection_id}/sharing", response=ConnectionOut | ChangedOut, summary="Say who may use a connection")
def put_sharing(request: HttpRequest, connection_id: uuid.UUID, body: SharingIn) -> ConnectionOut | ChangedOut:
    """Say whether a connection is used under access grants only, and who answers for one of the whole tenant's.

    With `grants_only` even its owner needs a grant. Handing over changes nothing at the provider: the credential stays
    that of the account which was connected, until somebody connects another.
    """
    caller = caller_of(request, may=Permission.GRANT, conditional=True)
    connection = caller.connection(connection_id, body.tenant)
    seen = unchanged(request, connection_out)
    share(connection.id, granted_by=body.granted_by, grants_only=body.grants_only, check=seen, actor=caller.actor)
    return as_it_is(caller, connection_id, body.tenant)


@router.delete("/{connection_id}", response=ConnectionOut | ChangedOut, summary="Disconnect")
def delete_connection(
    request: HttpRequest, connection_id: uuid.UUID, tenant: Slug | None = None
) -> ConnectionOut | ChangedOut:
    """Stop vending at once, and have the grant revoked at the provider; ``revocation`` tells how far that is.

    While another connection lives on the same grant, and the provider would end that too, the secrets are destroyed
    and nothing is revoked (`withheld`). The last connection of a grant revokes it.
    """
    caller = caller_of(request, may=Permission.MANAGE, conditional=True)
    connection = caller.connection(connection_id, tenant)
    disconnect(connection.id, now=database_now(), actor=caller.actor, check=unchanged(request, connection_out))
    return as_it_is(caller, connection_id, tenant)


@router.post("/{connection_id}/refresh", response=OutcomeOut, summary="Refresh now")
def refresh_connection(
    request: HttpRequest, response: HttpResponse, connection_id: uuid.UUID, tenant: Slug | None = None
) -> OutcomeOut:
    """Replace the current credential by a fresh one; several calls at once lead to one request.

    Not so within 10 s of the last refresh (`too_soon`). `Retry-After` says when asking again can lead to more.
    """
    caller = caller_of(request, may=Permission.MANAGE)
    connection = caller.connection(connection_id, tenant)
    told = refresh_on_demand(connection.id, actor=caller.actor, trigger=Trigger.API)
    say_when_again(response, told.retry_after_seconds)
    return OutcomeOut(outcome=told.code, connection=as_it_is(caller, connection_id, tenant))


@router.post("/{connection_id}/probe", response=OutcomeOut, summary="Probe now")
def probe_connection(request: HttpRequest, connection_id: uuid.UUID, tenant: Slug | None = None) -> OutcomeOut:
    """Prove that the credential works, by a cheap call to the provider."""
    caller = caller_of(request, may=Permission.MANAGE)
    connection = caller.connection(connection_id, tenant)
    told = probe_on_demand(connection.id, actor=caller.actor, trigger=Trigger.API)
    return OutcomeOut(outcome=told.code, connection=as_it_is(caller, connection_id, tenant))


@router.post("/{connection_id}/report", response=ReportOut, summary="Report a refused credential")
def report_connection(request: HttpRequest, connection_id: uuid.UUID, body: ReportIn) -> ReportOut:
    """Tell that the provider answered 401 to a vended version; the current one is then probed at once."""
    caller = caller_of(request, may=Permission.VEND)
    connection = caller.connection(connection_id, body.tenant)
    told = report(connection.id, version_id=body.version, status=body.status, actor=caller.actor)
    return ReportOut(
        superseded=told.is_superseded,
        verdict=told.verdict,
        status=told.connection.status,
        reason=told.connection.reason,
    )


def as_it_is(caller: Caller, connection_id: uuid.UUID, tenant: str | None) -> ConnectionOut | ChangedOut:
    """Return the connection as it is now; to a client without the permission to read, only its status."""
    connection = caller.connection(connection_id, tenant)
    if Permission.READ in caller.client.permissions:
        return connection_out(connection)
    return ChangedOut(
        id=connection.id, status=connection.status, reason=connection.reason, revocation=connection.revocation
    )
