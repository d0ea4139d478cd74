"""The ladder: each step that is set acts when it is due, and is undone by an operator's word."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.provision.api_clients import issue_key, rotate_key
from connections.lifecycle.steer.switches import resume, suspend
from connections.lifecycle.watch.ladder import climb
from connections.lifecycle.watch.rules import due_step
from connections.lifecycle.watch.settings import watch_settings
from connections.lifecycle.watch.settle import settle, vouch
from connections.models import (
    ApiClient,
    AuditEvent,
    Connection,
    Finding,
    OutboxEvent,
    Permission,
    Restriction,
    Step,
    Verdict,
    WatchSetting,
)
from tests.connections.api.mcp.speaking import use
from tests.factories import BACKEND
from tests.flows import EndUser, call, post_form

OLGA = Actor(operator="olga")
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("lasted", "step"), [(0, Step.ALERT), (5, Step.THROTTLE), (29, Step.THROTTLE), (30, Step.HOLD), (600, Step.HOLD)]
)
def test_the_strongest_step_that_is_due_is_taken(lasted: int, step: Step) -> None:
    after = {Step.THROTTLE: 5, Step.HOLD: 30, Step.KILL: None}
    assert due_step(after, lasted=lasted * MINUTE) is step


def finding(alice: EndUser, *, rule: str = "new_network", lasted: timedelta = MINUTE, **values: Any) -> Finding:
    now = database_now()
    values = {"opened_at": now, "first_at": now - lasted, "last_at": now, **values}
    return Finding.objects.create(client=alice.backend.client, rule=rule, **values)


def set_rule(rule: str = "new_network", **values: Any) -> None:
    watch_settings()
    WatchSetting.objects.filter(rule=rule).update(**values)


def restriction(alice: EndUser) -> str:
    alice.backend.client.refresh_from_db()
    return alice.backend.client.restriction


def test_at_first_every_rule_only_tells(alice: EndUser, connection: Connection) -> None:
    found = finding(alice, lasted=timedelta(days=3))
    assert climb(now=database_now()) == 0
    found.refresh_from_db()
    assert (found.step, restriction(alice)) == (Step.ALERT, "")
    assert alice.vend(str(connection.id)).status_code == 200


STEPS: dict[str, tuple[dict[str, int], Callable[[Any], bool]]] = {
    "throttle": ({"throttle_after": 1}, lambda answer: answer.json()["code"] == "throttled"),
    "hold": ({"hold_after": 0}, lambda answer: answer.json()["code"] == "client_held"),
    "kill": ({"throttle_after": 0, "kill_after": 1}, lambda answer: answer.json()["code"] == "suspended"),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_acts_on_the_next_vend_and_an_operators_word_undoes_it(
    alice: EndUser, connection: Connection, settings: Any, name: str
) -> None:
    settings.THROTTLED_USES_PER_MINUTE = 2
    after, is_refused = STEPS[name]
    set_rule(**after)
    found = finding(alice)
    assert alice.vend(str(connection.id)).status_code == 200
    assert climb(now=database_now()) == 1
    assert climb(now=database_now()) == 0
    answers = [alice.vend(str(connection.id)) for _ in range(3)]
    assert [answer.status_code for answer in answers[:2]] == [200 if name == "throttle" else 423] * 2
    assert is_refused(answers[2])
    if name == "throttle":
        assert 0 < int(answers[2]["Retry-After"]) <= 60
    (told,) = OutboxEvent.objects.filter(type="use.restricted")
    assert (told.tenant_id, told.payload["finding"]) == (None, str(found.id))

    settle(found.id, Verdict.EXPECTED, note="Our new office.", now=database_now(), actor=OLGA)
    assert restriction(alice) == ""
    assert alice.backend.client.suspended_at is None
    assert [alice.vend(str(connection.id)).status_code for _ in range(3)] == [200] * 3
    assert AuditEvent.objects.get(action="use.settled").operator == "olga"
    assert OutboxEvent.objects.get(type="use.settled").payload["verdict"] == "expected"


def test_every_entrance_slows_down_a_client_that_is_slowed_down(
    alice: EndUser, connection: Connection, settings: Any
) -> None:
    """Otherwise whoever has stolen a key would list, read and report as fast as ever."""
    settings.THROTTLED_USES_PER_MINUTE = 1
    ApiClient.objects.update(permissions=[*BACKEND, Permission.PROXY], proxy_rules=["* * /**"])
    alice.backend.client.restrict(Restriction.THROTTLED)
    assert call(alice.backend, "GET", "/connections").status_code == 200
    for method, path, body in (
        ("GET", f"/connections/{connection.id}", None),
        ("GET", "/connections", None),
        ("GET", "/events", None),
        ("POST", f"/connections/{connection.id}/credential", {"end_user": "alice"}),
        ("POST", "/credentials", {"provider": "sandbox", "end_user": "alice"}),
        ("POST", "/connect-sessions", {}),
        ("POST", f"/connections/{connection.id}/refresh", None),
        ("POST", f"/connections/{connection.id}/report", {"version": str(connection.id), "status": 401}),
        ("GET", f"/connections/{connection.id}/proxy/me?end_user=alice", None),
    ):
        answer = call(alice.backend, method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (429, "throttled"), (method, path)
        assert 0 < int(answer["Retry-After"]) <= 60
    assert use(alice.backend, "list_connections").code == "throttled"


def test_every_entrance_refuses_a_client_that_is_held(alice: EndUser, connection: Connection) -> None:
    """Reads, vends by owner, proxied calls, exchanges of tokens, and the links that the client has sent."""
    invitation, begun = alice.invite(), alice.invite()
    code = alice.finish(begun)
    set_rule(hold_after=0)
    finding(alice)
    climb(now=database_now())
    for method, path, body in (
        ("GET", f"/connections/{connection.id}", None),
        ("GET", "/events", None),
        ("POST", f"/connections/{connection.id}/credential", {"end_user": "alice"}),
        ("POST", "/credentials", {"provider": "sandbox", "end_user": "alice"}),
        ("POST", "/connect-sessions", {}),
        ("POST", f"/connect-sessions/{begun.id}/complete", {"completion_code": code, "end_user": "alice"}),
        ("POST", f"/connections/{connection.id}/refresh", None),
        ("POST", f"/connections/{connection.id}/report", {"version": str(connection.id), "status": 401}),
        ("GET", f"/connections/{connection.id}/proxy/me", None),
        ("POST", "/management-sessions", {}),
        ("GET", "/bulk-jobs", None),
    ):
        answer = call(alice.backend, method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (423, "client_held"), path
        assert "rotated" in answer.json()["detail"]
    exchanged = post_form(
        alice.backend,
        "/oauth/token",
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": "a.b.c",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "audience": "sandbox",
        },
    )
    assert "client_held" in exchanged.content.decode()
    assert alice.start(invitation).status_code >= 400


def test_a_fresh_key_ends_the_hold_and_every_earlier_key_at_once(alice: EndUser, connection: Connection) -> None:
    set_rule(hold_after=0)
    finding(alice)
    climb(now=database_now())
    fresh = rotate_key(alice.backend.client, now=database_now(), actor=OLGA)
    assert alice.vend(str(connection.id)).status_code == 401
    alice.backend.key = fresh.key
    assert alice.vend(str(connection.id)).status_code == 200
    assert climb(now=database_now()) == 0  # the step was taken, and is not taken twice
    assert alice.vend(str(connection.id)).status_code == 200


def test_a_key_for_a_client_that_is_not_held_leaves_the_others(alice: EndUser, connection: Connection) -> None:
    issue_key(alice.backend.client, now=database_now(), actor=OLGA)
    assert alice.vend(str(connection.id)).status_code == 200


def test_what_was_not_us_is_held_until_its_key_is_rotated_or_somebody_vouches(
    alice: EndUser, connection: Connection
) -> None:
    found = finding(alice, evidence={"networks": ["203.0.113.0/24"]})
    settle(found.id, Verdict.HARMFUL, note="A stolen laptop.", now=database_now(), actor=OLGA)
    assert restriction(alice) == Restriction.HELD
    assert not alice.backend.client.known_networks.exists()
    assert alice.vend(str(connection.id)).json()["code"] == "client_held"
    assert vouch(alice.backend.client, actor=OLGA)
    assert alice.vend(str(connection.id)).status_code == 200
    assert not vouch(alice.backend.client, actor=OLGA)


def test_a_word_on_one_finding_leaves_what_another_asks_for(alice: EndUser) -> None:
    set_rule(throttle_after=0)
    set_rule("wide_use", hold_after=0)
    mild, strong = finding(alice), finding(alice, rule="wide_use")
    assert climb(now=database_now()) == 2
    assert restriction(alice) == Restriction.HELD
    settle(strong.id, Verdict.EXPECTED, note="A migration.", now=database_now(), actor=OLGA)
    assert restriction(alice) == Restriction.THROTTLED
    settle(mild.id, Verdict.EXPECTED, note="A new office.", now=database_now(), actor=OLGA)
    assert restriction(alice) == ""


def test_a_kill_switch_that_an_operator_has_thrown_stays_thrown(alice: EndUser) -> None:
    set_rule(kill_after=0)
    found = finding(alice)
    suspend(alice.backend.client, now=database_now(), actor=OLGA)
    climb(now=database_now())
    settle(found.id, Verdict.EXPECTED, note="A migration.", now=database_now(), actor=OLGA)
    alice.backend.client.refresh_from_db()
    assert alice.backend.client.suspended_at is not None
    assert resume(alice.backend.client, actor=OLGA)


def test_with_redis_away_a_slowed_client_waits_and_others_do_not(
    alice: EndUser, connection: Connection, settings: Any
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert alice.vend(str(connection.id)).status_code == 200
    alice.backend.client.restrict(Restriction.THROTTLED)
    answer = alice.vend(str(connection.id))
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (429, "throttled", "5")
