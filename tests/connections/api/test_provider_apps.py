"""A tenant's own registration at a provider: by the API, by the command and in the admin, and nobody else's."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command

from connections.access.secrets import open_registration
from connections.lifecycle.connect.params import apps_for
from connections.models import ApiClient, AuditEvent, ConnectSession, Permission, ProviderApp, Tenant
from tests.connections.api.stored import make_app, make_connection
from tests.factories import BACKEND, Caller, make_caller
from tests.flows import EndUser, call

pytestmark = pytest.mark.django_db(transaction=True)
OWN = {"client_id": "acme-client", "client_secrets": ["acme-secret-1"], "params": {"issuer": "http://127.0.0.1:9"}}
PATH = "/tenants/acme/provider-apps/sandbox"


@pytest.fixture
def manager() -> Caller:
    return make_caller(None, "manager", [Permission.APPS])


def test_a_tenant_s_own_app_is_made_changed_and_listed_without_its_secret(acme: Tenant, manager: Caller) -> None:
    made = call(manager, "PUT", PATH, OWN)
    assert made.status_code == 200, made.content
    shown = made.json()
    assert (shown["tenant"], shown["client_id"], shown["has_secrets"], shown["draft"]) == (
        "acme",
        "acme-client",
        True,
        False,
    )
    assert shown["redirect_uri"].endswith(f"/connect/callback/{shown['id']}")
    app = ProviderApp.objects.get()
    assert [secret.get_secret_value() for secret in open_registration(app).secrets] == ["acme-secret-1"]
    assert AuditEvent.objects.filter(action="provider_app.saved", tenant_id=acme.id).count() == 1
    changed = call(manager, "PUT", PATH, {**OWN, "client_secrets": None, "name": "Ours"})
    assert (changed.status_code, changed.json()["id"], changed.json()["name"]) == (200, shown["id"], "Ours")
    assert changed.json()["has_secrets"], "the stored secrets stay"
    assert call(manager, "GET", "/tenants/acme/provider-apps").json()["items"] == [changed.json()]
    assert "acme-secret" not in made.content.decode() + changed.content.decode()


def test_other_client_ids_and_addresses_want_the_secrets_again(acme: Tenant, manager: Caller) -> None:
    call(manager, "PUT", PATH, OWN)
    for change in ({"client_id": "another"}, {"params": {"issuer": "http://127.0.0.1:8"}}):
        refused = call(manager, "PUT", PATH, {**OWN, "client_secrets": None, **change})
        assert (refused.status_code, refused.json()["field"]) == (422, "client_secrets")


def test_its_own_end_users_connect_by_it_and_no_others(
    acme: Tenant, globex: Tenant, backend: Caller, manager: Caller
) -> None:
    shared = make_app(None)
    own = ProviderApp.objects.get(id=call(manager, "PUT", PATH, OWN).json()["id"])
    foreign = make_caller(globex, "theirs")
    for caller, name, offered in ((backend, "alice", own), (foreign, "bob", shared)):
        invited = EndUser(name, caller, tenant=caller.client.tenant.slug).invite()  # type: ignore[union-attr]
        assert apps_for(ConnectSession.objects.get(id=invited.id)) == [offered]
    shared.delete()
    body = {"end_user": "bob", "provider": "sandbox", "return_url": "https://app.globex.example/connected"}
    refused = call(foreign, "POST", "/connect-sessions", body)
    assert (refused.status_code, refused.json()["field"]) == (422, "provider")
    assert call(foreign, "GET", "/providers/sandbox").json()["methods"][0]["configured"] is False
    assert call(backend, "GET", "/providers/sandbox").json()["methods"][0]["configured"] is True


def test_nobody_but_the_tenant_s_own_and_the_operator_s_may(acme: Tenant, globex: Tenant, backend: Caller) -> None:
    others = [permission for permission in BACKEND if permission is not Permission.APPS]
    listed = "/tenants/acme/provider-apps"
    for caller in (backend, make_caller(acme, "own", others), make_caller(None, "wide", others)):
        for method, path, body in (("PUT", PATH, OWN), ("GET", listed, None)):
            answer = call(caller, method, path, body)
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    foreign = make_caller(globex, "foreign", [Permission.APPS])
    for method, path, body in (("PUT", PATH, OWN), ("GET", listed, None)):
        answer = call(foreign, method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not ProviderApp.objects.exists()
    own = make_caller(acme, "apps", [Permission.APPS])
    assert call(own, "PUT", PATH, OWN).json()["tenant"] == "acme"


@pytest.mark.parametrize(
    ("path", "change", "status", "field"),
    [
        ("/tenants/nobody/provider-apps/sandbox", {}, 404, None),
        ("/tenants/acme/provider-apps/nobody", {}, 422, "provider"),
        (PATH, {"auth_style": "none"}, 422, "auth_style"),
        (PATH, {"params": {"other": "x"}}, 422, "params.other"),
        (PATH, {"client_secrets": ["verbatim\nlines"]}, 422, "client_secrets.0"),
    ],
)
def test_what_is_wrong_is_named(
    acme: Tenant, manager: Caller, path: str, change: dict[str, object], status: int, field: str | None
) -> None:
    refused = call(manager, "PUT", path, OWN | change)
    assert (refused.status_code, refused.json().get("field")) == (status, field), refused.content
    assert "verbatim" not in refused.content.decode()
    assert not ProviderApp.objects.exists()


def test_an_alias_means_its_style(acme: Tenant, manager: Caller) -> None:
    made = call(manager, "PUT", "/tenants/acme/provider-apps/salesforce-jwt", {})
    assert (made.json()["provider"], made.json()["auth_style"]) == ("salesforce", "oauth2_jwt_bearer")


def test_a_command_makes_the_same(acme: Tenant, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("acme-secret-1\n")
    told = io.StringIO()
    options = ("--tenant", "acme", "--client-id", "acme-client", "--client-secret-file", str(secret))
    issuer = ("--param", "issuer=http://127.0.0.1:9")
    call_command("provider_apps", "add", "sandbox", *options, *issuer, "--json", stdout=told)
    assert json.loads(told.getvalue())["tenant"] == "acme"
    app = ProviderApp.objects.get()
    assert (app.tenant, app.client_id) == (acme, "acme-client")


def test_a_connection_by_one_s_own_app_is_vended_to_its_own_tenant_alone(
    acme: Tenant, globex: Tenant, manager: Caller, backend: Caller
) -> None:
    own = ProviderApp.objects.get(id=call(manager, "PUT", PATH, OWN).json()["id"])
    connection = make_connection(acme, app=own)
    foreign = make_caller(globex, "theirs", [Permission.VEND, Permission.READ])
    asked = {"provider": "sandbox", "end_user": connection.end_user}
    assert call(backend, "POST", "/credentials", asked).status_code == 200
    assert call(foreign, "POST", "/credentials", asked).status_code == 404
    assert call(foreign, "GET", f"/connections/{connection.id}").status_code == 404
    assert ApiClient.objects.get(id=foreign.client.id).tenant == globex
