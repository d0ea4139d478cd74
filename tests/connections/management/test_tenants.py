"""``manage.py tenants``."""

from connections.models import AuditEvent, Tenant
from tests.connections.api.stored import make_connection
from tests.connections.management.conftest import Run
from tests.factories import make_tenant


def test_adds_a_tenant_and_says_so(run: Run) -> None:
    ran = run("tenants", "add", "acme", "--name", "Acme Inc.", "--return-url", "https://app.acme.example/back")
    assert ran.code == 0
    assert "Added the tenant acme." in ran.out
    tenant = Tenant.objects.get(slug="acme")
    assert (tenant.name, tenant.return_urls) == ("Acme Inc.", ["https://app.acme.example/back"])
    assert AuditEvent.objects.get(action="tenant.saved").operator.endswith("(command line)")


def test_changing_a_tenant_keeps_what_is_not_given(run: Run) -> None:
    run(
        "tenants",
        "add",
        "acme",
        "--name",
        "Acme",
        "--return-url",
        "https://a.example/1",
        "--origin",
        "https://a.example",
    )
    ran = run("tenants", "add", "acme", "--name", "Acme Inc.", "--json")
    assert ran.data["created"] is False
    assert ran.data["return_urls"] == ["https://a.example/1"]
    assert ran.data["allowed_origins"] == ["https://a.example"]
    assert ran.data["name"] == "Acme Inc."


def test_a_wrong_return_url_ends_with_exit_code_1_and_says_why(run: Run) -> None:
    ran = run("tenants", "add", "acme", "--return-url", "ftp://a.example")
    assert (ran.code, ran.out) == (1, "")
    assert "has to begin with https://" in ran.err


def test_lists_tenants_for_people_and_programs(run: Run) -> None:
    assert "tenants add" in run("tenants", "list").out
    assert run("tenants", "list", "--json").data == []
    run("tenants", "add", "acme")
    assert run("tenants", "list").out.splitlines()[1].startswith("acme")
    assert run("tenants", "list", "--json").data[0]["connections"] == 0


def test_says_what_would_go_and_deletes_only_when_told(run: Run, transactional_db: None) -> None:
    acme = make_tenant("acme")
    make_connection(acme)
    ran = run("tenants", "delete", "acme")
    assert ran.code == 0
    assert "Nothing was done" in ran.out
    assert run("tenants", "delete", "acme", "--json").data["goes"]["connections"] == 1
    acme.refresh_from_db()
    assert acme.suspended_at is None

    ran = run("tenants", "delete", "acme", "--yes")
    assert ran.code == 0
    assert "1 are being revoked" in ran.out
    assert Tenant.objects.get().suspended_at is not None

    ran = run("tenants", "delete", "acme", "--yes", "--now")
    assert "Deleted the tenant acme" in ran.out
    assert not Tenant.objects.exists()
    assert AuditEvent.objects.filter(action="tenant.delete_ordered").latest("id").operator.endswith("(command line)")
    assert "There is no tenant 'acme'" in run("tenants", "delete", "acme", "--yes").err
