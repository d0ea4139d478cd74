"""Switched off: a row in hand, a queryset and a statement say the same of every combination of switches."""

from itertools import product

import pytest
from django.db import connection as database
from django.utils import timezone

from connections.models import Connection, DisabledReason, ProviderApp, Tenant, WebhookEndpoint
from connections.models.switches import KILL_SWITCH, PAUSE, any_thrown, sql, thrown
from connections.models.webhook_endpoint import switched_on
from tests.connections.api.stored import make_connection
from tests.factories import make_tenant

SWITCHES = {
    ("connection", KILL_SWITCH): Connection,
    ("tenant", KILL_SWITCH): Tenant,
    ("provider app", KILL_SWITCH): ProviderApp,
    ("connection", PAUSE): Connection,
    ("provider app", PAUSE): ProviderApp,
}


def by_sql(*switches: str) -> bool:
    with database.cursor() as cursor:
        cursor.execute(f"""
            SELECT {sql(*switches)} FROM connections_connection AS connection
              JOIN connections_tenant AS tenant ON tenant.id = connection.tenant_id
              JOIN connections_providerapp AS app ON app.id = connection.provider_app_id
        """)
        ((found,),) = cursor.fetchall()
    return bool(found)


@pytest.mark.django_db
def test_row_queryset_and_statement_agree_on_every_combination() -> None:
    make_connection(make_tenant("acme"))
    for combination in product([False, True], repeat=len(SWITCHES)):
        expected = dict(zip(SWITCHES, combination, strict=True))
        for (whose, switch), model in SWITCHES.items():
            model._default_manager.update(**{switch: timezone.now() if expected[whose, switch] else None})
        connection = Connection.objects.select_related("tenant", "provider_app").get()
        for switch in (KILL_SWITCH, PAUSE):
            on = [whose for (whose, column), is_on in expected.items() if column == switch and is_on]
            assert [whose for whose, _ in thrown(connection, switch)] == on
            assert Connection.objects.filter(any_thrown(switch)).exists() == by_sql(switch) == bool(on)
        assert connection.is_suspended == by_sql(KILL_SWITCH)
        assert connection.is_paused == by_sql(PAUSE)
        assert Connection.objects.working().exists() is not any(combination)
        assert by_sql(KILL_SWITCH, PAUSE) == any(combination)


def test_a_switch_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no switch"):
        Connection().turn("status", None)


@pytest.mark.django_db
@pytest.mark.parametrize("is_operators", [False, True])
def test_a_row_and_a_queryset_agree_on_which_webhook_endpoints_are_on(is_operators: bool) -> None:
    owner = None if is_operators else make_tenant("acme")
    WebhookEndpoint.objects.create(tenant=owner, url="https://hooks.example", position=0)
    now = timezone.now()
    for is_suspended, is_disabled in product([False, True], repeat=2):
        Tenant.objects.update(suspended_at=now if is_suspended else None)
        endpoint = WebhookEndpoint.objects.get()
        if is_disabled:
            endpoint.disable(DisabledReason.OPERATOR, now=now)
        else:
            endpoint.enable(now=now)
        is_on = not is_disabled and (is_operators or not is_suspended)
        assert endpoint.is_on is WebhookEndpoint.objects.filter(switched_on()).exists() is is_on
