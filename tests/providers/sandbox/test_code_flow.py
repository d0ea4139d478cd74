"""The authorization code flow (RFC 6749 §4.1, RFC 7636, RFC 9207), driven by real clients over HTTP."""

import time
from collections.abc import Callable

import pytest
import requests
from oauthlib.oauth2 import WebApplicationClient
from requests_oauthlib import OAuth2Session

from providers.sandbox.client import SandboxProcess, start_sandbox
from tests.person import Person, parameters_of
from tests.providers.sandbox.conftest import REDIRECT_URI, SCOPES, SECRET, App, challenge_of
from tests.smoke.browser import forms_of

VERIFIER = "v" * 43


def test_requests_oauthlib_completes_the_flow_with_pkce(
    app: App, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    session = OAuth2Session(app.client_id, redirect_uri=REDIRECT_URI, scope=SCOPES, pkce="S256")
    url, state = session.authorization_url(f"{app.server.url}/authorize")

    token = session.fetch_token(
        f"{app.server.url}/token",
        authorization_response=alice.authorize(url),
        client_secret=SECRET,
        state=state,
    )

    assert token["scope"] == SCOPES
    assert session.get(f"{app.server.url}/me").json()["sub"] == "person-1001"


def test_response_carries_state_and_issuer(app: App, alice: Person) -> None:
    answer = alice.authorize(app.authorization_url(state="s t&=ü"))

    assert answer.startswith(f"{REDIRECT_URI}?")
    assert parameters_of(answer)["state"] == "s t&=ü"
    assert parameters_of(answer)["iss"] == app.server.url
    assert WebApplicationClient(app.client_id).parse_request_uri_response(
        answer.replace("http://127.0.0.1:9", "https://127.0.0.1:9"), state="s t&=ü"
    )["code"]


def test_form_post_sends_the_same_parameters_in_a_form(app: App, alice: Person) -> None:
    page = alice.decide(app.authorization_url(response_mode="form_post"))

    [form] = forms_of(page)
    assert (page.status_code, form.method, form.action) == (200, "POST", REDIRECT_URI)
    values = dict(form.fields)
    assert values["state"] == "state-1"
    assert values["iss"] == app.server.url
    assert app.exchange(values["code"]).status_code == 200


def test_denial_comes_back_as_access_denied_with_the_issuer(app: App, alice: Person) -> None:
    answer = parameters_of(alice.authorize(app.authorization_url(), allow=False))

    assert answer == {"error": "access_denied", "state": "state-1", "iss": app.server.url}


def test_person_may_grant_fewer_scopes(app: App, alice: Person) -> None:
    tokens = app.connect(alice, scopes=["profile"], scope="profile files.read")

    assert tokens["scope"] == "profile"
    assert app.me(tokens["access_token"]).json()["scope"] == "profile"
    assert app.me(tokens["access_token"], "/files").status_code == 403
    assert app.refresh(tokens["refresh_token"]).json()["scope"] == "profile"


def test_person_cannot_grant_what_was_not_asked_for(app: App, alice: Person) -> None:
    tokens = app.connect(alice, scopes=["profile", "files.write"], scope="profile")

    assert tokens["scope"] == "profile"


def test_ticking_no_box_asks_again(app: App, alice: Person) -> None:
    page = alice.decide(app.authorization_url(), scopes=[])

    assert page.status_code == 422
    assert "at least one permission" in page.text


def test_code_works_once_and_a_second_use_revokes_the_grant(app: App, alice: Person) -> None:
    code = app.code(alice)
    tokens = app.exchange(code).json()

    again = app.exchange(code)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert app.outcomes()[-1] == "code_reused"
    assert app.me(tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_code_expires(alice: Person) -> None:
    with start_sandbox() as server:
        server.control.settings(code_lifetime=1)
        app = App(server)
        code = app.code(alice)
        time.sleep(1.05)

        assert app.exchange(code).json()["error"] == "invalid_grant"
        assert app.outcomes() == ["code_expired"]


@pytest.mark.parametrize("form", [{"code_verifier": "w" * 43}, {}])
def test_wrong_or_missing_verifier_is_refused(app: App, alice: Person, form: dict[str, str]) -> None:
    code = app.code(alice, code_challenge=challenge_of(VERIFIER), code_challenge_method="S256")

    assert app.exchange(code, **form).status_code == 400
    assert app.outcomes() == ["wrong_verifier"]
    assert app.exchange(code, code_verifier=VERIFIER).status_code == 200


def test_verifier_without_a_challenge_is_refused_as_a_downgrade(app: App, alice: Person) -> None:
    answer = app.exchange(app.code(alice), code_verifier=VERIFIER)

    assert answer.json()["error"] == "invalid_grant"
    assert app.outcomes() == ["verifier_without_challenge"]


def test_public_client_needs_pkce_and_no_secret(make_app: Callable[..., App], alice: Person) -> None:
    app = make_app(public=True)

    refused = parameters_of(alice.authorize(app.authorization_url()))

    assert refused["error"] == "invalid_request"
    assert app.connect(alice)["access_token"]


def test_plain_challenge_method_is_refused(app: App, alice: Person) -> None:
    url = app.authorization_url(code_challenge="c" * 43, code_challenge_method="plain")

    assert parameters_of(alice.authorize(url))["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "profile root"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "smoke_signal"}, "invalid_request"),
    ],
)
def test_faulty_request_is_told_to_the_client(
    app: App, alice: Person, changes: dict[str, str | None], error: str
) -> None:
    answer = parameters_of(alice.authorize(app.authorization_url(**changes)))

    assert answer["error"] == error
    assert (answer["state"], answer["iss"]) == ("state-1", app.server.url)


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": f"{REDIRECT_URI}/more"},
        {"redirect_uri": f"{REDIRECT_URI}?x=1"},
        {"client_id": "nobody"},
        {"client_id": None},
        {"scope": ["profile", "files.read"]},
    ],
)
def test_request_that_cannot_be_trusted_ends_on_a_page(app: App, alice: Person, changes: dict[str, str | None]) -> None:
    page = alice.get(app.authorization_url(**changes))

    assert page.status_code == 400
    assert "Location" not in page.headers


