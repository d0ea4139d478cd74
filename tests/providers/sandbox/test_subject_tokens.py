"""Acting for a subject: a person's live token is exchanged, in both forms, and nobody else's."""

from typing import Any

import pytest
import requests

from providers.sandbox.subject_tokens import CLAIMS
from tests.providers.sandbox.conftest import App

EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
}
BEHALF = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "requested_token_use": "on_behalf_of"}
both_forms = pytest.mark.parametrize("form", [EXCHANGE, BEHALF], ids=["exchange", "on_behalf_of"])


def ask(app: App, form: dict[str, str], token: str, **more: Any) -> requests.Response:
    named = "subject_token" if form is EXCHANGE else "assertion"
    return app.token(**{**form, named: token, **more})


@both_forms
def test_what_is_issued_is_the_person_s_and_the_client_s(
    app: App, tokens: dict[str, Any], form: dict[str, str]
) -> None:
    issued = ask(app, form, tokens["access_token"], scope="files.read")
    assert issued.status_code == 200, issued.text
    document = issued.json()
    assert document["scope"] == "files.read"
    assert "refresh_token" not in document
    assert document["issued_token_type"].endswith(":access_token")
    assert app.me(document["access_token"]).json()["sub"] == "person-1001"
    assert app.entries()[-1].outcome == "issued"


@both_forms
def test_a_dead_token_an_unknown_one_and_a_machine_s_are_refused(
    app: App, tokens: dict[str, Any], form: dict[str, str]
) -> None:
    own = app.token(grant_type="client_credentials").json()["access_token"]
    app.server.control.revoke(client_id=app.client_id, username="alice")
    for token in (tokens["access_token"], "unknown", own):
        refused = ask(app, form, token)
        assert (refused.status_code, refused.json()["error"]) == (
            400,
            "invalid_request" if form is EXCHANGE else "invalid_grant",
        )


@both_forms
def test_a_person_who_is_locked_has_to_sign_in(app: App, tokens: dict[str, Any], form: dict[str, str]) -> None:
    app.server.control.settings(locked=["alice"])
    try:
        refused = ask(app, form, tokens["access_token"])
    finally:
        app.server.control.settings(locked=[])
    assert (refused.status_code, refused.json()["error"]) == (400, "interaction_required")
    assert refused.json()["claims"] == CLAIMS


def test_a_request_that_is_neither_form_is_refused(app: App, tokens: dict[str, Any]) -> None:
    token = tokens["access_token"]
    odd = {**BEHALF, "requested_token_use": "something_else"}
    assert ask(app, odd, token).json()["error"] == "unsupported_grant_type"
    signed_by_nobody = app.token(grant_type=BEHALF["grant_type"], assertion=token)
    assert signed_by_nobody.json()["error"] == "invalid_grant"
    untyped = app.token(grant_type=EXCHANGE["grant_type"], subject_token=token)
    assert untyped.json()["error"] == "invalid_request"
    assert ask(app, EXCHANGE, token, scope="unheard.of").json()["error"] == "invalid_scope"
    assert app.token(secret="wrong", **EXCHANGE, subject_token=token).json()["error"] == "invalid_client"
