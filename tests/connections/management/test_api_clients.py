"""``manage.py api_clients``."""

from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.models import ApiClient, ApiKey, AuditEvent, Tenant
from tests.connections.management.conftest import Run
from tests.factories import Caller
from tests.flows import call


def works(key: str) -> bool:
    return call(Caller(ApiClient.objects.all()[0], key), "GET", "/providers").status_code == 200


def test_the_key_is_printed_once_and_works(run: Run, acme: Tenant) -> None:
    ran = run("api_clients", "add", "backend", "--tenant", "acme")
    key = next(line.split()[1] for line in ran.out.splitlines() if line.startswith("key"))
    assert key.startswith("lk_")
    assert works(key)
    assert "shown this once" in ran.out
    everything = run("api_clients", "list").out + run("api_clients", "list", "--json").out
    assert key not in everything
    assert key[:10] in everything


def test_the_permissions_are_those_that_were_asked_for(run: Run) -> None:
    ran = run("api_clients", "add", "sync", "--permission", "read", "--permission", "tenants", "--days", "30", "--json")
    assert ran.data["permissions"] == ["read", "tenants"]
    assert ran.data["tenant"] is None
    left = ApiKey.objects.get().expires_at - database_now()
    assert timedelta(days=29) < left <= timedelta(days=30)


def test_a_client_that_exists_is_not_given_another_key_by_add(run: Run, acme: Tenant) -> None:
    run("api_clients", "add", "backend", "--tenant", "acme")
    ran = run("api_clients", "add", "backend", "--tenant", "acme")
    assert (ran.code, ran.out) == (1, "")
    assert "rotate" in ran.err
    assert ApiKey.objects.count() == 1


def test_rotating_lets_the_earlier_key_last_for_the_overlap(run: Run, acme: Tenant) -> None:
    first = run("api_clients", "add", "backend", "--tenant", "acme", "--json").data["key"]
    second = run("api_clients", "rotate", "backend", "--tenant", "acme", "--overlap-hours", "1", "--json").data["key"]
    assert works(first)
    assert works(second)
    earlier = ApiKey.objects.get(prefix=first[:10])
    assert earlier.expires_at - database_now() <= timedelta(hours=1)
    third = run("api_clients", "rotate", "backend", "--tenant", "acme", "--overlap-hours", "0", "--json").data["key"]
    assert not works(first)
    assert not works(second)
    assert works(third)
    assert AuditEvent.objects.filter(action="api_key.rotated").count() == 2


def test_revoking_ends_one_key_or_all(run: Run, acme: Tenant) -> None:
    first = run("api_clients", "add", "backend", "--tenant", "acme", "--json").data["key"]
    second = run("api_clients", "rotate", "backend", "--tenant", "acme", "--json").data["key"]
    ran = run("api_clients", "revoke", "backend", "--tenant", "acme", "--prefix", first[:10], "--json")
    assert ran.data["revoked"] == [first[:10]]
    assert not works(first)
    assert works(second)
    assert "Revoked 1 key" in run("api_clients", "revoke", "backend", "--tenant", "acme").out
    assert not works(second)
    ran = run("api_clients", "revoke", "backend", "--tenant", "acme")
    assert ran.code == 1
    assert "api_clients list" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("add", "x", "--tenant", "nobody"), 1, "tenants list"),
        (("add", "x", "--tenant", "acme", "--permission", "tenants"), 1, "operator-wide"),
        (("add", "x", "--days", "0"), 2, "whole number"),
        (("rotate", "nobody"), 1, "api_clients list"),
        (("revoke", "nobody"), 1, "api_clients list"),
    ],
)
def test_an_error_says_what_to_do(run: Run, acme: Tenant, arguments: tuple[str, ...], code: int, says: str) -> None:
    ran = run("api_clients", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err
    assert not ApiKey.objects.exists()


def test_lists_the_clients_of_one_tenant(run: Run, acme: Tenant, globex: Tenant) -> None:
    assert "api_clients add" in run("api_clients", "list").out
    run("api_clients", "add", "backend", "--tenant", "acme")
    run("api_clients", "add", "backend", "--tenant", "globex")
    assert [row["tenant"] for row in run("api_clients", "list", "--tenant", "globex", "--json").data] == ["globex"]
    assert len(run("api_clients", "list").out.splitlines()) == 3
