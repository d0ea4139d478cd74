"""``/connections/{connection_id}/…``: how a connection was refreshed, what it was given, and what happens next."""

import uuid

from django.http import HttpRequest
from ninja import Router

from connections.api.auth import caller_of
from connections.api.history import (
    OutlookOut,
    RefreshAttemptPage,
    VersionPage,
    attempt_out,
    outlook_out,
    version_out,
)
from connections.api.pages import Cursor, Limit, page_of
from connections.api.texts import Slug
from connections.database.clock import database_now
from connections.lifecycle.quarantine.standing import hold_of
from connections.lifecycle.steer.outlook import outlook
from connections.models import CredentialVersion, Incident, Permission, RefreshAttempt
from connections.models.refresh_attempt import OPEN_STATES

router = Router(tags=["connections"])


@router.get("/{connection_id}/outlook", response=OutlookOut, summary="Say what happens next to a connection")
def get_outlook(request: HttpRequest, connection_id: uuid.UUID, tenant: Slug | None = None) -> OutlookOut:
    """Say what happens next: refreshes, probes, ends, and what holds them back. It decides nothing."""
    connection = caller_of(request, may=Permission.READ).connection(connection_id, tenant)
    under_way = RefreshAttempt.objects.filter(connection=connection, state__in=OPEN_STATES).first()
    incidents = list(Incident.objects.concerning(connection))
    hold = hold_of(connection)
    return outlook_out(outlook(connection, attempt=under_way, incidents=incidents, hold=hold, now=database_now()))


@router.get(
    "/{connection_id}/refresh-attempts", response=RefreshAttemptPage, summary="List a connection's refresh attempts"
)
def list_refresh_attempts(
    request: HttpRequest,
    connection_id: uuid.UUID,
    tenant: Slug | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> RefreshAttemptPage:
    """List each try to refresh it and how it ended, the newest first, as long as they are kept."""
    connection = caller_of(request, may=Permission.READ).connection(connection_id, tenant)
    found = RefreshAttempt.objects.filter(connection=connection)
    page, following = page_of(found, cursor, limit=limit, newest_by="claimed_at")
    return RefreshAttemptPage(items=[attempt_out(row) for row in page], next=following)


@router.get("/{connection_id}/versions", response=VersionPage, summary="List a connection's credential versions")
def list_versions(
    request: HttpRequest,
    connection_id: uuid.UUID,
    tenant: Slug | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> VersionPage:
    """List the versions of its credential that are kept, the newest first: everything about them but the secrets."""
    connection = caller_of(request, may=Permission.READ).connection(connection_id, tenant)
    found = CredentialVersion.objects.filter(connection=connection).defer("secrets", "fingerprint")
    page, following = page_of(found, cursor, limit=limit, newest_by="received_at")
    return VersionPage(items=[version_out(row) for row in page], next=following)
