"""Provider apps that get pushes, connections at them, and a vendor's push on its way to us."""

import time
import uuid
from datetime import timedelta
from typing import Any

from django.test import Client

from connections.access.secrets import open_client_secrets, seal_client_secrets
from connections.access.targets import push_address, redirect_uri, registrar_of
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.push_secrets import add_push_secret
from connections.lifecycle.pushes.act import act
from connections.models import Connection, ProviderApp, PushState, ReceivedPush, Tenant
from providers.catalog.loader import entry
from providers.sandbox.client import SandboxControl
from tests.connections.api.stored import make_app, make_connection, overwrite
from tests.connections.lifecycle.observed import reload
from tests.vendor_pushes import VENDORS, Sent, Vendor

BY_SLUG = {vendor.slug: vendor for vendor in VENDORS}
SANDBOX = BY_SLUG["sandbox"]


def app_of(vendor: Vendor, tenant: Tenant | None, *, secret: str = "") -> ProviderApp:
    """Make an app at the vendor that knows its secret, without asking anybody."""
    described = entry(vendor.slug)
    app = ProviderApp.objects.create(
        tenant=tenant,
        provider=vendor.slug,
        auth_style=described.auth_styles[0],
        name=described.name,
        client_id="client",
        params={"issuer": "http://127.0.0.1:9"} if vendor.slug == "sandbox" else {},
    )
    if vendor.by_client_secret:
        app.secrets = seal_client_secrets(app, [secret or vendor.secret], registrar=registrar_of(app))
        app.save()
    else:
        add_push_secret(app, secret or vendor.secret, actor=SYSTEM)
    return ProviderApp.objects.get(id=app.id)


def have_pushed(app: ProviderApp, control: SandboxControl, *, url: str, **client: Any) -> None:
    """Have the sandbox push to ``app``, at ``url``, what becomes of its grants. ``client`` is how else it is known."""
    add_push_secret(app, SANDBOX.secret, actor=SYSTEM)
    (secret,) = open_client_secrets(ProviderApp.objects.get(id=app.id))
    control.register_client(
        app.client_id,
        client_secret=secret.get_secret_value(),
        redirect_uris=[redirect_uri(app.id)],
        scopes=["profile.read", "files.read", "files.write"],
        push_url=url,
        push_secret=SANDBOX.secret,
        **client,
    )


def connection_at(app: ProviderApp, vendor: Vendor, tenant: Tenant, *, account: str = "", **changes: Any) -> Connection:
    """Store a connection of ``tenant`` to the vendor's account, made weeks ago."""
    base = app if vendor.slug == "sandbox" else _sandbox_app(tenant)
    made = make_connection(tenant, app=base, end_user=f"user-{uuid.uuid4().hex[:6]}", **changes)
    own = account or vendor.account
    columns = (
        {"params": {vendor.param: own}, "provider_account_id": ""} if vendor.param else {"provider_account_id": own}
    )
    weeks_ago = database_now() - timedelta(weeks=3)
    overwrite(made, provider_app_id=app.id, provider=vendor.slug, authorized_at=weeks_ago, **columns)
    return reload(made)


def _sandbox_app(tenant: Tenant) -> ProviderApp:
    return ProviderApp.objects.filter(tenant=tenant, provider="sandbox").first() or make_app(tenant)


def sent_to(app: ProviderApp, vendor: Vendor, event: Any, *, at: float | None = None, secret: str = "") -> Sent:
    """Return a push of the vendor's to the app."""
    return vendor.send(secret or vendor.secret, push_address(app.id), event, time.time() if at is None else at)


def post(app_id: Any, sent: Sent, **more: Any) -> Any:
    """Send it to the entrance, and return the answer."""
    return Client().post(f"/pushes/{app_id}", sent.body, content_type="application/json", headers=sent.headers, **more)


def push(app: ProviderApp, vendor: Vendor, event: Any, *, at: float | None = None) -> Any:
    """Send an event of the vendor's, act on it, and return the answer."""
    answer = post(app.id, sent_to(app, vendor, event, at=at))
    act_on_all()
    return answer


def act_on_all() -> None:
    """Do what the workers would do."""
    for push_id in ReceivedPush.objects.filter(state=PushState.WAITING).values_list("id", flat=True):
        act(push_id)


def statuses(*connections: Connection) -> list[str]:
    """Return the connections' statuses as they are now."""
    return [reload(connection).status for connection in connections]
