"""The encrypted column: encrypted at rest, opened only by an explicit call, never in a fixture."""

from typing import Any

import pytest
from django.core import serializers
from django.db import connection
from django.db.models import F

from connections.access.secrets import open_client_secrets, seal_client_secrets
from connections.models import ProviderApp
from connections.models.fields import StoredSecret
from connections.vault.sealing import Unreadable

pytestmark = pytest.mark.django_db

SECRET = "canary-client-secret"


@pytest.fixture
def app() -> ProviderApp:
    app = ProviderApp(provider="sandbox", auth_style="oauth2_authorization_code", name="Sandbox", client_id="id")
    app.secrets = seal_client_secrets(app, [SECRET], registrar="them")
    app.save()
    return ProviderApp.objects.get(id=app.id)


def test_stores_two_layers_and_opens_them(app: ProviderApp) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM connections_providerapp")
        stored = bytes(cursor.fetchone()[0])
    assert stored.startswith(b"gAAAA")  # a Fernet token
    assert SECRET.encode() not in stored
    assert [secret.get_secret_value() for secret in open_client_secrets(app)] == [SECRET]


def test_a_load_decrypts_nothing_and_shows_nothing(app: ProviderApp) -> None:
    assert isinstance(app.secrets, StoredSecret)
    assert repr(app.secrets) == "StoredSecret(…)"


def test_saving_a_loaded_row_keeps_the_stored_value(app: ProviderApp) -> None:
    before = app.secrets.stored
    app.save()
    assert ProviderApp.objects.get(id=app.id).secrets.stored == before


def test_an_expression_is_passed_through_not_encrypted(app: ProviderApp) -> None:
    ProviderApp.objects.update(secrets=F("secrets"))
    assert open_client_secrets(ProviderApp.objects.get(id=app.id))[0].get_secret_value() == SECRET


def test_bulk_update_keeps_what_was_sealed(app: ProviderApp) -> None:
    app.secrets = seal_client_secrets(app, ["another"], registrar="them")
    ProviderApp.objects.bulk_update([app], ["secrets"])
    assert open_client_secrets(ProviderApp.objects.get(id=app.id))[0].get_secret_value() == "another"


def test_one_corrupt_row_does_not_break_a_queryset(app: ProviderApp) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE connections_providerapp SET secrets = 'garbage'")
    loaded = ProviderApp.objects.get(id=app.id)
    with pytest.raises(Unreadable):
        open_client_secrets(loaded)


@pytest.mark.parametrize("value", ["text", 7])
def test_takes_sealed_bytes_only(app: ProviderApp, value: Any) -> None:
    app.secrets = value
    with pytest.raises(TypeError, match="takes sealed bytes"):
        app.save()


def test_refuses_to_be_written_into_a_fixture(app: ProviderApp) -> None:
    with pytest.raises(TypeError, match="not written to fixtures"):
        serializers.serialize("json", [app])


def test_does_not_open_in_another_row(app: ProviderApp) -> None:
    thief = ProviderApp.objects.create(
        provider="oidc", auth_style="oauth2_authorization_code", name="Thief", client_id="id", secrets=app.secrets
    )
    with pytest.raises(Unreadable):
        open_client_secrets(ProviderApp.objects.get(id=thief.id))
