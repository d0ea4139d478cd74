"""Writing an own entry in the admin: two sides, one text; who may, and what it takes to move secrets."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from connections.models import AuditEvent, ProviderApp
from providers.catalog.loader import entry
from tests.connections.admin.catalogue.conftest import OWN
from tests.connections.admin.conftest import SECRET, World, make_connection, operator_with, prove, unproven
from tests.connections.lifecycle.provision.test_own_providers import ACME, MOVES, make_app

NEW, ACME_ERP = "/admin/providers/own/", "/admin/providers/own/acme-erp/"


class Page:
    """The page as a browser has it: what is in its fields, and what comes of a button."""

    def __init__(self, browser: Client, path: str) -> None:
        self.browser, self.path = browser, path
        self.answer: Any = browser.get(path)
        assert self.answer.status_code == 200
        self.fields: dict[str, str] = {}
        self.read()

    def read(self) -> None:
        self.html = self.answer.content.decode()
        draft = self.answer.context["draft"]
        forms = [form for form in (draft.form, draft.slug_form) if form is not None]
        shown = {field.html_name: field.value() for form in forms for field in form}
        # A browser sends no box that is not ticked, and its line ends are CRLF.
        said = {
            name: "on" if value is True else str(value or "") for name, value in shown.items() if value is not False
        }
        toml = re.search(r'<textarea id="toml"[^>]*>\n(.*?)</textarea>', self.html, re.DOTALL)
        assert toml is not None
        hidden = dict(
            re.findall(r'<input type="hidden" name="((?:form|toml|file)_was|asked)" value="([^"]*)"', self.html)
        )
        self.fields = {**said, **hidden, "toml": unescape(toml[1])}

    def press(self, act: str, **typed: str) -> "Page":
        self.fields |= typed
        data = {name: value.replace("\n", "\r\n") for name, value in self.fields.items()}
        self.answer = self.browser.post(self.path, {**data, "act": act})
        if self.answer.status_code != 302:
            self.read()
        return self

    @property
    def problems(self) -> list[str]:
        return list(self.answer.context["draft"].problems)


def test_a_new_entry_is_written_in_the_form_alone(olga: Client, folder: Path) -> None:
    page = Page(olga, NEW)
    page.press("check", slug="acme", name="Acme Tools", key_label="Personal token", probe_url="https://acme.example/me")
    assert page.problems == []
    assert 'name = "Acme Tools"' in page.fields["toml"]
    assert "Personal token" in page.html
    assert not list(folder.glob("*.toml")), "checking stores nothing"
    page.press("save")
    assert page.answer["Location"] == "/admin/providers/own/acme/"
    assert entry("acme").name == "Acme Tools"
    assert AuditEvent.objects.get(action="own_provider.added").operator == "olga"
    assert "Acme Tools" in olga.get("/admin/providers/entry/acme/").content.decode()


def test_a_changed_toml_fills_in_the_form_and_keeps_its_comments(olga: Client, own: Path) -> None:
    page = Page(olga, ACME_ERP)
    page.press("check", toml=OWN.replace("Acme ERP", "Acme Next"))
    assert page.fields["name"] == "Acme Next"
    page.press("save")
    assert (own / "acme-erp.toml").read_text(encoding="utf-8") == OWN.replace("Acme ERP", "Acme Next")
    assert Page(olga, ACME_ERP).fields["name"] == "Acme Next"


def test_a_page_that_nobody_changed_is_stored_as_it_was(olga: Client, own: Path) -> None:
    Page(olga, ACME_ERP).press("save")
    assert (own / "acme-erp.toml").read_text(encoding="utf-8") == OWN


def test_a_changed_form_writes_the_toml_keeps_what_it_does_not_know_and_says_what_is_lost(
    olga: Client, own: Path
) -> None:
    page = Page(olga, ACME_ERP).press("to_toml", category="Finance", scopes="* read = See it")
    assert 'category = "Finance"' in page.fields["toml"]
    assert 'acme-old = "bearer_token"' in page.fields["toml"]
    assert "comments are gone" in page.html
    page.press("save")
    assert entry("acme-erp").category == "Finance"
    assert entry("acme-erp").default_scopes == ("read",)


def test_two_changed_sides_that_differ_are_a_question(olga: Client, own: Path) -> None:
    page = Page(olga, ACME_ERP)
    page.press("save", category="Finance", toml=OWN.replace("Acme ERP", "Acme Next"))
    assert page.answer.status_code == 200
    assert "Both the form and the TOML were changed" in page.problems[0]
    assert (own / "acme-erp.toml").read_text(encoding="utf-8") == OWN
    page.press("to_form")
    assert (page.problems, page.fields["category"], page.fields["name"]) == ([], "ERP", "Acme Next")
    page = Page(olga, ACME_ERP)
    page.press("save", category="Finance", toml=OWN.replace("Acme ERP", "Acme Next"))
    page.press("to_toml")
    assert 'category = "Finance"' in page.fields["toml"]


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("name = ", "acme-erp.toml: is not TOML"),
        ('name = "A"\ncolor = "red"\n[bearer_token]\n', "acme-erp.toml: color: "),
        ('name = "A"\ndocs_url = "javascript:alert(1)"\n[bearer_token]\n', "is no link that people can follow"),
        ("a = [" * 3000, "acme-erp.toml: "),
        ("n = " + "9" * 5000, "acme-erp.toml: "),
        ("category = 0x" + "F" * 5000, "holds a number that is too long to read"),
        (".".join(["a"] * 3000) + " = 1", "is nested too deeply"),
        ("a = " + "[" * 300 + "]" * 300, "is nested too deeply"),
        ('name = "A"\nnotes = 2026-11-29\n[bearer_token]\n', "notes: holds a date or a time"),
        ('name = "A"\nbearer_token = 3\n', "bearer_token: is a number"),
    ],
)
def test_mistakes_are_told_and_what_was_typed_stays(olga: Client, own: Path, toml: str, says: str) -> None:
    page = Page(olga, ACME_ERP).press("save", toml=toml)
    assert page.answer.status_code == 200
    assert any(says in problem for problem in page.problems), page.problems
    assert page.fields["toml"] == toml
    assert (own / "acme-erp.toml").read_text(encoding="utf-8") == OWN


@pytest.mark.parametrize("act", ["check", "to_toml", "to_form"])
@pytest.mark.parametrize(
    "toml",
    [
        'name = "A"\nnotes = 2026-11-29\n[bearer_token]\n',
        "category = 0x" + "F" * 5000,
        ".".join(["a"] * 3000) + " = 1",
        "a = " + "[" * 300 + "]" * 300,
        'name = "A"\nbearer_token = 3\n',
    ],
)
def test_no_document_is_more_than_the_form_can_stand(olga: Client, own: Path, toml: str, act: str) -> None:
    page = Page(olga, ACME_ERP).press(act, toml=toml, category="Finance")
    assert page.answer.status_code == 200


def test_a_text_that_is_too_long_is_refused_and_never_stored_in_part(olga: Client, own: Path) -> None:
    text = OWN.replace("\n", "\n" * 100) + "# " + "x" * 200_000
    page = Page(olga, ACME_ERP).press("save", toml=text)
    assert page.problems == ["An entry is at most 200,000 characters long."]
    assert (own / "acme-erp.toml").read_text(encoding="utf-8") == OWN


def test_of_two_editors_the_second_does_not_undo_what_the_first_has_stored(olga: Client, own: Path) -> None:
    first, second = Page(olga, ACME_ERP), Page(olga, ACME_ERP)
    assert first.press("save", category="Finance").answer.status_code == 302
    second.press("check", website="https://acme.example")
    second.press("save")
    assert "changed meanwhile" in second.problems[0]
    assert second.fields["website"] == "https://acme.example"
    second.press("save")
    assert "changed meanwhile" in second.problems[0], "it stays refused"
    assert 'category = "Finance"' in (own / "acme-erp.toml").read_text(encoding="utf-8")
    assert "website" not in (own / "acme-erp.toml").read_text(encoding="utf-8")


def test_a_file_that_cannot_be_read_is_told_and_may_be_removed(olga: Client, own: Path) -> None:
    file = own / "acme-erp.toml"
    file.unlink()
    file.symlink_to("/proc/self/mem")
    page = Page(olga, ACME_ERP)
    assert "cannot be read" in page.problems[0]
    page.press("save", toml=OWN)
    assert page.answer.status_code == 200
    assert olga.post(f"{ACME_ERP}remove/").status_code == 302
    assert not file.is_symlink()


def test_no_more_of_a_file_is_shown_than_could_be_stored(olga: Client, own: Path) -> None:
    (own / "acme-erp.toml").write_text(OWN + "# " + "x" * 2_000_000, encoding="utf-8")
    page = Page(olga, ACME_ERP)
    assert page.problems == ["An entry is at most 200,000 characters long."]
    assert len(page.html) < 300_000


@pytest.mark.parametrize("path", ["", "remove/"])
def test_a_name_that_no_file_can_have_is_not_found(olga: Client, own: Path, path: str) -> None:
    assert olga.get(f"/admin/providers/own/{'a' * 300}/{path}").status_code == 404
    assert olga.get("/admin/providers/own/", {"from": "a" * 300}).status_code == 200
    assert olga.get("/admin/providers/own/", {"from": "../acme-erp"}).status_code == 200


def test_the_preview_is_the_widget_s_own_page_in_a_frame_that_can_do_nothing(olga: Client, own: Path) -> None:
    label = '"><script>alert(1)</script>'
    text = OWN.replace("[bearer_token]", f"[bearer_token]\nfields = [{{ name = 'token', label = '{label}' }}]")
    page = Page(olga, ACME_ERP).press("check", toml=text)
    (frame,) = re.findall(r"<iframe sandbox\s[^>]*srcdoc=\"([^\"]*)\"", page.html)
    shown = unescape(frame)
    assert "Connect your Acme ERP account" in shown
    assert "&quot;&gt;&lt;script&gt;alert(1)" in shown
    assert "<script" not in shown
    assert "<script>alert" not in page.html


def test_a_style_without_fields_is_shown_as_the_way_to_the_provider(olga: Client, folder: Path) -> None:
    page = Page(olga, NEW).press("check", slug="acme", toml=ACME)
    assert page.problems == []
    assert "You will be sent to Acme to sign in" in unescape(page.html)


def test_describing_is_a_right_of_its_own(own: Path, db: None) -> None:
    looker = operator_with("vera", "view_providerapp", "add_providerapp", "change_providerapp")
    for path in (NEW, ACME_ERP, f"{ACME_ERP}remove/"):
        assert looker.get(path).status_code == 403
        assert looker.post(path, {"act": "save", "toml": OWN}).status_code == 403
        assert Client().get(path).status_code == 302
    html = (
        looker.get("/admin/providers/").content.decode()
        + looker.get("/admin/providers/entry/acme-erp/").content.decode()
    )
    assert "/admin/providers/own/" not in html
    describer = operator_with("dora", "describe_provider")
    assert "/admin/providers/own/" in describer.get("/admin/providers/").content.decode()
    assert Page(describer, ACME_ERP).press("save", category="Other").answer.status_code == 302
    assert (own / "acme-erp.toml").exists()


def test_a_form_from_another_site_is_refused(own: Path, db: None) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_superuser("mallory"))
    for path in (NEW, ACME_ERP, f"{ACME_ERP}remove/"):
        assert browser.post(path, {"act": "save", "toml": OWN}).status_code == 403
    assert (own / "acme-erp.toml").exists()


def test_a_new_entry_does_not_replace_one_unasked(olga: Client, own: Path) -> None:
    page = Page(olga, NEW).press("save", slug="acme-erp", toml=OWN)
    assert "change that one" in page.html
    page = Page(olga, f"{NEW}?from=hubspot")
    assert (page.fields["slug"], page.fields["name"]) == ("hubspot", "HubSpot")
    page.press("save")
    assert "takes its place until you remove it" in re.sub(r"\s+", " ", page.html)
    assert not (own / "hubspot.toml").exists()
    unproven(olga)
    page.press("save", understood="on")
    assert "Prove it in another window" in page.html
    prove(olga, User.objects.get(username="olga"))
    page.press("save", understood="on")
    assert page.answer.status_code == 302
    assert (own / "hubspot.toml").exists()
    for path in ("/admin/providers/?q=hubspot&source=own", "/admin/providers/entry/hubspot/"):
        told = olga.get(path).content.decode()
        assert "Your own" in told
        assert '<span class="chip chip-good">High confidence</span>' not in told, "a copy is confirmed by nobody"
    assert "hubspot/" not in olga.get("/admin/providers/?q=hubspot&confidence=high&source=own").content.decode()


def test_what_moves_secrets_takes_a_word_and_a_proof(olga: Client, own: Path, world: World) -> None:
    page = Page(olga, NEW).press("save", slug="acme", toml=ACME)
    app = make_app("acme")
    page = Page(olga, "/admin/providers/own/acme/").press("save", toml=MOVES[0])
    told = re.sub(r"\s+", " ", page.html)
    assert "This changes where secrets go (probe.url)" in told
    assert "client secrets of its provider apps are destroyed" in told
    assert page.press("save").answer.status_code == 200
    unproven(olga)
    assert page.press("save", understood="on").answer.status_code == 200
    assert ProviderApp.objects.get(id=app.id).secrets is not None
    prove(olga, User.objects.get(username="olga"))
    page.press("save", understood="on")
    assert page.answer.status_code == 302
    assert ProviderApp.objects.get(id=app.id).secrets is None
    assert "client secrets again" in olga.get("/admin/providers/own/acme/").content.decode()


def test_what_a_connection_would_follow_cannot_be_moved_at_all(olga: Client, own: Path, world: World) -> None:
    Page(olga, NEW).press("save", slug="acme", toml=ACME)
    make_connection(make_app("acme"), world.tenant, "bob")
    page = Page(olga, "/admin/providers/own/acme/")
    page.press("save", toml=MOVES[0], understood="on")
    assert page.answer.status_code == 200
    assert "1 connection" in page.problems[0]
    for word in (str(world.tenant.id), str(world.app.id), "bob", "alice", SECRET):
        assert word not in page.html


def test_it_is_removed_after_a_question_and_not_while_it_is_used(olga: Client, own: Path) -> None:
    Page(olga, NEW).press("save", slug="acme", toml=ACME)
    make_app("acme")
    assert "Remove acme?" in olga.get("/admin/providers/own/acme/remove/").content.decode()
    refused = olga.post("/admin/providers/own/acme/remove/").content.decode()
    assert "The entry is used: 1 provider app." in refused
    assert (own / "acme.toml").exists()
    answer = olga.post(f"{ACME_ERP}remove/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/providers/")
    assert not (own / "acme-erp.toml").exists()
    assert olga.get(ACME_ERP).status_code == 404


@pytest.mark.parametrize("slug", ["hubspot", "nope"])
def test_only_own_entries_have_such_pages(olga: Client, own: Path, slug: str) -> None:
    for path in (f"{NEW}{slug}/", f"{NEW}{slug}/remove/"):
        assert olga.get(path).status_code == 404
        assert olga.post(path, {"act": "save", "toml": OWN}).status_code == 404


def test_a_file_that_is_not_in_order_can_be_mended_here(olga: Client, folder: Path) -> None:
    (folder / "broken.toml").write_text("name = ", encoding="utf-8")
    page = Page(olga, f"{NEW}broken/")
    assert "is not TOML" in page.problems[0]
    page.press("save", toml=OWN)
    assert page.answer.status_code == 302
    assert entry("broken").name == "Acme ERP"
