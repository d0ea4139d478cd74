"""What the first pages say: which scopes are asked for, in plain words, and what there is to choose from."""

import re
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import expect

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.models import ProviderApp, Tenant
from providers.catalog.loader import entry
from providers.sandbox.client import SandboxProcess
from tests.campaigns.screens import chromium
from tests.factories import Caller, make_sandbox_app
from tests.flows import EndUser

ROOT = Path(__file__).parents[3]
MANY = (
    "anthropic",
    "openai",
    "cloudflare",
    "deepl",
    "elevenlabs",
    "sendgrid",
    "mailgun",
    "datadog",
    "groq",
    "pinecone",
)


def asked(page: str) -> list[str]:
    """Return what the page lists under its heading of scopes."""
    section = re.search(r'<section class="scopes">(.*?)</section>', page, re.DOTALL)
    return [unescape(item) for item in re.findall(r"<li>(.*?)</li>", section[1])] if section else []


def test_scopes_are_told_in_plain_words_before_the_click(alice: EndUser, app: ProviderApp) -> None:
    def told(**changes: object) -> list[str]:
        return asked(alice.visit(f"/connect/{alice.invite(**changes).id}").content.decode())

    known = {scope.name: scope.description for scope in entry("sandbox").scopes}
    assert told(scopes=["files.read"])[0] == known["files.read"] == "Read your files"
    assert known["files.write"] not in told(scopes=["files.read"])
    assert "<code>files.&lt;b&gt;</code>".replace("&lt;", "<").replace("&gt;", ">") in told(scopes=["files.<b>"])
    assert "<b>" not in alice.visit(f"/connect/{alice.invite(scopes=['files.<b>']).id}").content.decode()


def test_scopes_are_those_of_the_provider_app_where_a_session_names_none(
    sandbox: SandboxProcess, acme: Tenant, backend: Caller
) -> None:
    make_sandbox_app(sandbox, tenant=acme, scopes=["files.write"])
    alice = EndUser("alice", backend)
    page = alice.visit(f"/connect/{alice.invite().id}").content.decode()
    assert "What Acme asks for" in page
    assert "Create, change and delete your files" in asked(page)
    assert "Read your files" not in asked(page)


@pytest.fixture
def choices(acme: Tenant, backend: Caller) -> str:
    """The page on which alice chooses between many providers."""
    for slug in MANY:
        style = next(iter(entry(slug).methods))
        save_provider_app(Registration(provider=slug, auth_style=style), tenant=acme, actor=SYSTEM)
    alice = EndUser("alice", backend)
    invitation = alice.invite(provider=[*MANY])
    page: str = alice.visit(alice.start(invitation)["Location"]).content.decode()
    return page


def test_many_choices_are_searched_by_name_and_category(choices: str) -> None:
    assert 'id="search" hidden' in choices, "without scripts there is no field that does nothing"
    script = re.search(r'src="([^"]+/choose[^"]*\.js)"', choices)
    assert script is not None
    code = (ROOT / "static" / "connect" / "choose.js").read_text(encoding="utf-8")
    with chromium() as browser:
        page = browser.new_page()
        page.set_content(re.sub(r"<(script|link)[^>]*>(</script>)?", "", choices))
        page.evaluate(code)
        shown = page.locator("#choices > li:visible")
        expect(shown).to_have_count(len(MANY))
        for typed, count in (("deepl", 1), ("DÉEPL", 1), ("ai", None), ("no such thing", 0), ("", len(MANY))):
            page.get_by_label("Search").fill(typed)
            if count is not None:
                expect(shown).to_have_count(count)
            expect(page.locator("#none")).to_be_visible(visible=count == 0)
            expect(page.locator("#found")).to_have_text(
                f"Results: {shown.count()}" if count != 0 else "Nothing has this name. Try another one."
            )
