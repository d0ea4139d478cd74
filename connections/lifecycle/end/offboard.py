"""Offboard an end user who leaves: everything of theirs ends, and what they answer for is handed over or ends too.

Their connect sessions and visits end, their connections are disconnected and revoked at the providers, the access
grants to them are revoked, and what was exchanged for them is forgotten. A connection of the whole tenant that they
made, and a grant that they gave, goes to somebody else, or ends, as the operator says. An erasure (GDPR, article 17)
then forgets them: ``forget``.

What is to be done is written on the offboarding before it is done. After each transaction any process can go on, and
repeating any step is harmless. The row is the receipt, and is kept.
"""

import secrets
import time
import uuid
from contextlib import suppress
from datetime import datetime

import structlog
from django.db import IntegrityError
from django.db.models import Q, QuerySet

from connections.database.locks import lock_connection, lock_offboarding
from connections.database.pool import LockTimeout, short_transaction
from connections.journal import audit, events
from connections.lifecycle.credentials.subject_tokens import forget_tokens_of_end_user
from connections.lifecycle.end.belongings import (
    connected_of,
    grants_by,
    grants_to,
    has_anything,
    open_sessions_of,
    own_of,
    shared_of,
)
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.end.end_sessions import end_sessions
from connections.lifecycle.end.forget import forget
from connections.lifecycle.policy.revoke import revoke_grants
from connections.lifecycle.policy.share import share_locked
from connections.models import (
    AccessGrant,
    AttemptState,
    Connection,
    ManagementSession,
    Offboarding,
    OffboardingMode,
    OwnerKind,
    RefreshAttempt,
    Revocation,
    SharedFate,
    Tenant,
)
from connections.refusals import InvalidRequest, NotFound

logger = structlog.get_logger(__name__)

RUN_SECONDS = 20.0


def order_offboarding(
    tenant: Tenant,
    end_user: str,
    *,
    mode: OffboardingMode,
    shared: SharedFate = SharedFate.NOT_SAID,
    hand_over_to: str = "",
    now: datetime,
    actor: audit.Actor,
) -> Offboarding:
    """Order that an end user of ``tenant`` leaves, and return the offboarding. ``continue_offboarding`` does the rest.

    Repeating the order returns the one that is under way, which an erasure deepens; or the last one, where nothing of
    theirs is left. One short transaction. Raises ``InvalidRequest`` with ``connections``, the ids of those of the whole
    tenant that they answer for, where ``shared`` does not say what becomes of these.
    """
    if hand_over_to and (shared != SharedFate.HAND_OVER or hand_over_to == end_user):
        raise InvalidRequest("Hand over to another end user, with shared=hand_over.", field="hand_over_to")
    theirs = [str(id_) for id_ in shared_of(tenant.id, end_user).order_by("id").values_list("id", flat=True)]
    under_way = Offboarding.objects.filter(tenant=tenant, end_user=end_user, done_at=None)
    if theirs and shared == SharedFate.NOT_SAID and not under_way.exclude(shared=SharedFate.NOT_SAID).exists():
        raise InvalidRequest(
            "They answer for connections of the whole tenant: say with `shared` whether these are handed over or end.",
            field="shared",
            connections=theirs,
        )
    if (known := under_way.first()) is None and mode == OffboardingMode.OFFBOARD:
        last = Offboarding.objects.filter(tenant=tenant, end_user=end_user).first()
        if last is not None and not has_anything(tenant.id, end_user):
            return last
    try:
        if known is None:
            return _order(tenant, end_user, mode=mode, shared=shared, hand_over_to=hand_over_to, now=now, actor=actor)
    except IntegrityError as error:
        if "one_offboarding_under_way" not in str(error.__cause__):
            raise
        known = under_way.get()  # another call was faster
    return _deepen(known.id, mode=mode, shared=shared, hand_over_to=hand_over_to, actor=actor)


def _order(
    tenant: Tenant,
    end_user: str,
    *,
    mode: OffboardingMode,
    shared: SharedFate,
    hand_over_to: str,
    now: datetime,
    actor: audit.Actor,
) -> Offboarding:
    with short_transaction():
        made = Offboarding.objects.create(
            tenant=tenant,
            end_user=end_user,
            mode=mode,
            shared=shared,
            hand_over_to=hand_over_to,
            pseudonym=_pseudonym() if mode == OffboardingMode.ERASE else "",
            ordered_at=now,
        )
        _record_order(made, actor=actor)
    return made


