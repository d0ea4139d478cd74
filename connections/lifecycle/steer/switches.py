"""Switches: what an operator turns off, and on again.

Suspending takes effect on the next vend; pausing stops only background work. The switches are flags beside the status:
turning one changes nothing else, so turning it back restores the state of before. Tokens that act for subjects are
forgotten, though: each is exchanged anew. Each change writes an audit row, in one transaction. A switch that already
stands as asked is not changed. Each raises what ``check`` raises of the locked row.
"""

from datetime import datetime
from typing import Any

from connections.database.locks import RowCheck, lock_connection, lock_to_compare
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.credentials.subject_tokens import forget_subject_tokens
from connections.models import ApiClient, Connection, ProviderApp, Tenant
from connections.models.bundle import has_moved
from connections.models.switches import KILL_SWITCH, PAUSE
from connections.refusals import InvalidRequest

Suspendable = Tenant | ProviderApp | ApiClient | Connection

Pausable = ProviderApp | Connection

_KINDS: dict[type, str] = {
    Tenant: "tenant",
    ProviderApp: "provider_app",
    ApiClient: "api_client",
    Connection: "connection",
}


def suspend(subject: Suspendable, *, now: datetime, actor: audit.Actor, check: RowCheck | None = None) -> bool:
    """Switch ``subject`` off: none of its connections vends or refreshes any more. Return False if it was off."""
    return _turn(subject, KILL_SWITCH, now, verb="suspended", actor=actor, check=check)


def resume(subject: Suspendable, *, actor: audit.Actor, check: RowCheck | None = None) -> bool:
    """Switch ``subject`` on again. Return False if it was on already.

    Raises ``InvalidRequest`` for a tenant that is being deleted or has moved: such a tenant stays off.
    """
    return _turn(subject, KILL_SWITCH, None, verb="resumed", actor=actor, check=check)


def suspend_within(subject: Tenant | ApiClient, *, now: datetime, actor: audit.Actor) -> bool:
    """Do as ``suspend``, in the caller's transaction."""
    return _turn_within(subject, KILL_SWITCH, now, verb="suspended", actor=actor)


def resume_within(client: ApiClient, *, actor: audit.Actor) -> bool:
    """Do as ``resume``, in the caller's transaction."""
    return _turn_within(client, KILL_SWITCH, None, verb="resumed", actor=actor)


def pause(subject: Pausable, *, now: datetime, actor: audit.Actor, check: RowCheck | None = None) -> bool:
    """Stop refreshing and probing ``subject``; valid credentials still vend. Return False if it was paused already."""
    return _turn(subject, PAUSE, now, verb="paused", actor=actor, check=check)


def unpause(subject: Pausable, *, actor: audit.Actor, check: RowCheck | None = None) -> bool:
    """Refresh and probe ``subject`` again. Return False if it was not paused."""
    return _turn(subject, PAUSE, None, verb="unpaused", actor=actor, check=check)


def compare(subject: Suspendable, check: RowCheck) -> None:
    """Let ``check`` see the locked row where no switch is to be turned. One short transaction."""
    with short_transaction():
        lock_to_compare(subject, check)


def _turn(
    subject: Suspendable,
    column: str,
    value: datetime | None,
    *,
    verb: str,
    actor: audit.Actor,
    check: RowCheck | None,
) -> bool:
    with short_transaction():
        if check is not None:
            lock_to_compare(subject, check)
        return _turn_within(subject, column, value, verb=verb, actor=actor)


def _turn_within(subject: Suspendable, column: str, value: datetime | None, *, verb: str, actor: audit.Actor) -> bool:
    kind = _KINDS[type(subject)]
    if not _write(subject, column, value):
        return False
    if value is not None:
        forget_subject_tokens(subject)
    if isinstance(subject, Connection):
        audit.record(f"{kind}.{verb}", actor=actor, connection=subject)
    else:
        tenant_id = subject.id if isinstance(subject, Tenant) else subject.tenant_id
        audit.record(f"{kind}.{verb}", actor=actor, tenant_id=tenant_id, detail={kind: str(subject.id)})
    setattr(subject, column, value)
    return True


def _write(subject: Suspendable, column: str, value: datetime | None) -> bool:
    if isinstance(subject, Connection):
        locked = lock_connection(subject.id)
        if locked is not None and locked.is_canary and column == PAUSE:
            return False  # it is never refreshed, and never seems to be paused
        if locked is None or (getattr(locked, column) is None) == (value is None):
            return False
        locked.turn(column, value)
        return True
    other_way: dict[str, Any] = {"pk": subject.pk, f"{column}__isnull": value is not None}
    if isinstance(subject, Tenant) and value is None:
        if Tenant.objects.filter(pk=subject.pk, shred_at__isnull=False).exists():
            raise InvalidRequest("This tenant is being deleted: it stays suspended.", field="tenant")
        if has_moved(subject.pk):
            raise InvalidRequest(
                "This tenant has moved to another installation, which refreshes its grants: two would end them. If it"
                " never arrived there, `manage.py tenants take-back` says so first.",
                field="tenant",
            )
        other_way["shred_at"] = None
    return bool(type(subject)._default_manager.filter(**other_way).update(**{column: value}))
