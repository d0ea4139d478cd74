"""``manage.py audit``: the audit trail. Only this command ever deletes from it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError

from connections.database.clock import database_now
from connections.lifecycle.housekeeping import prune_audit
from connections.management.operator_command import OperatorCommand, operator
from connections.management.output import Answer

SHORTEST = timedelta(days=30)


class Command(OperatorCommand):
    help = "Prune the audit trail."

    def add_subcommands(self) -> None:
        prune = self.subcommand(
            "prune",
            _prune,
            help_text="Delete the audit rows from before a day, for good. The trail says who did.",
            examples=("--before 2026-01-01",),
        )
        prune.add_argument("--before", required=True, metavar="DAY", help="YYYY-MM-DD, at least 30 days ago.")


def _prune(options: dict[str, Any]) -> Answer:
    try:
        before = datetime.strptime(options["before"], "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise CommandError("Name the day as YYYY-MM-DD.") from None
    if before > database_now() - SHORTEST:
        raise CommandError("The audit rows of the last 30 days stay: name an earlier day.")
    gone = prune_audit(before=before, actor=operator())
    return Answer(
        {"before": options["before"], "rows": gone}, f"Deleted {gone} audit rows from before {before:%Y-%m-%d}."
    )
