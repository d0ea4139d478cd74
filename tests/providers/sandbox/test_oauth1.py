"""OAuth 1.0a at the sandbox, by a real client: three legs, signatures, and what is refused."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from requests_oauthlib import OAuth1

from providers.sandbox.client import SandboxProcess
from tests.person import Person, parameters_of
from tests.providers.sandbox.conftest import REDIRECT_URI, SECRET, App


@pytest.fixture
def signing(make_app: Callable[..., App]) -> App:
    return make_app(signs=True)


def post(app: App, path: str, *, secret: str = SECRET, **oauth: str) -> requests.Response:
    auth = OAuth1(app.client_id, client_secret=secret, signature_method="HMAC-SHA256", **oauth)
    return requests.post(f"{app.server.url}/oauth1/{path}", auth=auth, timeout=20)


def fields_of(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return {name: values[0] for name, values in parse_qs(answer.text).items()}


def temporary(app: App) -> dict[str, str]:
    return fields_of(post(app, "request_token", callback_uri=REDIRECT_URI))


def page_of(app: App, given: dict[str, str]) -> str:
    return f"{app.server.url}/oauth1/authorize?oauth_token={given['oauth_token']}"


def token(app: App, given: dict[str, str], verifier: str) -> requests.Response:
    key, secret = given["oauth_token"], given["oauth_token_secret"]
    return post(app, "access_token", resource_owner_key=key, resource_owner_secret=secret, verifier=verifier)


def me(app: App, given: dict[str, str], *, secret: str = SECRET, method: str = "HMAC-SHA1") -> requests.Response:
    key, token_secret = given["oauth_token"], given["oauth_token_secret"]
    auth = OAuth1(
        app.client_id,
        client_secret=secret,
        resource_owner_key=key,
        resource_owner_secret=token_secret,
        signature_method=method,
    )
    return requests.get(f"{app.server.url}/me?a=b%20c", auth=auth, timeout=20)


def test_three_legs_lead_to_a_token_that_signs(signing: App, alice: Person) -> None:
    given = temporary(signing)
    assert given["oauth_callback_confirmed"] == "true"
    back = parameters_of(alice.authorize(page_of(signing, given)))
    assert back["oauth_token"] == given["oauth_token"]
    issued = fields_of(token(signing, given, back["oauth_verifier"]))
    for method in ("HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"):
        assert me(signing, issued, method=method).json()["sub"] == "person-1001"
    assert me(signing, issued, secret="another").status_code == 401
    assert token(signing, given, back["oauth_verifier"]).status_code == 401, "temporary credentials work once"
    signing.server.control.revoke(client_id=signing.client_id)
    assert me(signing, issued).status_code == 401


def test_a_verifier_that_is_wrong_brings_nothing(signing: App, alice: Person) -> None:
    given = temporary(signing)
    assert token(signing, given, "before anybody consented").status_code == 401
    alice.authorize(page_of(signing, given))
    assert token(signing, given, "wrong").status_code == 401
    assert "wrong_verifier" in [entry.outcome for entry in signing.server.control.log(endpoint="oauth1_access_token")]


def test_who_denies_comes_back_with_that(signing: App, alice: Person) -> None:
    given = temporary(signing)
    answer = alice.authorize(page_of(signing, given), allow=False)
    assert parameters_of(answer) == {"denied": given["oauth_token"]}
    assert urlsplit(answer).path == urlsplit(REDIRECT_URI).path
    assert alice.decide(page_of(signing, given)).status_code == 400


def test_a_nonce_is_of_no_use_twice(signing: App) -> None:
    auth = OAuth1(signing.client_id, client_secret=SECRET, callback_uri=REDIRECT_URI)
    prepared = requests.Request("POST", f"{signing.server.url}/oauth1/request_token", auth=auth).prepare()
    with requests.Session() as session:
        assert [session.send(prepared, timeout=20).status_code for _ in range(2)] == [200, 401]


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_a_client_that_cannot_sign_is_refused(signing: App, app: App, secret: str) -> None:
    assert post(signing, "request_token", secret=secret, callback_uri=REDIRECT_URI).status_code == 401
    assert post(app, "request_token", callback_uri=REDIRECT_URI).status_code == 401, "it was not registered so"
    assert post(signing, "request_token", callback_uri="https://evil.example").status_code == 401


def test_the_secret_that_signs_is_shown_nowhere(signing: App, sandbox: SandboxProcess) -> None:
    (shown,) = [client for client in sandbox.control.clients() if client["client_id"] == signing.client_id]
    assert shown["signs"] is True
    assert SECRET not in str(shown)
