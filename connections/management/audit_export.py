"""``manage.py audit export``: the trail as JSON lines in the shape of OCSF, or as CSV, written to standard output.

With ``--follow`` it goes on for ever. A reader that stops goes on after the last row that it has: each line has its id
(``metadata.sequence``), and ``--cursor-file`` keeps it. So a row may come twice after a crash, and none is passed over.
"""

import argparse
import os
import sys
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from connections.database.clock import in_utc
from connections.database.pool import release_database
from connections.journal.shapes import as_csv
from connections.journal.trail import Page, Wanted, as_ocsf_lines, read_trail
from connections.management.operator_command import OperatorCommand, tenant_named
from connections.management.output import Answer

_FOLLOW_SECONDS = 1.0


def add_export(command: OperatorCommand) -> None:
    """Add the subcommand ``export``."""
    parser = command.subcommand(
        "export",
        _export,
        help_text="Write the audit trail to standard output: OCSF 1.3.0 as JSON lines, or CSV.",
        examples=("--follow --cursor-file /var/lib/latchkey/audit.cursor", "--format csv --tenant acme --kind tenant."),
    )
    parser.add_argument("--format", choices=("ocsf", "csv"), default="ocsf")
    parser.add_argument("--after", type=int, metavar="ID", help="Go on after this row; default from the first.")
    parser.add_argument(
        "--cursor-file", metavar="FILE", help="Where the last row written is kept, and read from first."
    )
    parser.add_argument("--follow", action="store_true", help="Go on with new rows as they settle.")
    parser.add_argument("--tenant", metavar="SLUG")
    parser.add_argument("--connection", type=uuid.UUID, metavar="ID")
    parser.add_argument("--client", type=uuid.UUID, metavar="ID", help="An API client.")
    parser.add_argument("--operator", metavar="NAME", help="A login name of the admin.")
    parser.add_argument("--subject", metavar="ID", help="An end user's id.")
    parser.add_argument("--kind", metavar="ACTION", help="An action, or a family of them with its point: tenant.")
    parser.add_argument("--since", type=_moment, metavar="TIME", help="ISO 8601; UTC where no offset is given.")
    parser.add_argument("--until", type=_moment, metavar="TIME", help="Like --since; the moment itself is left out.")


def _export(options: dict[str, Any]) -> Answer:
    tenant = tenant_named(options["tenant"])
    wanted = Wanted(
        tenant_id=None if tenant is None else tenant.id,
        connection_id=options["connection"],
        client_id=options["client"],
        operator=options["operator"],
        subject=options["subject"],
        kind=options["kind"],
        since=options["since"],
        until=options["until"],
    )
    path = None if options["cursor_file"] is None else Path(options["cursor_file"])
    after = options["after"] if options["after"] is not None else _kept(path)
    rows, is_first = 0, after == 0
    try:
        while True:
            for page in read_trail(wanted, after=after):
                sys.stdout.write(_written(page, options["format"], is_first=is_first))
                sys.stdout.flush()
                after, rows, is_first = page.to, rows + len(page.rows), False
                if path is not None:
                    _keep(path, after)
            if not options["follow"]:
                break
            release_database()
            time.sleep(_FOLLOW_SECONDS)
    except BrokenPipeError:  # the reader has enough
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (until the process ends)
    sys.stderr.write(f"{rows} rows; go on with --after {after}\n")
    return Answer(None, "", is_shown=False)


def _written(page: Page, shape: str, *, is_first: bool) -> str:
    if shape == "csv":
        return as_csv(page.rows, with_heading=is_first)
    return as_ocsf_lines(page)


def _kept(path: Path | None) -> int:
    if path is None or not path.exists():
        return 0
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        raise CommandError(f"The file {str(path)!r} holds no row's id: name another, or delete it.") from None


def _keep(path: Path, after: int) -> None:
    """Replace the file at once, so that a killed process leaves the old id or the new one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(str(after), encoding="ascii")
    fresh.replace(path)


def _moment(text: str) -> datetime:
    try:
        return in_utc(datetime.fromisoformat(text))
    except ValueError:
        raise argparse.ArgumentTypeError("write it as 2026-01-31 or 2026-01-31T12:00:00Z") from None
