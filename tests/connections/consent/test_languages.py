"""The languages of the widget: complete catalogues, the right one for each page, and no text that none has."""

import re
from collections.abc import Iterator
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings
from django.test import RequestFactory
from django.utils import translation
from django.utils.translation import to_locale

from connections.brand.profile import BrandProfile
from connections.consent.categories import category_shown
from connections.consent.language import language_for
from connections.consent.manage_words import TOLD, WORDS_OF_A_VISIT, foreseen
from connections.consent.words import WORDS_OF, input_fault, invitation, words_for, words_to_mend, workspace_label
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.brands import save_brand
from connections.models import REASONS_OF, Connection, ProviderApp, Revocation, Tenant
from connections.refusals import InvalidRequest, ProviderDown
from providers.catalog.loader import load_catalog
from providers.catalog.methods import ApiKeyMethod
from providers.sandbox.client import SandboxProcess
from providers.strategies import strategies
from tests.campaigns.messages import LOCALE, TEMPLATES, catalogue, languages, texts
from tests.connections.consent.pseudo import CODE, plain_english, pseudo_language
from tests.connections.consent.steps import submit
from tests.connections.consent.test_pages import pages_of
from tests.connections.consent.visits import pages_of_a_visit
from tests.factories import Caller, make_sandbox_app
from tests.flows import EndUser

_HOLES = re.compile(r"%\(\w+\)s|\{\w*\}")


@pytest.fixture
def pseudo(tmp_path: Path) -> Iterator[None]:
    with pseudo_language(tmp_path):
        yield


def compiled_texts(language: str) -> dict[str, str]:
    content = (LOCALE / language / "LC_MESSAGES" / "django.mo").read_bytes()
    found: dict[str, str] = GNUTranslations(BytesIO(content))._catalog  # type: ignore[attr-defined]
    return {text: translated for text, translated in found.items() if text}


def test_every_language_but_english_has_a_catalogue() -> None:
    assert languages() == sorted(to_locale(code) for code, _ in settings.LANGUAGES if code != "en")


@pytest.mark.parametrize("language", languages())
def test_every_text_of_today_is_translated_and_nothing_else(language: str) -> None:
    """``make messages`` finds new texts; their translations are written into ``django.po`` by hand."""
    written = {str(message.id): str(message.string) for message in catalogue(language) if message.id}
    assert written.keys() == texts().keys()
    assert [text for text, translated in written.items() if not translated.strip()] == []
    assert [message.id for message in catalogue(language) if message.fuzzy and message.id] == []
    for text, translated in written.items():
        assert sorted(_HOLES.findall(translated)) == sorted(_HOLES.findall(text)), text


@pytest.mark.parametrize("language", languages())
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    """``make messages`` compiles."""
    written = {str(message.id): str(message.string) for message in catalogue(language) if message.id}
    assert compiled_texts(language) == written


