"""Use of API clients, written into the audit trail as vends write it, at moments of a simulated time."""

import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connection
from psycopg import sql

from connections.database.clock import database_now
from connections.journal.audit import ALLOWED
from connections.lifecycle.watch.look import watch_use
from connections.models import ApiClient, AuditEvent, ClientUse, Finding, Tenant
from tests.factories import make_caller

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
HOME = "198.51.100.7"
ELSEWHERE = "203.0.113.9"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def ids(count: int) -> list[uuid.UUID]:
    """Return so many ids of connections."""
    return [uuid.uuid4() for _ in range(count)]


@dataclass
class Trail:
    """The audit trail, written on; ``watch`` has the beat look at it."""

    rows: list[AuditEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Have the beat look for the first time."""
        watch_use(now=MONDAY - DAY, seconds=10)

    def use(
        self,
        client: ApiClient,
        at: datetime,
        connections: Iterable[uuid.UUID],
        *,
        address: str = HOME,
        decision: str = ALLOWED,
        subject: str = "",
    ) -> None:
        """Have ``client`` vend these connections, one a second, with this outcome."""
        is_unknown = decision == "not_found"
        for second, one in enumerate(connections):
            self.rows.append(
                AuditEvent(
                    at=at + timedelta(seconds=second),
                    action="credential.vend",
                    decision=decision,
                    api_client_id=client.id,
                    tenant_id=client.tenant_id,
                    connection_id=None if is_unknown else one,
                    detail={"asked_for": str(one)} if is_unknown else {},
                    address=address,
                    subject=subject,
                )
            )

    def watch(self, now: datetime) -> None:
        """Write what was done up to ``now``, in its order, and have the beat look."""
        due = sorted((row for row in self.rows if row.at <= now), key=lambda row: row.at)
        self.rows = [row for row in self.rows if row.at > now]
        _write(due)
        watch_use(now=now, seconds=60)


def _write(rows: Iterable[AuditEvent]) -> None:
    """Insert rows by COPY: ten thousand by ``bulk_create`` take as long as all that looks at them."""
    names = ("at", "action", "decision", "api_client_id", "tenant_id", "connection_id", "detail", "address", "subject")
    fields = [one for one in AuditEvent._meta.concrete_fields if one.attname in names]
    table = sql.Identifier(AuditEvent._meta.db_table)
    columns = sql.SQL(", ").join(sql.Identifier(one.column) for one in fields)
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(table, columns)
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row([one.get_db_prep_save(getattr(row, one.attname), connection) for one in fields])


def client_of(tenant: Tenant | None, name: str, *, made_at: datetime = MONDAY - 60 * DAY) -> ApiClient:
    """Make an API client, as of a simulated moment."""
    client = make_caller(tenant, name).client
    ApiClient.objects.filter(id=client.id).update(created_at=made_at)
    client.keys.update(created_at=made_at, expires_at=database_now() + 365 * DAY)
    client.refresh_from_db()
    return client


def settled_in(trail: Trail, client: ApiClient, connections: list[uuid.UUID], *, days: int = 10) -> datetime:
    """Have ``client`` use its connections from home for so many days. Return when the next day begins."""
    for day in range(days):
        trail.use(client, MONDAY + day * DAY + 9 * HOUR, connections)
        trail.watch(MONDAY + day * DAY + 12 * HOUR)
    assert ClientUse.objects.get(client=client).last_at < MONDAY + days * DAY
    assert not Finding.objects.exists()
    return MONDAY + days * DAY


@dataclass
class Installation:
    """A believable one: what its services do on one day after the other, by chance."""

    trail: Trail
    tenants: list[Tenant]
    chance: random.Random

    def __post_init__(self) -> None:
        """Make the clients."""
        acme, globex = self.tenants
        self.product = client_of(acme, "product")
        self.other = client_of(globex, "product")
        self.batch = client_of(None, "nightly batch")
        self.agents = client_of(None, "agents")
        self.monthly = client_of(acme, "monthly report")
        self.weekly = client_of(globex, "weekly report")
        self.billing = client_of(acme, "billing")
        self.fleet = {client.id: ids(count) for client, count in ((self.product, 60), (self.other, 30))}
        self.hosts = {client.id: 7 for client in (self.product, self.other, self.batch, self.agents)}
        self.gone: list[uuid.UUID] = []
        self.onboarded: ApiClient | None = None

    def everything(self) -> list[uuid.UUID]:
        """Return all connections that there are."""
        return [one for fleet in self.fleet.values() for one in fleet]

    def address_of(self, client: ApiClient, *, network: str) -> str:
        """Return from where ``client`` calls today: a deployment moves it within its network now and then."""
        if self.chance.random() < 0.5:
            self.hosts[client.id] = self.chance.randint(1, 254)
        return f"{network}.{self.hosts[client.id]}"

    def live(self, day: datetime) -> None:
        """Do what is done on one day."""
        is_weekend = day.weekday() >= 5
        for client, network in ((self.product, "198.51.100"), (self.other, "192.0.2")):
            fleet = self.fleet[client.id]
            fleet += ids(max(1, len(fleet) // 20))  # five percent a day
            address = self.address_of(client, network=network)
            for _ in range(int(len(fleet) * self.chance.uniform(0.5, 1.5) * (0.2 if is_weekend else 1.0))):
                hour = 13 if self.chance.random() < 0.2 else self.chance.triangular(7, 20, 14)
                self.trail.use(client, day + hour * HOUR, [self.chance.choice(fleet)], address=address)
            # A few people ask for what is not theirs, a few times.
            odd = self.chance.sample(fleet, self.chance.randint(0, 6)) * 3
            self.trail.use(client, day + 11 * HOUR, odd, address=address, decision="policy_denied")
        night = day + timedelta(hours=2, minutes=self.chance.randint(0, 30))
        at_night = self.address_of(self.batch, network="10.20.30")
        self.trail.use(self.batch, night, self.everything(), address=at_night)
        self.trail.use(self.batch, night + HOUR, self.gone, address=at_night, decision="not_found")
        for _ in range(20):
            hour = self.chance.uniform(0, 24)
            address = self.address_of(self.agents, network="10.1.2")
            self.trail.use(self.agents, day + hour * HOUR, [self.chance.choice(self.everything())], address=address)
        if day.weekday() == 6:
            self.trail.use(self.weekly, day + 4 * HOUR, self.fleet[self.other.id], address="192.0.2.99")
        if day.day == 1:
            self.trail.use(self.monthly, day + 5 * HOUR, self.fleet[self.product.id], address="198.51.100.20")
        # Somebody new each day, and once a month everybody.
        billed = self.fleet[self.product.id] if day.day == 1 else self.fleet[self.product.id][-1:]
        self.trail.use(self.billing, day + 6 * HOUR, billed, address="198.51.100.21")

    def onboard(self, day: datetime, tenant: Tenant) -> None:
        """Have a new tenant connect all its people in one day, from a network that nobody has used before."""
        self.onboarded = client_of(tenant, "new product", made_at=day + 8 * HOUR)
        fleet = self.fleet[self.onboarded.id] = ids(120)
        self.hosts[self.onboarded.id] = 5
        for place, one in enumerate(fleet):
            at = day + 9 * HOUR + place * timedelta(minutes=3)
            self.trail.use(self.onboarded, at, [one, one], address="203.0.113.5")

    def offboard(self) -> None:
        """Lose a third of the second fleet at once; the nightly batch asks for it until somebody tells it."""
        fleet = self.fleet[self.other.id]
        self.gone, self.fleet[self.other.id] = fleet[: len(fleet) // 3], fleet[len(fleet) // 3 :]
