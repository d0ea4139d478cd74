"""Prepared statements: placeholders are numbered once, and a statement of any length is parsed once."""

from dataclasses import dataclass

import pytest

from connections.database.prepared import execute_prepared, fetch_all_prepared, fetch_prepared, numbered


@dataclass
class Pair:
    first: str | None
    second: int


def test_a_name_that_comes_twice_has_one_number() -> None:
    assert numbered("SELECT %(b)s, %(a)s, %(b)s") == (b"SELECT $1, $2, $1", ("b", "a"))


def test_a_doubled_percent_sign_is_one_of_the_statement_s_own() -> None:
    assert numbered("SELECT 7 %% %(a)s") == (b"SELECT 7 % $1", ("a",))


@pytest.mark.parametrize("statement", ["SELECT %s", "SELECT 7 % 2", "SELECT %(a)d", "SELECT %(a b)s", "SELECT %"])
def test_any_other_percent_sign_is_refused(statement: str) -> None:
    with pytest.raises(ValueError, match="placeholder"):
        numbered(statement)  # type: ignore[arg-type] # mypy knows no literal in a parameter


@pytest.mark.django_db
def test_values_reach_their_places_in_a_statement_of_any_length() -> None:
    statement = f"SELECT %(text)s::text AS first, {'1 + ' * 3000} %(number)s::int - 3000 AS second"
    for text, number in (("50 %", 4), (None, 5)):
        parameters = {"number": number, "text": text, "unused": 0}
        assert fetch_prepared(statement, parameters, Pair) == Pair(text, number)
        assert fetch_all_prepared(statement, parameters, Pair) == [Pair(text, number)]
        assert execute_prepared(statement, parameters) == 1
