"""A pattern that could keep a process busy for ever is refused, and those that people write are not."""

import re
import time

import pytest

from providers.catalog.loader import load_catalog
from providers.catalog.pattern_checks import pattern_problem


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+b$",
        "^(a*)*$",
        "(?:a+)+b",
        "(?P<name>a+)*b",
        "^((a+)b?)+$",
        "^(a|a)*b$",
        "^(a|aa)+$",
        r"^(\w|\d)+$",
        r"^(\w+\s?)*$",
        "^([a-z]+)*!$",
        "^([a-z]{1,64}){1,64}$",
        "^(([a-z])+.)+[A-Z]$",
        r"^(\d+[0-9])+x$",
        "^(x+x+)+y$",
        "(a+){2,}b",
        "(.*a){20,}",
        "(.*a){20}",
        "(a?){40,}",
    ],
)
def test_what_could_take_for_ever_is_refused_at_once(pattern: str) -> None:
    begun = time.process_time()
    assert "could take for ever" in pattern_problem(pattern)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("pattern", "sample"),
    [
        (r"^[A-Za-z0-9][A-Za-z0-9.-]{0,250}$", "acme.example"),
        (r"^\S{1,4096}$", "sk_live"),
        (r"^[a-z0-9]+(-[a-z0-9]+)*$", "acme-erp"),
        (r"^([a-z0-9-]+\.)+[a-z]{2,}$", "api.acme.example"),
        (r"^https://([a-z0-9-]+\.)*acme\.example(/[!-.0-~]+)*$", "https://eu.acme.example/a/b"),
        (r"^(eu|us|ap)$", "eu"),
        (r"^(eu|us)+$", "euus"),
        (r"^-----BEGIN [\x20-\x7e\n]{64,16384}$", "-----BEGIN " + "a" * 64),
        (r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "01234567-89ab-cdef-0123-456789abcdef"),
        (r"^([0-9a-f]{2}:){19}[0-9a-f]{2}$", "00:" * 19 + "ff"),
        (r"^(?!-)[a-z-]{1,63}(?<!-)$", "acme"),
        (r"^[]a{}*+?]{2,}$", "a{"),
        (r"^a{,3}x{}$", "aax{}"),
        ("", ""),
    ],
)
def test_what_people_write_is_taken(pattern: str, sample: str) -> None:
    assert re.fullmatch(pattern, sample)
    assert pattern_problem(pattern) == ""


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", "(?P<x>a)(?P<x>b)", "*", "(" * 2000 + ")" * 2000])
def test_what_is_no_expression_is_told(pattern: str) -> None:
    assert pattern_problem(pattern).startswith("is no regular expression: ")


def test_no_built_in_entry_has_such_a_pattern() -> None:
    for slug, entry in load_catalog().items():
        for item in (*entry.params, *(field for style in entry.auth_styles for field in entry.fields_of(style))):
            assert pattern_problem(item.pattern) == "", (slug, item.name)
