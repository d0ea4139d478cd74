"""On demand: a refresh, a probe or an ending that an operator asks for, with its audit row and the outcome in words.

``refresh`` and ``probe`` do the work. These functions are for a person at a screen, and return what happened in words.
For one connection or a few they do the work at once (``*_on_demand``); for many they order it from a worker
(``order_*``).
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from connections import dispatch
from connections.access.switched_off import switched_off
from connections.database.clock import database_now
from connections.database.locks import lock_connection
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.credentials.reread import discard_unread, reread
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.quarantine.release import Unsorted, release
from connections.lifecycle.quarantine.standing import hold_of
from connections.lifecycle.refresh.claim import FLOOR, Need, Outcome, RefreshReport
from connections.lifecycle.refresh.refresh import refresh_and_wait
from connections.models import VENDS, Connection, CredentialVersion, Revocation, Status, TokenVerdict, Trigger
from providers.vocabulary import ProbeVerdict

_SENT_AGAIN_AFTER = timedelta(seconds=60)
_REFRESHED = {
    Outcome.REFRESHED: "Refreshed: a fresh credential is in use.",
    Outcome.FRESH: "Nothing to do: somebody else has just refreshed it.",
    Outcome.TOO_SOON: "Nothing to do: it was refreshed less than 10 s ago.",
    Outcome.IN_FLIGHT: "Another refresh is under way and has not ended within 10 s: look again shortly.",
    Outcome.BACKING_OFF: "Not tried: refreshes are held back after failures.",
    Outcome.HELD_BACK: "Not tried: the provider is not asked for a while, because it wanted that or does not answer.",
    Outcome.CROWDED: "Not tried: many calls to this provider wait for an answer already. Try again in a few seconds.",
    Outcome.UNAVAILABLE: "The provider could not answer: the credential stays, and the refresh is tried again.",
    Outcome.REFUSED: "The provider refused the grant: the page of the connection says what follows.",
    Outcome.CLIENT_REJECTED: "The provider refuses our client registration: check the provider app.",
    Outcome.MOVED: (
        "Not tried: the provider app's endpoints are not those that gave this credential. Put them back, or let the "
        "end user connect again."
    ),
    Outcome.ANSWER_UNREAD: "Not tried: the last answer could not be read, and is kept. Mend the entry and have it read "
    "again (`manage.py connections reread`), or discard it (`discard-answer`) and refresh with the old token.",
    Outcome.NOT_REFRESHABLE: "It cannot be refreshed: the provider gave nothing to refresh it with.",
    Outcome.UNREADABLE: "The stored credential does not open: a key of the vault may be missing.",
    Outcome.ABORTED: "Nothing was sent: this process stood still for too long. Try again.",
    Outcome.SWITCHED_OFF: "Not tried: the connection, its tenant or its provider app is paused or suspended.",
    Outcome.QUARANTINED: (
        "Not tried: the database was restored, and the stored refresh token may have been replaced since. Release it"
        " if you know better, or let the end user connect again."
    ),
    Outcome.GONE: "There is nothing to refresh: the connection is not in use.",
}

_PROBED = {
    ProbeVerdict.ALIVE: "Alive: the provider accepted the credential.",
    ProbeVerdict.DEAD: "Refused: the provider did not accept the credential.",
    ProbeVerdict.FORBIDDEN: "Forbidden: the provider knows the credential, but does not allow this call.",
    ProbeVerdict.UNAVAILABLE: "Unknown: the provider could not answer, so nothing follows from it.",
}

_REVOCATIONS = {
    Revocation.PENDING: "The provider is being asked to revoke the grant, and will be tried until it is confirmed.",
    Revocation.UNSUPPORTED: "The provider has no call to revoke the grant; the stored secrets are destroyed.",
    Revocation.WITHHELD: (
        "The grant is left alone at the provider, because another connection lives on it; the stored secrets are"
        " destroyed."
    ),
    Revocation.CONFIRMED: "The provider has confirmed the revocation; the stored secrets are destroyed.",
    Revocation.UNCONFIRMED: "The provider never confirmed the revocation; the stored secrets are destroyed.",
    Revocation.IGNORED: (
        "The provider said yes to the revocation, but its credential still worked a day later: end it there. The stored"
        " secrets are destroyed."
    ),
    Revocation.NOT_ASKED: "",
}


@dataclass(frozen=True, slots=True)
class Told:
    """The outcome: a stable ``code``, a sentence for people, and after how long a new request can achieve more."""

    is_success: bool
    code: str
    detail: str
    retry_after_seconds: float | None = None


_UNSORTED = Told(False, "unsorted", "Everything waits until it is sorted, by a worker and once Redis answers.", 5.0)


def refresh_on_demand(connection_id: uuid.UUID, *, actor: audit.Actor, trigger: Trigger = Trigger.OPERATOR) -> Told:
    """Replace the current credential of one connection now, whatever its due time and backoff say.

    Does nothing within 10 s of the last refresh. Waits up to 10 s for a refresh that is under way. HTTP: no transaction
    may be open. Raises ``Suspended`` and ``Paused``.
    """
    connection = _asked_about("connection.refresh", connection_id, actor=actor)
    if connection is None:
        return Told(False, Outcome.GONE, "There is no such connection.")
    need = Need(instead_of=connection.current_version_id, at_once=True)
    report = _too_soon(connection) or refresh_and_wait(connection_id, trigger=trigger, need=need)
    is_success = report.outcome in (Outcome.REFRESHED, Outcome.FRESH)
    audit.record(
        "connection.refresh",
        decision=audit.ALLOWED if is_success else report.outcome.value,
        actor=actor,
        connection=connection,
        detail={"attempt": str(report.attempt_id)} if report.attempt_id else {},
    )
    return Told(is_success, report.outcome, _REFRESHED[report.outcome], report.retry_after_seconds)


def probe_on_demand(connection_id: uuid.UUID, *, actor: audit.Actor, trigger: Trigger = Trigger.OPERATOR) -> Told:
    """Prove now that the credential of one connection works. HTTP: no transaction may be open.

    Raises ``Suspended`` and ``Paused``.
    """
    connection = _asked_about("connection.probe", connection_id, actor=actor)
    if connection is None:
        return Told(False, "gone", "There is no such connection.")
    found = probe(connection_id, trigger=trigger)
    code = "not_probed" if found.verdict is None else found.verdict.value
    is_success = found.verdict is ProbeVerdict.ALIVE
    audit.record("connection.probe", decision=audit.ALLOWED if is_success else code, actor=actor, connection=connection)
    if found.verdict is None:
        return Told(False, code, found.detail)
    now = Connection.objects.only("status", "reason").filter(id=connection_id).first()
    follows = ""
    if found.verdict is ProbeVerdict.DEAD and now is not None:
        follows = f" The connection is {now.get_status_display().lower()} now ({now.get_reason_display()})."
    return Told(is_success, code, _PROBED[found.verdict] + follows)


def reread_on_demand(connection_id: uuid.UUID, *, actor: audit.Actor) -> Told:
    """Try again to read the unread answers of one connection. Nothing is sent to the provider."""
    count, left = reread(connection_id, actor=actor)
    if count:
        return Told(True, "read", "Read: what the provider had answered is in use.")
    if left:
        return Told(False, "unread", "It still cannot be read: say in the catalogue entry where the tokens are.")
    return Told(False, "nothing", "No answer is waiting to be read.")


def discard_on_demand(connection_id: uuid.UUID, *, actor: audit.Actor) -> Told:
    """Destroy the unread answers of one connection. The next refresh then sends the refresh token of before."""
    if discard_unread(connection_id, actor=actor):
        return Told(True, "discarded", "Destroyed. The next refresh is sent with the refresh token before it.")
    return Told(False, "nothing", "No answer is waiting to be read.")


def release_on_demand(connection_id: uuid.UUID, *, with_used: bool, now: datetime, actor: audit.Actor) -> Told:
    """Let one connection that a quarantine holds refresh again. A short transaction, no HTTP.

    One whose refresh token is known to be used is left alone, unless ``with_used``.
    """
    connection = Connection.objects.filter(id=connection_id).first()
    hold = None if connection is None else hold_of(connection)
    if hold is None:
        return Told(False, "not_held", "No quarantine holds it: there is nothing to release.")
    if hold.verdict is None:
        return _UNSORTED
    if hold.verdict is TokenVerdict.USED and not with_used:
        return Told(False, "token_used", "Left alone: its refresh token was used, so let the end user connect again.")
    try:
        count = release(Q(connection=connection_id), with_used=with_used, actor=actor, now=now)
    except Unsorted:
        return _UNSORTED
    if not count:
        return Told(False, "not_held", "Somebody else has released it, or it was found to be used meanwhile.")
    return Told(True, "released", "Released: it refreshes again.")


def _too_soon(connection: Connection) -> RefreshReport | None:
    """Return the report that refuses a refresh within 10 s of the last one (a hot loop), or None."""
    current = CredentialVersion.objects.filter(Q(id=connection.current_version_id), attempt_id__isnull=False)
    received_at = current.values_list("received_at", flat=True).first()
    left = None if received_at is None else received_at + FLOOR - database_now()
    if left is None or left <= timedelta(0):
        return None
    return RefreshReport(Outcome.TOO_SOON, retry_after_seconds=left.total_seconds())


def _asked_about(action: str, connection_id: uuid.UUID, *, actor: audit.Actor) -> Connection | None:
    """Return the connection, or None if it is gone.

    Raises ``Suspended`` or ``Paused``, with an audit row for ``action``, where nothing may be sent to the provider.
    """
    connection = Connection.objects.select_related("tenant", "provider_app").filter(id=connection_id).first()
    if connection is not None and (off := switched_off(connection)) is not None:
        audit.record(action, decision=off.code, actor=actor, connection=connection)
        raise off
    return connection


def end_on_demand(connection_id: uuid.UUID, *, now: datetime, actor: audit.Actor, keep: bool) -> Told:
    """Revoke one connection (``keep``: it can be connected anew) or disconnect it for good. No HTTP.

    Raises ``NotFound``, and ``Pending`` where one is to be revoked that is not confirmed.
    """
    before = Connection.objects.only("status").filter(id=connection_id).first()
    connection = disconnect(connection_id, now=now, actor=actor, keep=keep)
    if before is not None and before.status == connection.status:
        return Told(False, "nothing_changed", f"It was {connection.get_status_display().lower()} already.")
    what = "Revoked: it no longer vends, and can be connected anew." if keep else "Disconnected: it no longer vends."
    return Told(True, Status(connection.status).value, f"{what} {_REVOCATIONS[Revocation(connection.revocation)]}")


def order_refresh(connection_id: uuid.UUID, *, now: datetime, actor: audit.Actor) -> Told:
    """Make one connection due now and have a worker refresh it. One short transaction, no HTTP."""
    with short_transaction():
        connection = lock_connection(connection_id)
        if connection is None or connection.status not in VENDS:
            return Told(False, Outcome.GONE, _REFRESHED[Outcome.GONE])
        if connection.refresh_due_at is None:
            return Told(False, Outcome.NOT_REFRESHABLE, _REFRESHED[Outcome.NOT_REFRESHABLE])
        if (off := switched_off(connection)) is not None:
            return Told(False, off.code, off.detail)
        connection.order_refresh(now, sent_again_at=now + _SENT_AGAIN_AFTER)
        audit.record("connection.refresh_ordered", actor=actor, connection=connection)
        dispatch.refresh_later(connection.id)
    return Told(True, "ordered", "Ordered: a worker refreshes it.")


def order_probe(connection_id: uuid.UUID, *, actor: audit.Actor) -> Told:
    """Have a worker probe one connection. One short transaction, no HTTP."""
    with short_transaction():
        connection = lock_connection(connection_id)
        if connection is None or connection.status not in VENDS:
            return Told(False, "gone", "There is nothing to probe: the connection is not in use.")
        if (off := switched_off(connection)) is not None:
            return Told(False, off.code, off.detail)
        audit.record("connection.probe_ordered", actor=actor, connection=connection)
        dispatch.probe_later(connection.id)
    return Told(True, "ordered", "Ordered: a worker probes it.")
