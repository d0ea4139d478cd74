"""Device authorization at the sandbox: the code, the page of the person, and the polls."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from providers.sandbox.client import SandboxProcess
from providers.sandbox.registry import DEVICE_GRANT
from tests.person import Person
from tests.providers.sandbox.conftest import SECRET, App


@pytest.fixture(autouse=True)
def _no_interval(sandbox: SandboxProcess) -> None:
    sandbox.control.settings(device_interval=0, device_lifetime=600)


def code_for(app: App, **form: str) -> requests.Response:
    auth = (app.client_id, SECRET)
    return requests.post(f"{app.server.url}/device_authorization", data=form, auth=auth, timeout=20)


def poll(app: App, code: dict[str, Any]) -> requests.Response:
    return app.token(grant_type=DEVICE_GRANT, device_code=code["device_code"])


def decide(code: dict[str, Any], *, allow: bool = True, scopes: list[str] | None = None) -> str:
    return Person("bob").decide(code["verification_uri_complete"], allow=allow, scopes=scopes).text


def test_a_person_enters_the_code_and_the_client_gets_tokens(app: App) -> None:
    code = code_for(app, scope="profile files.read").json()
    assert (code["expires_in"], code["interval"]) == (600, 0)
    assert poll(app, code).json()["error"] == "authorization_pending"
    assert "Access allowed" in decide(code, scopes=["profile"])
    tokens = poll(app, code).json()
    assert tokens["scope"] == "profile"
    assert app.me(tokens["access_token"]).json()["sub"] == "person-1002"
    assert app.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code == 200
    assert poll(app, code).json()["error"] == "invalid_grant", "a device code works once"
    assert app.outcomes()[:2] == ["authorization_pending", "issued"]


def test_the_code_can_be_typed(app: App) -> None:
    code = code_for(app).json()
    person = Person("bob")
    person.sign_in(app.server.url)
    typed = person.get(f"{code['verification_uri']}?user_code={code['user_code'].lower()}")
    assert code["user_code"] in typed.text
    assert "Enter the code" in person.get(code["verification_uri"]).text
    unknown = person.get(f"{code['verification_uri']}?user_code=NOPE-NOPE")
    assert (unknown.status_code, "not known" in unknown.text) == (422, True)


def test_who_denies_ends_it(app: App) -> None:
    code = code_for(app).json()
    assert "Access denied" in decide(code, allow=False)
    assert poll(app, code).json()["error"] == "access_denied"


def test_polling_too_early_slows_all_later_polls_down(app: App) -> None:
    app.server.control.settings(device_interval=30)
    code = code_for(app).json()
    assert [poll(app, code).json()["error"] for _ in range(3)] == ["authorization_pending", "slow_down", "slow_down"]


def test_a_code_runs_out(app: App) -> None:
    app.server.control.settings(device_lifetime=0)
    code = code_for(app).json()
    assert poll(app, code).json()["error"] == "expired_token"
    assert "has run out" in Person("bob").decide(code["verification_uri_complete"]).text


def test_another_clients_code_is_none(app: App, make_app: Callable[..., App]) -> None:
    code = code_for(app).json()
    decide(code)
    assert poll(make_app(), code).json()["error"] == "invalid_grant"
    assert poll(app, code).status_code == 200


@pytest.mark.parametrize(
    ("document", "form", "error"),
    [
        ({"client_secret": "another"}, {}, "invalid_client"),
        ({"grant_types": ["authorization_code"]}, {}, "unauthorized_client"),
        ({}, {"scope": "everything"}, "invalid_scope"),
    ],
)
def test_what_is_wrong_with_the_request_is_told(
    make_app: Callable[..., App], document: dict[str, Any], form: dict[str, str], error: str
) -> None:
    assert code_for(make_app(**document), **form).json()["error"] == error


def test_a_public_client_gets_a_code_by_its_name(make_app: Callable[..., App]) -> None:
    app = make_app(public=True)
    form = {"client_id": app.client_id}
    answer = requests.post(f"{app.server.url}/device_authorization", data=form, timeout=20)
    assert answer.status_code == 200


def test_the_metadata_names_the_endpoint(sandbox: SandboxProcess) -> None:
    metadata = requests.get(f"{sandbox.url}/.well-known/oauth-authorization-server", timeout=20).json()
    assert metadata["device_authorization_endpoint"] == f"{sandbox.url}/device_authorization"
    assert DEVICE_GRANT in metadata["grant_types_supported"]
