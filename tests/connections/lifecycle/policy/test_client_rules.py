"""The rules of API clients: written well, or refused with what is wrong. What they allow: the proxy's tests."""

import pytest

from connections.lifecycle.policy.client_rules import MOST_RULES, allows, check_rules, covers
from connections.refusals import InvalidRequest


@pytest.mark.parametrize(
    "rule",
    ["* * /**", "hubspot GET /crm/v3/*", "hubspot readonly /", "slack GET,POST /a/", "  hubspot   GET   /a  "],
)
def test_a_rule_is_three_words(rule: str) -> None:
    assert check_rules([rule]) == [" ".join(rule.split())]


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "*",
        "* GET",
        "* GET /a /b",
        "* get /a",
        "* CONNECT /a",
        "* TRACE /a",
        "* GET,,POST /a",
        "* GET a",
        "* GET /a/../b",
        "* GET /**/a",
        "* GET /a?b",
        "* GET /" + "a" * 400,
    ],
)
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_rules(["* GET /fine", rule])
    assert refused.value.extra["field"] == "proxy_rules"


def test_there_is_an_end_to_the_rules_of_a_client() -> None:
    with pytest.raises(InvalidRequest):
        check_rules(["* GET /a"] * (MOST_RULES + 1))


def test_no_rule_allows_what_could_be_read_in_two_ways() -> None:
    for path in ("/a/../b", "/a//b", "/a/%2e%2e/b", "/a%2fb", "a"):
        assert not allows(["* * /**"], provider="hubspot", method="GET", path=path)


@pytest.mark.parametrize(
    ("rules", "wanted", "covered"),
    [
        (["* * /**"], ["hubspot GET,POST /crm/**", "slack * /chat"], True),
        (["hubspot * /crm/**"], ["hubspot readonly /crm/v3/*"], True),
        (["hubspot * /crm/**"], ["hubspot GET /crm"], True),
        (["hubspot * /*/v3/**"], ["hubspot GET /crm/v3/x"], True),
        (["hubspot GET /crm/**"], [], True),
        ([], ["hubspot GET /crm"], False),
        (["hubspot readonly /crm/**"], ["hubspot GET,POST /crm/v3"], False),
        (["hubspot * /crm/**"], ["* GET /crm/v3"], False),
        (["hubspot * /crm/**"], ["hubspot GET /**"], False),
        (["hubspot * /crm/v3/**"], ["hubspot GET /crm/**"], False),
        (["hubspot * /crm/**"], ["hubspot GET /*/v3"], False),
        (["hubspot * /crm/*"], ["hubspot GET /crm/**"], False),
        (["hubspot GET /a", "hubspot POST /a"], ["hubspot GET,POST /a"], False),  # careful: one rule has to do
    ],
)
def test_rules_cover_only_what_they_allow_themselves(rules: list[str], wanted: list[str], covered: bool) -> None:
    assert covers(rules, wanted) is covered
