"""The form of provider apps: it follows the entry, and its secrets are written, never shown."""

from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from connections.access.secrets import open_client_secrets, seal_client_secrets
from connections.access.targets import registrar_of
from connections.models import AuditEvent, ProviderApp, Tenant
from providers.catalog.loader import configure_catalog
from tests.connections.admin.conftest import ISSUER, SECRET, messages_of, page_url, press_url
from tests.factories import make_tenant

ADD = "/admin/connections/providerapp/add/"


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme")


def add(
    browser: Client, *, provider: str = "sandbox", style: str = "oauth2_authorization_code", **typed: Any
) -> HttpResponse:
    """Send the form of a new app."""
    data = {
        "param_issuer": ISSUER,
        "client_id": "c1",
        "client_secrets": "",
        "scopes": "",
        "name": "",
        "tenant": "",
        **typed,
    }
    response: HttpResponse = browser.post(f"{ADD}?provider={provider}&auth_style={style}", data, follow=True)
    return response


def change(browser: Client, app: ProviderApp, **typed: Any) -> HttpResponse:
    """Send the form of ``app`` with ``typed`` in place of what it shows."""
    data = {
        "name": app.name,
        "client_id": app.client_id,
        "client_secrets": "",
        "scopes": "\n".join(app.scopes),
        "param_issuer": app.params.get("issuer", ""),
        **typed,
    }
    response: HttpResponse = browser.post(page_url(app), data, follow=True)
    return response


def secrets_of(app: ProviderApp) -> list[str]:
    return [secret.get_secret_value() for secret in open_client_secrets(ProviderApp.objects.get(id=app.id))]


def errors_of(answer: Any) -> str:
    return str(answer.context["adminform"].form.errors)


@pytest.mark.parametrize("address", [ADD, f"{ADD}?provider=nope", f"{ADD}?provider=sandbox&auth_style=nope"])
def test_adding_begins_with_the_choice_of_a_provider(olga: Client, address: str) -> None:
    answer = olga.get(address)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/providers/")


def test_a_new_app_says_which_redirect_uri_to_register(olga: Client, acme: Tenant) -> None:
    answer = add(
        olga, client_secrets=f"{SECRET}\n  older  \n\n", scopes="profile.read\nfiles.read", tenant=str(acme.id)
    )
    app = ProviderApp.objects.get()
    assert f"http://testserver/connect/callback/{app.id}" in messages_of(answer)[0]
    assert (app.tenant, app.name, app.client_id, app.scopes) == (acme, "Sandbox", "c1", ["profile.read", "files.read"])
    assert app.params == {"issuer": ISSUER}
    assert secrets_of(app) == [SECRET, "older"]
    assert AuditEvent.objects.get(action="provider_app.saved").operator == "olga"


def test_a_draft_is_shown_as_one(olga: Client) -> None:
    add(olga, client_id="")
    app = ProviderApp.objects.get()
    assert app.is_draft
    page = olga.get(page_url(app)).content.decode()
    assert "Draft: no client ID" in page
    assert f"/connect/callback/{app.id}" in page


def test_an_app_for_pasted_keys_asks_for_no_registration(olga: Client) -> None:
    page = olga.get(f"{ADD}?provider=sandbox&auth_style=api_key").content.decode()
    assert "client_secrets" not in page
    answer = olga.post(f"{ADD}?provider=sandbox&auth_style=api_key", {"param_issuer": ISSUER, "name": ""}, follow=True)
    assert ProviderApp.objects.get().auth_style == "api_key", errors_of(answer)


def test_a_second_app_of_the_same_kind_is_refused_instead_of_replacing_the_first(olga: Client) -> None:
    add(olga, client_secrets=SECRET)
    answer = add(olga, client_id="c2")
    assert "change that one instead" in errors_of(answer)
    assert ProviderApp.objects.get().client_id == "c1"


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"param_issuer": "nonsense"}, "param_issuer"), ({"param_issuer": ""}, "param_issuer")],
)
def test_a_wrong_parameter_is_marked_at_its_field(olga: Client, typed: dict[str, str], field: str) -> None:
    answer = add(olga, client_secrets=SECRET, **typed)
    assert field in answer.context["adminform"].form.errors
    assert SECRET not in answer.content.decode()
    assert not ProviderApp.objects.exists()


def test_metadata_that_cannot_be_fetched_are_an_error_of_the_issuer(olga: Client, transactional_db: None) -> None:
    answer = add(olga, provider="oidc", param_issuer="http://127.0.0.1:1")
    assert "metadata cannot be used" in str(answer.context["adminform"].form.errors["param_issuer"])


def test_the_form_calls_the_provider_outside_any_transaction(
    olga: Client, transactional_db: None, sandbox_process: Any
) -> None:
    add(olga, provider="oidc", param_issuer=sandbox_process.url)
    app = ProviderApp.objects.get()
    assert app.discovered["token"] == f"{sandbox_process.url}/token"
    assert "introspection" in olga.get(page_url(app)).content.decode()
    change(olga, app, client_id="c2")
    assert ProviderApp.objects.get().client_id == "c2"


