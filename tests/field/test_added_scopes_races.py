"""What happens to a connection while an end user allows more: it ends, is refreshed, narrowed, or is somebody else's.

What comes meanwhile comes while the provider answers, and not before or after it.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database

from connections.access.secrets import open_credential
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.disconnect import disconnect
from connections.models import Connection, CredentialVersion, ProviderApp
from tests.field.stage import Answer, Stage
from tests.field.test_added_scopes import added, connected
from tests.field.test_scope_drift import told
from tests.field.test_scopes import scopes_of
from tests.flows import Invitation, completion_code
from tests.providers.conftest import Received

pytestmark = pytest.mark.django_db(transaction=True)

REFRESH, CODE = "refresh_token", "authorization_code"
WIDER = ["calendar", "files", "mail"]
LATE = {"access_token": "at-late", "refresh_token": "rt-late", "expires_in": 3600}


def during(stage: Stage, grant_type: str, act: Callable[[], object]) -> None:
    """Do ``act`` once, when the provider has a request of this kind and before we have its answer."""
    left = [act]

    def respond(request: Received) -> Answer:
        answer = stage._respond(request)
        if request.path == "/token" and request.form["grant_type"] == grant_type and left:
            try:
                left.pop()()
            finally:
                database.close()
        return answer

    stage.server.responder = respond


def is_asked_for_more(stage: Stage, connection: Connection) -> tuple[Invitation, Any]:
    """Let the end user allow ``calendar``, and return the session with the answer that brings its code."""
    stage.forget_answers("/token")
    stage.tokens({"access_token": "at-9", "refresh_token": "rt-9", "expires_in": 3600})
    invitation = stage.invite(connection=str(connection.id), add_scopes=["calendar"])
    return invitation, stage.come_back(invitation)


def current_token(connection: Connection) -> str:
    connection.refresh_from_db()
    version = connection.current_version
    assert version is not None
    token = open_credential(connection, version).access_token
    assert token is not None
    return token.get_secret_value()


@pytest.mark.parametrize("named", [{}, {"scope": "files mail"}], ids=["names-none", "names-fewer"])
def test_a_refresh_of_the_grant_before_that_is_answered_late_takes_nothing_back(
    stage: Stage, named: dict[str, str]
) -> None:
    connection = connected(stage, method="")
    during(stage, REFRESH, lambda: added(stage, connection))
    stage.forget_answers("/token")
    stage.tokens(LATE | named)
    stage.refresh(connection)
    assert current_token(connection) == "at-9"
    assert sorted(scopes_of(stage, connection)["granted"]) == WIDER
    assert told("connection.scopes_lost") == []
    assert stage.vend(connection, scopes=["calendar"]).status_code == 200


@pytest.mark.parametrize("named", [{}, {"scope": "files mail"}], ids=["names-none", "names-fewer"])
def test_a_late_answer_to_the_refresh_token_that_is_kept_loses_no_scope(stage: Stage, named: dict[str, str]) -> None:
    """The new grant brings no refresh token: the late answer holds the only live one, and knows no new scope."""
    connection = connected(stage)

    def adds() -> None:
        _, status = added(stage, connection, refresh_token="")
        assert status == 200

    during(stage, REFRESH, adds)
    stage.forget_answers("/token")
    stage.tokens(LATE | named)
    stage.refresh(connection)
    assert current_token(connection) == "at-late"
    assert sorted(scopes_of(stage, connection)["granted"]) == WIDER
    assert told("connection.scopes_lost") == []
    assert connection.refresh_due_at is not None
    assert connection.refresh_due_at <= database_now() + timedelta(seconds=1), "its token may lack the new scope"


@pytest.mark.parametrize("named", [{}, {"scope": "files mail"}], ids=["names-none", "names-more"])
def test_a_late_answer_to_the_refresh_token_that_is_kept_brings_no_scope_back(
    stage: Stage, named: dict[str, str]
) -> None:
    """The end user allows less meanwhile, and the new grant brings no refresh token: their word is the newer one."""
    connection = connected(stage)

    def allows_less() -> None:
        stage.forget_answers("/token")
        stage.tokens({"access_token": "at-9", "expires_in": 3600, "scope": "files"})
        answer = stage.reconnect(connection, scopes=["files"])
        assert answer.status_code == 200, answer.content

    during(stage, REFRESH, allows_less)
    stage.forget_answers("/token")
    stage.tokens(LATE | named)
    stage.refresh(connection)
    assert current_token(connection) == "at-late"
    said = scopes_of(stage, connection)
    assert (said["granted"], said["requested"]) == (["files"], ["files"])
    assert told("connection.scopes_gained") == []
    assert stage.vend(connection, scopes=["mail"]).status_code == 403
    assert connection.refresh_due_at is not None
    assert connection.refresh_due_at <= database_now() + timedelta(seconds=1), "its token may allow more"


def test_a_connection_that_ends_while_its_end_user_allows_more_stays_ended(stage: Stage) -> None:
    connection = connected(stage)
    invitation, arrived = is_asked_for_more(stage, connection)
    disconnect(connection.id, now=database_now(), actor=SYSTEM)
    answer = stage.alice.complete(invitation, completion_code(arrived))
    assert answer.json()["code"] == "session_unusable"
    connection.refresh_from_db()
    assert connection.status == "disconnected"


def test_a_connection_that_ends_while_the_code_is_exchanged_stays_ended(stage: Stage) -> None:
    connection = connected(stage)
    invitation, arrived = is_asked_for_more(stage, connection)
    during(stage, CODE, lambda: disconnect(connection.id, now=database_now(), actor=SYSTEM))
    answer = stage.alice.complete(invitation, completion_code(arrived))
    assert answer.json()["code"] == "session_unusable"
    connection.refresh_from_db()
    assert connection.status == "disconnected"
    assert not CredentialVersion.objects.filter(connection=connection, stage="current").exists()


def test_what_was_allowed_for_one_account_is_not_added_to_another(stage: Stage) -> None:
    connection = connected(stage)
    invitation, arrived = is_asked_for_more(stage, connection)

    def becomes_somebody_elses() -> None:
        stage.forget_answers("/me")
        stage.me({"id": "u-2"})
        other = stage.reconnect(connection, allow_account_change=True)
        assert other.status_code == 200, other.content
        stage.forget_answers("/me")
        stage.me({"id": "u-1"})

    during(stage, CODE, becomes_somebody_elses)
    answer = stage.alice.complete(invitation, completion_code(arrived))
    assert (answer.status_code, answer.json()["code"]) == (409, "account_mismatch")
    connection.refresh_from_db()
    assert (connection.provider_account_id, connection.status) == ("u-2", "active")


@pytest.mark.parametrize("named", [{}, {"scope": "calendar files mail tasks"}], ids=["names-none", "names-all"])
@pytest.mark.parametrize("adds", [True, False], ids=["adds", "replaces"])
def test_of_two_additions_at_once_neither_costs_what_the_other_brought(
    stage: Stage, adds: bool, named: dict[str, str]
) -> None:
    connection = connected(stage) if adds else connected(stage, method="")
    invitation, arrived = is_asked_for_more(stage, connection)
    stage.forget_answers("/token")
    stage.tokens({"access_token": "at-2", "refresh_token": "rt-2", "expires_in": 3600} | named)

    def allows_more_elsewhere() -> None:
        stage.forget_answers("/token")
        stage.tokens({"access_token": "at-3", "refresh_token": "rt-3", "expires_in": 3600})
        other = stage.reconnect(connection, add_scopes=["tasks"])
        assert other.status_code == 200, other.content

    during(stage, CODE, allows_more_elsewhere)
    answer = stage.alice.complete(invitation, completion_code(arrived))
    everything = ["files", "mail", "tasks"]
    if named:
        assert answer.status_code == 200, answer.content
        everything = ["calendar", *everything]
    else:
        assert (answer.status_code, answer.json()["reason"]) == (409, "scopes_lost")
    said = scopes_of(stage, connection)
    assert (sorted(said["granted"]), sorted(said["requested"])) == (everything, everything)
    assert told("connection.scopes_lost") == []


def test_an_answer_that_names_no_scopes_grants_what_was_asked_for_and_no_more(stage: Stage) -> None:
    """Between the click and the code the grant has died, and only the new scope was asked for."""
    connection = connected(stage)
    invitation, arrived = is_asked_for_more(stage, connection)
    Connection.objects.update(status="needs_reauth", reason="grant_rejected")
    assert stage.alice.complete(invitation, completion_code(arrived)).status_code == 200
    said = scopes_of(stage, connection)
    assert (said["granted"], said["missing"]) == (["calendar"], ["files", "mail"])


def test_what_an_operator_changes_meanwhile_was_not_asked_for(stage: Stage) -> None:
    invitation = stage.invite()
    ProviderApp.objects.filter(id=stage.app.id).update(scopes=["files"])
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600})
    arrived = stage.come_back(invitation)
    ProviderApp.objects.filter(id=stage.app.id).update(scopes=["files", "mail", "calendar"])
    made = stage.alice.complete(invitation, completion_code(arrived)).json()["connection"]
    assert made["scopes"]["granted"] == ["files"]


def test_a_refresh_that_narrows_meanwhile_does_not_narrow_what_is_allowed_anew(stage: Stage) -> None:
    connection = connected(stage, method="")
    invitation, arrived = is_asked_for_more(stage, connection)
    stage.forget_answers("/token")
    stage.tokens(LATE | {"scope": "files"})
    stage.refresh(connection)
    stage.forget_answers("/token")
    stage.tokens({"access_token": "at-9", "refresh_token": "rt-9", "expires_in": 3600})
    assert stage.alice.complete(invitation, completion_code(arrived)).status_code == 200
    assert sorted(scopes_of(stage, connection)["granted"]) == WIDER
