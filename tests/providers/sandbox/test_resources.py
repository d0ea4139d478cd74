"""The resource API: Bearer tokens (RFC 6750) and API keys."""

import pytest
import requests

from providers.sandbox.client import SandboxProcess
from providers.sandbox.tokens import fingerprint
from tests.person import Person
from tests.providers.sandbox.conftest import App


@pytest.mark.parametrize("path", ["/me", "/userinfo"])
def test_subject_is_stable_and_belongs_to_the_person(app: App, alice: Person, path: str) -> None:
    ours, again, bobs = app.connect(alice), app.connect(alice), app.connect(Person("bob"))

    answers = [app.me(tokens["access_token"], path).json() for tokens in (ours, again, bobs)]

    assert [answer["sub"] for answer in answers] == ["person-1001", "person-1001", "person-1002"]
    assert answers[0]["email"] == "alice@example.com"


def test_files_need_their_scope(app: App, alice: Person) -> None:
    without, having = app.connect(alice, scope="profile"), app.connect(alice, scope="profile files.read")

    refused = app.me(without["access_token"], "/files")

    assert refused.status_code == 403
    assert refused.json()["error"] == "insufficient_scope"
    assert 'error="insufficient_scope", scope="files.read"' in refused.headers["WWW-Authenticate"]
    assert len(app.me(having["access_token"], "/files").json()["files"]) == 3


def test_workspaces_are_those_that_the_settings_give_the_person(app: App, alice: Person) -> None:
    hers, his = app.connect(alice), app.connect(Person("bob"))
    for given, expected in (({}, []), ({"alice": {"n": "North", "s": "South"}}, ["n", "s"])):
        app.server.control.settings(workspaces=given)
        assert [item["id"] for item in app.me(hers["access_token"], "/workspaces").json()["workspaces"]] == expected
        assert app.me(his["access_token"], "/workspaces").json() == {"workspaces": []}
    assert app.me("made-up", "/workspaces").status_code == 401


def test_challenge_names_an_error_only_when_something_was_presented(sandbox: SandboxProcess) -> None:
    nothing = requests.get(f"{sandbox.url}/me", timeout=20)
    unknown = requests.get(f"{sandbox.url}/me", headers={"Authorization": "Bearer made-up"}, timeout=20)

    assert nothing.headers["WWW-Authenticate"] == 'Bearer realm="sandbox"'
    assert unknown.headers["WWW-Authenticate"] == 'Bearer realm="sandbox", error="invalid_token"'
    assert (nothing.status_code, unknown.status_code) == (401, 401)


def test_api_key_works_until_it_is_revoked(sandbox: SandboxProcess) -> None:
    key = sandbox.control.api_key("bob")

    def ask(path: str) -> requests.Response:
        return requests.get(f"{sandbox.url}{path}", headers={"X-Api-Key": key}, timeout=20)

    assert ask("/me").json()["sub"] == "person-1002"
    assert ask("/files").status_code == 200
    assert sandbox.control.revoke_api_keys("bob") >= 1
    assert ask("/me").status_code == 401
    outcomes = [entry.outcome for entry in sandbox.control.log(api_key_presented=fingerprint(key))]
    assert outcomes == ["accepted", "accepted", "api_key_revoked"]


def test_control_revokes_grants_by_person_client_or_grant(app: App, alice: Person) -> None:
    control = app.server.control
    hers, his = app.connect(alice), app.connect(Person("bob"))

    assert control.revoke(username="alice", client_id=app.client_id) == 1
    assert [app.me(tokens["access_token"]).status_code for tokens in (hers, his)] == [401, 200]
    [grant] = control.grants(username="bob", client_id=app.client_id)
    assert control.revoke(grant_id=grant["id"]) == 1
    assert control.revoke(client_id=app.client_id) == 0
