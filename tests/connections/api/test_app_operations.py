"""What is done to a provider app by the API: shared apps, secrets in rotation, key pairs, switches, incidents."""

from typing import Any

import pytest

from connections.access.secrets import open_client_secrets
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.client_secrets import add_client_secret
from connections.models import AppKey, AuditEvent, Incident, Permission, ProviderApp, RegisteredClient, Tenant
from connections.refusals import Busy
from tests.connections.api.stored import make_app, make_connection
from tests.factories import Caller, make_caller
from tests.flows import call
from tests.sources import Folder

pytestmark = pytest.mark.django_db(transaction=True)
OWN = {"client_id": "ours", "client_secrets": ["secret-1"], "params": {"issuer": "http://127.0.0.1:9"}}
SHARED = "/shared-provider-apps/sandbox"


@pytest.fixture
def keeper(db: None) -> Caller:
    """The operator-wide client that keeps provider apps."""
    return make_caller(None, "keeper", [Permission.APPS])


@pytest.fixture
def own(acme: Tenant) -> Caller:
    """acme's client that keeps acme's provider apps."""
    return make_caller(acme, "own", [Permission.APPS, Permission.VEND])


def shared(keeper: Caller) -> dict[str, Any]:
    answer = call(keeper, "PUT", SHARED, OWN)
    assert answer.status_code == 200, answer.content
    made: dict[str, Any] = answer.json()
    return made


def held(app_id: str) -> list[str]:
    return [secret.get_secret_value() for secret in open_client_secrets(ProviderApp.objects.get(id=app_id))]


def test_a_shared_app_is_made_by_operator_wide_clients_alone(keeper: Caller, own: Caller) -> None:
    made = shared(keeper)
    assert (made["tenant"], made["has_secrets"]) == (None, True)
    assert call(keeper, "GET", "/shared-provider-apps").json()["items"] == [made]
    assert call(keeper, "GET", f"/provider-apps/{made['id']}").json() == made
    for method, path, body in (("PUT", SHARED, OWN), ("GET", "/shared-provider-apps", None)):
        refused = call(own, method, path, body)
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert call(own, "GET", f"/provider-apps/{made['id']}").status_code == 404


def test_a_repeated_put_changes_nothing_and_leaves_no_trace(keeper: Caller) -> None:
    made = shared(keeper)
    before = (AuditEvent.objects.count(), ProviderApp.objects.values("updated_at", "secrets").get()["updated_at"])
    assert shared(keeper) == made
    assert call(keeper, "PUT", SHARED, {**OWN, "client_secrets": None}).json() == made
    assert before == (AuditEvent.objects.count(), ProviderApp.objects.values("updated_at").get()["updated_at"])
    for change in ({"client_secrets": ["secret-2"]}, {"name": "Ours"}, {"client_secrets": ["secret-2", "secret-1"]}):
        call(keeper, "PUT", SHARED, {**OWN, **change})
    assert AuditEvent.objects.filter(action="provider_app.saved").count() == 4
    assert held(made["id"]) == ["secret-2", "secret-1"]


def test_secrets_are_rotated_one_by_one_and_never_shown(keeper: Caller) -> None:
    path = f"/provider-apps/{shared(keeper)['id']}/client-secrets"
    (first,) = call(keeper, "GET", path).json()["fingerprints"]
    answer = call(keeper, "POST", path, {"client_secret": "secret-2"})
    newest, oldest = answer.json()["fingerprints"]
    assert (answer.status_code, oldest) == (201, first)
    app_id = path.split("/")[2]
    assert held(app_id) == ["secret-2", "secret-1"]
    traces = AuditEvent.objects.count()
    assert call(keeper, "POST", path, {"client_secret": "secret-2"}).json()["fingerprints"] == [newest, oldest]
    assert AuditEvent.objects.count() == traces
    call(keeper, "POST", path, {"client_secret": "secret-3", "preferred": False})
    assert held(app_id) == ["secret-2", "secret-1", "secret-3"]
    assert call(keeper, "DELETE", f"{path}/{first}").status_code == 200
    assert held(app_id) == ["secret-2", "secret-3"]
    assert call(keeper, "DELETE", f"{path}/{first}").status_code == 404
    told = str(list(AuditEvent.objects.values())) + answer.content.decode()
    assert "secret-2" not in told
    assert {row.action for row in AuditEvent.objects.all()} >= {
        "provider_app.secret_added",
        "provider_app.secret_removed",
    }


def test_a_secret_is_not_added_for_another_address_than_the_others(keeper: Caller) -> None:
    made = shared(keeper)
    ProviderApp.objects.update(params={"issuer": "http://127.0.0.1:8"})
    answer = call(keeper, "POST", f"/provider-apps/{made['id']}/client-secrets", {"client_secret": "secret-2"})
    assert (answer.status_code, answer.json()["field"]) == (422, "client_secrets")
    assert (
        call(keeper, "POST", f"/provider-apps/{made['id']}/client-secrets", {"client_secret": "a\nb"}).status_code
        == 422
    )


