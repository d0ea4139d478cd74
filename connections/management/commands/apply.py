"""``manage.py apply FILE``: make what a file declares."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections.management.declarations.carry_out import apply
from connections.management.declarations.changes import data_of, text_of
from connections.management.declarations.document import SECTIONS, DeclarationError, read_document
from connections.management.operator_command import OperatorCommand, operator
from connections.management.output import Answer


class Command(OperatorCommand):
    help = (
        "Make what a file declares (TOML, JSON): tenants, brands, provider apps, API clients, trusted issuers, access "
        "grants, webhook endpoints, providers of your own. All of it or nothing; applying it again changes nothing; "
        "nothing is deleted. "
        f"Its sections are {', '.join(SECTIONS)}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="A .toml or .json file; - reads standard input.")
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be made and changed.")
        parser.add_argument("--json", action="store_true", help="Print JSON for programs instead of text.")
        parser.set_defaults(run=_apply)


def _apply(options: dict[str, Any]) -> Answer:
    is_rehearsal = options["dry_run"]
    try:
        changes = apply(read_document(options["file"]), is_rehearsal=is_rehearsal, actor=operator())
    except DeclarationError as error:
        raise CommandError(str(error)) from None
    return Answer(data_of(changes, is_rehearsal=is_rehearsal), text_of(changes, is_rehearsal=is_rehearsal))
