"""``manage.py drill``: play the faults that Latchkey promises to survive, and see whether it does."""

import logging
import signal
from types import FrameType
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter

from connections.drills.matrix import SCENARIOS, Result, run
from connections.drills.throwaway import NoDatabase
from connections.management.output import as_json
from providers.sandbox.client import SandboxMissing

_NAMES = [scenario.name for scenario in SCENARIOS]


class Command(BaseCommand):
    help = (
        "Play the faults that Latchkey promises to survive against the sandbox provider, on a database that is made "
        "for it on the configured server and dropped afterwards. Your own database is not touched, and no task is "
        "sent. Takes about a minute; the exit code is 1 if a promise was broken."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = DjangoHelpFormatter
        parser.add_argument(
            "--only", nargs="+", choices=_NAMES, metavar="NAME", help=f"Only these: {', '.join(_NAMES)}."
        )
        parser.add_argument("--json", action="store_true", help="Print JSON for programs instead of text.")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = options["only"] or _NAMES
        if options["verbosity"] <= 1:
            logging.disable(logging.CRITICAL)  # the drills provoke these log lines: they report nothing new
        asked = []

        def interrupt(number: int, frame: FrameType | None) -> NoReturn:
            asked.append(number)
            raise KeyboardInterrupt

        before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            results = run(scenario for scenario in SCENARIOS if scenario.name in wanted)
            if asked:  # and Python dropped the exception, because it came in the middle of its own clearing up
                raise KeyboardInterrupt
        except (NoDatabase, SandboxMissing) as problem:
            raise CommandError(str(problem)) from None
        except KeyboardInterrupt:
            raise CommandError("Interrupted: the throw-away database has been dropped.", returncode=130) from None
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            logging.disable(logging.NOTSET)
        broken = [result.scenario.name for result in results if not result.is_kept]
        if options["json"]:
            self.stdout.write(as_json(document_of(results)))
        else:
            self.stdout.write(_table(results))
        if broken:
            raise CommandError(f"{len(broken)} of {len(results)} promises broken: {', '.join(broken)}.")


def document_of(results: list[Result]) -> dict[str, Any]:
    """Return the results as programs are told of them."""
    return {"ok": all(result.is_kept for result in results), "drills": [result.as_dict() for result in results]}


def _table(results: list[Result]) -> str:
    """Return the results as a table. No text is cut short: people read the table for what happened."""
    rows = [("DRILL", "FAULT", "WHAT MUST HOLD", "WHAT HAPPENED", "VERDICT")]
    rows += [
        (one.scenario.name, one.scenario.fault, one.scenario.promise, one.happened, "kept" if one.is_kept else "BROKEN")
        for one in results
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
