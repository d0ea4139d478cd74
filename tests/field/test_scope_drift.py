"""Drift of scopes in both directions: noticed at a refresh, a probe and a refusal, told once, and heeded by vends."""

from typing import Any

import pytest

from connections.lifecycle.credentials.scopes import lacks_scopes
from connections.models import Connection, OutboxEvent
from tests.field.stage import Stage
from tests.field.test_scopes import IMPLIES, NAMES, scopes_of
from tests.flows import call

FIRST = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600}


def told(type_: str) -> list[dict[str, Any]]:
    """What each event of this type says of scopes, oldest first."""
    rows = OutboxEvent.objects.filter(type=type_).order_by("id")
    return [{name: said for name, said in row.payload.items() if name.endswith("_scopes")} for row in rows]


def refreshed(stage: Stage, connection: Connection, scope: str, number: int) -> None:
    stage.forget_answers("/token")
    stage.tokens({"access_token": f"at-{number}", "refresh_token": f"rt-{number}", "expires_in": 3600, "scope": scope})
    assert stage.refresh(connection).outcome == "refreshed"


def probed(stage: Stage, connection: Connection, **answer: Any) -> None:
    stage.forget_answers("/me")
    stage.me({"id": "u-1"}, **answer)
    assert call(stage.alice.backend, "POST", f"/connections/{connection.id}/probe", {}).status_code == 200


def named(scopes: str) -> dict[str, Any]:
    return {"headers": {"X-Scopes": scopes}}


def connected(
    stage: Stage, *, scopes: list[str], rest: str = "", probe: str = 'scopes_header = "X-Scopes"'
) -> Connection:
    stage.describe(rest=rest, probe=probe)
    stage.tokens({**FIRST, "scope": " ".join(scopes)})
    return stage.connect(scopes=scopes)


def test_a_refresh_that_widens_or_narrows_is_told_once_each(stage: Stage) -> None:
    connection = connected(stage, scopes=["files", "mail"])
    for number, scope in enumerate(["files", "files", "files mail admin", "admin mail files"], start=2):
        refreshed(stage, connection, scope, number)
    assert told("connection.scopes_lost") == [{"lost_scopes": ["mail"]}]
    assert told("connection.scopes_gained") == [{"gained_scopes": ["admin", "mail"]}]


@pytest.mark.parametrize(
    ("rest", "asked", "later"),
    [
        (IMPLIES, ["repo", "repo.public"], "repo"),
        (IMPLIES, ["write_orders"], "write_orders read_orders"),
        (NAMES, ["mail"], "https://api.example/auth/mail"),
        (NAMES, ["Docs.Read"], "https://docs.example/docs.read"),
    ],
)
def test_other_names_of_the_same_scopes_are_no_drift(rest: str, asked: list[str], later: str, stage: Stage) -> None:
    connection = connected(stage, scopes=asked, rest=rest)
    refreshed(stage, connection, later, 2)
    for _ in range(2):
        probed(stage, connection, **named(later.replace(" ", ",")))
    drift = ["connection.scopes_lost", "connection.scopes_gained", "connection.scopes_drifted"]
    assert not OutboxEvent.objects.filter(type__in=drift).exists()


def test_what_a_probe_names_is_told_once_in_each_direction(stage: Stage) -> None:
    connection = connected(stage, scopes=["files", "mail"])
    for scopes in ("files, mail", "files", "files", "files, mail, admin", "mail,admin,files", "files, mail"):
        probed(stage, connection, **named(scopes))
    assert told("connection.scopes_drifted") == [
        {"missing_scopes": ["mail"], "gained_scopes": []},
        {"missing_scopes": [], "gained_scopes": ["admin", "mail"]},
    ]
    assert scopes_of(stage, connection)["observed"] == ["files", "mail"]


def test_what_a_probe_has_told_a_refresh_does_not_tell_again(stage: Stage) -> None:
    connection = connected(stage, scopes=["files", "mail"])
    probed(stage, connection, **named("files, admin"))
    refreshed(stage, connection, "files admin", 2)
    assert told("connection.scopes_drifted") == [{"missing_scopes": ["mail"], "gained_scopes": ["admin"]}]
    assert told("connection.scopes_lost") == told("connection.scopes_gained") == []
    probed(stage, connection, **named("files, admin"))
    assert len(told("connection.scopes_drifted")) == 1


