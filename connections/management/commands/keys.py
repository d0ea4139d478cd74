"""``manage.py keys``: which keys are in use, and how newer ones take over while everything runs. Shows no key."""

import sys
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from connections.access.held_keks import new_kek
from connections.access.secrets import keyring
from connections.database.clock import database_now
from connections.lifecycle.keys.agreement import (
    Disagreement,
    Follower,
    check_agreement,
    disagreement,
    followers,
)
from connections.lifecycle.keys.retire import AmbiguousKey, UnknownKey, retire
from connections.lifecycle.keys.rewrap import Progress, rewrap
from connections.lifecycle.keys.rotate import begin_rotation, rotate
from connections.lifecycle.keys.uses import OLD, KeyUse, audit_uses, data_key_use, fernet_uses, kek_uses
from connections.management.operator_command import OperatorCommand, operator, tenant_named
from connections.management.output import Answer, table
from connections.models import Tenant
from connections.vault.keyring import KEY_SERVICES, KeyringError, parse_keyring
from providers.custodians.asking import CustodianError

SETTINGS = ("FERNET_KEYS", "KEK_KEYS", "AUDIT_KEYS")
_TELL_EVERY_SECONDS = 2.0
_BAR = 20
_MOST_DAYS = 36_500
_ANYWAY = "Even if processes run that follow other lists of keys, and do not open what is changed."


class Command(OperatorCommand):
    help = "Show which keys are in use, and bring what is stored under newer ones. Never shows a key."

    def add_subcommands(self) -> None:
        status = self.subcommand(
            "status",
            _status,
            help_text="Show the keys of each list, how much is stored under each, and since when.",
            examples=("", "--exact", "--json"),
        )
        status.add_argument(
            "--exact", action="store_true", help="Read every encrypted value; else 1,000 rows of each column."
        )
        rewrapping = self.subcommand(
            "rewrap",
            _rewrap,
            help_text=(
                "Bring data keys under the first of KEK_KEYS, and columns under the first of FERNET_KEYS. Everything"
                " may run meanwhile. What was begun and killed goes on with the same command."
            ),
            examples=("", "--rate 500"),
        )
        rewrapping.add_argument("--rate", type=_rate, metavar="ROWS", help="At most so many rows a second.")
        rewrapping.add_argument("--anyway", action="store_true", help=_ANYWAY)
        rotating = self.subcommand(
            "rotate",
            _rotate,
            help_text=(
                "Give tenants, or the operator, new data keys, and seal anew what earlier ones have sealed. Everything"
                " may run meanwhile. What was begun and killed goes on with the same command."
            ),
            examples=("--all", "--all --older-than 0", "--tenant acme --older-than 30", "--operator --rate 500"),
        )
        whose = rotating.add_mutually_exclusive_group(required=True)
        whose.add_argument("--tenant", metavar="SLUG", help="Those of one tenant.")
        whose.add_argument("--operator", action="store_true", help="Those of the operator: shared provider apps.")
        whose.add_argument("--all", action="store_true", help="Those of all tenants and of the operator.")
        rotating.add_argument(
            "--older-than", type=_days, default=OLD.days, metavar="DAYS", help=f"Keys from before; default {OLD.days}."
        )
        rotating.add_argument(
            "--anew", action="store_true", help="Do not go on with one that was killed: also keys made since give way."
        )
        rotating.add_argument("--rate", type=_rate, metavar="ROWS", help="At most so many rows a second.")
        rotating.add_argument("--anyway", action="store_true", help=_ANYWAY)
        fresh = self.subcommand(
            "new",
            _new,
            help_text=(
                "Make a key for KEK_KEYS, have a key management service wrap it, and print the entry of the list. The"
                " entry opens nothing without the service. Where the service is, the environment says."
            ),
            examples=(
                "2026-11 --by vault-transit --key transit/latchkey",
                "2026-11 --by aws-kms --key arn:aws:kms:eu-central-1:111122223333:key/…",
                "2026-11 --by google-kms --key projects/…/locations/…/keyRings/…/cryptoKeys/latchkey",
                "2026-11 --by azure-key-vault --key https://NAME.vault.azure.net/keys/latchkey",
            ),
        )
        fresh.add_argument("id", help="An id that KEK_KEYS does not have yet, such as the month.")
        fresh.add_argument("--by", choices=KEY_SERVICES, required=True, help="The service.")
        fresh.add_argument("--key", required=True, metavar="NAME", help="The name of the key there.")
        retire = self.subcommand(
            "retire",
            _retire,
            help_text="Say whether a key may be taken out of its list; the exit code is 1 while something needs it.",
            examples=("2025-01", "3fa1c09d5e7b --list FERNET_KEYS"),
        )
        retire.add_argument("key", help="The id or the fingerprint, as `keys status` shows it.")
        retire.add_argument("--list", choices=SETTINGS, dest="setting", help="Where two lists have the id.")


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate < float("inf"):
        raise ValueError
    return rate


