"""Grants without a consent: stores tokens that the sandbox minted as working connections, and moves their app."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from pydantic import SecretStr

from connections.access.secrets import current_data_key, open_client_secrets
from connections.access.targets import access_to
from connections.database.clock import database_now
from connections.database.locks import lock_connection
from connections.journal.audit import SYSTEM
from connections.lifecycle.credentials.versions import make_current, row_of, seal_version
from connections.lifecycle.health.status import change_status
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.steer.rebind import rebind
from connections.models import Connection, OwnerKind, ProviderApp, Reason, Status, Tenant
from providers.values import Credential, Obtained


def store_grant(tokens: Mapping[str, Any], *, tenant: Tenant, app: ProviderApp, end_user: str) -> uuid.UUID:
    """Store one token response as the credential of a new, active connection, and return its id. One transaction."""
    with transaction.atomic():
        now = database_now()
        connection = Connection.objects.create(
            tenant=tenant,
            provider_app=app,
            provider=app.provider,
            owner_kind=OwnerKind.END_USER,
            end_user=end_user,
        )
        scopes = tuple(str(tokens["scope"]).split())
        credential = Credential(
            access_token=SecretStr(tokens["access_token"]), refresh_token=SecretStr(tokens["refresh_token"])
        )
        version = row_of(
            seal_version(
                Obtained(credential, int(tokens["expires_in"]), scopes),
                tenant_id=tenant.id,
                connection_id=connection.id,
                grant_id=uuid.uuid4(),
                key=current_data_key(tenant.id),
                scopes=scopes,
                is_refreshable=True,
                received_at=now,
                grantor=access_to(ProviderApp.objects.get(id=app.id), {}).target.grantor,
            )
        )
        locked = lock_connection(connection.id)
        if locked is None:
            raise RuntimeError("The connection that was just made is gone.")
        make_current(locked, version, now=now, requested=scopes)
        change_status(locked, Status.ACTIVE, Reason.CONNECTED, now=now)
    return connection.id


def move_app(app: ProviderApp, issuer: str) -> None:
    """Move an app and the credentials of its connections to another issuer, as an operator with the keys does."""
    _save(app, client_secrets=_secrets_of(app), params={**app.params, "issuer": issuer})
    rebind(app, actor=SYSTEM)


def give_secret(app: ProviderApp, secret: str) -> None:
    """Replace the client secret of an app, as an operator does."""
    _save(app, client_secrets=[secret], params=app.params)


def _secrets_of(app: ProviderApp) -> list[str]:
    return [one.get_secret_value() for one in open_client_secrets(ProviderApp.objects.get(id=app.id))]


def _save(app: ProviderApp, *, client_secrets: list[str], params: Mapping[str, Any]) -> None:
    save_provider_app(
        Registration(
            provider=app.provider,
            auth_style=app.auth_style,
            name=app.name,
            client_id=app.client_id,
            client_secrets=client_secrets,
            params=dict(params),
            scopes=app.scopes,
        ),
        tenant=app.tenant,
        actor=SYSTEM,
    )
