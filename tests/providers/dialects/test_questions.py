"""The questions about a dialect: every answer is a key of a dialect, and nothing in them comes from an entry."""

import re
import tomllib

import pytest

from providers.catalog import loader
from providers.dialects.fixture import fixtures_in
from providers.dialects.questions import KIND_OF, questions
from providers.strategies import strategies


def test_every_style_has_a_kind() -> None:
    assert KIND_OF.keys() == strategies().keys()


@pytest.mark.parametrize("style", KIND_OF)
def test_every_answer_is_a_key_that_there_is(style: str) -> None:
    asked = questions("acme", style)
    assert tomllib.loads(asked) == {"acme": {"kind": KIND_OF[style]}}, "nothing is answered beforehand"
    answered = re.sub(r"(?m)^#(?=[a-z_]+ = )", "", asked)
    fixture = fixtures_in(answered, "acme.toml")["acme"]
    assert fixture.api == "https://api.acme.example"
    assert fixture.refusal == (401, {"error": "invalid_token"})


def test_nothing_is_taken_from_the_entry() -> None:
    asked = questions("salesforce", "oauth2_authorization_code")
    known = loader.entry("salesforce").model_dump_json()
    addresses = set(re.findall(r"https://([^/\"{]+)", known))
    assert addresses
    assert not any(address in asked for address in addresses)