def test_a_vend_that_needs_a_scope_that_is_gone_is_refused_until_it_is_back(stage: Stage) -> None:
    connection = connected(stage, scopes=["files", "mail"])
    probed(stage, connection, **named("files"))
    refused = stage.vend(connection, scopes=["mail"])
    assert (refused.status_code, refused.json()["missing_scopes"]) == (403, ["mail"])
    vended = stage.vend(connection, scopes=["files"])
    assert (vended.status_code, vended.json()["credential"]["missing_scopes"]) == (200, ["mail"])
    said = scopes_of(stage, connection)
    assert (said["granted"], said["observed"], said["missing"]) == (["files", "mail"], ["files"], ["mail"])
    assert Connection.objects.filter(lacks_scopes()).exists()
    probed(stage, connection, **named("mail, files"))
    assert stage.vend(connection, scopes=["mail"]).status_code == 200
    assert not Connection.objects.filter(lacks_scopes()).exists()


def refusal(scope: str, error: str = "insufficient_scope") -> dict[str, Any]:
    return {"status": 403, "headers": {"WWW-Authenticate": f'Bearer realm="x", error="{error}", scope="{scope}"'}}


def test_a_refusal_for_want_of_a_granted_scope_shows_that_it_is_gone(stage: Stage) -> None:
    connection = connected(stage, scopes=["files", "profile"], probe="")
    for _ in range(2):
        probed(stage, connection, **refusal("profile"))
    assert told("connection.scopes_drifted") == [{"missing_scopes": ["profile"], "gained_scopes": []}]
    assert stage.vend(connection, scopes=["profile"]).json()["missing_scopes"] == ["profile"]
    probed(stage, connection)
    assert told("connection.scopes_drifted")[1:] == [{"missing_scopes": [], "gained_scopes": ["profile"]}]
    assert stage.vend(connection, scopes=["profile"]).status_code == 200


@pytest.mark.parametrize(
    "answer",
    [
        refusal("other"),
        refusal("other profile"),
        refusal("profile files"),
        refusal(""),
        refusal("profile", error="invalid_token"),
        {"status": 403},
        {"status": 403, "headers": {"WWW-Authenticate": 'Basic error="insufficient_scope", scope="profile"'}},
        refusal(" ".join(f"s{number}" for number in range(3000))),
    ],
    ids=["not-held", "one-not-held", "either", "none", "another-error", "no-challenge", "basic", "very-many"],
)
def test_a_refusal_that_proves_nothing_drifts_nothing(answer: dict[str, Any], stage: Stage) -> None:
    connection = connected(stage, scopes=["files", "profile"], probe="")
    probed(stage, connection, **answer)
    assert told("connection.scopes_drifted") == []
    assert scopes_of(stage, connection)["observed"] is None


def test_a_refusal_that_names_what_the_token_has_counts_as_such(stage: Stage) -> None:
    connection = connected(stage, scopes=["files", "profile"])
    answer = refusal("profile")
    probed(stage, connection, **answer | {"headers": answer["headers"] | {"X-Scopes": "files"}})
    assert scopes_of(stage, connection)["observed"] == ["files"]


def test_connecting_again_forgets_what_was_observed_before(stage: Stage) -> None:
    connection = connected(stage, scopes=["files", "mail"])
    probed(stage, connection, **named("files"))
    stage.reconnect(connection, scopes=["files", "mail"])
    assert scopes_of(stage, connection)["missing"] == []
    assert stage.vend(connection, scopes=["mail"]).status_code == 200


def test_without_a_scope_that_the_app_requires_nothing_is_vended(stage: Stage) -> None:
    stage.describe(rest=IMPLIES)
    stage.register(required_scopes=["read_orders"], scopes=["repo"])
    stage.tokens({**FIRST, "scope": "repo"})
    connection = stage.connect()
    said = scopes_of(stage, connection)
    assert (said["required"], said["missing"]) == (["read_orders"], ["read_orders"])
    assert "read_orders" in said["requested"], "it is asked for although nobody names it"
    refused = stage.vend(connection)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert refused.json()["missing_scopes"] == ["read_orders"]
    assert "scopes=read_orders" in refused.json()["connect_url"]
    assert Connection.objects.filter(lacks_scopes()).exists()
    refreshed(stage, connection, "repo write_orders", 2)
    assert stage.vend(connection).status_code == 200, "write_orders stands for it"
    assert scopes_of(stage, connection)["missing"] == []
    assert not Connection.objects.filter(lacks_scopes()).exists()


def test_an_app_that_begins_to_require_a_scope_stops_the_vends_that_lack_it(stage: Stage) -> None:
    connection = connected(stage, scopes=["files"])
    assert stage.vend(connection).status_code == 200
    stage.register(required_scopes=["mail"])
    assert stage.vend(connection).json()["missing_scopes"] == ["mail"]
    stage.register()
    assert stage.vend(connection).status_code == 200
