"""``manage.py egress``: the calls that leave the house."""

from dataclasses import asdict
from typing import Any

from connections.lifecycle.steer.outbound_addresses import outbound_addresses
from connections.management.operator_command import OperatorCommand
from connections.management.output import Answer, sheet


class Command(OperatorCommand):
    help = "Show from which addresses providers see our calls."

    def add_subcommands(self) -> None:
        addresses = self.subcommand(
            "addresses",
            _addresses,
            help_text="Show the addresses to list at a provider that limits an app to some: those that are stated in "
            "EGRESS_ADDRESSES, and the one that the service EGRESS_ECHO_URL sees, through the proxy if there is one.",
            examples=("", "--no-ask", "--json"),
        )
        addresses.add_argument("--no-ask", action="store_true", help="Do not call EGRESS_ECHO_URL.")


def _addresses(options: dict[str, Any]) -> Answer:
    found = outbound_addresses(asks=not options["no_ask"])
    facts: list[tuple[str, object]] = [
        ("to list", list(found.to_list)),
        ("stated", list(found.stated)),
        (f"seen by {found.echo}" if found.echo else "seen", found.seen),
        ("proxy", found.proxy),
        *(("note", note) for note in found.notes),
    ]
    return Answer(asdict(found) | {"to_list": found.to_list}, sheet(facts))
