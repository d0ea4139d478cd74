"""``manage.py audit``: seals, verifies, exports and prunes the audit trail. Only this command ever deletes from it."""

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError

from connections.database.clock import database_now
from connections.journal.audit_keys import audit_keys
from connections.journal.sealing import anchor_of, last_seal, seal_settled
from connections.journal.verify import Broken, count_unsealed, verify_chain, wrong_anchor
from connections.lifecycle.housekeeping import prune_audit
from connections.management.audit_export import add_export
from connections.management.operator_command import OperatorCommand, operator
from connections.management.output import Answer, sheet

SHORTEST = timedelta(days=30)
_SEAL_SECONDS = 3600.0
_TELL_EVERY_SECONDS = 2.0


class Command(OperatorCommand):
    help = "Seal, verify, export and prune the audit trail."

    def add_subcommands(self) -> None:
        verify = self.subcommand(
            "verify",
            _verify,
            help_text="Verify the sealed trail, and name what is broken first; the exit code is 1 then.",
            examples=("", "--from-seal 1200 --to-seal 1500", "--anchor 1500:4be1…"),
        )
        verify.add_argument("--from-seal", type=int, default=1, metavar="NUMBER", help="Begin here; default 1.")
        verify.add_argument("--to-seal", type=int, metavar="NUMBER", help="End here; default the last one.")
        verify.add_argument(
            "--anchor",
            action="append",
            default=[],
            metavar="NUMBER:HASH",
            help="A seal that was there, from the log or an export; it must be there still. May be given again.",
        )
        add_export(self)
        self.subcommand(
            "seal", _seal, help_text="Seal now what the workers would seal within a minute.", examples=("", "--json")
        )
        self.subcommand(
            "keys", _keys, help_text="Show the public halves of the keys, for an auditor's AUDIT_KEYS.", examples=("",)
        )
        prune = self.subcommand(
            "prune",
            _prune,
            help_text="Delete the audit rows from before a day, for good. The trail says who did.",
            examples=("--before 2026-01-01",),
        )
        prune.add_argument("--before", required=True, metavar="DAY", help="YYYY-MM-DD, at least 30 days ago.")


def _verify(options: dict[str, Any]) -> Answer:
    newest = last_seal()
    first, last = options["from_seal"], options["to_seal"] or (0 if newest is None else newest.number)
    if first < 1:
        raise CommandError("The seals begin with number 1.")
    broken, rows, seals = _first_wrong_anchor(options["anchor"]), 0, 0
    told_at = time.monotonic()
    for checked in () if broken else verify_chain(from_seal=first, to_seal=last):
        seals, rows, broken = seals + 1, rows + checked.rows, broken or checked.broken
        if time.monotonic() > told_at + _TELL_EVERY_SECONDS:
            sys.stderr.write(f"seal {checked.seal} of {last}, {rows} rows\n")
            told_at = time.monotonic()
    unsealed = count_unsealed()
    data = {
        "seals": seals,
        "rows": rows,
        "unsealed": unsealed,
        "anchor": None if newest is None else anchor_of(newest),
        "broken": None if broken is None else broken.as_json(),
    }
    if broken is not None:
        return Answer(data, f"{broken.detail} All before it is whole ({rows} rows compared).", is_success=False)
    if newest is None:
        return Answer(data, f"Nothing is sealed yet; {unsealed} rows wait for it.")
    facts = (
        ("Whole", f"{seals} seals, {rows} rows"),
        ("Not sealed yet", f"{unsealed} rows"),
        ("Anchor", data["anchor"]),
    )
    return Answer(data, sheet(facts))


def _first_wrong_anchor(anchors: list[str]) -> Broken | None:
    try:
        return next((wrong for anchor in anchors if (wrong := wrong_anchor(anchor)) is not None), None)
    except ValueError:
        raise CommandError("An anchor is a number, a colon and a hash, as the log has it.") from None


def _seal(options: dict[str, Any]) -> Answer:
    rows = seal_settled(seconds=_SEAL_SECONDS, at_once=True)
    newest = last_seal()
    anchor = None if newest is None else anchor_of(newest)
    return Answer({"rows": rows, "anchor": anchor}, sheet((("Sealed", f"{rows} rows"), ("Anchor", anchor))))


def _keys(options: dict[str, Any]) -> Answer:
    entries = audit_keys().public_entries()
    return Answer({"keys": entries}, "\n".join(entries))


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
