"""What the claims of a caller's token have to say."""

import time
from typing import Any

import pytest

from connections.lifecycle.identify.conditions import LONGEST, check_conditions, hold, is_like
from connections.refusals import InvalidRequest

REPO = "repo:acme/app:ref:refs/heads/main"


@pytest.mark.parametrize(
    ("form", "text", "fits"),
    [
        (REPO, REPO, True),
        ("repo:acme/*:ref:refs/heads/main", REPO, True),
        ("repo:acme/*", REPO, False),
        ("repo:acme/**", REPO, True),
        ("repo:*:ref:refs/heads/main", REPO, False),
        ("repo:acme/*:ref:refs/heads/*", "repo:acme/app:ref:refs/heads/fix/x", False),
        ("repo:acme/*:ref:refs/heads/main", "repo:acme/app:environment:x:ref:refs/heads/main", False),
        ("repo:acme/app:**", "repo:acme/app:", True),
        ("repo:acme/app*", "repo:acme/app", True),
        ("repo:acme/app*", "repo:acme/application", True),
        ("repo:acme/app", "repo:acme/app\n", False),
        ("repo:acme/a.p", "repo:acme/app", False),
        ("[a-z]*", "[a-z]x", True),
        ("[a-z]*", "ax", False),
        ("*b", "ab", True),
        ("*b", "abb", True),
        ("a***b", "a/:/b", True),
        ("a*b", "a/b", False),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_a_form_means_whole_texts(form: str, text: str, fits: bool) -> None:
    assert is_like(form, text) is fits


def test_no_form_takes_long_to_say_no() -> None:
    began = time.process_time()
    assert not is_like("*a" * 200 + "c", "a" * LONGEST)
    assert not is_like("**a" * 150 + "c", "a" * LONGEST)
    assert not is_like("**", "a" * (LONGEST + 1))
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("wanted", "claim", "holds"),
    [
        ("a", "a", True),
        ("a", "A", False),
        ("a", None, False),
        ("a", ["b", "a"], True),
        ("a", [["a"]], False),
        ("a", {"a": "a"}, False),
        (1, 1, True),
        (1, True, False),
        (1, "1", False),
        (True, True, True),
        (True, 1, False),
        ("true", True, False),
    ],
)
def test_an_equal_claim_is_of_the_same_kind(wanted: Any, claim: Any, holds: bool) -> None:
    assert hold([{"claim": "x", "equals": wanted}], {"x": claim}) is holds


def test_claims_are_found_by_name_or_by_pointer() -> None:
    claims = {"https://acme.example/role": "x", "a": {"b/c": ["d"]}, "a.b": "e"}
    assert hold([{"claim": "https://acme.example/role", "equals": "x"}], claims)
    assert hold([{"claim": "/a/b~1c", "equals": "d"}], claims)
    assert hold([{"claim": "a.b", "equals": "e"}], claims)
    assert not hold([{"claim": "/a/b", "equals": "d"}], claims)


def test_no_condition_is_not_enough() -> None:
    assert not hold([], {"sub": "x"})


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        {},
        "sub",
        [{"claim": "sub"}],
        [{"equals": "x"}],
        [{"claim": "sub", "equals": "x", "matches": "x"}],
        [{"claim": "sub", "equals": "x", "also": 1}],
        [{"claim": "", "equals": "x"}],
        [{"claim": 7, "equals": "x"}],
        [{"claim": "sub", "equals": ""}],
        [{"claim": "sub", "equals": None}],
        [{"claim": "sub", "equals": ["x"]}],
        [{"claim": "sub", "equals": 1.5}],
        [{"claim": "sub", "matches": "*"}],
        [{"claim": "sub", "matches": "**:*/**"}],
        [{"claim": "sub", "matches": 1}],
        [{"claim": "sub", "equals": "x" * 501}],
        [{"claim": "sub", "equals": "x"}] * 21,
    ],
)
def test_conditions_that_say_nothing_are_not_taken(conditions: Any) -> None:
    with pytest.raises(InvalidRequest):
        check_conditions(conditions)


def test_usual_conditions_are_taken() -> None:
    check_conditions(
        [
            {"claim": "sub", "matches": "repo:acme/*"},
            {"claim": "/a/b", "equals": True},
            {"claim": "n", "equals": 7},
        ]
    )
