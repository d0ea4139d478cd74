"""A credential that was made a moment ago, and is not known everywhere yet."""

from typing import Any

import pytest

from connections.models import Connection, ConnectSession, CredentialVersion
from providers.catalog.methods import ApiKeyMethod
from tests.connections.consent.steps import submit
from tests.field.stage import ENTRY, Stage
from tests.flows import completion_code, failure_of

TOKENS = {"access_token": "ghu-1", "token_type": "bearer", "scope": ""}
WORKSPACES = """
[[params]]
name = "site"
label = "Site"
scope = "workspace"

[workspaces]
url = "<url>/sites"
id = "/id"
param = "site"
"""
KEYS = """
name = "Field"
base_url = "<url>/api"
[[api_key.fields]]
name = "api_key"
label = "API key"
[presentation.api_key.headers]
X-Api-Key = "{api_key}"
[probe]
url = "<url>/me"
account_id = "/id"
"""


@pytest.mark.parametrize("refusals", [1, 2])
def test_a_token_that_is_refused_at_first_is_looked_at_again(stage: Stage, refusals: int) -> None:
    stage.tokens(TOKENS)
    stage.forget_answers("/me")
    stage.me({"message": "Bad credentials"}, status=401, times=refusals)
    stage.me({"id": "u-7"})
    connection = stage.connect()
    assert (connection.provider_account_id, connection.verified_by) == ("u-7", "connect")
    assert stage.vend(connection).json()["credential"]["value"] == "ghu-1"
    assert len(stage.requests()) == 1


def test_a_refusal_by_the_entrys_own_sign_is_looked_at_again(stage: Stage) -> None:
    stage.describe(probe='dead = [{ field = "/error", value = "token_revoked", means = "grant_rejected" }]')
    stage.tokens(TOKENS)
    stage.forget_answers("/me")
    stage.me({"ok": False, "error": "token_revoked"})
    stage.me({"ok": True, "id": "u-7"})
    assert stage.connect().provider_account_id == "u-7"


def test_a_token_that_stays_refused_connects_nothing_and_is_not_revoked(stage: Stage) -> None:
    stage.describe(method='revocation_url = "<url>/revoke"')
    stage.tokens(TOKENS)
    stage.forget_answers("/me")
    stage.me({}, status=401)
    answer = stage.confirm()
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (
        409,
        "exchange_failed",
        "grant_rejected",
    )
    assert len(stage.requests("/me")) > 1
    assert stage.requests("/revoke") == []
    assert not Connection.objects.exists()


def test_a_provider_that_fails_at_the_second_look_decides_nothing(stage: Stage) -> None:
    stage.tokens(TOKENS)
    stage.forget_answers("/me")
    stage.me({}, status=401)
    stage.me({}, status=503, headers={"Retry-After": "4"})
    stage.me({"id": "u-7"})
    invitation = stage.invite()
    code = completion_code(stage.come_back(invitation))
    answer = stage.alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "provider_unavailable", "4")
    assert not CredentialVersion.objects.exists()
    again = stage.alice.complete(invitation, code)
    assert (again.status_code, again.json()["connection"]["account"]["id"]) == (200, "u-7")
    assert len(stage.requests()) == 1


def test_the_list_of_workspaces_is_asked_for_again(stage: Stage) -> None:
    stage.describe(rest=WORKSPACES)
    stage.tokens(TOKENS)
    stage.answers("/sites", {}, status=401)
    stage.answers("/sites", [{"id": "north"}])
    assert stage.connect().params == {"site": "north"}


@pytest.mark.parametrize(("answers", "is_taken"), [([401, 200], True), ([401, 401], False)], ids=["new", "wrong"])
def test_a_typed_key_is_tried_twice(stage: Stage, answers: list[int], is_taken: bool) -> None:
    stage.write(KEYS)
    app = stage.register(auth_style=ApiKeyMethod.style, client_id="", client_secrets=[])
    stage.forget_answers("/me")
    for status in answers:
        stage.me({"id": "u-7"}, status=status)
    invitation = stage.invite()
    stage.alice.start(invitation)
    page: Any = submit(stage.alice, f"/connect/{invitation.id}/method/{app.id}", api_key="key-of-alice")
    assert len(stage.requests("/me")) == 2
    if is_taken:
        assert stage.alice.complete(invitation, completion_code(page)).status_code == 200
    else:
        assert page.status_code == 422
        assert "does not accept this" in page.content.decode()
        assert ConnectSession.objects.get().state == "started"


def test_a_token_that_stays_refused_is_told_on_the_page_where_nobody_confirms(stage: Stage) -> None:
    stage.let_mail()
    stage.tokens(TOKENS)
    stage.forget_answers("/me")
    stage.me({}, status=401)
    page = stage.come_back(stage.invite(binding="none"))
    assert failure_of(page) == "exchange_failed"


def test_what_was_kept_is_tried_at_the_party_alone_that_gave_it(stage: Stage) -> None:
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600})
    stage.forget_answers("/me")
    stage.me({}, status=401)
    stage.me({}, status=503)
    invitation = stage.invite()
    code = completion_code(stage.come_back(invitation))
    assert stage.alice.complete(invitation, code).status_code == 503
    seen = len(stage.requests("/me"))
    stage.forget_answers("/me")
    stage.me({"id": "u-1"})
    elsewhere = stage.server.url.replace("127.0.0.1", "localhost")
    stage.write(ENTRY.replace("<url>/token", f"{elsewhere}/token").replace("<url>/me", f"{elsewhere}/me"))
    stage.register()
    answer = stage.alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["reason"]) == (502, "endpoint_moved")
    assert len(stage.requests("/me")) == seen, "the token goes to nobody else"
    stage.describe()
    stage.register()
    assert stage.alice.complete(invitation, code).status_code == 200
