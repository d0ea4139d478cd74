"""``manage.py webhooks``: where events are delivered, and how far that has come."""

import argparse
import uuid
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Count, Q

from connections.database.clock import database_now
from connections.journal.event_types import EventType
from connections.lifecycle.webhooks.endpoints import (
    Terms,
    add_endpoint,
    disable_endpoint,
    enable_endpoint,
    remove_endpoint,
    rotate_secret,
)
from connections.lifecycle.webhooks.resend import resend_from
from connections.lifecycle.webhooks.trial import send_test
from connections.management.operator_command import OperatorCommand, operator, tenant_named, words
from connections.management.output import Answer, sheet, table
from connections.models import DeliveryState, WebhookEndpoint

_EXAMPLE = "8e03978e-40d5-43dd-bc93-6894a57f9324"


class Command(OperatorCommand):
    help = "Add webhook endpoints, test and disable them, rotate their secrets, and deliver events once more."

    def add_subcommands(self) -> None:
        add = self.subcommand(
            "add",
            _add,
            help_text="Have events delivered to an address; prints the signing secret, once.",
            examples=(
                "https://hooks.acme.example/latchkey --tenant acme",
                "https://ops.example/hooks --types connection.needs_reauth,connection.revoked",
            ),
        )
        add.add_argument("url", metavar="URL", help="https, and public.")
        add.add_argument("--tenant", metavar="SLUG", help="Whose events; those of all tenants without.")
        add.add_argument("--description", default="", metavar="TEXT")
        add.add_argument("--types", nargs="+", metavar="TYPE", help=f"Every type without. Of: {', '.join(EventType)}.")
        listing = self.subcommand("list", _list, help_text="List the endpoints.", examples=("",))
        listing.add_argument("--tenant", metavar="SLUG", help="Only those of one tenant.")
        _add_id(self.subcommand("test", _test, help_text="Send a test event now.", examples=(_EXAMPLE,)))
        _add_id(self.subcommand("disable", _disable, help_text="Have events wait.", examples=(_EXAMPLE,)))
        _add_id(self.subcommand("enable", _enable, help_text="Go on where it stood, at once.", examples=(_EXAMPLE,)))
        _add_id(self.subcommand("remove", _remove, help_text="Remove it and its deliveries.", examples=(_EXAMPLE,)))
        rotate = self.subcommand(
            "rotate",
            _rotate,
            help_text="Give it a fresh secret, which is printed once; the earlier ones sign on for a while.",
            examples=(f"{_EXAMPLE} --overlap-hours 48",),
        )
        _add_id(rotate)
        rotate.add_argument("--overlap-hours", type=float, default=24.0, metavar="HOURS", help="Default: 24.")
        replay = self.subcommand(
            "replay",
            _replay,
            help_text="Deliver the events of the last hours once more.",
            examples=(f"{_EXAMPLE} --hours 6",),
        )
        _add_id(replay)
        replay.add_argument("--hours", type=float, required=True, metavar="HOURS", help="From so long ago on.")


def _add_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", type=uuid.UUID, metavar="ID", help="The endpoint: see `manage.py webhooks list`.")


def _add(options: dict[str, Any]) -> Answer:
    issued = add_endpoint(
        Terms(options["url"], options["description"], words(options["types"])),
        tenant=tenant_named(options["tenant"]),
        now=database_now(),
        actor=operator(),
    )
    secret = issued.secret.get_secret_value()
    data = _data(issued.endpoint) | {"secret": secret}
    return Answer(data, f"Added. The secret is shown this once.\n{sheet(data.items())}")


def _list(options: dict[str, Any]) -> Answer:
    pending = Count("deliveries", filter=Q(deliveries__state=DeliveryState.PENDING))
    rows = WebhookEndpoint.objects.select_related("tenant").annotate(pending=pending).order_by("created_at")
    if options["tenant"] is not None:
        rows = rows.filter(tenant=tenant_named(options["tenant"]))
    data = [_data(row) | {"pending": row.pending} for row in rows]
    lines = [(row["id"], row["tenant"] or "(all)", row["state"], row["pending"], row["url"]) for row in data]
    headings = ("id", "tenant", "state", "pending", "url")
    return Answer(data, table(headings, lines, nothing="There is no webhook endpoint: `manage.py webhooks add URL`."))


def _test(options: dict[str, Any]) -> Answer:
    outcome = send_test(options["id"], now=database_now(), actor=operator())
    data = {"delivered": outcome.is_taken, "status": outcome.status, "error": outcome.error}
    text = f"Taken: status {outcome.status}." if outcome.is_taken else f"Not taken: {outcome.error}"
    return Answer(data, text, is_success=outcome.is_taken)


def _disable(options: dict[str, Any]) -> Answer:
    endpoint = disable_endpoint(options["id"], now=database_now(), actor=operator())
    return Answer(_data(endpoint), "Disabled: events wait, as long as the outbox keeps them.")


def _enable(options: dict[str, Any]) -> Answer:
    endpoint, missed = enable_endpoint(options["id"], now=database_now(), actor=operator())
    fell_out = f" {missed} events fell out of the outbox meanwhile." if missed else ""
    return Answer(_data(endpoint) | {"fell_out": missed}, f"It goes on where it stood.{fell_out}")


def _remove(options: dict[str, Any]) -> Answer:
    remove_endpoint(options["id"], actor=operator())
    return Answer({"id": options["id"]}, "Removed: nothing is delivered there any more.")


def _rotate(options: dict[str, Any]) -> Answer:
    overlap = timedelta(hours=options["overlap_hours"])
    issued = rotate_secret(options["id"], now=database_now(), overlap=overlap, actor=operator())
    secret = issued.secret.get_secret_value()
    return Answer({"id": options["id"], "secret": secret}, f"The new secret, shown this once: {secret}")


def _replay(options: dict[str, Any]) -> Answer:
    if not 0 < options["hours"] <= 24 * 366:
        raise CommandError("Give a number of hours between 0 and 8784.")
    now = database_now()
    count = resend_from(options["id"], now - timedelta(hours=options["hours"]), now=now, actor=operator())
    return Answer({"events": count}, f"{count} events are delivered once more.")


def _data(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "tenant": endpoint.tenant.slug if endpoint.tenant else None,
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": endpoint.event_types,
        "state": _state(endpoint),
        "missed_events": endpoint.missed_events,
    }


def _state(endpoint: WebhookEndpoint) -> str:
    if endpoint.disabled_at is not None:
        return f"disabled ({endpoint.disabled_reason})"
    return "failing" if endpoint.failures else "working"
