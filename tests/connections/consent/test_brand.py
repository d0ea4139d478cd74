"""The widget under a brand: its values in every page, its pictures for its own sessions, and nothing of another's."""

import re

import pytest

from connections.brand.profile import BrandProfile
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.brands import save_brand
from connections.models import ProviderApp, Tenant
from providers.sandbox.client import SandboxProcess
from tests.asgi_client import AsgiClient
from tests.connections.consent.test_pages import pages_of, policy
from tests.factories import make_caller, make_sandbox_app
from tests.flows import EndUser
from tests.pictures import SVG, data_uri, picture


def page(alice: EndUser) -> str:
    return alice.visit(f"/connect/{alice.invite().id}").content.decode()


def test_colours_radius_font_and_links_are_on_every_page_of_the_session(
    alice: EndUser, acme: Tenant, app: ProviderApp
) -> None:
    profile = BrandProfile(
        colors={"accent": "#0f766e"},
        dark_colors={"accent": "#2dd4bf"},
        radius=3,
        font="serif",
        support_url="https://acme.example/help",
        privacy_url="https://acme.example/privacy",
    )
    save_brand(acme, profile, actor=SYSTEM)
    for name, shown in pages_of(alice, app).items():
        text = shown.content.decode()
        if name in ("unknown", "foreign", "method"):
            assert "#0f766e" not in text, name
            continue
        assert "--brand: #0f766e; --on-brand: #ffffff;" in text, name
        assert "prefers-color-scheme: dark) { :root { --brand: #2dd4bf; --on-brand: #000000;" in text, name
        assert "--radius: 3px; --font: Georgia," in text, name
        assert 'href="https://acme.example/help" target="_blank" rel="noreferrer noopener"' in text, name
        assert 'href="https://acme.example/privacy"' in text, name


def test_a_page_without_a_session_shows_the_operator(alice: EndUser) -> None:
    nowhere = "/connect/00000000-0000-4000-8000-000000000000"
    assert 'class="brand"' not in alice.visit(nowhere).content.decode()
    save_brand(None, BrandProfile(name="Initech", logo=data_uri(SVG), colors={"accent": "#7c2d12"}), actor=SYSTEM)
    text = alice.visit(nowhere).content.decode()
    assert "<strong>Initech</strong>" in text
    assert "#7c2d12" in text
    found = re.search(r'<img class="logo" src="([^"]+)"', text)
    assert found is not None
    logo = alice.visit(found[1])
    assert (logo.status_code, logo["Content-Type"]) == (200, "image/svg+xml")
    assert logo["Cache-Control"] == "public, max-age=600"


@pytest.mark.parametrize("name", ["logo", "favicon"])
def test_a_picture_is_served_with_a_policy_that_lets_nothing_run(name: str, alice: EndUser, acme: Tenant) -> None:
    invitation = alice.invite()
    address = f"/connect/{invitation.id}/{name}"
    assert alice.visit(address).status_code == 404
    save_brand(acme, BrandProfile(**{name: data_uri(SVG)}), actor=SYSTEM)
    served = alice.visit(address)
    assert (served.status_code, served["Content-Type"]) == (200, "image/svg+xml")
    assert served["X-Content-Type-Options"] == "nosniff"
    assert {"sandbox": [], "default-src": ["'none'"]}.items() <= policy(served).items()
    assert f'"{address}"' in alice.visit(f"/connect/{invitation.id}").content.decode()


def test_no_session_shows_another_tenant_s_picture(
    alice: EndUser, acme: Tenant, globex: Tenant, sandbox: SandboxProcess
) -> None:
    save_brand(globex, BrandProfile(logo=data_uri(SVG), favicon=data_uri(picture())), actor=SYSTEM)
    make_sandbox_app(sandbox, tenant=globex)
    theirs = EndUser("bob", make_caller(globex), tenant="globex").invite()
    ours = alice.invite()
    for name in ("logo", "favicon"):
        assert AsgiClient().get(f"/connect/{theirs.id}/{name}").status_code == 200
        assert alice.visit(f"/connect/{ours.id}/{name}").status_code == 404
        assert AsgiClient().get(f"/connect/00000000-0000-4000-8000-000000000000/{name}").status_code == 404
        assert AsgiClient().get(f"/connect/operator/{name}").status_code == 404


@pytest.mark.parametrize(("color", "on_it"), [("#ca8a04", "#000000"), ("#101080", "#ffffff")])
def test_text_on_the_brands_colour_can_be_read(color: str, on_it: str, alice: EndUser, acme: Tenant) -> None:
    profile = BrandProfile(colors={"accent": color, "surface": "#ffffff"})
    if on_it == "#000000":
        profile = BrandProfile(
            colors={"accent": color, "surface": "#000000", "background": "#000000", "text": "#ffffff"}
        )
    save_brand(acme, profile, actor=SYSTEM)
    assert f"--brand: {color}; --on-brand: {on_it};" in page(alice)
