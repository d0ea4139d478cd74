"""``manage.py connections``: look at connections and steer them."""

import argparse
import uuid
from typing import Any

from django.core.management.base import CommandError

from connections.database.clock import database_now
from connections.lifecycle.credentials.reread import discard_unread, reread
from connections.lifecycle.credentials.scopes import missing_scopes, observed_scopes
from connections.lifecycle.quarantine.standing import hold_of
from connections.lifecycle.steer import on_demand
from connections.lifecycle.steer.on_demand import Told
from connections.lifecycle.steer.outlook import distance, outlook
from connections.management.forecasts import add_forecast_arguments, show_forecast
from connections.management.imports import add_arguments, run_import, show_report
from connections.management.operator_command import OperatorCommand, operator, tenant_named
from connections.management.output import Answer, sheet, table
from connections.models import OPEN_STATES, Connection, Incident, RefreshAttempt, Status
from providers.catalog.loader import meant_by

_MOST = 1000


class Command(OperatorCommand):
    help = "List and show connections; refresh, probe and revoke them; import them."

    def add_subcommands(self) -> None:
        listing = self.subcommand(
            "list",
            _list,
            help_text="List connections, newest first.",
            examples=("", "--tenant acme --status needs_reauth", "--provider hubspot --limit 500 --json"),
        )
        listing.add_argument("--tenant", metavar="SLUG", help="Only one tenant's.")
        listing.add_argument("--provider", metavar="SLUG", help="Only those at one provider.")
        listing.add_argument("--end-user", metavar="ID", help="Only one end user's.")
        listing.add_argument("--status", choices=Status.values, help="Only those with this status.")
        listing.add_argument("--limit", type=_limit, default=50, metavar="N", help="At most this many. Default: 50.")
        self._of_one("show", _show, "Show one connection: its status, why, and what happens next.")
        self._of_one("refresh", _refresh, "Replace its credential by a fresh one now, whatever its due time says.")
        self._of_one("probe", _probe, "Prove now that its credential works, by a cheap call to the provider.")
        reread = self.subcommand(
            "reread",
            _reread,
            help_text="Read again the answers that could not be read, after their catalogue entry was mended.",
            examples=("", "--provider acme-erp", "--connection 0c7f8f2e-8f0b-4f5e-9f3c-0d2b6a1f4c11 --json"),
        )
        reread.add_argument("--connection", metavar="ID", help="Only one connection's.")
        reread.add_argument("--provider", metavar="SLUG", help="Only those at one provider.")
        self._of_one(
            "discard-answer",
            _discard_answer,
            "Destroy its unread answers, tokens included: the next refresh is sent with the refresh token before them.",
        )
        revoke = self._of_one(
            "revoke",
            _revoke,
            "Stop vends at once and have the grant revoked at the provider. The end user can connect it anew.",
        )
        revoke.add_argument("--for-good", action="store_true", help="Disconnect it: it cannot be connected anew.")

        forecast = self.subcommand(
            "forecast",
            show_forecast,
            help_text="List what will end, when and why: connections that no refresh keeps alive, and what is ours.",
            examples=("", "--days 7 --tenant acme", "--days 90 --format csv > ends.csv"),
        )
        add_forecast_arguments(forecast)
        bring = self.subcommand(
            "import",
            run_import,
            help_text="Import connections from another system's export; the same file again goes on where it stopped.",
            examples=(
                "export.csv --tenant acme --provider hubspot --dry-run",
                "nango.json --format nango --tenant acme --map-provider hubspot-prod=hubspot --report report.jsonl",
                "all.jsonl --map-tenant org_1=acme --all-or-nothing",
            ),
        )
        add_arguments(bring)
        report = self.subcommand(
            "import-report",
            show_report,
            help_text="Show what came of each row of an import.",
            examples=("0c7f8f2e-8f0b-4f5e-9f3c-0d2b6a1f4c11", "0c7f8f2e-… --report report.jsonl"),
        )
        report.add_argument("id", metavar="ID", help="The id of the import.")
        report.add_argument("--report", metavar="FILE", help="Write what came of every row there, as JSON Lines.")

    def _of_one(self, name: str, run: Any, help_text: str) -> argparse.ArgumentParser:
        parser = self.subcommand(
            name, run, help_text=help_text, examples=("0c7f8f2e-8f0b-4f5e-9f3c-0d2b6a1f4c11", "0c7f8f2e-… --json")
        )
        parser.add_argument("id", metavar="ID", help="The id of the connection.")
        return parser


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"give a whole number from 1 to {_MOST}")
    return int(text)


def _list(options: dict[str, Any]) -> Answer:
    slug, style = (None, "") if options["provider"] is None else meant_by(options["provider"])
    wanted = {"provider": slug, "end_user": options["end_user"], "status": options["status"]}
    wanted |= {"provider_app__auth_style": style or None}
    found = Connection.objects.select_related("tenant").filter(
        **{name: value for name, value in wanted.items() if value is not None}
    )
    if options["tenant"] is not None:
        found = found.filter(tenant=tenant_named(options["tenant"]))
    data = [_data(connection) for connection in found[: options["limit"]]]
    rows = [
        (row["id"], row["provider"], row["tenant"], row["end_user"] or "(tenant)", row["status"], row["reason"])
        for row in data
    ]
    headings = ("id", "provider", "tenant", "end user", "status", "reason")
    return Answer(data, table(headings, rows, nothing="There are no such connections."))


