"""``manage.py backup``: the whole database in one encrypted file, and back. No secret is on the command line."""

from dataclasses import asdict
from typing import Any

from connections.management.backups.envelope import Contents
from connections.management.backups.make import make_backup
from connections.management.backups.restore import Unlocking, check_backup, missing_audit_keys, restore_backup
from connections.management.operator_command import OperatorCommand, secrets_from
from connections.management.output import Answer
from connections.models import HeldConnection


class Command(OperatorCommand):
    help = (
        "Back the database up into an encrypted file, check one, and restore it with its refresh tokens in quarantine."
    )

    def add_subcommands(self) -> None:
        make = self.subcommand(
            "make",
            _make,
            help_text="Write an encrypted backup of the database. Everything may run meanwhile. It holds no key.",
            examples=("latchkey.backup --recipient age1…", "latchkey.backup --passphrase-file passphrase.txt"),
        )
        make.add_argument("file", metavar="FILE", help="Where to write it; it must not be there yet.")
        make.add_argument("--recipient", action="append", metavar="age1…", help="Lock it for an age key; repeatable.")
        _add_common(make)
        check = self.subcommand(
            "check",
            _check,
            help_text="Say whether a backup is whole and can be restored here, and which keys it needs.",
            examples=("latchkey.backup --identity-file age.txt",),
        )
        restore = self.subcommand(
            "restore",
            _restore,
            help_text=(
                "Put a backup into the database of the settings, which has to be empty, in one transaction. Its refresh"
                " tokens wait in quarantine (`manage.py quarantine`). Stop all other processes before."
            ),
            examples=(
                "latchkey.backup --identity-file age.txt",
                "latchkey.backup --passphrase-file passphrase.txt --replace latchkey",
            ),
        )
        for parser in (check, restore):
            parser.add_argument("file", metavar="FILE", help="The backup.")
            parser.add_argument("--identity-file", metavar="FILE", help="The file with an age identity.")
            _add_common(parser)
        restore.add_argument(
            "--replace",
            default="",
            metavar="DATABASE",
            help="The name of a database that is not empty: its contents go.",
        )


def _add_common(parser: Any) -> None:
    parser.add_argument("--passphrase-file", metavar="FILE", help="The file with its passphrase; - reads it.")
    parser.add_argument(
        "--programs", default="", metavar="FOLDER", help="Where pg_dump, pg_restore and psql are. Default: PATH."
    )


def _passphrase(options: dict[str, Any]) -> str:
    return secrets_from(options["passphrase_file"])[0] if options["passphrase_file"] else ""


def _unlocking(options: dict[str, Any]) -> Unlocking:
    named = options["identity_file"]
    lines = [] if named is None else [line for line in secrets_from(named) if not line.startswith("#")]
    return Unlocking(_passphrase(options), tuple(lines))


def _make(options: dict[str, Any]) -> Answer:
    contents = make_backup(
        options["file"],
        passphrase=_passphrase(options),
        recipients=options["recipient"] or (),
        folder=options["programs"],
    )
    return Answer(asdict(contents), f"Written. {_needs(contents.keys)}")


def _needs(keys: dict[str, list[str]]) -> str:
    named = "; ".join(f"{setting}: {', '.join(ids)}" for setting, ids in sorted(keys.items()) if ids)
    return f"To restore it these keys are needed, which are not in it: {named}."


def _check(options: dict[str, Any]) -> Answer:
    contents = check_backup(options["file"], _unlocking(options))
    said = f"Whole, of {contents.made_at}, by PostgreSQL {contents.server_major}. {_needs(contents.keys)}"
    return Answer(asdict(contents) | _missing(contents), said + _told_of_missing(contents))


def _missing(contents: Contents) -> dict[str, list[str]]:
    return {"missing_audit_keys": missing_audit_keys(contents)}


def _told_of_missing(contents: Contents) -> str:
    missing = missing_audit_keys(contents)
    if not missing:
        return ""
    return (
        f" AUDIT_KEYS does not have {', '.join(missing)}: it can be restored, but the audit trail cannot"
        " be verified until these keys, or their public halves, are back."
    )


def _restore(options: dict[str, Any]) -> Answer:
    restored = restore_backup(
        options["file"], _unlocking(options), replace=options["replace"], folder=options["programs"]
    )
    data = asdict(restored.contents) | {"sorted": restored.counts, "needs_migrations": restored.is_older}
    data |= _missing(restored.contents)
    if restored.is_older:
        said = "Its tables are of an older version: run `manage.py migrate` now, before anything else."
    elif restored.counts is None:
        said = "Everything is held in refresh quarantine until it is sorted: `manage.py quarantine status`."
    else:
        waits = HeldConnection.objects.count()
        said = f"{waits} connections wait in refresh quarantine: `manage.py quarantine status`."
    said += _told_of_missing(restored.contents)
    return Answer(data, f"Restored, as of {restored.contents.made_at}. {said}")
