"""Connections as they are stored, made without a provider."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db import models
from pydantic import SecretStr

from connections.access.secrets import current_data_key
from connections.access.targets import access_to
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.credentials.versions import make_current, row_of, seal_version
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.models import Connection, OwnerKind, ProviderApp, Reason, Status, Tenant
from providers.catalog.methods import AuthorizationCodeMethod
from providers.values import Credential, Obtained


def make_app(tenant: Tenant | None, **changes: Any) -> ProviderApp:
    """Make an app of ``tenant`` at a provider that nobody will call."""
    registration = {
        "provider": "sandbox",
        "auth_style": AuthorizationCodeMethod.style,
        "client_id": "client",
        "client_secrets": ["secret"],
        "params": {"issuer": "http://127.0.0.1:9"},
        **changes,
    }
    return save_provider_app(Registration(**registration), tenant=tenant, actor=SYSTEM)


def make_connection(
    tenant: Tenant,
    *,
    end_user: str = "alice",
    owner: OwnerKind = OwnerKind.END_USER,
    app: ProviderApp | None = None,
    scopes: Sequence[str] = ("profile.read", "files.read"),
    requested: Sequence[str] = ("profile.read", "files.read", "files.write"),
    lifetime_seconds: int = 3600,
    access_token: str = "",
    account: str = "",
    **changes: Any,
) -> Connection:
    """Store an active connection with a credential; ``changes`` are made to its row afterwards."""
    now = database_now()
    connection = Connection.objects.create(
        tenant=tenant,
        provider_app=app or ProviderApp.objects.filter(tenant=tenant).first() or make_app(tenant),
        provider="sandbox",
        owner_kind=owner,
        end_user=end_user if owner is OwnerKind.END_USER else "",
    )
    sealed = seal_version(
        Obtained(
            credential=Credential(
                access_token=SecretStr(access_token or f"at-{uuid.uuid4()}"), refresh_token=SecretStr("rt")
            ),
            lifetime_seconds=lifetime_seconds,
        ),
        tenant_id=tenant.id,
        connection_id=connection.id,
        grant_id=uuid.uuid4(),
        key=current_data_key(tenant.id),
        scopes=tuple(scopes),
        is_refreshable=True,
        received_at=now,
        grantor=access_to(ProviderApp.objects.get(id=connection.provider_app_id), {}).target.grantor,
    )
    make_current(connection, row_of(sealed), now=now, requested=requested)
    overwrite(connection, status=Status.ACTIVE, reason=Reason.CONNECTED)
    overwrite(connection, provider_account_id=account or f"person-{uuid.uuid4()}", **changes)
    return connection


def overwrite(connection: Connection, **columns: Any) -> None:
    """Write columns past all rules, for a state that a test begins with."""
    Connection.objects.filter(id=connection.id).update(**columns)
    connection.refresh_from_db(fields=list(columns))


def rows_as_text(table: type[models.Model], where: str = "true") -> str:
    """Return what selects the rows of ``table`` for ``rows_of``."""
    name = table._meta.db_table
    return f"SELECT '{name}', {name}::text FROM {name} WHERE {where}"


def rows_of(parts: Iterable[str], parameters: Sequence[object] = ()) -> list[tuple[str, str]]:
    """Return what ``parts``, made by ``rows_as_text``, select: the table and all columns of each row. One query."""
    with database.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts) + " ORDER BY 1, 2", parameters)
        return cursor.fetchall()


def transaction_now() -> datetime:
    """Return the moment that ``now()`` means to the vend's statement: here, the beginning of the test."""
    with database.cursor() as cursor:
        cursor.execute("SELECT now()")
        row = cursor.fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment


def expire_in(connection: Connection, seconds: float, *, refreshable: bool = True) -> None:
    """Let the current credential expire ``seconds`` from now."""
    moment = transaction_now() + timedelta(seconds=seconds)
    connection.versions.update(access_expires_at=moment, is_refreshable=refreshable)
    overwrite(connection, access_expires_at=moment, refresh_due_at=moment if refreshable else None)
