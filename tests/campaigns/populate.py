"""Filling a running stack with connections: ``python -m tests.campaigns.populate --count 20``.

Runs in a process of its own, under the stack's environment, and prints one JSON object: the tenant's API key, and the
connections' ids, the first of which is that of the end user ``user-0``. The grants are real ones of the stack's
sandbox; storing them is done by the product's own functions.
"""

import argparse
import json
import os
import uuid

import django

django.setup()

from django.db import transaction  # noqa: E402 - the apps must be ready
from pydantic import SecretStr  # noqa: E402 - the apps must be ready

from connections.lifecycle.clock import database_now  # noqa: E402 - the apps must be ready
from connections.lifecycle.locking import lock_connection  # noqa: E402 - the apps must be ready
from connections.lifecycle.sealing import current_data_key  # noqa: E402 - the apps must be ready
from connections.lifecycle.versions import insert_received, make_current, seal_version  # noqa: E402 - the apps must be ready
from connections.models import Connection, OwnerKind, ProviderApp, Reason, Status, Tenant  # noqa: E402 - the apps must be ready
from providers.values import Credential, Obtained  # noqa: E402 - the apps must be ready
from tests.factories import make_caller, make_sandbox_app_at, make_tenant  # noqa: E402 - the apps must be ready
from tests.sandbox_control import SandboxControl  # noqa: E402 - the apps must be ready


def populate(count: int, **client: object) -> tuple[str, list[str]]:
    """Make acme with ``count`` connected end users; return its API key and the connections' ids."""
    url = os.environ["SANDBOX_URL"]
    tenant = Tenant.objects.filter(slug="acme").first() or make_tenant("acme")
    app = ProviderApp.objects.filter(tenant=tenant, provider="sandbox").first() or make_sandbox_app_at(
        url, tenant=tenant, **client
    )
    granted = SandboxControl(url).mint(app.client_id, count=count)
    ids = [str(connect(tenant, app, number, tokens)) for number, tokens in enumerate(granted)]
    return make_caller(tenant, name=f"load-{uuid.uuid4().hex[:8]}").key, ids


def connect(tenant: Tenant, app: ProviderApp, number: int, tokens: dict[str, object]) -> uuid.UUID:
    """Store one token response as the credential of a new, active connection."""
    with transaction.atomic():
        now = database_now()
        connection = Connection.objects.create(
            tenant=tenant,
            provider_app=app,
            provider=app.provider,
            owner_kind=OwnerKind.END_USER,
            end_user=f"user-{number}",
        )
        credential = Credential(
            access_token=SecretStr(str(tokens["access_token"])), refresh_token=SecretStr(str(tokens["refresh_token"]))
        )
        scopes = tuple(str(tokens["scope"]).split())
        lifetime = int(str(tokens["expires_in"]))
        version = insert_received(
            seal_version(
                Obtained(credential, lifetime, scopes),
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
        assert locked is not None
        make_current(locked, version, status=Status.ACTIVE, reason=Reason.CONNECTED, now=now)
    return connection.id


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--lifetime", type=int, default=3600)
    parser.add_argument("--grace", type=float, default=0)
    parser.add_argument("--follow-settings", action="store_true", help="leave lifetime and grace to the sandbox's own")
    options = parser.parse_args()
    client = {} if options.follow_settings else {"access_lifetime": options.lifetime, "grace_seconds": options.grace}
    key, ids = populate(options.count, **client)
    print(json.dumps({"key": key, "connections": ids}))
