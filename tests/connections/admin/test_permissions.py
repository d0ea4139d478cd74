"""Who may do what: anonymous visitors nothing, viewers look, and nobody edits what the lifecycle owns."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from connections.models import (
    AccessGrant,
    ApiClient,
    ApiKey,
    AppKey,
    Approval,
    AuditEvent,
    Brand,
    Connection,
    ConnectSession,
    Finding,
    HeldConnection,
    Incident,
    ManagementSession,
    Notice,
    ProviderApp,
    Tenant,
    TenantDomain,
    TrustedIssuer,
    WatchSetting,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.connections.admin.conftest import MODELS, World, list_url, logged_in, one_of, page_url, press_url

EDITABLE = (Tenant, Brand, ProviderApp, ApiClient)
ADDED_ONLY = (TenantDomain, AccessGrant, WebhookEndpoint)


def presses(world: World) -> list[str]:
    """Return the address of every button there is."""
    connection = ("refresh", "probe", "pause", "unpause", "suspend", "resume", "revoke", "disconnect")
    found = [press_url(world.connection, verb) for verb in connection]
    found += [press_url(one_of(ConnectSession), verb) for verb in ("finish", "end-trial")]
    switches = ("pause", "unpause", "suspend", "resume")
    of_apps = (
        "try",
        "preview",
        "rotate-secret",
        "end-secrets",
        "refer-secret",
        "read-secret",
        "make-key",
        "bring-key",
        "push-secret",
        "retire-push-secret",
        *switches,
    )
    found += [press_url(world.app, verb) for verb in of_apps]
    found += [press_url(one_of(AppKey), verb) for verb in ("certify", "withdraw")]
    found += [press_url(world.tenant, verb) for verb in ("suspend", "resume")]
    found += [press_url(world.client, verb) for verb in ("suspend", "resume", "issue-key", "rotate-keys", "vouch")]
    found += [press_url(one_of(ApiKey), "revoke"), press_url(one_of(Incident), "close")]
    found += [press_url(one_of(Finding), "settle"), press_url(one_of(WatchSetting), "change")]
    found += [press_url(WatchSetting.objects.get(rule="canary_used"), "lay")]
    found += [press_url(one_of(ManagementSession), "close")]
    found += [press_url(one_of(HeldConnection), verb) for verb in ("release", "release-used")]
    found += [press_url(one_of(TenantDomain), verb) for verb in ("look", "remove")]
    found += [press_url(one_of(Approval), verb) for verb in ("approve", "deny")]
    found += [press_url(one_of(TrustedIssuer), "distrust")]
    of_endpoints = ("test", "enable", "retry", "replay", "change", "rotate", "disable", "remove")
    found += [press_url(one_of(WebhookEndpoint), verb) for verb in of_endpoints]
    found += [press_url(one_of(WebhookDelivery), "resend"), press_url(one_of(Notice), "send-again")]
    return [*found, press_url(one_of(AccessGrant), "revoke")]


def test_nothing_opens_without_logging_in(world: World) -> None:
    for url in [list_url(model) for model in MODELS] + presses(world):
        for answer in (Client().get(url), Client().post(url)):
            assert answer.status_code == 302
            assert answer["Location"].startswith("/admin/login/")


def test_a_viewer_sees_every_page_and_no_button(viktor: Client, world: World) -> None:
    for model in MODELS:
        assert viktor.get(list_url(model)).status_code == 200
        html = viktor.get(page_url(one_of(model))).content.decode()
        assert "/press/" not in html, model
        assert 'name="_save"' not in html, model


def test_a_viewer_cannot_press_a_button(viktor: Client, world: World) -> None:
    before = list(AuditEvent.objects.values_list("id", flat=True))
    for url in presses(world):
        assert viktor.get(url).status_code == 403, url
        assert viktor.post(url, {"days": "30"}).status_code == 403, url
    assert list(AuditEvent.objects.values_list("id", flat=True)) == before


@pytest.mark.parametrize(
    "action", ["refresh", "probe", "pause", "unpause", "suspend", "resume", "revoke", "disconnect"]
)
def test_a_viewer_has_no_action(viktor: Client, world: World, action: str) -> None:
    before = Connection.objects.values().get(id=world.connection.id)
    assert 'name="action"' not in viktor.get(list_url(Connection)).content.decode()
    data = {"action": action, "_selected_action": [str(world.connection.id)], "confirmed": "1"}
    viktor.post(list_url(Connection), data)
    assert Connection.objects.values().get(id=world.connection.id) == before


def test_a_viewer_cannot_change_what_operators_may(viktor: Client, world: World) -> None:
    for row in (world.tenant, world.app, world.client):
        assert viktor.post(page_url(row), {"name": "Changed"}).status_code == 403
    for model in (*EDITABLE, *ADDED_ONLY):
        assert viktor.get(reverse(f"admin:connections_{model.__name__.lower()}_add")).status_code == 403
    world.tenant.refresh_from_db()
    assert world.tenant.name == "Acme"


def test_nobody_adds_changes_or_deletes_what_the_lifecycle_owns(olga: Client, world: World) -> None:
    for model in MODELS:
        name = f"admin:connections_{model.__name__.lower()}"
        row = one_of(model)
        assert olga.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
        if model in EDITABLE:
            continue
        assert olga.get(reverse(f"{name}_add")).status_code == (200 if model in ADDED_ONLY else 403)
        assert olga.post(page_url(row), {"status": "revoked"}).status_code == 403
        assert 'value="delete_selected"' not in olga.get(list_url(model)).content.decode()
    world.connection.refresh_from_db()
    assert world.connection.status == "active"


def test_no_form_makes_a_new_row_of_another(olga: Client, world: World) -> None:
    for model in (*EDITABLE, *ADDED_ONLY):
        before = model.objects.count()
        assert olga.post(page_url(one_of(model)), {"_saveasnew": "1", "name": "Copy"}).status_code == 400
        assert model.objects.count() == before


def test_the_right_to_change_one_model_gives_only_its_buttons(world: World) -> None:
    user = User.objects.create_user("nina", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_tenant", "change_tenant", "view_connection"])
    )
    nina = logged_in(user)
    assert nina.post(press_url(world.tenant, "suspend")).status_code == 302
    assert nina.post(press_url(world.connection, "suspend")).status_code == 403


def test_a_form_from_another_site_is_refused(world: World) -> None:
    user = User.objects.create_superuser("mallory")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    for url in [*presses(world), page_url(world.app), page_url(world.tenant)]:
        assert browser.post(url).status_code == 403


def test_the_dashboard_is_for_those_who_may_see_connections(world: World) -> None:
    user = User.objects.create_user("nina", is_staff=True)
    assert "Refreshes overdue" not in logged_in(user).get("/admin/").content.decode()
