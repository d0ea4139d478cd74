"""The place that the table says of a row is the one to which the product binds its value."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from connections.access import app_keys, secrets
from connections.access.sealed_places import sealed_places
from connections.models import (
    AppKey,
    ConnectSession,
    ProviderApp,
    RegisteredClient,
    Tenant,
    WebhookEndpoint,
    WebhookSecret,
)
from connections.models.fields import StoredSecret, outer_fernet
from tests.connections.api.stored import make_app

Sealed = tuple[Any, bytes | None]


def _session(tenant: Tenant, app: ProviderApp, field: str) -> Sealed:
    row = ConnectSession(id=uuid.uuid4(), tenant=tenant)
    return row, secrets.seal_for_session(row, field, b"kept", key=secrets.current_data_key(tenant.id))


def _client(tenant: Tenant, app: ProviderApp, field: str) -> Sealed:
    row = RegisteredClient(id=uuid.uuid4(), provider_app=app)
    return row, secrets.seal_for_client(row, field, b"kept")


def _app(tenant: Tenant, app: ProviderApp, field: str) -> Sealed:
    if field == "push_secrets":
        return app, secrets.seal_push_secrets(app, ["kept"])
    return app, secrets.seal_client_secrets(app, ["kept"], registrar="them")


def _app_key(tenant: Tenant, app: ProviderApp, field: str) -> Sealed:
    row = AppKey(id=uuid.uuid4(), provider_app=app)
    return row, app_keys.seal_private_key(app, row.id, SecretStr("kept"))


def _webhook(tenant: Tenant, app: ProviderApp, field: str) -> Sealed:
    endpoint = WebhookEndpoint(id=uuid.uuid4(), tenant=tenant)
    row = WebhookSecret(id=uuid.uuid4(), endpoint=endpoint)
    return row, secrets.seal_webhook_secret(endpoint, row.id, SecretStr("kept"))


@pytest.mark.parametrize("owned", [True, False], ids=["a tenant's", "the operator's"])
@pytest.mark.parametrize(
    ("column", "sealed"),
    [
        ("connections_connectsession.code_verifier", _session),
        ("connections_connectsession.held", _session),
        ("connections_registeredclient.secrets", _client),
        ("connections_registeredclient.management", _client),
        ("connections_providerapp.secrets", _app),
        ("connections_providerapp.push_secrets", _app),
        ("connections_appkey.private_key", _app_key),
        ("connections_webhooksecret.secret", _webhook),
    ],
)
def test_it_opens_there(
    acme: Tenant, column: str, sealed: Callable[[Tenant, ProviderApp, str], Sealed], owned: bool
) -> None:
    (place,) = [place for place in sealed_places() if place.name == column]
    app = make_app(acme)
    if not owned:
        app.tenant = None
    row, value = sealed(acme, app, place.field)
    assert value is not None
    stored = StoredSecret(outer_fernet().encrypt(value))
    assert b"kept" in secrets.open_stored(stored, place=place.place(row))
    of_acme = owned or sealed in (_session, _webhook)
    assert place.owner(row) == (acme.id if of_acme else None)
