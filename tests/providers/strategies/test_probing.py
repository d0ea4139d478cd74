from typing import Any

import pytest
from pydantic import SecretStr

from providers.catalog.methods import AuthorizationCodeMethod
from providers.errors import MisconfiguredProvider
from providers.strategies import strategy_for
from providers.values import Account, Credential, ProbeResult
from providers.vocabulary import ProbeVerdict

STYLE = AuthorizationCodeMethod.style
HELD = Credential(access_token=SecretStr("at"))
ME = {"sub": "acct-1", "name": "Ada"}


def probe(target: Any, held: Credential = HELD) -> ProbeResult:
    return strategy_for(STYLE).probe(target, held)


def test_success_that_names_the_account_is_alive(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, ME)
    found = probe(sandbox_target(STYLE))
    assert (found.verdict, found.status, found.account) == (ProbeVerdict.ALIVE, 200, Account("acct-1", "Ada"))
    assert (provider.last.method, provider.last.path) == ("GET", "/me")
    assert provider.last.headers["Authorization"] == "Bearer at"


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (401, b"", ProbeVerdict.DEAD),
        (403, b"", ProbeVerdict.FORBIDDEN),
        (403, ME, ProbeVerdict.FORBIDDEN),
        (400, b"", ProbeVerdict.UNAVAILABLE),
        (404, b"", ProbeVerdict.UNAVAILABLE),
        (429, b"", ProbeVerdict.UNAVAILABLE),
        (500, ME, ProbeVerdict.UNAVAILABLE),
        (503, b"", ProbeVerdict.UNAVAILABLE),
        (302, b"", ProbeVerdict.UNAVAILABLE),
        (200, b"<html>Sign in</html>", ProbeVerdict.UNAVAILABLE),
        (200, b"", ProbeVerdict.UNAVAILABLE),
        (200, {"ok": False, "error": "ratelimited"}, ProbeVerdict.UNAVAILABLE),
        (200, {"sub": None}, ProbeVerdict.UNAVAILABLE),
        (200, {"sub": "x" * 256}, ProbeVerdict.UNAVAILABLE),
    ],
)
def test_only_the_dead_answer_kills_and_only_a_named_account_proves(
    sandbox_target: Any, provider: Any, status: int, body: Any, verdict: ProbeVerdict
) -> None:
    provider.answers_with(status, body, headers={"Location": "https://elsewhere.example/", "Retry-After": "8"})
    found = probe(sandbox_target(STYLE))
    assert (found.verdict, found.status, found.account) == (verdict, status, None)
    if status in (429, 503):
        assert found.retry_after_seconds == 8


def test_dead_answers_of_the_catalogue_replace_the_default(sandbox_target: Any, provider: Any) -> None:
    dead = [
        {"status": 200, "value": "invalid_auth", "means": "grant_rejected"},
        {"status": 403, "field": "code", "value": "17", "means": "grant_rejected"},
        {"status": 403, "field": "code", "value": "18", "means": "unavailable"},
    ]
    target = sandbox_target(STYLE, changes={"probe": {"dead": dead}})
    for status, body, verdict in (
        (200, {"ok": False, "error": "invalid_auth"}, ProbeVerdict.DEAD),
        (403, {"code": 17}, ProbeVerdict.DEAD),
        (403, {"code": 18}, ProbeVerdict.UNAVAILABLE),
        (403, {"code": 19}, ProbeVerdict.FORBIDDEN),
        (401, {}, ProbeVerdict.UNAVAILABLE),
    ):
        provider.answers[:] = []
        provider.answers_with(status, body)
        assert probe(target).verdict is verdict


@pytest.mark.parametrize(
    ("body", "pointer", "expected"),
    [
        ({"sub": 12345678901234567890}, "/sub", "12345678901234567890"),
        ({"data": [{"id": "x"}]}, "/data/0/id", "x"),
        ([{"id": 5}], "/0/id", "5"),
        ({"a/b": {"c~d": "y"}}, "/a~1b/c~0d", "y"),
        ({"sub": "a\x00b\u202ec"}, "/sub", "abc"),
        ({"sub": True}, "/sub", None),
        ({"sub": 1.5}, "/sub", None),
        ({"sub": {"x": 1}}, "/sub", None),
        ({"data": []}, "/data/0/id", None),
        ({"data": [1]}, "/data/-1", None),
        ({"data": [1]}, "/data/²", None),
    ],
)
def test_account_is_found_by_json_pointer(
    sandbox_target: Any, provider: Any, body: Any, pointer: str, expected: str | None
) -> None:
    provider.answers_with(200, body)
    found = probe(sandbox_target(STYLE, changes={"probe": {"account_id": pointer, "account_name": ""}}))
    assert found.account == (None if expected is None else Account(expected))


def test_entry_without_account_takes_any_success(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(204, b"")
    target = sandbox_target(STYLE, changes={"probe": {"account_id": "", "account_name": ""}})
    assert probe(target).verdict is ProbeVerdict.ALIVE


def test_long_names_are_cut(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"sub": "1", "name": "n" * 1000})
    found = probe(sandbox_target(STYLE))
    assert found.account is not None
    assert len(found.account.name) == 255


def test_observed_scopes_come_from_the_header(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, ME, headers={"X-OAuth-Scopes": "repo, user:email"})
    assert probe(sandbox_target(STYLE)).scopes is None
    found = probe(sandbox_target(STYLE, changes={"probe": {"scopes_header": "x-oauth-scopes"}}))
    assert found.scopes == ("repo", "user:email")


def test_posts_a_filled_in_body(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, ME)
    changes = {"probe": {"method": "POST", "body": {"query": "{issuer}", "token": "{access_token}"}}}
    target = sandbox_target(STYLE, changes=changes)
    probe(target)
    assert provider.last.method == "POST"
    assert provider.last.json == {"query": provider.url, "token": "at"}


