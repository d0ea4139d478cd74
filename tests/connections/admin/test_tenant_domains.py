"""Domains in the admin: added there, verified at once, and removed; each page says what is to be done."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from connections.lifecycle.provision.domains import PATH
from connections.models import AuditEvent, Tenant, TenantDomain
from tests.connections.admin.conftest import list_url, messages_of, operator_with, page_url, press_url
from tests.connections.lifecycle.provision.test_domains import Site, site  # noqa: F401 (a fixture)
from tests.factories import make_tenant

ADD = "/admin/connections/tenantdomain/add/"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme() -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def olga() -> Client:
    """Here with a database that has no transaction around it, because a look calls outside of any."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("olga"))
    return browser


def test_a_domain_is_added_published_and_verified(olga: Client, acme: Tenant, site: Site) -> None:  # noqa: F811
    answer = olga.post(ADD, {"tenant": str(acme.id), "host": f" {site.host.upper()} "})
    domain = TenantDomain.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, page_url(domain))
    assert (domain.tenant, domain.host) == (acme, site.host)
    assert AuditEvent.objects.get(action="domain.added").operator == "olga"
    page = olga.get(page_url(domain)).content.decode()
    assert f"http://{site.host}{PATH}" in page and f"latchkey-domain={domain.challenge}" in page
    assert "Verify now" in page and "Not verified" in page

    missing = messages_of(olga.post(press_url(domain, "look"), follow=True))
    assert missing == ["The file is not there: the host answered 404. Serve it at this very path, without a login."]
    site.hold(domain)
    assert messages_of(olga.post(press_url(domain, "look"), follow=True)) == [
        "The file is there: pages vouch for this host."
    ]
    assert "Leave the file there" in olga.get(page_url(domain)).content.decode()
    assert AuditEvent.objects.get(action="domain.verified").operator == "olga"


def test_a_host_that_is_none_is_refused_with_how_to_write_it(olga: Client, acme: Tenant) -> None:
    for host in ("https://app.acme.example/back", "*.acme.example", "10.0.0.1", "acme", "x" * 300):
        answer = olga.post(ADD, {"tenant": str(acme.id), "host": host})
        assert answer.status_code == 200, host
        assert "errorlist" in answer.content.decode(), host
    assert "like app.example.com" in olga.post(ADD, {"tenant": str(acme.id), "host": "acme"}).content.decode()
    assert not TenantDomain.objects.exists()


def test_a_domain_that_is_there_keeps_its_line(olga: Client, acme: Tenant) -> None:
    typed = {"tenant": str(acme.id), "host": "app.acme.example"}
    olga.post(ADD, typed)
    before = TenantDomain.objects.get()
    answer = olga.post(ADD, typed)
    assert answer.status_code == 200 and "already exists" in answer.content.decode()
    assert TenantDomain.objects.get().challenge == before.challenge


def test_removing_asks_first_and_then_forgets_it(olga: Client, acme: Tenant) -> None:
    domain = TenantDomain.objects.create(tenant=acme, host="app.acme.example", challenge="canary")
    assert "no longer vouch" in olga.get(press_url(domain, "remove")).content.decode()
    assert TenantDomain.objects.exists()
    answer = olga.post(press_url(domain, "remove"))
    assert (answer.status_code, answer["Location"]) == (302, list_url(TenantDomain))
    assert not TenantDomain.objects.exists()
    assert AuditEvent.objects.get(action="domain.removed").operator == "olga"


def test_adding_is_a_right_of_its_own(acme: Tenant) -> None:
    looks = operator_with("lena", "view_tenantdomain", "view_tenant")
    assert looks.get(ADD).status_code == 403
    adds = operator_with("adam", "view_tenantdomain", "view_tenant", "add_tenantdomain")
    assert adds.post(ADD, {"tenant": str(acme.id), "host": "app.acme.example"}).status_code == 302
    assert adds.post(press_url(TenantDomain.objects.get(), "look")).status_code == 403
