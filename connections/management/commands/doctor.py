"""``manage.py doctor``: what is wrong with this installation, and what to do."""

import argparse
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.management.doctor.examine import examine
from connections.management.doctor.findings import Level
from connections.management.output import as_json

_SIGN = {Level.FINE: "ok     ", Level.WARNING: "warning", Level.FAULT: "FAULT  "}


class Command(BaseCommand):
    help = (
        "Look at settings, keys, clocks, database, broker, workers, catalogue, provider apps and outbound addresses, "
        "and say what is wrong and what to do. Changes nothing. Ends with 1 if there is a fault."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print JSON for programs instead of text.")
        parser.add_argument(
            "--asks",
            action=argparse.BooleanOptionalAction,
            default=True,
            help=(
                "Whether to ask key services, secrets kept elsewhere, the mail server and EGRESS_ECHO_URL, which takes"
                " some seconds."
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = []
        for finding in examine(asks=options["asks"]):
            found.append(finding)
            if not options["json"]:
                self.stdout.write(f"{_SIGN[finding.level]}  {finding.area}: {finding.says}")
                if finding.what_to_do:
                    self.stdout.write(f"{'':9}{finding.what_to_do}")
        faults = sum(finding.level is Level.FAULT for finding in found)
        if options["json"]:
            self.stdout.write(as_json({"faults": faults, "findings": [asdict(finding) for finding in found]}))
        if faults:
            raise CommandError(f"{faults} fault{'s' if faults > 1 else ''} found.")