def _deepen(
    offboarding_id: uuid.UUID, *, mode: OffboardingMode, shared: SharedFate, hand_over_to: str, actor: audit.Actor
) -> Offboarding:
    with short_transaction():
        known = lock_offboarding(offboarding_id)
        if known is None:
            raise NotFound("There is no such offboarding.")
        erases = mode == OffboardingMode.ERASE and not known.is_erasure()
        says = shared != SharedFate.NOT_SAID and known.shared == SharedFate.NOT_SAID
        if known.done_at is None and (erases or says):
            known.deepen(
                mode=mode if erases else known.mode,
                pseudonym=_pseudonym() if erases else known.pseudonym,
                shared=shared if says else known.shared,
                hand_over_to=hand_over_to if says else known.hand_over_to,
            )
            _record_order(known, actor=actor)
    return known


def _pseudonym() -> str:
    """Return a name that says nothing of whose place it takes."""
    return f"erased-{secrets.token_hex(8)}"


def _record_order(offboarding: Offboarding, *, actor: audit.Actor) -> None:
    audit.record(
        "end_user.offboard_ordered",
        actor=actor,
        tenant_id=offboarding.tenant_id,
        detail={
            "offboarding": str(offboarding.id),
            "end_user": offboarding.end_user,
            "mode": str(offboarding.mode),
            "shared": str(offboarding.shared),
        },
    )


def continue_ordered(*, now: datetime) -> int:
    """Continue every offboarding that is under way, for 20 s at the most. Return how many are done now. No HTTP."""
    give_up_at = time.monotonic() + RUN_SECONDS
    ordered = list(Offboarding.objects.filter(done_at=None).order_by("ordered_at").values_list("id", flat=True))
    done = 0
    for offboarding_id in ordered:
        if time.monotonic() > give_up_at:
            break
        with suppress(NotFound, LockTimeout):
            done += continue_offboarding(offboarding_id, now=now, give_up_at=give_up_at).done_at is not None
    return done


def continue_offboarding(offboarding_id: uuid.UUID, *, now: datetime, give_up_at: float | None = None) -> Offboarding:
    """Take an offboarding as far as possible now, and return it. No HTTP: the revocations are tasks.

    Opens short transactions. ``give_up_at`` is a moment of ``time.monotonic()``; without it, 20 s from now. What
    another transaction has locked, and a session whose exchange is under way, is left for the next run. Raises
    ``NotFound``.
    """
    give_up_at = time.monotonic() + RUN_SECONDS if give_up_at is None else give_up_at
    found = Offboarding.objects.filter(id=offboarding_id).first()
    if found is None:
        raise NotFound("There is no such offboarding.")
    if found.done_at is not None:
        return found
    _end_sessions(found, now=now, give_up_at=give_up_at)
    _write_down(found.id)
    _revoke_grants(found, now=now)
    _act(found.id, now=now, give_up_at=give_up_at)
    offboarding = _settle(found.id)
    if offboarding.done_at is not None or _is_under_way(offboarding, now=now):
        return offboarding
    if offboarding.is_erasure() and not forget(offboarding, give_up_at=give_up_at, now=now):
        return Offboarding.objects.get(id=offboarding_id)
    with short_transaction():
        locked = lock_offboarding(offboarding_id)
        if locked is None:
            raise NotFound("There is no such offboarding.")
        if locked.done_at is None and locked.mode == offboarding.mode:
            locked.finish(end_user=locked.pseudonym or locked.end_user, at=now)
            told = {"offboarding": str(locked.id), "mode": str(locked.mode), "end_user": locked.end_user}
            audit.record("end_user.offboarded", tenant_id=locked.tenant_id, detail=told)
            events.emit_of_tenant("end_user.offboarded", locked.tenant_id, payload=told)
    logger.info("end_user_offboarded", offboarding=str(offboarding_id), tenant=str(found.tenant_id))
    return locked


def _end_sessions(offboarding: Offboarding, *, now: datetime, give_up_at: float) -> None:
    """End their visits, and their connect sessions with what these hold, except where an exchange is under way."""
    end_sessions(
        open_sessions_of(offboarding.tenant_id, offboarding.end_user),
        now=now,
        give_up_at=give_up_at,
        note=lambda _: _count(offboarding.id, "connect_sessions_ended", 1),
    )
    with short_transaction():
        _count(offboarding.id, "visits_ended", _open_visits(offboarding, now=now).update(ended_at=now, expires_at=now))


def _count(offboarding_id: uuid.UUID, kind: str, number: int) -> None:
    locked = lock_offboarding(offboarding_id) if number else None
    if locked is not None:
        locked.count(kind, number)


