"""Filling a running stack with connections: ``python -m tests.campaigns.populate --count 20``.

Runs in a process of its own, under the stack's environment, and prints one JSON object: the tenant's API key, and the
connections' ids, the first of which is that of the end user ``user-0``. The grants are real ones of the stack's
sandbox; storing them is done by the product's own functions. With ``--alike`` that holds for the first alone: the rows
of the others are copies of its row, each with the secrets of its own grant, in a thirtieth of the time.
"""

import argparse
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - the apps must be ready
from django.db import transaction  # noqa: E402 - the apps must be ready
from pydantic import SecretStr  # noqa: E402 - the apps must be ready

from connections.access.secrets import current_data_key  # noqa: E402 - the apps must be ready
from connections.access.targets import access_to  # noqa: E402 - the apps must be ready
from connections.drills.grants import store_grant  # noqa: E402 - the apps must be ready
from connections.lifecycle.credentials.versions import row_of, seal_version  # noqa: E402 - the apps must be ready
from connections.models import (  # noqa: E402 - the apps must be ready
    Connection,
    CredentialVersion,
    Permission,
    ProviderApp,
    Tenant,
)
from providers.sandbox.client import SandboxControl  # noqa: E402 - the apps must be ready
from providers.values import Credential, Obtained  # noqa: E402 - the apps must be ready
from tests.connections.api.stored import make_app, make_connection  # noqa: E402 - the apps must be ready
from tests.factories import make_caller, make_sandbox_app_at, make_tenant  # noqa: E402 - the apps must be ready

_AT_ONCE = 1000


def populate(count: int, *, alike: bool = False, **client: object) -> tuple[str, list[str]]:
    """Make acme with ``count`` connected end users; return its API key and the connections' ids."""
    url = os.environ["SANDBOX_URL"]
    tenant = Tenant.objects.filter(slug="acme").first() or make_tenant("acme")
    app = ProviderApp.objects.filter(tenant=tenant, provider="sandbox").first() or make_sandbox_app_at(
        url, tenant=tenant, **client
    )
    granted = SandboxControl(url, ca_file=settings.EGRESS_CA_FILE).mint(app.client_id, count=count)
    stored = 1 if alike else count
    ids = [
        str(store_grant(tokens, tenant=tenant, app=app, end_user=f"user-{number}"))
        for number, tokens in enumerate(granted[:stored])
    ]
    for begin in range(stored, count, _AT_ONCE):
        ids += copy_grant(ids[0], granted[begin : begin + _AT_ONCE], first=begin)
    return make_caller(tenant, name=f"load-{uuid.uuid4().hex[:8]}").key, ids


@transaction.atomic
def copy_grant(like: str, granted: Sequence[Mapping[str, Any]], *, first: int) -> list[str]:
    """Store ``granted`` as connections of ``user-FIRST`` and so on, else like that one, and return their ids."""
    origin = Connection.objects.select_related("current_version", "provider_app").get(id=like)
    current = origin.current_version
    assert current is not None
    key, grantor = current_data_key(origin.tenant_id), access_to(origin.provider_app, {}).target.grantor
    connections, versions = [], []
    for number, tokens in enumerate(granted, first):
        connection = Connection(**_columns(origin) | {"id": uuid.uuid4(), "end_user": f"user-{number}"})
        credential = Credential(
            access_token=SecretStr(tokens["access_token"]), refresh_token=SecretStr(tokens["refresh_token"])
        )
        sealed = seal_version(
            Obtained(credential, int(tokens["expires_in"]), tuple(current.scopes)),
            tenant_id=origin.tenant_id,
            connection_id=connection.id,
            grant_id=uuid.uuid4(),
            key=key,
            scopes=tuple(current.scopes),
            is_refreshable=True,
            received_at=current.received_at,
            grantor=grantor,
        )
        version = row_of(sealed)
        version.stage = current.stage
        connection.current_version_id, connection.grant_id = version.id, version.grant_id
        connections.append(connection)
        versions.append(version)
    Connection.objects.bulk_create(connections)
    CredentialVersion.objects.bulk_create(versions)
    return [str(connection.id) for connection in connections]


def _columns(row: Connection) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def populate_api(url: str) -> tuple[str, list[str]]:
    """Make ``user-0`` of globex a connection at an API that is at ``url``; return a key that may proxy, and its id."""
    tenant = make_tenant("globex")
    app = make_app(tenant, params={"issuer": url})
    connection = make_connection(tenant, app=app, end_user="user-0")
    caller = make_caller(tenant, f"proxy-{uuid.uuid4().hex[:8]}", [Permission.PROXY], proxy_rules=["* * /**"])
    return caller.key, [str(connection.id)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--lifetime", type=int, default=3600)
    parser.add_argument("--grace", type=float, default=0)
    parser.add_argument("--follow-settings", action="store_true", help="leave lifetime and grace to the sandbox's own")
    parser.add_argument("--alike", action="store_true", help="copy the first connection's row for the others")
    parser.add_argument("--api", metavar="URL", help="one connection at an API that is there, for the proxy")
    options = parser.parse_args()
    client = {} if options.follow_settings else {"access_lifetime": options.lifetime, "grace_seconds": options.grace}
    key, ids = populate_api(options.api) if options.api else populate(options.count, alike=options.alike, **client)
    print(json.dumps({"key": key, "connections": ids}))