def test_redirect_uri_of_the_exchange_must_match(app: App, alice: Person) -> None:
    answer = app.token(grant_type="authorization_code", code=app.code(alice), redirect_uri=f"{REDIRECT_URI}/")

    assert answer.json()["error"] == "invalid_grant"
    assert app.outcomes() == ["wrong_redirect_uri"]


def test_redirect_uri_may_be_left_out_when_only_one_is_registered(app: App, alice: Person) -> None:
    code = app.code(alice, redirect_uri=None)

    assert app.token(grant_type="authorization_code", code=code).status_code == 200


def test_code_of_another_client_is_refused(make_app: Callable[..., App], alice: Person) -> None:
    ours, theirs = make_app(), make_app()

    assert theirs.exchange(ours.code(alice)).json()["error"] == "invalid_grant"
    assert theirs.outcomes() == ["wrong_client"]


def test_client_authenticates_by_basic_or_body_or_json(app: App, alice: Person) -> None:
    url = f"{app.server.url}/token"
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI}
    identity = {"client_id": app.client_id, "client_secret": SECRET}

    basic = requests.post(url, data={**form, "code": app.code(alice)}, auth=(app.client_id, SECRET), timeout=20)
    post = requests.post(url, data={**form, **identity, "code": app.code(alice)}, timeout=20)
    json = requests.post(url, json={**form, **identity, "code": app.code(alice)}, timeout=20)

    assert [answer.status_code for answer in (basic, post, json)] == [200, 200, 200]


def test_any_of_several_secrets_is_accepted_even_percent_encoded(make_app: Callable[..., App]) -> None:
    app = make_app(client_secrets=["old", "n+w/ü%"])

    statuses = [
        app.token(grant_type="client_credentials", secret=secret).status_code
        for secret in ("old", "n%2Bw%2F%C3%BC%25", "wrong")
    ]

    assert statuses == [200, 200, 401]


def test_wrong_secret_is_invalid_client_with_a_challenge(app: App) -> None:
    answer = app.token(grant_type="client_credentials", secret="wrong")

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_confidential_client_cannot_do_without_its_secret(app: App, alice: Person) -> None:
    form = {"grant_type": "authorization_code", "code": app.code(alice), "client_id": app.client_id}

    assert requests.post(f"{app.server.url}/token", data=form, timeout=20).json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "invalid_request"),
        ("grant_type=implicit", "unsupported_grant_type"),
        ("grant_type=refresh_token", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=a&refresh_token=b", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=%00", "invalid_grant"),
    ],
)
def test_unusable_token_request_gets_the_right_error(app: App, body: str, error: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = requests.post(
        f"{app.server.url}/token", data=body, headers=headers, auth=(app.client_id, SECRET), timeout=20
    )

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("body", ["[1]", '{"grant_type": 1}', "{", "\xff"])
def test_unreadable_json_request_is_an_invalid_request(app: App, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = requests.post(f"{app.server.url}/token", data=body.encode("latin-1"), headers=headers, timeout=20)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_secrets_in_the_token_endpoints_url_are_refused(app: App) -> None:
    answer = requests.post(
        f"{app.server.url}/token?client_secret={SECRET}",
        data={"grant_type": "client_credentials"},
        auth=(app.client_id, SECRET),
        timeout=20,
    )

    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("name", ["oauth-authorization-server", "openid-configuration"])
def test_metadata_names_endpoints_that_exist(sandbox: SandboxProcess, name: str) -> None:
    metadata = requests.get(f"{sandbox.url}/.well-known/{name}", timeout=20).json()

    assert metadata["issuer"] == sandbox.url
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert {"client_secret_basic", "client_secret_post", "none"} <= set(
        metadata["token_endpoint_auth_methods_supported"]
    )
    for member in ("authorization", "token", "revocation", "introspection", "userinfo"):
        assert requests.get(metadata[f"{member}_endpoint"], timeout=20).status_code in (400, 401, 405)


def test_issuer_is_the_public_url_where_one_is_given(alice: Person) -> None:
    with start_sandbox(public_url="https://login.example.test") as server:
        metadata = requests.get(f"{server.base_url}/.well-known/oauth-authorization-server", timeout=20).json()

    assert (server.url, metadata["issuer"]) == ("https://login.example.test", "https://login.example.test")
    assert metadata["token_endpoint"] == "https://login.example.test/token"
