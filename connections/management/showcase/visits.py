"""Connect sessions of the showcase: finished ones, those under way, and those that failed, each for a reason."""

from collections.abc import Sequence
from datetime import timedelta

from connections.management.showcase.chance import Chance
from connections.management.showcase.grants import Granted
from connections.management.showcase.ground import Ground
from connections.management.showcase.rows import write
from connections.models import ConnectSession, ManagementSession, OwnerKind, SessionState
from connections.models.failures import Failure

_AGES = timedelta(days=28)
_FAILURES = (
    (Failure.DECLINED, 30),
    (Failure.EXPIRED, 26),
    (Failure.NOT_FINISHED, 20),
    (Failure.STATE, 4),
    (Failure.BROWSER, 6),
    (Failure.CODE_BURNT, 3),
    (Failure.NO_CHOICE, 3),
    (Failure.APPROVAL_REQUESTED, 8),
)


def invite(chance: Chance, ground: Ground, granted: Sequence[Granted]) -> None:
    """Write the connect sessions of the last weeks and a few visits of end users to their own connections."""
    recent = [one for one in granted if one.connection.created_at > chance.now - _AGES]
    sessions = [_finished(chance, ground, one) for one in recent]
    sessions += [_failed(chance, ground, chance.one_of(granted)) for _ in range(max(12, len(recent) // 3))]
    sessions += [_under_way(chance, ground, chance.one_of(granted), state) for state in _UNDER_WAY for _ in range(3)]
    write(sorted(sessions, key=lambda session: session.created_at))
    write([_visit(chance, ground, chance.one_of(granted)) for _ in range(40)])


_UNDER_WAY = (SessionState.CREATED, SessionState.STARTED, SessionState.AUTHORIZING)


def _session(chance: Chance, ground: Ground, granted: Granted) -> ConnectSession:
    connection = granted.connection
    return ConnectSession(
        id=chance.id(),
        tenant=granted.tenant,
        api_client=ground.callers[granted.tenant.slug][0],
        owner_kind=connection.owner_kind,
        end_user=connection.end_user or connection.granted_by,
        providers=[connection.provider],
        return_url=granted.tenant.return_urls[0],
        binding="completion",
        token_hash=chance.digest(),
        provider_app=granted.app.row,
    )


def _finished(chance: Chance, ground: Ground, granted: Granted) -> ConnectSession:
    session = _session(chance, ground, granted)
    session.state, session.connection = SessionState.COMPLETED, granted.connection
    session.updated_at = granted.connection.created_at
    session.created_at = session.updated_at - timedelta(seconds=chance.number(20, 300))
    session.expires_at = session.created_at + timedelta(minutes=10)
    session.browser_hash = chance.digest()
    session.browser_expires_at = session.created_at + timedelta(minutes=30)
    return session


def _failed(chance: Chance, ground: Ground, granted: Granted) -> ConnectSession:
    session = _session(chance, ground, granted)
    failures, weights = zip(*_FAILURES, strict=True)
    session.state, session.failure = SessionState.FAILED, chance.one_of(failures, weights)
    session.created_at = chance.before(_AGES)
    session.updated_at = session.created_at + timedelta(seconds=chance.number(15, 600))
    session.expires_at = session.created_at + timedelta(minutes=10)
    if session.failure != Failure.EXPIRED:
        session.browser_hash = chance.digest()
        session.browser_expires_at = session.created_at + timedelta(minutes=30)
    return session


def _under_way(chance: Chance, ground: Ground, granted: Granted, state: SessionState) -> ConnectSession:
    session = _session(chance, ground, granted)
    session.state = state
    session.created_at = session.updated_at = chance.before(timedelta(minutes=6))
    session.expires_at = session.created_at + timedelta(minutes=10)
    if state != SessionState.CREATED:
        session.browser_hash = chance.digest()
        session.browser_expires_at = session.created_at + timedelta(minutes=30)
    return session


def _visit(chance: Chance, ground: Ground, granted: Granted) -> ManagementSession:
    at = chance.before(timedelta(hours=20))
    person = granted.connection.end_user or granted.connection.granted_by
    visit = ManagementSession(
        id=chance.id(),
        tenant=granted.tenant,
        api_client=ground.callers[granted.tenant.slug][0],
        end_user=person,
        providers=[granted.connection.provider] if granted.connection.owner_kind == OwnerKind.END_USER else [],
        return_url=granted.tenant.return_urls[0],
        token_hash=chance.digest(),
        expires_at=at + timedelta(minutes=10),
        created_at=at,
    )
    if chance.falls(0.8):
        visit.browser_hash = chance.digest()
        visit.seen_at = at + timedelta(minutes=chance.number(1, 8))
        visit.ends_at = at + timedelta(hours=1)
    return visit
