"""Key checks: one damaged row, or one service that is away, takes no process out of service; wrong keys do."""

import base64
import secrets
import uuid
from collections.abc import Callable

import pytest
from django.db import connection as database
from pytest_django import Settings

from connections.access.key_checks import foreign_keks, most_open, newest_open
from connections.models import CredentialVersion, DataKey, ProviderApp, Tenant
from providers.custodians.custody import Custody
from tests.connections.api.stored import make_app, make_connection
from tests.providers.custodians.conftest import bao, use
from tests.providers.custodians.stand_ins import Bao

__all__ = ["bao", "use"]


@pytest.fixture
def stored(acme: Tenant, globex: Tenant) -> None:
    """Two tenants, each with a data key, an app and a credential."""
    for tenant in (acme, globex):
        make_connection(tenant, app=make_app(tenant))


def damage(table: str, column: str, pk: object) -> None:
    with database.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = 'damaged' WHERE id = %s", [pk])


def test_an_empty_database_is_in_order(db: None) -> None:
    assert (most_open(), newest_open(), foreign_keks()) == (True, True, [])


@pytest.mark.usefixtures("stored")
def test_rows_that_are_damaged_stop_nobody_while_others_open() -> None:
    damage("connections_credentialversion", "secrets", CredentialVersion.objects.order_by()[0].pk)
    damage("connections_providerapp", "secrets", ProviderApp.objects.order_by("-updated_at")[0].pk)
    damage("connections_datakey", "wrapped", DataKey.objects.order_by("-created_at")[0].pk)
    assert (most_open(), newest_open()) == (True, False)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("name", ["KEK_KEYS", "FERNET_KEYS"])
def test_where_nothing_opens_under_one_of_the_lists_nobody_is_ready(settings: Settings, name: str) -> None:
    fresh = base64.b64encode(secrets.token_bytes(32)).decode()
    settings.KEK_KEYS, settings.FERNET_KEYS = (
        ([f"{settings.KEK_KEYS[0].partition(':')[0]}:{fresh}"], settings.FERNET_KEYS)
        if name == "KEK_KEYS"
        else (settings.KEK_KEYS, [fresh])
    )
    assert (most_open(), newest_open()) == (False, False)


@pytest.mark.usefixtures("stored")
def test_a_service_that_is_away_stops_nobody_who_has_another_key(
    settings: Settings, bao: Bao, use: Callable[[Custody], None]
) -> None:
    """As a process that begins in the middle of a move between two services."""
    bao.is_cut = True
    use(bao.custody())
    settings.KEK_KEYS = [*settings.KEK_KEYS, f"away:vault-transit:{Bao.NAME}:{base64.b64encode(b'x' * 40).decode()}"]
    newest = DataKey.objects.order_by("-created_at")[0]
    DataKey.objects.filter(pk=newest.pk).update(kek_id="away")
    assert (most_open(), newest_open(), foreign_keks()) == (True, True, [])
    DataKey.objects.update(kek_id="away")
    assert (most_open(), newest_open()) == (False, True)


@pytest.mark.parametrize(("newer", "is_ready"), [(1, True), (3, False)])
def test_a_process_that_lacks_the_key_in_use_is_not_ready(acme: Tenant, newer: int, is_ready: bool) -> None:
    """As one that begins with the lists of yesterday, or from whose lists the older key was taken too early."""
    make_connection(acme, app=make_app(acme))
    (row,) = DataKey.objects.all()
    DataKey.objects.bulk_create(
        DataKey(id=uuid.uuid4(), kek_id="gone", wrapped=bytes(row.wrapped), is_current=False, tenant=acme)
        for _ in range(newer)
    )
    assert (most_open(), newest_open()) == (is_ready, False)


def test_a_column_that_holds_nothing_is_no_fault(acme: Tenant) -> None:
    make_app(acme)
    ProviderApp.objects.update(secrets=None)
    assert most_open()
