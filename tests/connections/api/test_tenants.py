"""Tenants and the catalogue over the API."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection as database

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.delete_tenant import delete_ordered
from connections.lifecycle.provision.tenants import TenantProfile, prepare_tenant, store_tenant
from connections.lifecycle.steer.switches import Suspendable
from connections.models import AuditEvent, Permission, Tenant
from tests.connections.api.stored import make_app, make_connection
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import call
from tests.pictures import data_uri, picture


@pytest.fixture
def manager(db: None) -> Caller:
    """An operator-wide client that manages tenants."""
    return make_caller(None, "manager", [Permission.TENANTS, Permission.READ])


def test_makes_a_tenant_then_changes_it(manager: Caller) -> None:
    whole = {
        "name": "Initech",
        "branding": {"colors": {"accent": "#102030"}, "logo": data_uri(picture())},
        "allowed_origins": ["https://app.initech.example", "https://app.initech.example:8443"],
        "return_urls": ["https://app.initech.example/done?from=latchkey"],
        "reconnect_url": "https://app.initech.example/mend/{connection}",
    }
    made = call(manager, "PUT", "/tenants/initech", whole).json()
    assert made == {
        "slug": "initech",
        "name": "Initech",
        "branding": {
            "colors": {"accent": "#102030", "background": "", "surface": "", "text": ""},
            "dark_colors": {"accent": "", "background": "", "surface": "", "text": ""},
            "radius": None,
            "font": "",
            "texts": {},
            "support_url": "",
            "privacy_url": "",
            "locale": "",
            "has_logo": True,
            "has_favicon": False,
        },
        "allowed_origins": whole["allowed_origins"],
        "return_urls": whole["return_urls"],
        "reconnect_url": whole["reconnect_url"],
        "suspended": False,
        "shred_at": None,
    }
    changed = call(manager, "PUT", "/tenants/initech", {"name": "Initrode"}).json()
    assert (changed["name"], changed["branding"]) == ("Initrode", made["branding"])
    assert (changed["return_urls"], changed["allowed_origins"]) == ([], [])
    bare = call(manager, "PUT", "/tenants/initech", {"name": "Initrode", "branding": {"logo": ""}}).json()
    assert (bare["branding"]["has_logo"], bare["branding"]["colors"]["accent"]) == (False, "")
    assert AuditEvent.objects.filter(action="tenant.saved", api_client_id=manager.client.id).count() == 2


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("allowed_origins", ["https://app.example/"]),
        ("allowed_origins", ["https://app.example/path"]),
        ("allowed_origins", ["http://app.example"]),
        ("allowed_origins", ["https://*"]),
        ("allowed_origins", ["https://*.example"]),
        ("allowed_origins", ["https://a.example;script-src *"]),
        ("allowed_origins", ["https://a.example,https://b.example"]),
        ("allowed_origins", ["https://'none'"]),
        ("allowed_origins", ["https://APP.example"]),
        ("allowed_origins", ["https://app.example:port"]),
        ("allowed_origins", ["null"]),
        ("allowed_origins", ["*"]),
        ("allowed_origins", [""]),
        ("return_urls", ["javascript:alert(1)"]),
        ("return_urls", ["//evil.example/"]),
        ("return_urls", ["/relative"]),
        ("return_urls", ["https://app.example\\@evil.example/"]),
        ("return_urls", ["https://user@app.example/"]),
        ("return_urls", ["https://app.example/#fragment"]),
        ("return_urls", ["https://app.example/#"]),
        ("return_urls", ["https://app.example/\r\nSet-Cookie: x=1"]),
        ("return_urls", ["https://app.example/" + "x" * 1000]),
        ("return_urls", ["https://аpp.example/"]),  # noqa: RUF001 (a Cyrillic a, which looks like the Latin one)
        ("return_urls", ["https:///nowhere"]),
        ("reconnect_url", "javascript:alert('{connection}')"),
        ("branding.colors", {"accent": "red"}),
        ("branding.logo", "https://cdn.example/logo.png"),
        ("name", ""),
        ("name", " "),
        ("name", "x" * 121),
        ("name", "x" * 10_000),
        ("name", "Acme \u202egro.live"),
        ("name", "Acme\x00"),
        ("name", "Ac\x07me"),
    ],
)
def test_a_wrong_member_is_refused_by_name(member: str, value: Any, manager: Caller) -> None:
    outer, _, inner = member.partition(".")
    body = {"name": "Initech"} | {outer: {inner: value} if inner else value}
    answer = call(manager, "PUT", "/tenants/initech", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["field"].split(".")[0] in (outer, inner, "accent")
    assert Tenant.objects.count() == 0


@pytest.mark.parametrize("slug", ["A", "a_b", "-a", "a--b", "a.b", "%C3%A9", "a" * 65, "%20", "a%00"])
def test_a_slug_is_plain(slug: str, manager: Caller) -> None:
    answer = call(manager, "PUT", f"/tenants/{slug}", {"name": "Initech"})
    assert (answer.status_code, answer.json()["field"]) == (422, "slug")


def test_a_switch_thrown_while_a_tenant_is_changed_stays_thrown(
    acme: Tenant, switch_off: Callable[[Suspendable], None]
) -> None:
    prepared = prepare_tenant("acme", TenantProfile("Acme Inc."))
    switch_off(Tenant.objects.get())
    store_tenant(prepared, actor=SYSTEM)
    stored = Tenant.objects.get()
    assert (stored.name, stored.suspended_at is None) == ("Acme Inc.", False)


@pytest.mark.django_db(transaction=True)
def test_a_tenant_made_twice_at_once_is_one_tenant() -> None:
    manager = make_caller(None, "manager", [Permission.TENANTS])

    def put(number: int) -> int:
        answer = call(manager, "PUT", "/tenants/initech", {"name": f"Initech {number}"})
        database.close()
        return answer.status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(put, range(8))) == {200}
    assert Tenant.objects.count() == 1


def test_an_operator_wide_client_sees_all_tenants_and_others_their_own(
    acme: Tenant, globex: Tenant, manager: Caller, backend: Caller, switch_off: Callable[[Suspendable], None]
) -> None:
    switch_off(globex)
    seen = call(manager, "GET", "/tenants").json()["items"]
    assert [(tenant["slug"], tenant["suspended"]) for tenant in seen] == [("acme", False), ("globex", True)]
    assert [tenant["slug"] for tenant in call(backend, "GET", "/tenants").json()["items"]] == ["acme"]


def test_a_provider_says_how_it_connects_and_whether_the_tenant_can(
    acme: Tenant, globex: Tenant, backend: Caller, foreign_backend: Caller
) -> None:
    make_app(acme)
    for caller, configured in ((backend, True), (foreign_backend, False)):
        shown = call(caller, "GET", "/providers/sandbox").json()
        methods = {method["auth_style"]: method for method in shown["methods"]}
        assert methods["oauth2_authorization_code"]["configured"] is configured
        assert methods["api_key"]["configured"] is False
        key = methods["api_key"]["fields"]["properties"]["api_key"]
        assert (key["format"], key["writeOnly"]) == ("password", True)
    assert call(backend, "GET", "/providers/nobody").json()["code"] == "not_found"


def test_a_session_is_refused_for_a_suspended_tenant_or_provider_app(
    acme: Tenant, backend: Caller, switch_off: Callable[[Suspendable], None]
) -> None:
    body = {"end_user": "alice", "provider": "sandbox", "return_url": "https://app.acme.example/connected"}
    assert call(backend, "POST", "/connect-sessions", body).json()["field"] == "provider"
    app = make_app(acme)
    made = call(backend, "POST", "/connect-sessions", body)
    assert made.status_code == 201
    assert made.json()["expires_at"] > database_now().isoformat()
    for subject in (app, acme):
        switch_off(subject)
        answer = call(backend, "POST", "/connect-sessions", body)
        assert (answer.status_code, answer.json()["code"]) == (423, "suspended")


def test_a_tenant_is_deleted_once_and_for_all(manager: Caller, transactional_db: None) -> None:
    acme = make_tenant("acme")
    backend, connection = make_caller(acme), make_connection(acme)
    ordered = call(manager, "DELETE", "/tenants/acme")
    assert ordered.status_code == 202
    assert ordered.json()["slug"] == "acme"
    assert (ordered.json()["connections"], ordered.json()["revoking"]) == (1, 0)
    vend = call(backend, "POST", f"/connections/{connection.id}/credential", {"end_user": "alice"})
    assert (vend.status_code, vend.json()["code"]) == (423, "suspended")
    assert call(manager, "PUT", "/tenants/acme", {"name": "Back"}).json()["code"] == "invalid_request"
    assert call(manager, "GET", "/tenants").json()["items"][0]["shred_at"] is not None
    hastened = call(manager, "DELETE", "/tenants/acme?shred=now")
    assert hastened.status_code == 202
    assert hastened.json()["shred_at"] < ordered.json()["shred_at"]
    assert delete_ordered(now=database_now()) == 1
    assert call(manager, "DELETE", "/tenants/acme").status_code == 404
    assert call(manager, "GET", "/tenants").json()["items"] == []
    assert call(backend, "GET", "/connections").status_code == 401
    assert AuditEvent.objects.filter(action="tenant.delete_ordered", api_client_id=manager.client.id).count() == 2


def test_only_an_operator_wide_client_with_the_permission_deletes_tenants(manager: Caller) -> None:
    acme = make_tenant("acme")
    make_tenant("globex")
    operators = (Permission.TENANTS, Permission.CATALOGUE)
    everything = [permission for permission in Permission if permission not in operators]
    for caller in (make_caller(acme, "own", everything), make_caller(None, "wide", everything)):
        for slug in ("acme", "globex", "nobody"):
            answer = call(caller, "DELETE", f"/tenants/{slug}?shred=now")
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    own = make_caller(acme, "odd", everything)
    own.client.permissions = list(Permission)
    own.client.save()
    assert call(own, "DELETE", "/tenants/acme").json()["code"] == "permission_denied"
    assert call(None, "DELETE", "/tenants/acme").status_code == 401
    assert call(manager, "DELETE", "/tenants/nobody").status_code == 404
    assert call(manager, "DELETE", "/tenants/acme?shred=perhaps").status_code == 422
    assert not Tenant.objects.exclude(suspended_at=None, shred_at=None).exists()