def test_of_two_who_add_a_secret_at_once_none_is_lost(keeper: Caller) -> None:
    app = ProviderApp.objects.get(id=shared(keeper)["id"])
    meanwhile = ProviderApp.objects.get(id=app.id)
    add_client_secret(meanwhile, "secret-2", preferred=True, now=database_now(), actor=SYSTEM)
    with pytest.raises(Busy):
        add_client_secret(app, "secret-3", preferred=True, now=database_now(), actor=SYSTEM)
    assert held(str(app.id)) == ["secret-2", "secret-1"]


def test_a_tenant_stops_its_own_app_and_an_operator_starts_it_again(acme: Tenant, own: Caller, keeper: Caller) -> None:
    app = make_app(acme)
    connection = make_connection(acme, app=app)
    path = f"/provider-apps/{app.id}/switches"
    assert call(own, "PUT", path, {"paused": True}).json()["paused"] is True
    assert call(own, "PUT", path, {"paused": False}).json()["paused"] is False
    assert call(own, "PUT", path, {"suspended": True, "paused": True}).json()["suspended"] is True
    vend = call(own, "POST", f"/connections/{connection.id}/credential", {"end_user": "alice"})
    assert (vend.status_code, vend.json()["code"]) == (423, "suspended")
    refused = call(own, "PUT", path, {"suspended": False, "paused": False})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    app.refresh_from_db()
    assert app.paused_at is not None, "nothing of a refused change is done"
    assert call(keeper, "PUT", f"{path}?tenant=acme", {"suspended": False}).json()["suspended"] is False
    traces = AuditEvent.objects.count()
    assert call(keeper, "PUT", f"{path}?tenant=acme", {"suspended": False, "paused": True}).status_code == 200
    assert AuditEvent.objects.count() == traces


