"""``manage.py connections import`` and ``import-report``: options into an import, and its outcome into words."""

import argparse
import contextlib
import io
import json
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandError

from connections.lifecycle.port.go_on import go_on
from connections.lifecycle.port.options import Options
from connections.lifecycle.port.order import digest_of, end_reading, order_import
from connections.lifecycle.port.report import NEEDS_CARE, WORDS, counts_of, rotating_in, told_of
from connections.lifecycle.port.take import take_rows
from connections.management.operator_command import operator, pairs, tenant_named
from connections.management.output import Answer, sheet, table
from connections.models import ImportRow, ImportRun, ImportState
from connections.refusals import NotFound
from providers.brought.files import FORMATS, rows_of

_SHOWN = 30
_TELL_SECONDS = 5.0
_MOST_STDIN = 64 * 1024 * 1024
_ENDINGS = {".csv": "csv", ".tsv": "csv", ".txt": "csv"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``connections import`` to ``parser``."""
    parser.add_argument("file", metavar="FILE", help="The export; - reads standard input.")
    parser.add_argument("--format", choices=FORMATS, help="How it is written. Default: by its name, CSV or JSON.")
    parser.add_argument("--charset", default="", help="Its charset. Default: found out.")
    parser.add_argument("--tenant", metavar="SLUG", help="The tenant of every row. Without it each row names its own.")
    parser.add_argument("--provider", default="", metavar="SLUG", help="The provider of rows that name none.")
    parser.add_argument("--auth-style", default="", metavar="STYLE", help="The style of rows that name none.")
    parser.add_argument("--end-user", default="", metavar="ID", help="The end user of rows that name none.")
    parser.add_argument("--whole-tenant", action="store_true", help="Rows that do not say belong to the whole tenant.")
    parser.add_argument("--column", action="append", metavar="THEIRS=OURS", help="What a column means; repeatable.")
    parser.add_argument("--map-provider", action="append", metavar="THEIRS=SLUG", help="A provider's slug; repeatable.")
    parser.add_argument("--map-tenant", action="append", metavar="THEIRS=SLUG", help="A tenant's slug; repeatable.")
    parser.add_argument(
        "--on-conflict",
        choices=("skip", "replace"),
        default="skip",
        help="What if the owner has the connection: leave it (default), or give it the credential.",
    )
    parser.add_argument("--all-or-nothing", action="store_true", help="Store nothing unless every row can be used.")
    parser.add_argument("--refresh-rotating-only", action="store_true", help="Refresh only what has to be refreshed.")
    parser.add_argument("--no-verify", action="store_true", help="Probe nothing.")
    parser.add_argument("--dry-run", action="store_true", help="Judge each row, and store no connection.")
    parser.add_argument("--report", metavar="FILE", help="Write what came of every row there, as JSON Lines.")


def run_import(options: dict[str, Any]) -> Answer:
    """Import the file that the options name, or go on with it, and answer with the report."""
    path = options["file"]
    form = options["format"] or ("csv" if path == "-" else _ENDINGS.get(Path(path).suffix.lower(), "json"))
    wanted = Options(
        form=form,
        columns=pairs(options["column"]),
        provider=options["provider"],
        auth_style=options["auth_style"],
        end_user=options["end_user"],
        for_tenant=options["whole_tenant"],
        providers=pairs(options["map_provider"]),
        tenants=pairs(options["map_tenant"]),
        on_conflict=options["on_conflict"],
        all_or_nothing=options["all_or_nothing"],
        refresh_all=not options["refresh_rotating_only"],
        verify=not options["no_verify"],
        dry_run=options["dry_run"],
    )
    with _opened(path) as file:
        run = order_import(wanted, tenant=tenant_named(options["tenant"]), digest=digest_of(file), actor=operator())
        _tell(f"Import {run.id}. If it is interrupted, the same command goes on with it.", options)
        if run.state == ImportState.READING:
            take_rows(run.id, rows_of(file, form=form, charset=options["charset"]))
            run = end_reading(run.id)
    while run.finished_at is None:
        run = go_on(run.id, give_up_at=time.monotonic() + _TELL_SECONDS)
        _tell(f"{run.get_state_display()}: {_counted(counts_of(run))}", options)
    return _answer(run, options["report"])


def show_report(options: dict[str, Any]) -> Answer:
    """Answer with the report of an earlier import, or of one under way."""
    try:
        run = ImportRun.objects.filter(id=uuid.UUID(options["id"])).first()
    except ValueError:
        run = None
    if run is None:
        raise NotFound("There is no such import.")
    return _answer(run, options["report"])


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        text = sys.stdin.buffer.read(_MOST_STDIN) if hasattr(sys.stdin, "buffer") else sys.stdin.read().encode()
        yield io.BytesIO(text)
        return
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(Path(path).open("rb"))
        except OSError as error:
            raise CommandError(f"The file {path!r} cannot be read: {error.strerror}.") from None
        yield file


def _tell(text: str, options: dict[str, Any]) -> None:
    if not options["json"]:
        sys.stderr.write(f"{text}\n")


def _answer(run: ImportRun, report: str | None) -> Answer:
    counts = counts_of(run)
    if report is not None:
        _write(run, report)
    rows = ImportRow.objects.filter(run=run, code__in=NEEDS_CARE)[:_SHOWN]
    care = [told_of(row) for row in rows]
    data = {
        "import": run.id,
        "state": run.state,
        "dry_run": run.options["dry_run"],
        "rows": sum(counts.values()),
        "outcomes": counts,
        "rotating": rotating_in(run),
        "ignored_columns": run.ignored_columns,
        "problem": run.problem,
        "needs_care": care,
    }
    needing = sum(number for code, number in counts.items() if code in NEEDS_CARE)
    lines = [sheet([(WORDS[code], number) for code, number in counts.items()]) if counts else "The file has no rows."]
    if run.problem:
        lines.append(f"The file could not be read to its end. {run.problem}")
    if run.ignored_columns:
        lines.append(f"Columns without a meaning here, left out: {', '.join(run.ignored_columns)}.")
    if run.options["dry_run"]:
        lines.append("A dry run: no connection was stored.")
    if data["rotating"] and run.options["dry_run"]:
        lines.append(
            f"ATTENTION: {data['rotating']} rows have refresh tokens that rotate. The import refreshes each once; from"
            " then on THE COPY AT THE SOURCE IS DEAD. Stop the source's refreshes before you import, and do not start"
            " them again."
        )
    if care:
        shown = [(row["line"], row["source_id"] or row["end_user"], row["code"], _where(row)) for row in care]
        lines.append(table(("line", "row", "code", "what to do"), shown, nothing=""))
    if needing > len(care):
        lines.append(f"{needing - len(care)} more: --report FILE writes all.")
    return Answer(data, "\n".join(lines), is_success=not needing and not run.problem)


def _where(row: dict[str, Any]) -> str:
    return f"{row['field']}: {row['detail']}" if row["field"] else str(row["detail"])


def _write(run: ImportRun, path: str) -> None:
    try:
        with Path(path).open("w", encoding="utf-8") as file:
            for row in ImportRow.objects.filter(run=run).iterator(chunk_size=1000):
                file.write(json.dumps(told_of(row), ensure_ascii=False) + "\n")
    except OSError as error:
        raise CommandError(f"The report cannot be written to {path!r}: {error.strerror}.") from None


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {WORDS[code]}" for code, number in counts.items())