def _days(text: str) -> int:
    days = int(text)
    if not 0 <= days <= _MOST_DAYS:
        raise ValueError
    return days


def _status(options: dict[str, Any]) -> Answer:
    now = database_now()
    uses = [*fernet_uses(is_exact=options["exact"]), *kek_uses(), *audit_uses()]
    data_keys = data_key_use()
    found = followers()
    warnings = list(_warnings(uses, now=now))
    if says := disagreement(found):
        warnings.append(f"{says}.")
    data = {
        "keys": [asdict(use) | {"is_old": use.is_old(now=now), "due_at": use.due_at} for use in uses],
        "data_keys": asdict(data_keys),
        "from_files": sorted(settings.KEY_FILES.followed),
        "problem": settings.KEY_FILES.problem or None,
        "processes": [asdict(one) for one in found],
        "warnings": warnings,
    }
    shown = table(
        ("list", "key", "place", "rows", "since", "newer one due", "kept by"),
        [
            (use.setting, use.key or "(none opens)", _place(use), _rows(use), use.since, _due(use, now), _keeper(use))
            for use in uses
        ],
        nothing="There is no key.",
    )
    said = f"{data_keys.rows} data keys, {data_keys.earlier} of them earlier ones. {_processes(found)}"
    return Answer(data, "\n".join([shown, "", said, *warnings]))


def _processes(found: Sequence[Follower]) -> str:
    if not found:
        return "No other process is seen."
    return f"{sum(one.follows is True for one in found)} of {len(found)} other processes follow these lists."


def _keeper(use: KeyUse) -> str:
    if use.place is None or use.kept_by:
        return use.kept_by
    return "a file" if use.setting in settings.KEY_FILES.followed else "the environment"


def _place(use: KeyUse) -> str:
    if use.place is None:
        return "MISSING"
    return "first" if use.place == 1 else str(use.place)


def _due(use: KeyUse, now: datetime) -> str:
    if use.due_at is None:
        return ""
    return f"in {(use.due_at - now).days} days" if now <= use.due_at else f"{(now - use.due_at).days} days ago"


def _rows(use: KeyUse) -> str:
    return f"{'about ' if use.is_estimate else ''}{use.rows}"


def _warnings(uses: Iterable[KeyUse], *, now: datetime) -> Iterable[str]:
    if settings.KEY_FILES.problem:
        yield f"A file of keys is not in force: {settings.KEY_FILES.problem}"
    for use in uses:
        named = f"{use.setting} {use.key}".strip()
        if use.place is None and use.key:
            yield f"{named} is missing: {use.rows} rows need it. Put it back."
        elif use.place is None:
            yield f"{use.rows} encrypted values open under no key of FERNET_KEYS: put the missing one back."
        elif use.is_old(now=now):
            yield f"{named} has been in use for more than {OLD.days} days: put a newer one in front."
        elif use.place > 1 and not use.rows and not use.is_estimate:
            yield f"{named} is used by nothing that was looked at: `keys retire {use.key}` says whether it may go."


