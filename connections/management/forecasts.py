"""``manage.py connections forecast``: what will end, as text, JSON or CSV."""

import argparse
import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from connections.access.staff import PATHS
from connections.database.clock import database_now
from connections.journal.shapes import cell
from connections.lifecycle.forecast.causes import Cause
from connections.lifecycle.forecast.upcoming import Ending, See, upcoming
from connections.management.operator_command import tenant_named
from connections.management.output import Answer, as_json, table

_LONGEST_DAYS = 400
_PAGE = 500
_COLUMNS = ("ends_at", "cause", "provider", "tenant", "end_user", "connection", "provider_app")


def add_forecast_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument("--days", type=_days, default=30, metavar="N", help="So many days ahead. Default: 30.")
    parser.add_argument("--tenant", metavar="SLUG", help="Only one tenant's.")
    parser.add_argument("--cause", choices=[cause.value for cause in Cause], help="Only what ends of this.")
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text", help="Default: text.")


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _LONGEST_DAYS:
        raise argparse.ArgumentTypeError(f"give a whole number from 1 to {_LONGEST_DAYS}")
    return int(text)


def show_forecast(options: dict[str, Any]) -> Answer:
    """Return all endings within the time that is asked for, read page by page."""
    now = database_now()
    see: See = _everything
    if options["tenant"] is not None:
        tenant = tenant_named(options["tenant"])

        def see(rows: "QuerySet[Any]") -> "QuerySet[Any]":
            return rows.filter(**{PATHS[rows.model].removesuffix("_id"): tenant})

    causes = tuple(Cause) if options["cause"] is None else (Cause(options["cause"]),)
    endings = _all(see, until=now + timedelta(days=options["days"]), now=now, causes=causes)
    data = [_data(ending) for ending in endings]
    if options["format"] == "json":
        return Answer(data, as_json(data))
    if options["format"] == "csv":
        return Answer(data, _as_csv(data))
    rows = [[row[name] or ("at any time" if name == "ends_at" else "") for name in _COLUMNS] for row in data]
    headings = [name.replace("_", " ") for name in _COLUMNS]
    return Answer(data, table(headings, rows, nothing=f"Nothing ends within {options['days']} days."))


def _everything(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    return rows


def _all(see: See, *, until: datetime, now: datetime, causes: tuple[Cause, ...]) -> Iterator[Ending]:
    after = None
    while page := upcoming(see=see, until=until, now=now, limit=_PAGE, after=after, causes=causes):
        yield from page
        after = page[-1].position


def _data(ending: Ending) -> dict[str, Any]:
    connection = ending.connection
    owner = ending.app.tenant if connection is None else connection.tenant
    return {
        "ends_at": ending.ends_at,
        "cause": ending.cause.value,
        "provider": ending.app.provider,
        "tenant": None if owner is None else owner.slug,
        "end_user": None if connection is None else connection.end_user or None,
        "connection": None if connection is None else connection.id,
        "provider_app": ending.app.id,
    }


def _as_csv(data: list[dict[str, Any]]) -> str:
    written = io.StringIO()
    rows = csv.DictWriter(written, _COLUMNS, lineterminator="\n")
    rows.writeheader()
    rows.writerows({name: cell(_written(value)) for name, value in row.items()} for row in data)
    return written.getvalue().rstrip("\n")


def _written(value: Any) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
