"""Entries of the password grant: they have to say what it is."""

from typing import Any

import pytest

from providers.catalog.cautions import cautions_of
from providers.catalog.checks import problems_of
from providers.catalog.schema import CatalogEntry

SECTION = {"legacy": True, "token_url": "https://acme.example/token"}


def described(**section: Any) -> CatalogEntry:
    return CatalogEntry.model_validate({"slug": "acme", "name": "Acme", "password_grant": SECTION | section})


def problems(**section: Any) -> list[str]:
    return list(problems_of(described(**section), "acme"))


def test_a_plain_one_is_in_order() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"legacy": False}, "password_grant.legacy: RFC 9700 §2.4 forbids this grant; describe another way"),
        ({"fields": [{"name": "email", "label": "E-mail"}]}, "password_grant.fields: the grant sends a username and a"),
        ({"token_url": ""}, "password_grant.token_url: is missing"),
        ({"refresh_scope": "x"}, "password_grant.refresh_scope: 'x' is not among the [[scopes]]"),
    ],
)
def test_a_slip_is_told_with_what_to_write(section: dict[str, Any], told: str) -> None:
    found = problems(**section)
    assert any(told in problem for problem in found), found


def test_operators_are_told_what_it_is() -> None:
    assert described().methods["oauth2_password"].is_legacy
    (told,) = cautions_of(described(), "oauth2_password")
    assert "RFC 9700" in told
    assert "stored" in cautions_of(described(keeps_password=True), "oauth2_password")[1]
