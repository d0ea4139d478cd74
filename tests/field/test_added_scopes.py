"""Providers that add newly requested scopes to an earlier grant, and what their answers then say of scopes."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from connections.access.targets import redirect_uri
from connections.models import Connection
from tests.field.stage import Stage
from tests.field.test_scope_drift import FIRST, told
from tests.field.test_scopes import IMPLIES, scopes_of
from tests.flows import completion_code

ADDS = 'incremental_params = { include_granted_scopes = "true" }'


def connected(stage: Stage, *, method: str = ADDS, rest: str = "") -> Connection:
    stage.describe(method=method, rest=rest)
    stage.tokens({**FIRST, "scope": "files mail"})
    return stage.connect(scopes=["files", "mail"])


def added(stage: Stage, connection: Connection, **answer: str) -> tuple[dict[str, str], int]:
    """Add ``calendar``. Return the authorization request, and the status of the confirmation."""
    stage.forget_answers("/token")
    stage.tokens({"access_token": "at-9", "refresh_token": "rt-9", "expires_in": 3600, **answer})
    invitation = stage.invite(connection=str(connection.id), add_scopes=["calendar"])
    sent = dict(parse_qsl(urlsplit(stage.alice.leave(invitation)).query))
    arrived = stage.alice.visit(f"{redirect_uri(stage.app.id)}?code=code-1&state={sent['state']}")
    return sent, stage.alice.complete(invitation, completion_code(arrived)).status_code


@pytest.mark.parametrize("answer", [{}, {"scope": "calendar mail files"}], ids=["names-none", "names-all"])
def test_only_the_new_scope_is_asked_for_where_the_provider_adds(answer: dict[str, str], stage: Stage) -> None:
    connection = connected(stage)
    sent, status = added(stage, connection, **answer)
    assert (sent["scope"], sent["include_granted_scopes"], status) == ("calendar", "true", 200)
    said = scopes_of(stage, connection)
    assert sorted(said["granted"]) == sorted(said["requested"]) == ["calendar", "files", "mail"]
    assert told("connection.scopes_gained") == [{"gained_scopes": ["calendar"]}]


def test_an_answer_that_names_less_than_the_connection_has_is_not_used(stage: Stage) -> None:
    connection = connected(stage)
    _, status = added(stage, connection, scope="calendar")
    assert status == 409
    assert scopes_of(stage, connection)["granted"] == ["files", "mail"]
    connection.refresh_from_db()
    assert stage.vend(connection, scopes=["files"]).json()["credential"]["value"] == "at-1"


def test_a_wider_scope_loses_nothing(stage: Stage) -> None:
    stage.describe(rest=IMPLIES)
    stage.tokens({**FIRST, "scope": "read_orders"})
    connection = stage.connect(scopes=["read_orders"])
    stage.forget_answers("/token")
    stage.tokens({**FIRST, "scope": "write_orders"})
    answer = stage.reconnect(connection, add_scopes=["write_orders"])
    assert answer.status_code == 200, answer.content
    assert scopes_of(stage, connection)["missing"] == []
    assert stage.vend(connection, scopes=["read_orders", "write_orders"]).status_code == 200


def test_a_grant_that_is_over_is_asked_for_whole_even_where_the_provider_adds(stage: Stage) -> None:
    connection = connected(stage)
    Connection.objects.update(status="needs_reauth", reason="grant_rejected")
    sent, status = added(stage, connection)
    assert (sent["scope"], "include_granted_scopes" in sent, status) == ("files mail calendar", False, 200)


def test_where_a_grant_replaces_the_earlier_one_everything_is_asked_for(stage: Stage) -> None:
    connection = connected(stage, method="")
    sent, status = added(stage, connection, scope="files mail calendar")
    assert (sent["scope"], status) == ("files mail calendar", 200)
    assert "include_granted_scopes" not in sent


def test_an_ordinary_session_adds_nothing(stage: Stage) -> None:
    connection = connected(stage)
    invitation = stage.invite(connection=str(connection.id), scopes=["files"])
    assert "include_granted_scopes" not in stage.alice.leave(invitation)
