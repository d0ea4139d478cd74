"""Domains over the API and by the command: what is told of them, and to whom. The looking itself is the room's."""

from typing import Any

import pytest

from connections.lifecycle.provision.domains import PATH
from connections.models import AuditEvent, Permission, Tenant, TenantDomain
from tests.connections.management.conftest import Run, run  # noqa: F401 (a fixture)
from tests.factories import Caller, make_caller
from tests.flows import call

AWAY = "127.0.0.1:1"


@pytest.fixture
def manager(transactional_db: None) -> Caller:
    """An operator-wide client that manages tenants."""
    return make_caller(None, "manager", [Permission.TENANTS, Permission.READ])


def put(manager: Caller, host: str = AWAY, slug: str = "acme") -> Any:
    return call(manager, "PUT", f"/tenants/{slug}/domains/{host}")


def test_a_domain_says_which_file_it_needs_until_it_is_forgotten(manager: Caller, acme: Tenant) -> None:
    told = put(manager).json()
    line = f"latchkey-domain={TenantDomain.objects.get().challenge}"
    assert (told["host"], told["verified"], told["verified_until"]) == (AWAY, False, None)
    assert (told["file_url"], told["file_line"]) == (f"http://{AWAY}{PATH}", line)
    assert told["failure"] == "The host cannot be reached. Check its DNS record and its certificate."
    assert call(manager, "GET", "/tenants/acme/domains").json()["items"] == [told]
    assert put(manager).json()["file_line"] == line
    assert AuditEvent.objects.filter(action="domain.added", api_client_id=manager.client.id).count() == 1
    assert call(manager, "DELETE", f"/tenants/acme/domains/{AWAY}").status_code == 204
    assert call(manager, "DELETE", f"/tenants/acme/domains/{AWAY}").status_code == 404
    assert call(manager, "GET", "/tenants/acme/domains").json()["items"] == []


def test_a_host_that_is_none_is_refused_by_name(manager: Caller, acme: Tenant) -> None:
    for host in ("*.acme.example", "ACME.example", "10.0.0.1", "acme"):
        answer = put(manager, host)
        assert (answer.status_code, answer.json()["field"]) == (422, "host")
    assert put(manager, slug="nobody").status_code == 404
    assert not TenantDomain.objects.exists()


def test_only_an_operator_wide_client_verifies(manager: Caller, acme: Tenant, globex: Tenant) -> None:
    put(manager)
    for caller in (make_caller(acme), make_caller(globex, "stranger"), make_caller(None, "reader", [Permission.READ])):
        assert put(caller, "app.acme.example").status_code == 403
        assert call(caller, "GET", "/tenants/acme/domains").status_code == 403
        assert call(caller, "DELETE", f"/tenants/acme/domains/{AWAY}").status_code == 403
    assert TenantDomain.objects.count() == 1


def test_the_command_says_what_to_put_where(run: Run, acme: Tenant) -> None:  # noqa: F811 (the fixture)
    ran = run("tenants", "verify", "acme", AWAY)
    assert ran.code == 0
    assert f"http://{AWAY}{PATH}" in ran.out and "latchkey-domain=" in ran.out
    assert run("tenants", "verify", "acme", AWAY, "--json").data["verified"] is False
    assert "wildcard" in run("tenants", "verify", "acme", "*.acme.example").err
