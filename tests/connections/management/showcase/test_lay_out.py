"""``manage.py seed_showcase``: a whole installation, the same for the same seed, and only where nobody is hurt."""

import json
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db.models import Model

from connections.access.secrets import open_client_secrets, open_credential
from connections.access.targets import access_of
from connections.lifecycle.steer.outlook import outlook
from connections.models import (
    AccessGrant,
    ApiClient,
    Approval,
    AuditEvent,
    BulkJob,
    BulkRow,
    Connection,
    ConnectSession,
    CredentialVersion,
    Finding,
    Incident,
    ManagementSession,
    Notice,
    Offboarding,
    OutboxEvent,
    ProviderApp,
    ReceivedPush,
    RefreshAttempt,
    Status,
    Tenant,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db
EVERY_KIND: tuple[type[Model], ...] = (
    AccessGrant,
    ApiClient,
    Approval,
    AuditEvent,
    BulkJob,
    BulkRow,
    ConnectSession,
    Finding,
    Incident,
    ManagementSession,
    Notice,
    Offboarding,
    OutboxEvent,
    ReceivedPush,
    RefreshAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)


@pytest.fixture(autouse=True)
def development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DEVELOPMENT", True)


def seed(*arguments: str, connections: int = 120, tenants: int = 6) -> dict[str, Any]:
    printed = StringIO()
    sizes = ("--connections", str(connections), "--tenants", str(tenants))
    call_command("seed_showcase", *sizes, "--json", *arguments, stdout=printed)
    told: dict[str, Any] = json.loads(printed.getvalue())
    return told


def test_lays_out_every_kind_of_row_and_every_status() -> None:
    assert seed(connections=400) == {"tenants": 6, "connections": 400}
    assert [model.__name__ for model in EVERY_KIND if not model._default_manager.exists()] == []
    assert set(Connection.objects.values_list("status", flat=True)) == {*Status} - {Status.PENDING}
    assert ProviderApp.objects.filter(tenant=None).values("provider").distinct().count() == 30
    assert not ProviderApp.objects.filter(paused_at=None).exists(), "a worker would call providers"


def test_its_secrets_open_where_they_are_bound_and_its_connections_lead_somewhere() -> None:
    seed()
    for version in CredentialVersion.objects.select_related("connection__provider_app", "connection__tenant"):
        connection = version.connection
        credential = open_credential(connection, version)
        access_of(connection).check_grantor(credential)
        assert credential.main_secret()
        assert version.access_expires_at == connection.access_expires_at
    assert any(open_client_secrets(app) for app in ProviderApp.objects.all())


def test_every_outlook_can_be_told() -> None:
    seed()
    for connection in Connection.objects.select_related("provider_app", "tenant"):
        assert outlook(connection, attempt=None, incidents=[], hold=None, now=connection.created_at)


def test_the_same_seed_lays_out_the_same_names_and_ids() -> None:
    told = []
    for number in ("7", "7", "8"):
        seed("--seed", number, connections=40, tenants=3)
        rows = Connection.objects.order_by("id").values_list("id", "end_user", "provider", "label", "status")
        told.append(list(rows))
        _clear()
    assert told[0] == told[1] != told[2]


def _clear() -> None:
    beside = (WebhookDelivery, OutboxEvent, ConnectSession, ManagementSession, Approval, AccessGrant, Offboarding)
    for model in (*beside, BulkJob, Notice):
        model._default_manager.all().delete()
    Connection.objects.all().delete()
    Tenant.objects.all().delete()
    ProviderApp.objects.all().delete()
    ApiClient.objects.all().delete()


def test_moments_lie_in_the_past_and_in_the_order_of_the_ids() -> None:
    seed()
    for moments in (
        AuditEvent.objects.exclude(connection_id=None).order_by("id").values_list("at", flat=True),
        OutboxEvent.objects.order_by("id").values_list("created_at", flat=True),
    ):
        assert list(moments) == sorted(moments)
    assert len({connection.created_at for connection in Connection.objects.all()}) > 100


def test_is_refused_outside_of_development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DEVELOPMENT", False)
    with pytest.raises(CommandError, match="no development installation"):
        seed()
    assert not Tenant.objects.exists()


def test_is_refused_beside_others_unless_the_installation_is_named() -> None:
    make_tenant("acme")
    for arguments in ((), ("--into", "elsewhere.example")):
        with pytest.raises(CommandError, match=r"nothing was made|if it is meant"):
            seed(*arguments)
    assert Tenant.objects.count() == 1
    here = urlsplit(settings.PUBLIC_URL).netloc
    seed("--into", here, connections=10, tenants=2)
    assert Tenant.objects.count() == 3
    with pytest.raises(CommandError, match="here already"):
        seed("--into", here, connections=10, tenants=2)
