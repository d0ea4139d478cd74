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

from django.conf import settings  # noqa: E402 - the apps must be ready

from connections.drills.grants import store_grant  # noqa: E402 - the apps must be ready
from connections.models import Permission, ProviderApp, Tenant  # noqa: E402 - the apps must be ready
from providers.sandbox.client import SandboxControl  # noqa: E402 - the apps must be ready
from tests.connections.api.stored import make_app, make_connection  # noqa: E402 - the apps must be ready
from tests.factories import make_caller, make_sandbox_app_at, make_tenant  # noqa: E402 - the apps must be ready


def populate(count: int, **client: object) -> tuple[str, list[str]]:
    """Make acme with ``count`` connected end users; return its API key and the connections' ids."""
    url = os.environ["SANDBOX_URL"]
    tenant = Tenant.objects.filter(slug="acme").first() or make_tenant("acme")
    app = ProviderApp.objects.filter(tenant=tenant, provider="sandbox").first() or make_sandbox_app_at(
        url, tenant=tenant, **client
    )
    granted = SandboxControl(url, ca_file=settings.EGRESS_CA_FILE).mint(app.client_id, count=count)
    ids = [
        str(store_grant(tokens, tenant=tenant, app=app, end_user=f"user-{number}"))
        for number, tokens in enumerate(granted)
    ]
    return make_caller(tenant, name=f"load-{uuid.uuid4().hex[:8]}").key, ids


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
    parser.add_argument("--api", metavar="URL", help="one connection at an API that is there, for the proxy")
    options = parser.parse_args()
    client = {} if options.follow_settings else {"access_lifetime": options.lifetime, "grace_seconds": options.grace}
    key, ids = populate_api(options.api) if options.api else populate(options.count, **client)
    print(json.dumps({"key": key, "connections": ids}))
