"""``manage.py seed_showcase``: fills a development installation with a believable one, to look at and to measure."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter

from connections.database.clock import database_now
from connections.management.output import as_json
from connections.management.showcase.ground import slug_of
from connections.management.showcase.lay_out import lay_out
from connections.management.showcase.names import COMPANIES
from connections.models import Tenant


class Command(BaseCommand):
    help = (
        "Fill a development installation with made-up tenants, connections and a week of history. Its secrets work "
        "nowhere, and are sealed as real ones are. Its provider apps are paused, so that no worker sends made-up "
        "tokens to a provider."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = DjangoHelpFormatter
        parser.add_argument("--seed", type=int, default=1, help="Another number lays out another installation.")
        parser.add_argument("--tenants", type=int, default=len(COMPANIES), help=f"Up to {len(COMPANIES)} (all).")
        parser.add_argument("--connections", type=int, default=5000, help="How many connections (5000).")
        parser.add_argument(
            "--into", metavar="HOST", help="The host of PUBLIC_URL: needed where there are tenants already."
        )
        parser.add_argument("--unpaused", action="store_true", help="Do not pause the apps; run no worker then.")
        parser.add_argument("--json", action="store_true", help="Print JSON for programs instead of text.")

    def handle(self, *args: Any, **options: Any) -> None:
        _check_place(options["into"])
        tenants, connections = options["tenants"], options["connections"]
        if not 1 <= tenants <= len(COMPANIES) or connections < 1:
            raise CommandError(f"Ask for 1 to {len(COMPANIES)} tenants, and for at least one connection.")
        made = lay_out(
            seed=options["seed"],
            tenants=tenants,
            connections=connections,
            is_paused=not options["unpaused"],
            now=database_now(),
        )
        if options["json"]:
            self.stdout.write(as_json({"tenants": made.tenants, "connections": made.connections}))
            return
        self.stdout.write(
            f"Made {made.tenants} tenants with {made.connections} connections by {made.provider_apps} provider apps. "
            f"Look at {settings.ADMIN_URL}/admin/."
        )


def _check_place(named: str | None) -> None:
    """Raise ``CommandError`` unless this installation may be filled."""
    if not settings.DEVELOPMENT:
        raise CommandError("This is no development installation: nothing was made (LATCHKEY_ENV=development is one).")
    host = urlsplit(settings.PUBLIC_URL).netloc
    if named is not None and named != host:
        raise CommandError(f"This installation is {host}, not {named}: nothing was made.")
    if named is None and Tenant.objects.exists():
        raise CommandError(f"There are tenants here already: say `--into {host}` if it is meant.")
    if Tenant.objects.filter(slug__in=[slug_of(company) for company in COMPANIES]).exists():
        raise CommandError("The showcase is here already, or a tenant of one of its names: nothing was made.")