def _show(options: dict[str, Any]) -> Answer:
    connection, now = _connection(options), database_now()
    attempt = RefreshAttempt.objects.filter(connection=connection, state__in=OPEN_STATES).first()
    incidents = list(Incident.objects.concerning(connection))
    steps = outlook(connection, attempt=attempt, incidents=incidents, hold=hold_of(connection), now=now)
    scopes = list(connection.scopes.all())
    data = _data(connection) | {
        "provider_app": connection.provider_app_id,
        "auth_style": connection.provider_app.auth_style,
        "owner": connection.owner_kind,
        "binding": connection.binding,
        "account_id": connection.provider_account_id,
        "account_name": connection.provider_account_name,
        "scopes_requested": [scope.name for scope in scopes if scope.is_requested],
        "scopes_granted": [scope.name for scope in scopes if scope.is_granted],
        "scopes_required": connection.provider_app.required_scopes,
        "scopes_observed": observed_scopes(scopes),
        "scopes_missing": missing_scopes(connection, scopes),
        "evidence": connection.evidence,
        "version": connection.current_version_id,
        "refresh_due_at": connection.refresh_due_at,
        "refresh_expires_at": connection.refresh_expires_at,
        "grant_expires_at": connection.grant_expires_at,
        "lacks_refresh_token": connection.lacks_refresh_token,
        "probe_due_at": connection.probe_due_at,
        "failures": connection.failures,
        "answer_unread_at": connection.answer_unread_at,
        "last_vended_at": connection.last_vended_at,
        "revocation": connection.revocation,
        "params": connection.params,
        "label": connection.label,
        "default": connection.is_default,
        "metadata": connection.metadata,
    }
    to_come = [{"text": step.text, "at": step.at, "held": step.is_held} for step in steps]
    said = [f"{step.text}{f' ({distance(step.at, now=now)})' if step.at else ''}" for step in steps]
    facts = [(name.replace("_", " "), value) for name, value in data.items()]
    return Answer(data | {"next": to_come}, sheet([*facts, ("next", said)]))


def _refresh(options: dict[str, Any]) -> Answer:
    return _done(on_demand.refresh_on_demand(_connection(options).id, actor=operator()), options)


def _probe(options: dict[str, Any]) -> Answer:
    return _done(on_demand.probe_on_demand(_connection(options).id, actor=operator()), options)


def _reread(options: dict[str, Any]) -> Answer:
    waiting = Connection.objects.filter(unread_answers__isnull=False).distinct()
    if options["provider"] is not None:
        slug, style = meant_by(options["provider"])
        waiting = waiting.filter(provider=slug, **({"provider_app__auth_style": style} if style else {}))
    if options["connection"] is not None:
        waiting = waiting.filter(id=_connection({"id": options["connection"]}).id)
    data = [_read_again(connection) for connection in waiting.order_by("created_at")]
    rows = [(row["id"], row["provider"], "read" if row["read"] else "still unread", row["status"]) for row in data]
    text = table(("id", "provider", "its answer is", "status"), rows, nothing="No answer is waiting to be read.")
    return Answer(data, text, is_success=all(row["read"] for row in data))


def _read_again(connection: Connection) -> dict[str, Any]:
    count, left = reread(connection.id, actor=operator())
    connection.refresh_from_db()
    return {
        "id": connection.id,
        "provider": connection.provider,
        "read": count > 0,
        "left": left,
        "status": connection.status,
        "reason": connection.reason,
    }


def _discard_answer(options: dict[str, Any]) -> Answer:
    count = discard_unread(_connection(options).id, actor=operator())
    told = f"{count} unread answer{'' if count == 1 else 's'} destroyed." if count else "It has no unread answer."
    return Answer({"ok": count > 0, "discarded": count}, told, is_success=count > 0)


def _revoke(options: dict[str, Any]) -> Answer:
    connection = _connection(options)
    keep = not options["for_good"]
    return _done(on_demand.end_on_demand(connection.id, now=database_now(), actor=operator(), keep=keep), options)


def _done(told: Told, options: dict[str, Any]) -> Answer:
    connection = _connection(options)
    data = {"ok": told.is_success, "outcome": told.code, "detail": told.detail, "connection": _data(connection)}
    return Answer(data, f"{told.detail} Its status is {connection.status}.", is_success=told.is_success)


def _connection(options: dict[str, Any]) -> Connection:
    try:
        wanted = uuid.UUID(options["id"])
    except ValueError:
        raise CommandError(f"{options['id']!r} is not an id: `manage.py connections list` shows them.") from None
    found = Connection.objects.select_related("tenant", "provider_app").filter(id=wanted).first()
    if found is None:
        raise CommandError(f"There is no connection {wanted}: `manage.py connections list` shows them.")
    return found


def _data(connection: Connection) -> dict[str, Any]:
    return {
        "id": connection.id,
        "provider": connection.provider,
        "tenant": connection.tenant.slug,
        "end_user": connection.end_user or None,
        "status": connection.status,
        "reason": connection.reason,
        "paused": connection.paused_at is not None,
        "suspended": connection.suspended_at is not None,
        "access_expires_at": connection.access_expires_at,
        "verified_at": connection.verified_at,
        "verified_by": connection.verified_by,
        "created_at": connection.created_at,
    }