def test_an_empty_secret_field_keeps_the_stored_ones(olga: Client) -> None:
    add(olga, client_secrets=SECRET)
    app = ProviderApp.objects.get()
    change(olga, app, scopes="profile.read", name="Renamed")
    assert secrets_of(app) == [SECRET]
    assert ProviderApp.objects.get().name == "Renamed"


@pytest.mark.parametrize("moved", [{"param_issuer": "http://127.0.0.1:9555"}, {"client_id": "c2"}])
def test_a_change_of_where_the_secrets_go_asks_for_them_again(olga: Client, moved: dict[str, str]) -> None:
    add(olga, client_secrets=SECRET)
    app = ProviderApp.objects.get()
    assert "enter them again" in errors_of(change(olga, app, **moved))
    kept = ProviderApp.objects.get()
    assert (kept.params, kept.client_id, secrets_of(app)) == ({"issuer": ISSUER}, "c1", [SECRET])
    change(olga, app, client_secrets="new", **moved)
    assert secrets_of(app) == ["new"]


def test_metadata_that_names_another_token_endpoint_asks_for_the_secrets_again(
    olga: Client, transactional_db: None, sandbox_process: Any
) -> None:
    add(olga, provider="oidc", param_issuer=sandbox_process.url, client_secrets=SECRET)
    app = ProviderApp.objects.get()
    sealed_for_another = {**app.discovered, "token": f"{sandbox_process.url}/elsewhere"}
    app.secrets = seal_client_secrets(
        app, [SECRET], registrar=registrar_of(ProviderApp(**_columns(app), discovered=sealed_for_another))
    )
    app.save()
    assert "enter them again" in errors_of(change(olga, app, name="Renamed"))


def _columns(app: ProviderApp) -> dict[str, Any]:
    names = ("id", "provider", "auth_style", "client_id", "params")
    return {name: getattr(app, name) for name in names}


def test_typed_secrets_replace_all_and_a_tick_removes_them(olga: Client) -> None:
    add(olga, client_secrets=SECRET)
    app = ProviderApp.objects.get()
    change(olga, app, client_secrets="new-1\nnew-2")
    assert secrets_of(app) == ["new-1", "new-2"]
    change(olga, app, remove_secrets="on")
    assert secrets_of(app) == []
    assert "not set" in olga.get(reverse("admin:connections_providerapp_changelist")).content.decode()


def test_a_secret_is_never_rendered_back(olga: Client) -> None:
    add(olga, client_secrets=SECRET)
    app = ProviderApp.objects.get()
    for answer in (
        olga.get(page_url(app)),
        change(olga, app, client_secrets=SECRET, param_issuer="nonsense"),
        change(olga, app, client_secrets=SECRET),
        olga.get("/admin/"),
        olga.get(reverse("admin:connections_providerapp_history", args=[app.id])),
    ):
        assert SECRET not in answer.content.decode()
    assert "set" in olga.get(page_url(app)).content.decode()


def test_an_app_whose_entry_is_gone_can_still_be_looked_at(olga: Client) -> None:
    add(olga)
    ProviderApp.objects.update(provider="gone")
    page = olga.get(page_url(ProviderApp.objects.get())).content.decode()
    assert "no longer in the catalogue" in page


def test_pausing_and_suspending_an_app(olga: Client) -> None:
    add(olga)
    app = ProviderApp.objects.get()
    for verb, column in (("pause", "paused_at"), ("suspend", "suspended_at")):
        olga.post(press_url(app, verb))
        assert getattr(ProviderApp.objects.get(), column) is not None
    olga.post(press_url(app, "unpause"))
    olga.post(press_url(app, "resume"))
    app.refresh_from_db()
    assert (app.paused_at, app.suspended_at) == (None, None)
    actions = AuditEvent.objects.filter(operator="olga", detail__provider_app=str(app.id))
    assert actions.count() == 5


def test_a_key_outside_of_headers_is_told_where_the_app_is_made(olga: Client, tmp_path: Path) -> None:
    entry = 'name = "Shop"\n[api_key]\nfields = [{ name = "key", label = "Key" }]\n[presentation.api_key]\n'
    address = f"{ADD}?provider=shop&auth_style=api_key"
    try:
        for place, warned in (('query = { k = "{key}" }', True), ('headers = { X-K = "{key}" }', False)):
            (tmp_path / "shop.toml").write_text(entry + place)
            configure_catalog(tmp_path)
            page = olga.get(address).content.decode()
            assert ("The credential travels in the query" in page) is warned
            assert ("Caution" in page) is warned
    finally:
        configure_catalog(None)


def test_a_legacy_style_wants_the_operators_word(olga: Client) -> None:
    refused = add(olga, style="oauth2_password")
    assert "off: allow it for this app" in errors_of(refused)
    assert "forbids this grant" in refused.content.decode()
    assert not ProviderApp.objects.exists()
    add(olga, style="oauth2_password", allows_legacy="on")
    app = ProviderApp.objects.get()
    assert app.allows_legacy
    assert "off: allow it" in errors_of(change(olga, app))
    change(olga, app, allows_legacy="on", name="Renamed")
    assert ProviderApp.objects.get().name == "Renamed"
    assert 'name="allows_legacy"' not in olga.get(f"{ADD}?provider=sandbox").content.decode()
