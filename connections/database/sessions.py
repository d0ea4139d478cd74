"""A session of PostgreSQL, as the pool opens it."""

from typing import Any, Self

import psycopg


class Session(psycopg.Connection[Any]):
    """Plans each prepared statement once, for any values.

    Left to itself, PostgreSQL plans a statement for its values five times, and then compares the mean cost of these
    plans with that of a plan for any. Where a table has grown or shrunk meanwhile, or the values of one caller look
    cheaper than those of many, it goes on to plan at each use, for as long as the session lasts. For the claim of a
    refresh that is three times the work of running it.
    """

    @classmethod
    def connect(cls, conninfo: str = "", **kwargs: Any) -> Self:
        session = super().connect(conninfo, **kwargs)
        session.execute("SET plan_cache_mode = force_generic_plan")
        return session