def _write_down(offboarding_id: uuid.UUID) -> None:
    """Add to the receipt what has to be done with each of their connections."""
    with short_transaction():
        row = lock_offboarding(offboarding_id)
        if row is None:
            return
        own = connected_of(row.tenant_id, row.end_user)
        known = dict(row.connections)
        for connection in own.exclude(id__in=known).only("id", "provider"):
            known[str(connection.id)] = _item(connection, OwnerKind.END_USER, "disconnected")
        act = {SharedFate.HAND_OVER: "handed_over", SharedFate.END: "ended"}.get(SharedFate(row.shared))
        if act is not None:
            for connection in shared_of(row.tenant_id, row.end_user).exclude(id__in=known).only("id", "provider"):
                known[str(connection.id)] = _item(connection, OwnerKind.TENANT, act)
        if known != row.connections:
            row.note(connections=known)


def _item(connection: Connection, owner: OwnerKind, act: str) -> dict[str, str]:
    return {"provider": connection.provider, "owner": owner.value, "act": act, "revocation": ""}


def _revoke_grants(offboarding: Offboarding, *, now: datetime) -> None:
    with short_transaction():
        row = lock_offboarding(offboarding.id)
        if row is None:
            return
        ending = grants_to(row.tenant_id, row.end_user)
        if row.shared == SharedFate.END:
            ending |= grants_by(row.tenant_id, row.end_user)
        told = revoke_grants(ending, why="offboarded", now=now, actor=audit.SYSTEM)
        if row.shared == SharedFate.HAND_OVER:
            told += _hand_over_grants(row, now=now)
        row.count("exchanged_tokens_forgotten", forget_tokens_of_end_user(row.tenant_id, row.end_user))
        if told:
            row.note(grants=[*row.grants, *(one["grant"] for one in told)])


def _hand_over_grants(row: Offboarding, *, now: datetime) -> list[dict[str, object]]:
    """Make who takes over the giver of the access grants that they gave.

    A grant that the new giver has given already is revoked instead. Returns what the audit trail says of those.
    """
    told = []
    for grant in grants_by(row.tenant_id, row.end_user).standing().order_by("id"):
        if grant.hand_over(row.hand_over_to):
            audit.record(
                "access_grant.handed_over",
                tenant_id=grant.tenant_id,
                connection_id=grant.connection_id,
                detail=grant.told(),
            )
        else:
            same = AccessGrant.objects.filter(id=grant.id)
            told += revoke_grants(same, why="offboarded", now=now, actor=audit.SYSTEM)
    return told


def _act(offboarding_id: uuid.UUID, *, now: datetime, give_up_at: float) -> None:
    """Do what is written down. Each connection in a transaction of its own."""
    row = Offboarding.objects.get(id=offboarding_id)
    for connection_id, item in sorted(row.connections.items()):
        if time.monotonic() > give_up_at:
            return
        with suppress(LockTimeout, NotFound):
            if item["act"] == "handed_over":
                _hand_over(row, uuid.UUID(connection_id))
            else:
                disconnect(uuid.UUID(connection_id), now=now, actor=audit.SYSTEM)


def _hand_over(offboarding: Offboarding, connection_id: uuid.UUID) -> None:
    with short_transaction():
        connection = lock_connection(connection_id)
        if connection is not None and connection.granted_by == offboarding.end_user:
            share_locked(connection, granted_by=offboarding.hand_over_to, actor=audit.SYSTEM)


def _settle(offboarding_id: uuid.UUID) -> Offboarding:
    """Write down how far the revocations have come, and return the offboarding."""
    with short_transaction():
        row = lock_offboarding(offboarding_id)
        if row is None:
            raise NotFound("There is no such offboarding.")
        seen = dict(Connection.objects.filter(id__in=list(row.connections)).values_list("id", "revocation"))
        known = {
            id_: {**item, "revocation": seen.get(uuid.UUID(id_), item["revocation"])}
            for id_, item in row.connections.items()
        }
        if known != row.connections:
            row.note(connections=known)
    return row


def _is_under_way(offboarding: Offboarding, *, now: datetime) -> bool:
    """Whether something of theirs has not ended yet, a revocation is pending, or an answer may still come."""
    tenant_id, end_user = offboarding.tenant_id, offboarding.end_user
    written_down = Connection.objects.filter(id__in=list(offboarding.connections))
    all_theirs = own_of(tenant_id, end_user) | written_down
    sent = RefreshAttempt.objects.filter(connection__in=all_theirs, state=AttemptState.SENT, deadline_at__gt=now)
    return (
        has_anything(tenant_id, end_user) or all_theirs.filter(revocation=Revocation.PENDING).exists() or sent.exists()
    )


def _open_visits(offboarding: Offboarding, *, now: datetime) -> QuerySet[ManagementSession]:
    visits = ManagementSession.objects.filter(tenant_id=offboarding.tenant_id, end_user=offboarding.end_user)
    return visits.filter(Q(browser_hash=None, expires_at__gt=now) | Q(ends_at__gt=now), ended_at=None)
