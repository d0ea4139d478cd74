"""Whom an event is about: the accounts exactly as they are written, at this app, while they are connected."""

import pytest

from connections.lifecycle.pushes.concern import Whose, concerned
from connections.models import ProviderApp, Tenant
from tests.connections.api.stored import overwrite
from tests.pushing import BY_SLUG, SANDBOX, app_of, connection_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def app(acme: Tenant) -> ProviderApp:
    return app_of(SANDBOX, acme)


def accounts(app: ProviderApp, *named: str, **options: bool) -> list[str]:
    found = concerned(app.id, Whose(named, **options))
    return sorted(found.values_list("provider_account_id", flat=True))


def test_an_account_is_compared_exactly(app: ProviderApp, acme: Tenant) -> None:
    for account in ("T1", "t1", "T1:U1", "T12", "xT1", "T_1", "T%"):
        connection_at(app, SANDBOX, acme, account=account)
    assert accounts(app, "T1") == ["T1"]
    assert accounts(app, "T_1") == ["T_1"]
    assert accounts(app, "%") == []
    assert accounts(app, "T%") == ["T%"]
    assert accounts(app, "T1", "T12", "nobody") == ["T1", "T12"]
    assert accounts(app, "") == []
    assert accounts(app) == []


def test_the_first_part_of_an_account_reaches_those_below_it(app: ProviderApp, acme: Tenant) -> None:
    for account in ("T1", "T1:U1", "T1:U2", "t1:U1", "T12:U1", "T_:U1"):
        connection_at(app, SANDBOX, acme, account=account)
    assert accounts(app, "T1", is_beginning=True) == ["T1:U1", "T1:U2"]
    assert accounts(app, "T_", is_beginning=True) == ["T_:U1"]


def test_a_parameter_is_compared_where_the_entry_says_so(acme: Tenant) -> None:
    shopify = BY_SLUG["shopify"]
    app = app_of(shopify, acme)
    meant = connection_at(app, shopify, acme)
    connection_at(app, shopify, acme, account="acme2")
    assert list(concerned(app.id, Whose(["acme"], param="shop"))) == [meant]


@pytest.mark.parametrize(
    ("status", "reason", "is_meant"),
    [
        ("active", "connected", True),
        ("suspect", "probe_refused", True),
        ("needs_reauth", "expired", True),
        ("pending", "awaiting_confirmation", False),
        ("revoked", "revoked_by_operator", False),
        ("disconnected", "disconnected_by_request", False),
    ],
)
def test_only_what_is_connected_is_meant(
    app: ProviderApp, acme: Tenant, status: str, reason: str, is_meant: bool
) -> None:
    connection = connection_at(app, SANDBOX, acme)
    overwrite(connection, status=status, reason=reason)
    assert concerned(app.id, Whose([SANDBOX.account])).exists() is is_meant
