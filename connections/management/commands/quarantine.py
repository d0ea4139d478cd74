"""``manage.py quarantine``: refresh tokens that wait because the database was put back to an earlier moment."""

import uuid
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Q

from connections.database.clock import database_now, in_utc
from connections.lifecycle.quarantine.begin import begin_quarantine
from connections.lifecycle.quarantine.pulse import beat
from connections.lifecycle.quarantine.release import Unsorted, release
from connections.lifecycle.quarantine.sort import PATIENCE, sort_held
from connections.lifecycle.quarantine.standing import standing
from connections.management.operator_command import OperatorCommand, operator, tenant_named
from connections.management.output import Answer, table
from connections.models import HeldConnection, RewindCause
from connections.models.quarantine import held, holding

_SHOWN = 200
_MINUTES = int(PATIENCE.total_seconds() // 60)
_WAITS = (
    "Everything is held: what Redis remembers says which refresh tokens are safe. Bring it back. Where it is lost:"
    " `manage.py quarantine sort --without-redis`, as workers do by themselves when it has not answered for"
    f" {_MINUTES} minutes; then everything that may rotate waits as not known."
)


class Command(OperatorCommand):
    help = "Show whose refresh tokens wait because the database was restored, and release them."

    def add_subcommands(self) -> None:
        self.subcommand(
            "status",
            _status,
            help_text="Say whether the database was put back, and how many connections of each tenant wait.",
            examples=("", "--json"),
        )
        begun = self.subcommand(
            "begin",
            _begin,
            help_text=(
                "Say that the database was put back, where Latchkey cannot notice it by itself: nothing is refreshed"
                " that is not known to be safe."
            ),
            examples=("--rewound-to 2026-03-01T12:00:00Z", ""),
        )
        begun.add_argument(
            "--rewound-to",
            type=_moment,
            metavar="TIME",
            help="From when its data is; default: not known, everything waits.",
        )
        sorted_ = self.subcommand(
            "sort",
            _sort,
            help_text="Sort which connections have to wait, and let the others go, as a worker does within seconds.",
            examples=("", "--without-redis"),
        )
        sorted_.add_argument(
            "--without-redis",
            action="store_true",
            help=(
                "Redis is lost: do not wait for what it remembers. Everything whose provider may rotate refresh tokens"
                " waits as not known."
            ),
        )
        listed = self.subcommand(
            "list", _list, help_text="List the connections that wait.", examples=("--tenant acme", "--json")
        )
        listed.add_argument("--tenant", metavar="SLUG")
        let_go = self.subcommand(
            "release",
            _release,
            help_text=(
                "Let connections refresh again with the refresh tokens that they have. Those of which it is known that"
                " the token was used are left out: their end users connect again."
            ),
            examples=("--tenant acme", "--connection 0b9c2d1e-6a55-4c59-8f3a-0b6f6d1f7a11", "--all"),
        )
        which = let_go.add_mutually_exclusive_group(required=True)
        which.add_argument("--tenant", metavar="SLUG", help="All that wait of one tenant.")
        which.add_argument("--connection", type=uuid.UUID, metavar="ID", help="One connection.")
        which.add_argument("--all", action="store_true", help="All that wait.")
        let_go.add_argument(
            "--with-used",
            action="store_true",
            help="Also those whose token was used. Where the provider is strict, that ends their grants.",
        )


def _moment(text: str) -> datetime:
    return in_utc(datetime.fromisoformat(text))


def _status(options: dict[str, Any]) -> Answer:
    now = database_now()
    found = standing(now=now)
    data = asdict(found) | {"waits": found.waits}
    if found.quarantined_at is None and not found.is_everything_held:
        return Answer(data, "There is no quarantine: nothing says that the database was put back.")
    shown = table(
        ("tenant", "waits", "token used", "vends now"),
        [(one.tenant, one.waits, one.used, one.vends) for one in found.tenants],
        nothing="No connection waits.",
    )
    said = [
        f"Begun {found.quarantined_at} ({found.cause}); the data is from {found.rewound_to or 'nobody knows when'}."
    ]
    if found.waits_for_redis_since is not None:
        said.append(f"Redis does not answer since {found.waits_for_redis_since}. {_WAITS}")
    elif found.is_everything_held:
        said.append("Everything is held until it is sorted, which a worker does within seconds.")
    return Answer(data, "\n".join([*said, "", shown]))


def _begin(options: dict[str, Any]) -> Answer:
    now = database_now()
    if options["rewound_to"] is not None and options["rewound_to"] > now:
        raise CommandError("--rewound-to lies ahead: give the moment from which the data is.")
    beat(now=now)
    begin_quarantine(RewindCause.ORDERED, rewound_to=options["rewound_to"], actor=operator(), now=database_now())
    counts = sort_held(now=database_now())
    return Answer({"sorted": counts}, f"Quarantine is begun. {_sorted(counts)} See `manage.py quarantine status`.")


def _sort(options: dict[str, Any]) -> Answer:
    counts = sort_held(now=database_now(), ordered_by=operator() if options["without_redis"] else None)
    if counts is None and not holding().exists():
        return Answer({"sorted": None}, "There is nothing to sort.")
    return Answer({"sorted": counts}, _sorted(counts))


def _sorted(counts: dict[str, int] | None) -> str:
    if counts is None:
        found = standing(now=database_now())
        return _WAITS if found.waits_for_redis_since is not None else "Everything is held until a worker has sorted it."
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    return f"Sorted: {said or 'nothing that is refreshed'}."


def _list(options: dict[str, Any]) -> Answer:
    tenant = tenant_named(options["tenant"])
    rows = HeldConnection.objects.filter(held()).select_related("connection__tenant")
    if tenant is not None:
        rows = rows.filter(connection__tenant=tenant)
    found = [
        {
            "connection": row.connection_id,
            "tenant": row.connection.tenant.slug,
            "provider": row.connection.provider,
            "end_user": row.connection.end_user,
            "token": row.verdict,
            "access_expires_at": row.connection.access_expires_at,
        }
        for row in rows[:_SHOWN]
    ]
    text = table(
        ("connection", "tenant", "provider", "end user", "token", "vends until"),
        [list(row.values()) for row in found],
        nothing="No connection waits.",
    )
    return Answer(found, text)


def _release(options: dict[str, Any]) -> Answer:
    tenant = tenant_named(options["tenant"])
    which = Q() if options["all"] else Q(connection__tenant=tenant)
    if options["connection"] is not None:
        which = Q(connection_id=options["connection"])
    sort_held(now=database_now())  # as a worker does within seconds: where none runs yet, it is done here
    try:
        count = release(which, with_used=options["with_used"], actor=operator(), now=database_now())
    except Unsorted:
        raise CommandError(
            f"Nothing is released: it cannot be told yet which connections have to wait. {_sorted(None)}"
        ) from None
    left = HeldConnection.objects.filter(which, held()).count()
    said = f"{count} connections refresh again."
    if left:
        said += f" {left} were left out, whose refresh token was used: their end users have to connect again."
    return Answer({"released": count, "left": left}, said)
