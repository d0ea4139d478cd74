"""Renew: keep a registration alive before its secret ends, and end those that nobody uses any more.

Where the server offers the management of a registration (RFC 7592), it is updated, and keeps its client id. Elsewhere,
or where the update brings no later end, a new registration takes its place for whoever connects from then on; the
connections of before keep the old one as long as its secret lasts.
"""

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from connections.access.targets import redirect_uri
from connections.database.locks import lock_registered_client
from connections.database.pool import LockTimeout, release_database, short_transaction
from connections.journal import audit
from connections.lifecycle.registration.document import metadata_of
from connections.lifecycle.registration.obtain import LEASE, refusal_of, tell
from connections.lifecycle.registration.sealed import management_of, record, secrets_of
from connections.models import (
    UNFINISHED,
    Connection,
    ConnectSession,
    RegisteredClient,
    RegistrationWay,
    Revocation,
    Status,
)
from connections.refusals import AppMisconfigured, NotFound, ProviderDown, Refusal
from connections.vault.sealing import Unreadable
from providers.errors import ClientRejected, ProviderError, ProviderUnavailable
from providers.oauth import registration
from providers.oauth.registration import Management, Registered

RENEWED = "provider_app.registration_renewed"
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Renewed:
    """The current registration after a renewal. ``is_new``: it has another client id than before."""

    client: RegisteredClient
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the server made of a renewal; ``new_id`` is the id of the row of a registration made anew, else None."""

    registered: Registered
    new_id: uuid.UUID | None = None


def renew_due(*, now: datetime, limit: int = 20) -> int:
    """Renew the registrations whose secrets end soon. Return how many are renewed. HTTP, one after the other.

    One that fails in a way that nobody foresaw does not stop the others: all such failures are raised at the end, as
    ``ExceptionGroup``.
    """
    due = RegisteredClient.objects.filter(renew_at__lte=now, replaced_at=None).exclude(client_id="")
    free = due.filter(Q(claimed_until=None) | Q(claimed_until__lte=now)).order_by("renew_at")
    done, failures = 0, []
    for client_id in list(free.values_list("id", flat=True)[:limit]):
        try:
            renew(client_id, actor=audit.SYSTEM)
            done += 1
        except (Refusal, LockTimeout):
            continue
        except Exception as failure:  # noqa: BLE001 (all failures are raised together below)
            failures.append(failure)
            release_database()
    if failures:
        raise ExceptionGroup("Registrations could not be renewed.", failures)
    return done


def renew(client_id: uuid.UUID, *, actor: audit.Actor) -> Renewed:
    """Renew one registration at its server. HTTP between two short transactions, each of which locks the row.

    Raises ``NotFound``, ``ProviderDown`` and ``AppMisconfigured``, after which the registration is as it was.
    """
    with short_transaction() as now:
        client = lock_registered_client(id=client_id, replaced_at=None)
        if client is None or not client.is_registered:
            raise NotFound("There is no such registration, or another one has taken its place.")
        if client.way != RegistrationWay.DYNAMIC:
            return Renewed(client, is_new=False)  # the server fetches the document; nothing of it ends
        if client.is_claimed(now=now):
            raise ProviderDown("Another process is renewing this registration. Try again soon.")
        try:
            management, secrets = management_of(client), secrets_of(client)
        except Unreadable:
            raise AppMisconfigured("The registration does not open: its key may be missing.") from None
        until = now + LEASE
        client.claim(until=until)
    release_database()
    outcome: _Answer | ProviderError
    try:
        outcome = _ask(client, management, is_due=client.renew_at is not None and client.renew_at <= now)
    except ProviderError as error:
        outcome = error
    with short_transaction() as now:
        locked = lock_registered_client(id=client_id, replaced_at=None)
        if locked is None or locked.claimed_until != until:
            raise ProviderDown("The renewal took long. Try again.")
        if isinstance(outcome, _Answer):
            current = locked if outcome.new_id is None else _successor(locked, outcome.new_id, now=now)
            earlier = secrets if outcome.new_id is None else ()
            record(current, outcome.registered, discovered=client.discovered, earlier=earlier, now=now)
            tell(RENEWED, current, actor=actor)
            return Renewed(current, is_new=outcome.new_id is not None)
        refusal = refusal_of(outcome, client.issuer)
        locked.fail(refusal.detail, try_again_at=now + _pause(locked, now=now))
        tell(RENEWED, locked, actor=actor, failure=outcome)
    raise refusal


def _ask(client: RegisteredClient, management: Management | None, *, is_due: bool) -> _Answer:
    """Update the registration, or register anew where that brings no later end although it ``is_due``. HTTP."""
    app, discovered = client.provider_app, client.discovered
    if management is not None:
        updated = _updated(client, management, is_due=is_due)
        keeps_id = updated is not None and updated.client_id == client.client_id
        if updated is not None and keeps_id and (_lasts_longer(updated, client) or not is_due):
            return _Answer(updated)
    new_id = uuid.uuid4()
    return _Answer(registration.register(discovered["registration"], metadata_of(app, new_id, discovered)), new_id)


def _updated(client: RegisteredClient, management: Management, *, is_due: bool) -> Registered | None:
    """Update the registration; None where the next step is a new one. HTTP.

    So it is where the server knows the client no more, and, once it ``is_due``, where it takes no update or gives an
    answer that nobody can use. A server that cannot answer now is asked again later.
    """
    ends_at = client.secret_expires_at
    try:
        return registration.update(
            management,
            metadata_of(client.provider_app, client.id, client.discovered),
            client_id=client.client_id,
            secret_expires_at=None if ends_at is None else int(ends_at.timestamp()),
        )
    except ClientRejected:
        return None
    except ProviderUnavailable:
        raise
    except ProviderError:
        if not is_due:
            raise
        return None


def _lasts_longer(updated: Registered, client: RegisteredClient) -> bool:
    if updated.secret_expires_at is None or client.secret_expires_at is None:
        return updated.secret_expires_at is None
    return updated.secret_expires_at > client.secret_expires_at.timestamp() + 1


def _successor(client: RegisteredClient, new_id: uuid.UUID, *, now: datetime) -> RegisteredClient:
    """Insert the row of a registration that takes the place of the locked ``client``."""
    client.replace(at=now)
    return RegisteredClient.objects.create(
        id=new_id,
        provider_app=client.provider_app,
        issuer=client.issuer,
        way=client.way,
        redirect_uri=redirect_uri(new_id),
        discovered=client.discovered,
        looked_at=client.looked_at,
    )


def _pause(client: RegisteredClient, *, now: datetime) -> timedelta:
    """Return how long to wait after a failure: a quarter of what is left, a minute at least and an hour at most."""
    left = LONGEST_PAUSE if client.secret_expires_at is None else (client.secret_expires_at - now) / 4
    return min(max(left, SHORTEST_PAUSE), LONGEST_PAUSE)


def end_unused(*, limit: int = 20) -> int:
    """End the replaced registrations that no connection and no session needs any more. Return how many. HTTP.

    Where the server offers that, the registration is deleted there, too (RFC 7592 §2.3).
    """
    ended = 0
    for client in list(_unused().select_related("provider_app__tenant").order_by("replaced_at")[:limit]):
        try:
            management = management_of(client)
        except Unreadable:
            management = None
        release_database()
        if management is not None:
            with suppress(ProviderError):  # it ends with its secret by itself
                registration.delete(management)
        with short_transaction():
            locked = lock_registered_client(id=client.id)
            if locked is not None and _unused().filter(id=client.id).exists():
                Connection.objects.filter(registered_client=locked).leave_client()
                locked.delete()
                ended += 1
    return ended


def _unused() -> QuerySet[RegisteredClient]:
    in_use = Connection.objects.exclude(Q(status=Status.DISCONNECTED) & ~Q(revocation=Revocation.PENDING))
    waiting = ConnectSession.objects.filter(registered_client__isnull=False, state__in=UNFINISHED)
    return (
        RegisteredClient.objects.filter(replaced_at__isnull=False)
        .exclude(id__in=in_use.filter(registered_client__isnull=False).values("registered_client_id"))
        .exclude(id__in=waiting.values("registered_client_id"))
    )