def test_key_pairs_are_made_listed_and_taken_back(keeper: Caller) -> None:
    path = f"/provider-apps/{shared(keeper)['id']}/keys"
    made = call(keeper, "POST", path, {"algorithm": "ES256", "kid": "one"})
    assert (made.status_code, made.json()["kid"], made.json()["brought"]) == (201, "one", False)
    assert "PRIVATE" not in made.content.decode()
    second = call(keeper, "POST", path, {"algorithm": "ES256", "lead_seconds": 60}).json()
    assert second["signs_from"] > made.json()["signs_from"]
    assert [row["kid"] for row in call(keeper, "GET", path).json()["items"]] == [second["kid"], "one"]
    assert call(keeper, "DELETE", f"{path}/{made.json()['id']}").json()["published_until"] is not None
    assert AppKey.objects.get(kid="one").private_key is None
    for body, field in (({"algorithm": "HS256"}, "algorithm"), ({"private_key": "no key"}, "private_key")):
        answer = call(keeper, "POST", path, body)
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.content
    wrong = call(keeper, "PUT", f"{path}/{second['id']}/certificates", {"certificates": "none"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "certificates")


def test_what_an_app_has_registered_is_shown_without_its_secrets(keeper: Caller) -> None:
    app = ProviderApp.objects.get(id=shared(keeper)["id"])
    RegisteredClient.objects.create(
        provider_app=app,
        issuer="https://as.example",
        way="metadata_document",
        client_id="https://us.example/client",
        redirect_uri="https://us.example/callback",
        looked_at=database_now(),
    )
    (shown,) = call(keeper, "GET", f"/provider-apps/{app.id}/registered-clients").json()["items"]
    assert shown["issuer"] == "https://as.example"
    assert not {"secrets", "management", "discovered"} & shown.keys()
    unknown = call(keeper, "POST", f"/provider-apps/{app.id}/registered-clients/{app.id}/renew")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


def test_incidents_are_listed_and_closed_once(acme: Tenant, keeper: Caller, own: Caller) -> None:
    now = database_now()
    app = ProviderApp.objects.get(id=shared(keeper)["id"])
    incident = Incident.objects.create(provider_app=app, kind="many_failures", opened_at=now, last_seen_at=now)
    mine = Incident.objects.create(provider_app=make_app(acme), kind="client_rejected", opened_at=now, last_seen_at=now)
    assert [row["id"] for row in call(keeper, "GET", "/incidents?open=true").json()["items"]] == [str(incident.id)]
    assert [row["id"] for row in call(own, "GET", "/incidents").json()["items"]] == [str(mine.id)]
    assert call(own, "POST", f"/incidents/{incident.id}/close").status_code == 404
    for _ in range(2):
        assert call(keeper, "POST", f"/incidents/{incident.id}/close").json()["closed_at"] is not None
    assert AuditEvent.objects.filter(action="incident.closed").count() == 1
    assert call(keeper, "GET", "/incidents?open=true").json()["items"] == []
    assert call(keeper, "GET", f"/incidents?provider_app={app.id}&open=false").json()["items"]


def test_a_tenant_is_shown_and_stopped(acme: Tenant, globex: Tenant, backend: Caller) -> None:
    manager = make_caller(None, "manager", [Permission.TENANTS, Permission.READ])
    assert call(backend, "GET", "/tenants/acme").json() == call(manager, "GET", "/tenants/acme").json()
    assert call(backend, "GET", "/tenants/globex").status_code == 404
    assert call(backend, "PUT", "/tenants/acme/switches", {"suspended": True}).status_code == 403
    assert call(manager, "PUT", "/tenants/acme/switches", {"suspended": True}).json()["suspended"] is True
    assert call(manager, "PUT", "/tenants/acme/switches", {"suspended": False}).json()["suspended"] is False
    traces = AuditEvent.objects.count()
    shown = call(manager, "GET", "/tenants/acme").json()
    kept = {name: shown[name] for name in ("name", "allowed_origins", "return_urls", "reconnect_url")}
    for _ in range(2):
        assert call(manager, "PUT", "/tenants/acme", kept).json() == shown
    assert AuditEvent.objects.count() == traces


def test_an_operator_wide_client_says_from_where_a_secret_is_read(keeper: Caller, mounted: Folder) -> None:
    path = f"/provider-apps/{shared(keeper)['id']}/client-secrets/source"
    nowhere = {"client_secret_from": None, "read_at": None, "next_look_at": None, "failing_since": None, "problem": ""}
    assert call(keeper, "GET", path).json() == nowhere
    reference = mounted.put("ours", "canary-of-a-file")
    answer = call(keeper, "PUT", path, {"client_secret_from": reference})
    assert (answer.status_code, answer.json()["client_secret_from"]) == (200, reference)
    assert (held(path.split("/")[2]), b"canary" in answer.content) == (["canary-of-a-file", "secret-1"], False)
    mounted.put("ours", "canary-changed")
    call(keeper, "PUT", path, {"client_secret_from": reference})
    assert held(path.split("/")[2])[0] == "canary-changed", "the same once more reads it at once"
    added = call(keeper, "POST", path.removesuffix("/source"), {"client_secret": "typed"})
    assert (added.status_code, added.json()["field"]) == (422, "client_secret")
    assert call(keeper, "PUT", path, {"client_secret_from": None}).json() == nowhere
    assert held(path.split("/")[2])[0] == "canary-changed"


@pytest.mark.parametrize(
    "reference", ["", "hubspot", "file:/etc/passwd", "file:/proc/self/environ", "a\x00b", "x" * 501]
)
def test_a_reference_that_leads_elsewhere_is_refused_by_name(keeper: Caller, mounted: Folder, reference: str) -> None:
    path = f"/provider-apps/{shared(keeper)['id']}/client-secrets/source"
    refused = call(keeper, "PUT", path, {"client_secret_from": reference})
    assert (refused.status_code, refused.json()["field"]) == (422, "client_secret_from")
    assert b"root:" not in refused.content


@pytest.mark.attack("a tenant's API client that reads the operator's vault", stopped_at="operators alone say where")
def test_a_tenant_never_says_nor_learns_from_where_a_secret_is_read(
    keeper: Caller, own: Caller, acme: Tenant, mounted: Folder
) -> None:
    made = call(own, "PUT", "/tenants/acme/provider-apps/sandbox", OWN).json()
    path, reference = f"/provider-apps/{made['id']}/client-secrets/source", mounted.put("ours", "the operator's")
    for method, body in (
        ("GET", None),
        ("PUT", {"client_secret_from": reference}),
        ("PUT", {"client_secret_from": None}),
    ):
        refused = call(own, method, path, body)
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert call(keeper, "PUT", path, {"client_secret_from": reference}).status_code == 404, "it names no tenant"
    assert call(keeper, "PUT", f"{path}?tenant=acme", {"client_secret_from": reference}).status_code == 200
    watcher = make_caller(acme, "watcher", [Permission.APPS, Permission.AUDIT, Permission.READ])
    for shown in (path.removesuffix("/source"), f"/provider-apps/{made['id']}", "/audit-events", "/events"):
        answer = call(watcher, "GET", shown)
        assert (answer.status_code, reference.encode() in answer.content) == (200, False), shown
    moved = {**OWN, "client_secrets": None, "params": {"issuer": "http://127.0.0.1:666"}}
    refused = call(own, "PUT", "/tenants/acme/provider-apps/sandbox", moved)
    assert (refused.status_code, refused.json()["field"]) == (422, "client_secrets")
    named = {**OWN, "client_secrets": None, "client_secret_from": reference}
    assert call(own, "PUT", "/tenants/acme/provider-apps/sandbox", named).status_code == 422, "there is no such member"
