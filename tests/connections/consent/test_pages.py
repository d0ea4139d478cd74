"""What the pages send to the browser along with themselves, and what they show of the tenant."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from pytest_django import Settings

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.tenants import TenantProfile, upsert_tenant
from connections.models import ProviderApp, Tenant, TenantDomain
from providers.catalog.methods import ApiKeyMethod
from providers.sandbox.client import SandboxProcess
from tests.asgi_client import AsgiClient
from tests.connections.consent.observed import pass_time
from tests.factories import ORIGIN, RETURN_URL, make_sandbox_app
from tests.flows import EndUser, failure_of


def policy(page: HttpResponse) -> dict[str, list[str]]:
    directives = (part.split() for part in page["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in directives}


def pages_of(alice: EndUser, app: ProviderApp) -> dict[str, HttpResponse]:
    """Return one of every page that the widget has."""
    invitation, denied = alice.invite(), alice.invite()
    with_origin = alice.invite(origin=ORIGIN.format(slug="acme"))
    return {
        "landing": alice.visit(f"/connect/{invitation.id}"),
        "leaving": alice.start(invitation),
        "choose": alice.visit(f"/connect/{invitation.id}/choose"),
        "fields": alice.visit(f"/connect/{invitation.id}/method/{app.id}"),
        "declined": alice.visit(alice.authorize(denied, allow=False)),
        "finished": alice.visit(alice.authorize(with_origin)),
        "problem": alice.visit(f"/connect/{invitation.id}"),
        "unknown": alice.visit("/connect/00000000-0000-4000-8000-000000000000"),
        "answer": alice.visit(f"/connect/callback/{app.id}?state=x"),
        "foreign": alice.browser.post(f"/connect/{invitation.id}/start", headers={"sec-fetch-site": "cross-site"}),
        "again": alice.browser.post(f"/connect/{alice.invite().id}/start"),
        "workspace": alice.visit(f"/connect/{invitation.id}/workspace"),
    }


def test_every_page_keeps_its_address_to_itself_and_runs_only_our_own_code(alice: EndUser, app: ProviderApp) -> None:
    for name, page in pages_of(alice, app).items():
        assert page["Referrer-Policy"] == "no-referrer", name
        assert page["Cache-Control"] == "no-store", name
        assert page["X-Content-Type-Options"] == "nosniff", name
        sources = policy(page)
        assert sources["default-src"] == ["'none'"], name
        assert sources["script-src"] == ["'self'"], name
        assert sources["img-src"] == sources["font-src"] == sources["form-action"] == ["'self'"], name
        assert sources["base-uri"] == sources["connect-src"] == ["'none'"], name
        assert "unsafe" not in page["Content-Security-Policy"], name
        text = page.content.decode()
        assert not re.search(r"<[^>]+\son\w+=", text), f"{name} has an inline handler"
        loaded = re.findall(r'<(?:script|img|link|iframe)\b[^>]*(?:src|href)="([^"]+)"', text)
        assert all(urlsplit(address).netloc == "" for address in loaded), f"{name} loads from elsewhere: {loaded}"
        assert not re.search(r"<script(?![^>]*(src=|application/json))", text), f"{name} has an inline script"


def test_a_style_is_let_in_by_a_nonce_of_its_own_answer(alice: EndUser) -> None:
    invitation = alice.invite()
    nonces = set()
    for _ in range(2):
        page = alice.visit(f"/connect/{invitation.id}")
        found = re.search(r'<style nonce="([^"]+)"', page.content.decode())
        assert found is not None
        assert f"'nonce-{found[1]}'" in policy(page)["style-src"]
        nonces.add(found[1])
    assert len(nonces) == 2


@pytest.mark.attack("a page of ours in a hostile frame", stopped_at="the browser: frame-ancestors")
def test_only_the_tenants_own_origins_may_frame_the_landing_page(alice: EndUser, app: ProviderApp) -> None:
    for name, page in pages_of(alice, app).items():
        if name == "landing":
            assert policy(page)["frame-ancestors"] == ["https://app.acme.example"]
            assert "X-Frame-Options" not in page
        else:
            assert policy(page)["frame-ancestors"] == ["'none'"], name
            assert page["X-Frame-Options"] == "DENY", name


def test_nobody_may_frame_the_pages_of_a_tenant_without_origins(alice: EndUser) -> None:
    upsert_tenant("acme", TenantProfile("Acme", return_urls=[RETURN_URL.format(slug="acme")]), actor=SYSTEM)
    page = alice.visit(f"/connect/{alice.invite().id}")
    assert policy(page)["frame-ancestors"] == ["'none'"]
    assert page["X-Frame-Options"] == "DENY"


def test_the_opener_is_severed_unless_it_gets_the_message(alice: EndUser) -> None:
    for origin, opener_policy in (("", "same-origin"), (ORIGIN.format(slug="acme"), "unsafe-none")):
        invitation = alice.invite(origin=origin)
        assert alice.visit(f"/connect/{invitation.id}")["Cross-Origin-Opener-Policy"] == opener_policy
        assert alice.start(invitation)["Cross-Origin-Opener-Policy"] == opener_policy


def test_the_widget_severs_the_opener_by_itself(alice: EndUser, app: ProviderApp, settings: Settings) -> None:
    """The settings say it for every page of the project; the widget does not rest on that."""
    settings.SECURE_CROSS_ORIGIN_OPENER_POLICY = None
    for name, page in pages_of(alice, app).items():
        expected = "unsafe-none" if name == "finished" else "same-origin"
        assert page["Cross-Origin-Opener-Policy"] == expected, name


FRAMED = {"sec-fetch-dest": "iframe"}


def test_a_frame_shows_the_way_on_where_this_browser_may_have_begun(alice: EndUser, app: ProviderApp) -> None:
    """A frame gets no cookie, so that it cannot know: the product was loaded again, or somebody else has the link."""
    invitation = alice.invite(origin=ORIGIN.format(slug="acme"))
    alice.leave(invitation)
    page = EndUser("alice", alice.backend).browser.get(f"/connect/{invitation.id}", headers=FRAMED)
    assert (page.status_code, policy(page)["frame-ancestors"]) == (200, ["https://app.acme.example"])
    assert 'id="start"' in page.content.decode()


@pytest.mark.parametrize("how", ["used", "expired"])
def test_a_frame_that_leads_nowhere_says_so_and_tells_the_page_around_it(how: str, alice: EndUser) -> None:
    invitation = alice.invite(origin=ORIGIN.format(slug="acme"))
    if how == "used":
        alice.complete(invitation, alice.finish(invitation))
    else:
        pass_time(invitation, minutes=10)
    page = AsgiClient().get(f"/connect/{invitation.id}", headers=FRAMED)
    text = page.content.decode()
    assert (page.status_code, failure_of(page)) == (410, how)
    assert policy(page)["frame-ancestors"] == ["https://app.acme.example"]
    assert 'data-origin="https://app.acme.example"' in text and "connect/framed.js" in text
    assert "completion_code" not in text


def test_every_page_of_a_flow_that_ends_with_a_message_keeps_the_window_that_opened_it(
    alice: EndUser, app: ProviderApp, acme: Tenant, sandbox: SandboxProcess
) -> None:
    make_sandbox_app(sandbox, tenant=acme, style=ApiKeyMethod.style)
    invitation = alice.invite(origin=ORIGIN.format(slug="acme"))
    answers = [alice.start(invitation)]
    steps = ("choose", f"method/{app.id}", "outcome", "outcome/state", "start")
    answers += [alice.browser.get(f"/connect/{invitation.id}/{step}") for step in steps]
    assert {answer["Cross-Origin-Opener-Policy"] for answer in answers} == {"unsafe-none"}


def test_the_landing_page_names_the_tenant_and_where_it_returns_to(alice: EndUser) -> None:
    text = alice.visit(f"/connect/{alice.invite().id}").content.decode()
    assert "Acme asks to use your Sandbox account" in text
    assert '<span class="domain">' not in text
    assert "Nobody has verified that this address belongs to Acme" in text


def test_a_page_vouches_for_the_tenant_s_own_host_alone(alice: EndUser, acme: Tenant, globex: Tenant) -> None:
    until = database_now() + timedelta(days=1)
    for tenant, host in ((acme, "acme.example"), (acme, "app.acme.example:8443"), (globex, "app.acme.example")):
        TenantDomain.objects.create(tenant=tenant, host=host, challenge="x", verified_until=until)
    own = TenantDomain.objects.create(tenant=acme, host="app.acme.example", challenge="x")
    address = f"/connect/{alice.invite().id}"
    assert "Nobody has verified" in alice.visit(address).content.decode()
    TenantDomain.objects.filter(id=own.id).update(verified_until=until)
    text = alice.visit(address).content.decode()
    assert '<span class="domain">app.acme.example</span>' in text
    assert "Verified" in text
    assert "Nobody has verified" not in text
    assert "Only continue if you came here from app.acme.example yourself" in text
    TenantDomain.objects.filter(id=own.id).update(verified_until=database_now())
    assert "Nobody has verified" in alice.visit(address).content.decode()


def test_leaving_names_the_tenant_and_goes_nowhere_else(alice: EndUser, app: ProviderApp) -> None:
    page = alice.start(alice.invite())
    text = page.content.decode()
    link = re.search(r'id="leave" href="([^"]+)" rel="noreferrer"', text)
    assert link is not None
    assert f'content="0;url={link[1]}"' in text
    assert "choose what Acme may do" in text


def test_what_a_tenant_is_called_is_text_and_nothing_more(alice: EndUser, acme: Tenant) -> None:
    profile = TenantProfile('</title><script>alert("x")</script>', return_urls=acme.return_urls)
    upsert_tenant("acme", profile, actor=SYSTEM)
    text = alice.visit(f"/connect/{alice.invite().id}").content.decode()
    assert "<script>alert" not in text
    assert "&lt;/title&gt;&lt;script&gt;" in text
