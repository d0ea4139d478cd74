"""From rows to response bodies."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from connections.api.branding import branding_out
from connections.api.schemas import (
    AccountOut,
    CompletedOut,
    ConnectionOut,
    CredentialOut,
    DomainOut,
    HealthOut,
    NoticeOut,
    ScopesOut,
    TenantOut,
    VendOut,
)
from connections.lifecycle.connect import not_refreshable
from connections.lifecycle.credentials.scopes import missing_scopes, observed_scopes
from connections.lifecycle.provision.domains import file_of
from connections.lifecycle.vend.opening import Vended
from connections.lifecycle.vend.reconnect_url import needs_mending, url_to_mend
from connections.models import Connection, Tenant, TenantDomain


def tenant_out(tenant: Tenant) -> TenantOut:
    """Return what the API shows of a tenant."""
    return TenantOut(
        slug=tenant.slug,
        name=tenant.name,
        branding=branding_out(tenant.brand),
        allowed_origins=tenant.allowed_origins,
        return_urls=tenant.return_urls,
        reconnect_url=tenant.reconnect_url,
        suspended=tenant.suspended_at is not None,
        shred_at=tenant.shred_at,
    )


def domain_out(domain: TenantDomain, *, now: datetime) -> DomainOut:
    """Return what the API shows of a domain."""
    url, line = file_of(domain)
    return DomainOut(
        host=domain.host,
        verified=domain.is_verified(now=now),
        verified_until=domain.verified_until,
        looked_at=domain.looked_at,
        failure=domain.failure,
        file_url=url,
        file_line=line,
    )


def connection_out(connection: Connection) -> ConnectionOut:
    """Return what the API shows of a connection; its scopes are one more query unless prefetched."""
    scopes = list(connection.scopes.all())
    mend = url_to_mend(connection) if needs_mending(connection) else ""
    return ConnectionOut(
        id=connection.id,
        tenant=connection.tenant.slug,
        provider=connection.provider,
        auth_style=connection.provider_app.auth_style,
        owner=connection.owner_kind,
        end_user=connection.end_user or None,
        granted_by=connection.granted_by or None,
        grants_only=connection.grants_only,
        binding=connection.binding,
        status=connection.status,
        reason=connection.reason,
        revocation=connection.revocation,
        paused=connection.paused_at is not None and not connection.is_canary,
        suspended=connection.suspended_at is not None,
        account=_account(connection.provider_account_id, connection.provider_account_name),
        scopes=ScopesOut(
            requested=[scope.name for scope in scopes if scope.is_requested],
            granted=[scope.name for scope in scopes if scope.is_granted],
            required=connection.provider_app.required_scopes,
            observed=observed_scopes(scopes),
            missing=missing_scopes(connection, scopes),
        ),
        health=HealthOut(
            verified_at=connection.verified_at,
            verified_by=connection.verified_by,
            access_expires_at=connection.access_expires_at,
            refresh_due_at=connection.refresh_due_at,
            refresh_expires_at=connection.refresh_expires_at,
            grant_expires_at=connection.grant_expires_at,
            lacks_refresh_token=connection.lacks_refresh_token,
            failures=connection.failures,
            refresh_failing_since=connection.refresh_failing_at,
            undecryptable=connection.undecryptable_at is not None,
            answer_unread_at=connection.answer_unread_at,
            evidence=connection.evidence,
        ),
        params=connection.params,
        metadata=connection.metadata,
        label=connection.label,
        default=connection.is_default,
        version=connection.current_version_id,
        connect_url=mend or None,
        created_at=connection.created_at,
        updated_at=connection.updated_at,
    )


def completed_out(connection: Connection) -> CompletedOut:
    """Return the answer of a confirmation that led to ``connection``."""
    notices = []
    if connection.lacks_refresh_token:
        ends_at = connection.access_expires_at
        notices.append(NoticeOut(code=not_refreshable.CODE, detail=not_refreshable.notice(connection), ends_at=ends_at))
    return CompletedOut(connection=connection_out(connection), notices=notices)


_PROXY_ONLY = (
    "This credential works, and is used through Latchkey's proxy only: each request has to be signed or sent by "
    "Latchkey itself, so the credential is not handed out."
)


def vend_out(vended: Vended) -> VendOut:
    """Return the answer of a vend: the one body of the API that holds a secret."""
    row, presentation = vended.row, vended.presentation
    connection_id, version_id = _required(row.connection_id), _required(row.version_id)
    return VendOut(
        connection=connection_id,
        binding=row.binding,
        grant=row.access.grant_id,
        credential=CredentialOut(
            auth_method=presentation.auth_method,
            value=None if presentation.value is None else presentation.value.get_secret_value(),
            token_type=presentation.token_type,
            proxy_only=presentation.proxy_only,
            notice=_PROXY_ONLY if presentation.proxy_only else None,
            expires_at=row.access_expires_at,
            scopes=list(row.scopes or ()),
            missing_scopes=list(row.scopes_missing()),
            headers=_plain(presentation.headers),
            query=_plain(presentation.query),
            body=_plain(presentation.body),
            base_url=presentation.base_url,
            params=_plain(presentation.params),
            account=_account(row.provider_account_id, row.provider_account_name),
        ),
        version=version_id,
        verified_at=row.verified_at,
        verified_by=row.verified_by,
    )


def _account(account_id: str, name: str) -> AccountOut | None:
    return AccountOut(id=account_id, name=name) if account_id else None


def _plain(mapping: Mapping[str, str]) -> dict[str, str]:
    return dict(mapping)


def _required(value: uuid.UUID | None) -> uuid.UUID:
    if value is None:
        raise ValueError("A vended credential has a connection and a version.")
    return value
