"""Prepared statements: placeholders are numbered once, and a statement of any length is parsed once."""

from dataclasses import dataclass

import pytest
from django.db import connection

from connections import tasks
from connections.database.pool import release_database
from connections.database.prepared import execute_prepared, fetch_all_prepared, fetch_prepared, numbered
from tests.connections.lifecycle.clockwork import age
from tests.flows import EndUser

# PostgreSQL plans a statement five times for its values before it compares with a plan for any; and for longer where
# the tables have grown meanwhile, since it compares with the mean.
LATER_PLANS = 20
_PLANS = "SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements"


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


def test_what_comes_one_at_a_time_is_planned_once(alice: EndUser) -> None:
    """A plan for the values of one would look cheaper than that for any number, and be made at each use.

    That is asked of statements of several tables: to plan one of a single table takes next to nothing.
    """
    made = alice.connect(scopes=["profile.read"])["id"]
    release_database()
    connection.close_pool()  # what older sessions compare with was reckoned when tables had other sizes
    for _ in range(3 * LATER_PLANS):
        age(made, hours=1)
        tasks.refresh_connections(made)
        assert alice.vend(made).status_code == 200
    release_database()
    pool = connection.pool
    sessions = [pool.getconn() for _ in range(pool.get_stats()["pool_size"])]
    try:
        prepared = [row for session in sessions for row in session.execute(_PLANS).fetchall()]
    finally:
        for session in sessions:
            pool.putconn(session)
    plans = {statement: generic for statement, generic, custom in prepared if generic + custom > LATER_PLANS}
    for table in ("refreshattempt", "credentialversion"):
        assert any(f"INSERT INTO connections_{table}" in statement for statement in plans), table
    assert [statement for statement, generic in plans.items() if "WITH" in statement and not generic] == []
