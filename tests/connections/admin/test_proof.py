"""A stolen session at each dangerous act: without a fresh proof none is done, and every button is judged here."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from connections.access.secrets import open_client_secrets
from connections.admin.buttons import Button, ButtonsAdmin
from connections.models import AuditEvent, Connection, ProviderApp, Tenant
from tests.connections.admin.conftest import SECRET, World, list_url, one_of, page_url, press_url, unproven

PROOF = "/admin/account/prove/"
# By why they need no proof: what they do leads to no credential, and stops no service.
HARMLESS = {
    "it asks the provider as the beat does, or ends nothing": {
        *("connection: refresh", "connection: probe", "connection: reread", "registeredclient: renew"),
        *(
            "providerapp: read-secret",
            "tenantdomain: look",
            "incident: close",
            "bulkjob: cancel",
            "managementsession: close",
        ),
    },
    "it is taken back by one click, and one connection vends on until its credential ends": {
        *("connection: pause", "connection: unpause", "providerapp: unpause"),
    },
    "it takes rights away from somebody, and whoever gave them gives them anew": {
        *("accessgrant: revoke", "approval: deny", "user: logout", "tenantdomain: remove"),
    },
    "it sends to where it goes anyway": {
        *("notice: send-again", "webhookdelivery: resend", "webhookendpoint: test", "webhookendpoint: enable"),
        *("webhookendpoint: retry", "webhookendpoint: replay"),
    },
    "it shows no more than the pages do": {"providerapp: preview"},
    "it makes what is not used before a provider is told": {"providerapp: make-key"},
    "a consent at the provider is what it needs": {
        *("providerapp: try", "connectsession: finish", "connectsession: end-trial"),
    },
}


def buttons() -> dict[str, tuple[type, Button[Any]]]:
    """Return each button by the name of its page and its verb."""
    pages = ((model, page) for model, page in admin.site._registry.items() if isinstance(page, ButtonsAdmin))
    return {
        f"{model._meta.model_name}: {button.verb}": (model, button) for model, page in pages for button in page.buttons
    }


def test_every_button_is_judged() -> None:
    free = [name for names in HARMLESS.values() for name in names]
    assert len(free) == len({*free})
    assert {name for name, (_, button) in buttons().items() if not button.needs_proof} == {*free}


def test_no_dangerous_button_is_pressed_without_a_proof(olga: Client, world: World) -> None:
    """Whatever else would refuse it: the proof is asked for first."""
    last = AuditEvent.objects.latest("id").id
    unproven(olga)
    pressed = 0
    for name, (model, button) in buttons().items():
        if not button.needs_proof:
            continue
        row = one_of(model)
        for answer in (
            olga.get(press_url(row, button.verb)),
            olga.post(press_url(row, button.verb), {"confirmed": "yes"}),
        ):
            assert answer.status_code == 302 and answer["Location"].startswith(PROOF), name
            pressed += 1
    assert pressed > 40
    assert not AuditEvent.objects.filter(id__gt=last).exists()


@pytest.mark.parametrize("action", ["pause", "suspend", "resume", "revoke", "disconnect", "export"])
def test_no_dangerous_action_is_taken_on_many_without_a_proof(olga: Client, world: World, action: str) -> None:
    last = AuditEvent.objects.latest("id").id
    chosen = {"action": action, "_selected_action": [str(world.connection.id)], "confirmed": "yes"}
    for more in ({}, {"select_across": "1"}):
        assert unproven(olga).post(list_url(Connection), chosen | more)["Location"].startswith(PROOF)
    assert not AuditEvent.objects.filter(id__gt=last).exists()


def test_a_thief_makes_no_account_that_outlasts_the_session(olga: Client) -> None:
    victim = User.objects.create_user("vera", password="a good long passphrase", is_staff=True)
    role = Group.objects.create(name="keepers")
    unproven(olga)
    password = {"password1": "thief's own passphrase", "password2": "thief's own passphrase"}
    mine = {"username": "mallory", "usable_password": "true", **password}
    for url, given in (
        (reverse("admin:auth_user_add"), mine),
        (page_url_of(victim), {"username": "vera", "is_staff": "on", "is_active": "on", "is_superuser": "on"}),
        (reverse("admin:auth_user_password_change", args=[victim.pk]), password),
        (reverse("admin:auth_user_delete", args=[victim.pk]), {"post": "yes"}),
        (
            reverse("admin:auth_user_changelist"),
            {"action": "delete_selected", "_selected_action": [victim.pk], "post": "yes"},
        ),
        (reverse("admin:auth_group_add"), {"name": "thieves"}),
        (page_url_of(role), {"name": "thieves"}),
        (reverse("admin:auth_group_delete", args=[role.pk]), {"post": "yes"}),
    ):
        answer = olga.post(url, given)
        is_asked = answer.status_code == 302 and answer["Location"].startswith(PROOF)
        assert is_asked or PROOF in answer.content.decode(), url
    victim.refresh_from_db()
    assert not victim.is_superuser and victim.check_password("a good long passphrase")
    assert [*User.objects.order_by("id").values_list("username", flat=True)] == ["olga", "vera"]
    assert Group.objects.filter(name="keepers").exists() and not Group.objects.filter(name="thieves").exists()


def page_url_of(row: User | Group) -> str:
    return reverse(f"admin:auth_{row._meta.model_name}_change", args=[row.pk])


def test_a_thief_guesses_no_password_on_the_page_that_changes_it(olga: Client) -> None:
    """That page would look at as many as one likes: the one that asks for a proof counts them."""
    unproven(olga)
    given = {"old_password": "guess", "new_password1": "another passphrase", "new_password2": "another passphrase"}
    for answer in (olga.get("/admin/password_change/"), olga.post("/admin/password_change/", given)):
        assert answer["Location"].startswith(PROOF)


@pytest.mark.parametrize("name", ["allowed_origins", "return_urls", "reconnect_url"])
def test_browsers_are_sent_nowhere_new_without_a_proof(olga: Client, world: World, name: str) -> None:
    tenant = world.tenant
    own = {"name": tenant.name, "allowed_origins": "\n".join(tenant.allowed_origins)}
    own |= {"return_urls": "\n".join(tenant.return_urls), "reconnect_url": tenant.reconnect_url}
    url = "https://thief.example" if name == "allowed_origins" else "https://thief.example/in"
    assert PROOF in unproven(olga).post(page_url(tenant), own | {name: url}).content.decode()
    assert "thief" not in repr(Tenant.objects.values("allowed_origins", "return_urls", "reconnect_url"))
    assert olga.post(page_url(tenant), own | {"name": "Acme & Co"}).status_code == 302, "a name is no address"


@pytest.mark.parametrize(
    "changed", [{"client_secrets": "thief-secret"}, {"client_id": "thief"}, {"param_issuer": "https://thief.example"}]
)
def test_no_provider_knows_us_by_another_s_word_without_a_proof(
    olga: Client, world: World, changed: dict[str, str]
) -> None:
    own = {"name": "", "client_id": world.app.client_id, "client_secrets": ""}
    own |= {f"param_{name}": value for name, value in world.app.params.items()}
    answer = unproven(olga).post(page_url(world.app), own | changed).content.decode()
    assert PROOF in answer and SECRET not in answer
    assert PROOF not in olga.post(page_url(world.app), own | {"name": "Ours"}).content.decode(), "a name is no secret"
    new = {"tenant": str(world.tenant.id), "name": "", "client_id": "thief", "client_secrets": "thief's own"}
    own = {name: value for name, value in own.items() if name.startswith("param_")} | new
    kind = f"provider={world.app.provider}&auth_style={world.app.auth_style}"
    add = f"{reverse('admin:connections_providerapp_add')}?{kind}"
    assert PROOF in olga.post(add, own).content.decode(), "an app of the tenant's takes the place of the shared one"
    app = ProviderApp.objects.get()
    assert (app.client_id, app.params) == (world.app.client_id, world.app.params)
    assert [secret.get_secret_value() for secret in open_client_secrets(app)] == [SECRET]
