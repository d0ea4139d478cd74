"""Grants that nobody consented to: tokens that the sandbox minted, stored as a connection that works."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from pydantic import SecretStr

from connections.lifecycle.clock import database_now
from connections.lifecycle.locking import lock_connection
from connections.lifecycle.sealing import current_data_key
from connections.lifecycle.status import change_status
from connections.lifecycle.versions import insert_received, make_current, seal_version
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
        version = insert_received(
            seal_version(
                Obtained(credential, int(tokens["expires_in"]), scopes),
                tenant_id=tenant.id,
                connection_id=connection.id,
                grant_id=uuid.uuid4(),
                key=current_data_key(tenant.id),
                scopes=scopes,
                is_refreshable=True,
                received_at=now,
            )
        )
        locked = lock_connection(connection.id)
        if locked is None:
            raise RuntimeError("The connection that was just made is gone.")
        make_current(locked, version, now=now)
        change_status(locked, Status.ACTIVE, Reason.CONNECTED, now=now)
    return connection.id
