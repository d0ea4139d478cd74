"""Scopes: asked for by one name, granted by another, by a wider one, or without a word."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connections.lifecycle.credentials.scopes import lacks_scopes
from connections.models import Connection, OutboxEvent
from tests.field.stage import Stage
from tests.flows import call

IMPLIES = """
[[scopes]]
name = "repo"
description = "Everything about code"
implies = ["repo.public", "repo.status"]
[[scopes]]
name = "repo.public"
description = "Public code"
implies = ["repo.stars"]
[[scope_spelling.implications]]
scope = "write_*"
implies = ["read_*"]
"""
NAMES = """
[[scopes]]
name = "https://api.example/auth/mail"
description = "See the address"
aliases = ["mail"]
[[scopes]]
name = "Docs.Read"
description = "Read documents"
[scope_spelling]
ignores_case = true
prefixes = ["https://docs.example/"]
"""
SILENT = """
[[scopes]]
name = "openid"
description = "Confirm who you are"
echoed = false
[[scopes]]
name = "offline_access"
description = "Stay connected"
echoed = false
"""


def connected(stage: Stage, rest: str, *, asked: list[str], answer: Any, method: str = "", **token: Any) -> Connection:
    stage.describe(rest=rest, method=method)
    said = {} if answer is None else {"scope": answer}
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600, **said, **token})
    return stage.connect(scopes=asked)


def scopes_of(stage: Stage, connection: Connection) -> dict[str, list[str]]:
    answer = call(stage.alice.backend, "GET", f"/connections/{connection.id}")
    scopes: dict[str, list[str]] = answer.json()["scopes"]
    return scopes


def is_listed_as_lacking(connection: Connection) -> bool:
    return Connection.objects.filter(lacks_scopes(), id=connection.id).exists()


@pytest.mark.parametrize(
    ("rest", "asked", "answer"),
    [
        (IMPLIES, ["repo", "repo.public", "repo.stars"], "repo"),
        (IMPLIES, ["repo.status"], ["other", "repo"]),
        (NAMES, ["mail", "Docs.Read"], "https://api.example/auth/mail Docs.Read"),
        (NAMES, ["DOCS.READ"], "https://docs.example/Docs.Read"),
        (IMPLIES, ["read_orders", "write_orders"], "write_orders"),
        (IMPLIES, ["read_a", "read_b", "repo.status"], ["write_b", "write_a", "repo"]),
        (SILENT, ["openid", "offline_access", "files"], "files"),
    ],
)
def test_a_connection_that_lacks_nothing_is_not_listed_as_lacking(
    rest: str, asked: list[str], answer: Any, stage: Stage
) -> None:
    connection = connected(stage, rest, asked=asked, answer=answer)
    assert not is_listed_as_lacking(connection)


@pytest.mark.parametrize(
    ("rest", "asked", "answer"),
    [
        (IMPLIES, ["read_orders", "write_orders"], "write_orders"),
        (IMPLIES, ["repo", "repo.public", "repo.stars"], "repo"),
        (IMPLIES, ["read_a", "read_b", "repo.status"], ["write_b", "write_a", "repo"]),
        (NAMES, ["mail", "docs.read"], "https://api.example/auth/mail https://docs.example/Docs.Read"),
        (NAMES, ["https://api.example/auth/mail", "DOCS.READ"], "mail Docs.Read"),
        (SILENT, ["openid", "offline_access", "files"], "files"),
    ],
)
def test_a_scope_that_goes_by_another_name_is_not_missing(
    rest: str, asked: list[str], answer: Any, stage: Stage
) -> None:
    connection = connected(stage, rest, asked=asked, answer=answer)
    assert scopes_of(stage, connection)["missing"] == []
    vended = stage.vend(connection, scopes=asked)
    assert vended.status_code == 200, vended.content
    assert vended.json()["credential"]["missing_scopes"] == []
    for scope in asked:
        assert stage.vend(connection, scopes=[scope]).status_code == 200


@pytest.mark.parametrize(
    ("rest", "asked", "answer", "missing"),
    [
        (IMPLIES, ["write_orders", "read_orders"], "read_orders", ["write_orders"]),
        (IMPLIES, ["repo", "repo.public"], "repo.public", ["repo"]),
        (NAMES, ["mail", "docs.read"], "docs.read", ["mail"]),
        (SILENT, ["openid", "files"], "other", ["files"]),
    ],
)
def test_the_narrower_scope_never_stands_for_the_wider(
    rest: str, asked: list[str], answer: str, missing: list[str], stage: Stage
) -> None:
    connection = connected(stage, rest, asked=asked, answer=answer)
    assert scopes_of(stage, connection)["missing"] == missing
    refused = stage.vend(connection, scopes=asked)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert refused.json()["missing_scopes"] == missing
    assert is_listed_as_lacking(connection)


def test_a_scope_that_is_never_named_is_granted_only_where_it_was_asked_for(stage: Stage) -> None:
    connection = connected(stage, SILENT, asked=["files"], answer="files")
    assert stage.vend(connection, scopes=["openid"]).json()["code"] == "insufficient_scope"


def test_offline_access_is_missing_where_no_refresh_token_came(stage: Stage) -> None:
    method = 'refresh_scope = "offline_access"'
    asked = ["openid", "offline_access"]
    connection = connected(stage, SILENT, asked=asked, answer="openid", method=method, refresh_token=None)
    assert scopes_of(stage, connection)["missing"] == ["offline_access"]


def test_an_entry_that_learns_of_an_implication_mends_what_is_there(stage: Stage) -> None:
    connection = connected(stage, "", asked=["write_orders", "read_orders"], answer="write_orders")
    assert scopes_of(stage, connection)["missing"] == ["read_orders"]
    assert stage.vend(connection, scopes=["read_orders"]).status_code == 403
    stage.describe(rest=IMPLIES)
    assert scopes_of(stage, connection)["missing"] == []
    assert stage.vend(connection, scopes=["read_orders"]).status_code == 200
    stage.describe()
    assert stage.vend(connection, scopes=["read_orders"]).status_code == 403


@pytest.mark.parametrize(("answer", "lost"), [("write_orders", None), ("read_orders", ["write_orders"])])
def test_only_what_is_really_lost_on_a_refresh_is_told(answer: str, lost: list[str] | None, stage: Stage) -> None:
    asked = ["write_orders", "read_orders"]
    connection = connected(stage, IMPLIES, asked=asked, answer="write_orders read_orders")
    stage.forget_answers("/token")
    stage.tokens({"access_token": "at-2", "refresh_token": "rt-2", "expires_in": 3600, "scope": answer})
    assert stage.refresh(connection).outcome == "refreshed"
    events = list(OutboxEvent.objects.filter(type="connection.scopes_lost"))
    assert [event.payload["lost_scopes"] for event in events] == ([] if lost is None else [lost])


@pytest.mark.parametrize(
    ("named", "drifted"),
    [("write_orders", []), ("read_orders", ["write_orders"]), ("", ["read_orders", "write_orders"])],
)
def test_only_what_is_really_gone_drifts(named: str, drifted: list[str], stage: Stage) -> None:
    stage.describe(rest=IMPLIES, probe='scopes_header = "X-Scopes"')
    stage.forget_answers("/me")
    stage.me({"id": "u-1"}, headers={"X-Scopes": named})
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600})
    connection = stage.connect(scopes=["write_orders", "read_orders"])
    for _ in range(2):
        assert call(stage.alice.backend, "POST", f"/connections/{connection.id}/probe", {}).status_code == 200
    events = list(OutboxEvent.objects.filter(type="connection.scopes_drifted"))
    assert [event.payload["missing_scopes"] for event in events] == ([drifted] if drifted else [])


@pytest.mark.parametrize("empty", ["", "  ", []])
def test_an_empty_list_of_scopes_is_empty_and_not_all(empty: Any, stage: Stage) -> None:
    connection = connected(stage, "", asked=["files", "mail"], answer=empty)
    said = scopes_of(stage, connection)
    assert (said["requested"], said["granted"], said["missing"]) == (["files", "mail"], [], ["files", "mail"])
    assert stage.vend(connection, scopes=["files"]).json()["code"] == "insufficient_scope"


@pytest.mark.parametrize("empty", ["", []])
def test_an_empty_list_means_all_where_the_entry_says_so(empty: Any, stage: Stage) -> None:
    connection = connected(stage, "", asked=["files"], answer=empty, method='empty_scope = "as_requested"')
    assert scopes_of(stage, connection)["missing"] == []


@pytest.mark.parametrize("said", [{}, {"scope": ""}, {"scope": []}, {"scope": None}])
def test_a_refresh_that_names_no_scopes_changes_none(said: dict[str, Any], stage: Stage) -> None:
    connection = connected(stage, "", asked=["files"], answer="files")
    stage.forget_answers("/token")
    stage.tokens({"access_token": "at-2", "refresh_token": "rt-2", "expires_in": 3600, **said})
    assert stage.refresh(connection).outcome == "refreshed"
    assert scopes_of(stage, connection)["granted"] == ["files"]
    assert not OutboxEvent.objects.filter(type="connection.scopes_lost").exists()


def test_a_session_that_asks_for_no_scopes_is_not_given_the_default_ones(stage: Stage) -> None:
    stage.describe(rest=IMPLIES.replace('implies = ["repo.stars"]', "default = true"))
    assert "scope" not in parse_qs(urlsplit(stage.alice.leave(stage.invite(scopes=[]))).query)
    assert parse_qs(urlsplit(stage.alice.leave(stage.invite())).query)["scope"] == ["repo.public"]


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (["openid", "profile", "email"], "scope=openid%20profile%20email"),
        (["a+b", "c"], "scope=a%2Bb%20c"),
        (["https://x.example/a.b", "c&d=e"], "scope=https%3A%2F%2Fx.example%2Fa.b%20c%26d%3De"),
    ],
)
def test_spaces_in_the_authorization_request_are_percent_20(asked: list[str], text: str, stage: Stage) -> None:
    address = stage.alice.leave(stage.invite(scopes=asked))
    assert text in address
    assert "+" not in urlsplit(address).query
    assert parse_qs(urlsplit(address).query)["scope"] == [" ".join(asked)]


def test_spaces_in_the_query_of_a_call_are_percent_20(stage: Stage) -> None:
    rest = '[presentation.oauth2_authorization_code]\nquery = { fields = "id, first name" }'
    stage.describe(rest=rest)
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600})
    stage.connect()
    assert stage.requests("/me")[0].target == "/me?fields=id%2C%20first%20name"