def test_a_translation_is_not_the_english_text() -> None:
    same = {
        (language, text)
        for language in languages()
        for text, translated in compiled_texts(language).items()
        if text == translated
    }
    words = {("de", "Team"), ("fr", "site"), ("fr", "organisation"), ("pt_BR", "site")}
    categories = {str(category_shown(entry.category)) for entry in load_catalog().values()}
    assert {(language, text) for language, text in same - words if text not in categories} == set()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_no_template_holds_plain_english(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    source = re.sub(r"{% blocktranslate.*?{% endblocktranslate %}", " ", source, flags=re.DOTALL)
    source = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", " ", source, flags=re.DOTALL)
    assert plain_english(source, names=set()) == []


def test_every_word_of_ours_is_marked(pseudo: None) -> None:
    words = [*WORDS_OF.values(), *(words_for(code) for code in ("access_denied", "server_error", "invalid_scope", "?"))]
    words += [
        words_to_mend(Connection(status=status, reason=reason))
        for status, reasons in REASONS_OF.items()
        for reason in reasons
    ]
    said = [text for one in words for text in (one.title, one.advice)]
    said += [invitation(style, provider="Sandbox") for style in strategies()]
    said += [workspace_label(label) for label in ("", "Account", "Site", "Company", "Organisation")]
    for refusal in (ProviderDown("The server is down."), InvalidRequest("This key is wrong.")):
        said += [input_fault(refusal, provider="Sandbox"), input_fault(refusal, provider="Sandbox", label="Key")]
    said += [text for one in WORDS_OF_A_VISIT.values() for text in (one.title, one.advice)]
    said += [*TOLD.values(), *(text for one in Revocation if (text := foreseen(one)))]
    with translation.override(CODE):
        for text in map(str, said):
            assert text.startswith("⟦") and text.endswith("⟧"), text
            assert plain_english(text, names=set()) == []


def test_no_page_holds_plain_english(pseudo: None, alice: EndUser, acme: Tenant, app: ProviderApp) -> None:
    profile = BrandProfile(support_url="https://a.example/help", privacy_url="https://a.example/privacy")
    save_brand(acme, profile, actor=SYSTEM)
    alice.browser.defaults["HTTP_ACCEPT_LANGUAGE"] = CODE
    for name, page in (pages_of(alice, app) | pages_of_a_visit(alice, acme)).items():
        html = page.content.decode()
        assert f'<html lang="{CODE}" dir="rtl">' in html, name
        assert plain_english(html, names={"Acme", "Sandbox"}) == [], name


@pytest.mark.parametrize(
    ("session", "brand", "browser", "expected"),
    [
        ("", "", "", "en"),
        ("", "", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "", "pt-PT", "pt-br"),
        ("", "", "tlh,nl;q=0.9,ja;q=0.5", "ja"),
        ("", "", "fr;q=0,es;q=0.1", "es"),
        ("", "", "*", "en"),
        ("", "", "\x00;q=,,,;;de_DE" + "x" * 10_000, "en"),
        ("", "fr", "de", "fr"),
        ("es", "fr", "de", "es"),
        ("pt-BR", "fr", "de", "pt-br"),
        ("PT-br", "", "", "pt-br"),
        ("nl", "fr", "de", "fr"),
        ("nl", "", "de", "de"),
        ("en-GB", "fr", "de", "en"),
        ("../../etc", "", "", "en"),
    ],
)
def test_the_session_comes_first_then_the_brand_then_the_browser(
    session: str, brand: str, browser: str, expected: str
) -> None:
    request = RequestFactory().get("/", headers={"Accept-Language": browser} if browser else {})
    assert language_for(request, session, brand) == expected


def test_the_session_s_language_is_on_every_page_of_its_flow(alice: EndUser) -> None:
    invitation_in_german = alice.invite(locale="de-CH")
    landing = alice.visit(f"/connect/{invitation_in_german.id}").content.decode()
    assert '<html lang="de" dir="ltr">' in landing
    assert "Acme möchte Ihr Sandbox-Konto verwenden." in landing
    assert "Weiter" in landing
    denied = alice.visit(alice.authorize(invitation_in_german, allow=False)).content.decode()
    assert "Sie haben den Zugriff nicht erlaubt" in denied


def test_a_brand_s_own_words_are_shown_in_their_language_alone(alice: EndUser, acme: Tenant) -> None:
    texts_of_acme = {
        "de": {"continue": "Los!", "title": "{provider} mit {tenant} <b>verbinden</b>"},
        "ja": {"back": "X"},
    }
    save_brand(acme, BrandProfile(texts=texts_of_acme), actor=SYSTEM)
    german = alice.visit(f"/connect/{alice.invite(locale='de').id}").content.decode()
    assert ">Los!</button>" in german
    assert "Sandbox mit Acme &lt;b&gt;verbinden&lt;/b&gt;" in german
    english = alice.visit(f"/connect/{alice.invite(locale='en').id}").content.decode()
    assert "Los!" not in english


def test_words_of_the_catalogue_are_marked_as_english(sandbox: SandboxProcess, acme: Tenant, backend: Caller) -> None:
    keys, alice = make_sandbox_app(sandbox, tenant=acme, style=ApiKeyMethod.style), EndUser("alice", backend)
    invitation_in_japanese = alice.invite(locale="ja")
    alice.start(invitation_in_japanese)
    path = f"/connect/{invitation_in_japanese.id}/method/{keys.id}"
    fields = submit(alice, path, api_key="wrong").content.decode()
    assert '<html lang="ja" dir="ltr">' in fields
    assert 'lang="en" dir="ltr"' in fields
    assert "Sandboxに受け入れられませんでした" in fields or "次の項目を確認して" in fields
    assert "does not accept" not in fields
