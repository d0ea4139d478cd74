"""Pushes over the API: what to register, by what they are known, and what came."""

import time

import pytest

from connections.access.secrets import open_push_secrets
from connections.models import Permission, ProviderApp, Tenant
from tests.connections.api.test_app_operations import call
from tests.factories import Caller, make_caller
from tests.pushing import BY_SLUG, SANDBOX, app_of, connection_at, push

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def keeper(acme: Tenant) -> Caller:
    return make_caller(acme, permissions=(Permission.APPS,))


def test_an_app_says_what_to_register_and_when_something_came(keeper: Caller, acme: Tenant) -> None:
    app = app_of(SANDBOX, acme)
    connection_at(app, SANDBOX, acme)
    told = call(keeper, "GET", f"/provider-apps/{app.id}/push").json()
    assert told["address"].endswith(f"/pushes/{app.id}")
    assert (told["known_by"], told["secrets"], told["ends"]) == ("push_secret", 1, ["grant.revoked"])
    assert (told["last_received_at"], told["last_refusal"]) == (None, "")
    push(app, SANDBOX, {"id": "1", "type": "grant.revoked", "account": SANDBOX.account, "occurred_at": time.time()})
    assert call(keeper, "GET", f"/provider-apps/{app.id}/push").json()["last_received_at"] is not None
    (row,) = call(keeper, "GET", f"/provider-apps/{app.id}/pushes").json()["items"]
    assert (row["state"], row["event_types"], row["ended"]) == ("done", ["grant.revoked"], 1)


def test_what_proves_a_push_is_said(keeper: Caller, acme: Tenant) -> None:
    apps = {slug: app_of(BY_SLUG[slug], acme) for slug in ("hubspot", "slack")}
    known = {
        slug: call(keeper, "GET", f"/provider-apps/{app.id}/push").json()["known_by"] for slug, app in apps.items()
    }
    assert known == {"hubspot": "client_secret", "slack": "push_secret"}


def test_secrets_are_added_told_apart_and_retired(keeper: Caller, acme: Tenant) -> None:
    app = app_of(SANDBOX, acme)
    path = f"/provider-apps/{app.id}/push-secrets"
    made = call(keeper, "POST", path, {"secret": "another-secret"})
    assert made.status_code == 201
    newest, earlier = made.json()["fingerprints"]
    assert "another-secret" not in made.content.decode()
    assert call(keeper, "DELETE", f"{path}/{earlier}").json() == {"fingerprints": [newest]}
    kept = open_push_secrets(ProviderApp.objects.get(id=app.id))
    assert [secret.get_secret_value() for secret in kept] == ["another-secret"]
    assert call(keeper, "DELETE", f"{path}/{earlier}").status_code == 404


def test_a_secret_that_cannot_be_one_is_refused_without_being_repeated(keeper: Caller, acme: Tenant) -> None:
    app = app_of(SANDBOX, acme)
    answer = call(keeper, "POST", f"/provider-apps/{app.id}/push-secrets", {"secret": "short"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "short" not in answer.content.decode()


def test_an_app_of_another_tenant_is_not_there(keeper: Caller, globex: Tenant) -> None:
    theirs = app_of(SANDBOX, globex)
    for method, rest, body in (
        ("GET", "push", None),
        ("GET", "pushes", None),
        ("GET", "push-secrets", None),
        ("POST", "push-secrets", {"secret": "a-secret-of-mine"}),
    ):
        assert call(keeper, method, f"/provider-apps/{theirs.id}/{rest}", body).status_code == 404
    assert len(open_push_secrets(ProviderApp.objects.get(id=theirs.id))) == 1