@pytest.mark.parametrize(("said", "sent"), [("nothing", b""), ("object", b"{}")])
def test_posts_an_empty_body_as_the_entry_says(sandbox_target: Any, provider: Any, said: str, sent: bytes) -> None:
    provider.answers_with(200, ME)
    probe(sandbox_target(STYLE, changes={"probe": {"method": "POST", "empty_body": said}}))
    assert provider.last.body == sent
    assert (provider.last.headers.get("Content-Type") == "application/json") is bool(sent)


def test_url_may_come_from_the_token_response(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, ME)
    target = sandbox_target(
        STYLE,
        changes={
            "authorization_code": {"extra_response_fields": ["instance_url"]},
            "probe": {"url": "{instance_url}/who"},
        },
    )
    held = Credential(access_token=SecretStr("at"), extra={"instance_url": provider.url})
    assert probe(target, held).verdict is ProbeVerdict.ALIVE
    assert provider.last.path == "/who"
    assert probe(target).verdict is ProbeVerdict.UNAVAILABLE


def test_larger_answers_than_token_responses_are_read(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, ME | {"filler": "x" * 200_000})
    assert probe(sandbox_target(STYLE)).verdict is ProbeVerdict.ALIVE


def test_unreachable_or_forbidden_provider_is_a_verdict(sandbox_target: Any, egress_policy: Any) -> None:
    target = sandbox_target(STYLE, changes={"probe": {"url": "https://no-such-name.invalid/me"}})
    assert probe(target).verdict is ProbeVerdict.UNAVAILABLE
    egress_policy(allow_loopback=False)
    assert probe(sandbox_target(STYLE)).verdict is ProbeVerdict.UNAVAILABLE


def test_entry_without_a_probe_is_named(sandbox_target: Any) -> None:
    with pytest.raises(MisconfiguredProvider, match="no probe"):
        probe(sandbox_target(STYLE, changes={"probe": None}))


def test_account_may_be_named_by_several_fields(sandbox_target: Any, provider: Any) -> None:
    target = sandbox_target(STYLE, changes={"probe": {"account_id": "/team /user/id", "account_name": ""}})
    provider.answers_with(200, {"team": "T1", "user": {"id": 7}})
    assert probe(target).account == Account("T1:7")
    provider.answers[:] = []
    provider.answers_with(200, {"team": "T1", "user": {}})
    assert probe(target).verdict is ProbeVerdict.UNAVAILABLE


SITES: dict[str, Any] = {
    "params": [
        {"name": "issuer", "label": "Issuer", "scope": "app", "pattern": "^.+$"},
        {"name": "site", "label": "Site", "scope": "workspace"},
    ],
    "workspaces": {"url": "{issuer}/sites", "id": "/id", "name": "/name", "param": "site"},
}


def test_account_lies_within_the_chosen_workspace(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, ME)
    changes = SITES | {"probe": {"url": "{issuer}/{site}/me"}}
    assert probe(sandbox_target(STYLE, changes=changes, params={"site": "s1"})).account == Account("s1:acct-1", "Ada")
    assert provider.last.path == "/s1/me"
    before_the_choice = probe(sandbox_target(STYLE, changes=changes))
    assert (before_the_choice.verdict, len(provider.requests)) == (ProbeVerdict.UNAVAILABLE, 1)


@pytest.mark.parametrize(
    ("body", "verdict", "account"),
    [
        ([{"id": "s0"}, {"id": "s1", "name": "Acme"}], ProbeVerdict.ALIVE, Account("s1", "Acme")),
        ([{"id": "s0"}], ProbeVerdict.FORBIDDEN, None),
        ([], ProbeVerdict.FORBIDDEN, None),
        ({"sites": []}, ProbeVerdict.UNAVAILABLE, None),
        (b"<html>", ProbeVerdict.UNAVAILABLE, None),
    ],
)
def test_listing_proves_the_workspace(
    sandbox_target: Any, provider: Any, body: Any, verdict: ProbeVerdict, account: Account | None
) -> None:
    provider.answers_with(200, body)
    changes = SITES | {"probe": {"url": "{issuer}/sites", "lists_workspaces": True}}
    found = probe(sandbox_target(STYLE, changes=changes, params={"site": "s1"}))
    assert (found.verdict, found.account) == (verdict, account)


def test_dead_answer_may_be_plain_text(sandbox_target: Any, provider: Any) -> None:
    dead = [{"status": 403, "contains": "Bad_Token", "means": "grant_rejected"}]
    target = sandbox_target(STYLE, changes={"probe": {"dead": dead}})
    provider.answers_with(403, b"Bad_Token")
    assert probe(target).verdict is ProbeVerdict.DEAD
    provider.answers[:] = []
    provider.answers_with(403, b"Not_Allowed")
    assert probe(target).verdict is ProbeVerdict.FORBIDDEN


def test_tells_no_answer_from_a_question_that_was_never_put(sandbox_target: Any, provider: Any) -> None:
    nobody_there = sandbox_target(STYLE, changes={"probe": {"url": "http://127.0.0.1:1/me"}})
    found = probe(nobody_there)
    assert (found.verdict, found.status, found.unanswered) == (ProbeVerdict.UNAVAILABLE, None, True)
    changes = {"authorization_code": {"extra_response_fields": ["region"]}, "probe": {"url": "{issuer}/{region}"}}
    found = probe(sandbox_target(STYLE, changes=changes))
    assert (found.verdict, found.status, found.unanswered) == (ProbeVerdict.UNAVAILABLE, None, False)
    assert provider.requests == []