def _new(options: dict[str, Any]) -> Answer:
    if keyring().has(options["id"]):
        raise CommandError("KEK_KEYS has a key of this id: give the new one another id.")
    try:
        kek = new_kek(options["id"], service=options["by"], name=options["key"])
        entry = kek.entry()
        parse_keyring([entry])
    except (CustodianError, KeyringError) as error:
        raise CommandError(f"{options['by']}: {error}") from None
    return Answer({"id": kek.id, "service": kek.service, "name": kek.name, "entry": entry}, entry)


def _check_agreement(options: dict[str, Any]) -> None:
    try:
        check_agreement()
    except Disagreement as says:
        if not options["anyway"]:
            raise CommandError(f"{says}. Nothing was changed.") from None


def _rewrap(options: dict[str, Any]) -> Answer:
    _check_agreement(options)
    return _carried_out(rewrap(rate=options["rate"]), done="All is under the first keys")


def _rotate(options: dict[str, Any]) -> Answer:
    _check_agreement(options)
    owners: list[uuid.UUID | None] = [None]
    whose = "operator"
    if options["all"]:
        whose = "all"
        owners += Tenant.objects.filter(shred_at=None).order_by("id").values_list("id", flat=True)
    elif (tenant := tenant_named(options["tenant"])) is not None:
        whose, owners = f"tenant {tenant.id}", [tenant.id]
    rotation = begin_rotation(
        whose,
        older_than=timedelta(days=options["older_than"]),
        actor=operator(),
        is_anew=options["anew"],
        now=database_now(),
    )
    if rotation.goes_on:
        sys.stderr.write(
            f"This goes on with the rotation of {rotation.begun_at}, which has not ended: keys that were made since"
            " stay. Where these have leaked too: --anew.\n"
        )
    steps = rotate(owners, made_until=rotation.made_until, actor=operator(), rate=options["rate"])
    answer = _carried_out(steps, done="All is sealed under current data keys")
    if answer.is_success:
        rotation.end(actor=operator())
    return answer


def _carried_out(steps: Iterable[Progress], *, done: str) -> Answer:
    ended: dict[str, Progress] = {}
    told_at = 0.0
    for progress in steps:
        ended[progress.of] = progress
        if time.monotonic() > told_at + _TELL_EVERY_SECONDS:
            _tell(progress)
            told_at = time.monotonic()
    changed = sum(each.changed for each in ended.values())
    left = [
        f"{each.of}: {each.unreadable} do not open, {each.busy} are in use by others"
        for each in ended.values()
        if each.unreadable or each.busy
    ]
    data = {"changed": changed, "of": [asdict(each) for each in ended.values()]}
    if left:
        sentence = "Not all could be changed; put missing keys back, or run it again."
        return Answer(data, "\n".join([f"{sentence} ({changed} changed)", *left]), is_success=False)
    return Answer(data, f"{done}; {changed} changed.")


def _tell(progress: Progress) -> None:
    share = 1.0 if not progress.total else min(1.0, progress.looked / progress.total)
    bar = "#" * round(share * _BAR)
    sys.stderr.write(
        f"[{bar:<{_BAR}}] {progress.of}: {progress.looked} of {progress.total}, {progress.changed} changed\n"
    )


def _retire(options: dict[str, Any]) -> Answer:
    try:
        verdict = retire(options["key"], setting=options["setting"], actor=operator())
    except UnknownKey:
        raise CommandError("No list has that key: see `manage.py keys status`.") from None
    except AmbiguousKey as lists:
        raise CommandError(f"{lists} have a key of that id: say which with --list.") from None
    use = verdict.use
    data = {"key": use.key, "list": use.setting, "may_go": verdict.may_go, "reasons": list(verdict.reasons)}
    if not verdict.may_go:
        reasons = "\n".join(f"- {reason}" for reason in verdict.reasons)
        return Answer(data, f"{use.setting} {use.key} has to stay:\n{reasons}", is_success=False)
    return Answer(data, f"Nothing needs {use.setting} {use.key}: take it out of the list within a day.")
