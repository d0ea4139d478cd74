"""Rows that end, each of one cause."""

from datetime import datetime, timedelta
from typing import Any

from connections.database.clock import database_now
from connections.lifecycle.forecast.causes import Cause
from connections.lifecycle.forecast.upcoming import Ending, Position, upcoming
from connections.models import AppKey, Connection, HeldConnection, ProviderApp, RegisteredClient, Tenant, TokenVerdict
from connections.models.registered_client import RegistrationWay
from tests.connections.api.stored import make_app, make_connection


def keyed_app(tenant: Tenant) -> ProviderApp:
    """Return an app of ``tenant`` whose end users paste a key."""
    found = ProviderApp.objects.filter(tenant=tenant, auth_style="api_key").first()
    return found or make_app(tenant, auth_style="api_key", client_id="", client_secrets=())


def ending(tenant: Tenant, cause: Cause, at: datetime, **changes: Any) -> Connection:
    """Make a connection of ``tenant`` that ends of ``cause`` at ``at``; of a crowd since then."""
    columns: dict[str, Any]
    match cause:
        case Cause.GRANT:
            columns = {"grant_expires_at": at}
        case Cause.CREDENTIAL:
            columns = {"refresh_due_at": None, "access_expires_at": at}
        case Cause.UNUSED:
            columns = {"refresh_expires_at": at, "refresh_due_at": database_now() - timedelta(days=1)}
        case Cause.QUARANTINE:
            return _held(make_connection(tenant, access_expires_at=at, **changes))
        case Cause.CROWDED:
            columns = {"crowded_at": at}
        case _:
            columns = {"refresh_due_at": None, "access_expires_at": None, "authorized_at": at - timedelta(days=90)}
            columns["provider_app"] = keyed_app(tenant)
    return make_connection(tenant, **columns, **changes)


def _held(row: Connection) -> Connection:
    HeldConnection.objects.create(connection=row, verdict=TokenVerdict.UNKNOWN, held_at=database_now())
    return row


def certificate(app: ProviderApp, at: datetime) -> AppKey:
    """Give ``app`` a key whose certificate ends at ``at``."""
    columns = {"algorithm": "RS256", "public_key": "-", "signs_from": database_now(), "certificate_ends_at": at}
    return AppKey.objects.create(provider_app=app, kid=f"kid-{at:%f%s}", private_key=b"sealed", **columns)


def client_secret(app: ProviderApp, at: datetime, problem: str) -> RegisteredClient:
    """Give ``app`` a registration whose secret ends at ``at``."""
    columns = {"issuer": f"https://as.example/{problem}", "way": RegistrationWay.DYNAMIC, "looked_at": database_now()}
    return RegisteredClient.objects.create(provider_app=app, secret_expires_at=at, problem=problem, **columns)


def foreseen(*, days: float = 30, limit: int = 100, tenant: Tenant | None = None, **changes: Any) -> list[Ending]:
    """Return what ends within ``days``, of one tenant's connections or of all rows."""
    now = database_now()

    def see(rows: Any) -> Any:
        if tenant is None:
            return rows
        path = "tenant" if rows.model in (Connection, ProviderApp) else "provider_app__tenant"
        return rows.filter(**{path: tenant})

    return upcoming(see=see, until=now + timedelta(days=days), now=now, limit=limit, **changes)


def paged(limit: int, **changes: Any) -> list[Ending]:
    """Read all pages of ``limit``."""
    found: list[Ending] = []
    after: Position | None = None
    while page := foreseen(limit=limit, after=after, **changes):
        found += page
        after = Position.read(str(page[-1].position))
    return found
