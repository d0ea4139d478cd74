"""Refresh: exactly one in flight for a connection, and no rotated token lost.

The claim (T1, ``claim``) locks the row, records the attempt and commits. The exchange in this module holds neither a
lock nor a database connection. The answer is stored first (T2a) and promoted after (T2b, both in ``settle``). One
function serves the sweep, a vend that must wait, the API and the admin. ``recover`` handles attempts that never ended.
"""

import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from django.db import Error

from connections.access.held_keks import TRIES_AGAIN_SECONDS
from connections.database.clock import database_now
from connections.database.pool import LockTimeout, release_database
from connections.journal import meters
from connections.lifecycle.refresh import sent
from connections.lifecycle.refresh.claim import Claim, Need, Outcome, RefreshReport, claim
from connections.lifecycle.refresh.claim_query import AppRow, find_apps
from connections.lifecycle.refresh.settle import abort, settle_failure, settle_success, settle_unread
from connections.lifecycle.throttle import admission
from connections.lifecycle.throttle.bulkhead import Crowded, bulkhead
from connections.models import HARMLESS_STATES, AttemptState, Connection, RefreshAttempt, Trigger
from providers import send_window
from providers.errors import NotSentInTime, ProviderError
from providers.oauth.unread import AnswerUnread
from providers.values import Obtained

# Counted from the claim. Every request has its answer, or reaches its deadline, long before the lease is over.
SEND_WITHIN_SECONDS = 5.0
SEND_AGAIN_WITHIN_SECONDS = 25.0  # the same request with the next client secret
WAIT_SECONDS = 10.0
UNREAD_SECONDS = 300.0  # how often a sweep looks at a connection whose last answer waits to be read
_POLL_SECONDS = (0.05, 0.05, 0.1, 0.1, 0.2)


def refresh(
    connection_id: uuid.UUID, *, trigger: Trigger, need: Need = Need(), app: AppRow | None = None
) -> RefreshReport:
    """Refresh one connection if it is due, and return the outcome. ``app`` is its provider app, if that is known.

    HTTP: blocks for one exchange of its own at the most, never for that of another process. Opens short transactions,
    none of which spans HTTP. Nothing is sent while the throttle holds the provider back, or for a caller while too
    many threads of this process wait for it. A caller that waits may overdraw the provider's budget; a sweep may not
    (``trigger``).
    """
    app = app or find_apps(connection_id).get(connection_id)
    release_database()
    if app is None:
        return RefreshReport(Outcome.GONE)
    if trigger == Trigger.SWEEP:
        return _refresh(app, connection_id, trigger=trigger, need=need)
    try:
        with bulkhead.place(*app.places):
            return _refresh(app, connection_id, trigger=trigger, need=need)
    except Crowded as crowded:
        return RefreshReport(Outcome.CROWDED, retry_after_seconds=crowded.retry_after_seconds)


def _refresh(app: AppRow, connection_id: uuid.UUID, *, trigger: Trigger, need: Need) -> RefreshReport:
    budget, is_urgent = admission.budget_of(app.provider), trigger != Trigger.SWEEP
    held_seconds = admission.admit(app.party_or_app, budget=budget, is_urgent=is_urgent)
    claimed = claim(connection_id, trigger=trigger, need=need, held_seconds=held_seconds)
    if held_seconds is not None and trigger == Trigger.SWEEP:
        postpone_refresh(connection_id, seconds=held_seconds)
    if isinstance(claimed, RefreshReport) and claimed.outcome is Outcome.ANSWER_UNREAD and trigger == Trigger.SWEEP:
        postpone_refresh(connection_id, seconds=UNREAD_SECONDS)
    if isinstance(claimed, RefreshReport) and claimed.outcome is Outcome.UNREADABLE and trigger == Trigger.SWEEP:
        postpone_refresh(connection_id, seconds=TRIES_AGAIN_SECONDS)
    release_database()
    if isinstance(claimed, RefreshReport):
        if held_seconds is None:
            admission.give_back(app.party_or_app)
        return claimed
    if claimed.access.party_id != app.party:
        _lead_to(connection_id, claimed.access.party_id)
    return exchange(claimed, noted=note_sent([claimed]).get(connection_id))


def _lead_to(connection_id: uuid.UUID, party: uuid.UUID | None) -> None:
    """Record to which party the connection leads now: its entry has changed since it was connected. One statement."""
    Connection.objects.filter(id=connection_id).lead_to(party)
    release_database()


def note_sent(claims: Sequence[Claim]) -> dict[uuid.UUID, sent.Note]:
    """Note outside of the database that these refresh tokens are sent, but for those that are never replaced.

    By connection. One round trip to Redis, which is to be over before the first of them is sent.
    """
    return sent.note(*((claimed.connection_id, claimed.claimed_at) for claimed in claims if claimed.rotates))


def exchange(claimed: Claim, *, noted: sent.Note | None) -> RefreshReport:
    """Send the claimed refresh, and settle whatever comes of it. HTTP; short transactions, none of which spans it.

    Call it without a database connection, as soon as it is claimed and noted (``note_sent``).
    """
    answer = _ask(claimed)
    try:
        report = _settle(claimed, answer)
        if noted is not None and isinstance(answer, ProviderError):
            _take_back(noted, claimed)
    except LockTimeout:
        # The answer is stored, or the attempt is still open. Either way ``recover`` does the rest.
        report = RefreshReport(Outcome.IN_FLIGHT, claimed.attempt_id)
    _note(claimed, answer if isinstance(answer, ProviderError) else None)
    seconds = time.monotonic() - claimed.claimed_monotonic
    meters.refresh_sent(claimed.access.target.entry.slug, report.outcome, seconds=seconds)
    return report


def _ask(claimed: Claim) -> Obtained | ProviderError:
    """Send the refresh and return the answer or the failure. HTTP, with neither a lock nor a database connection."""
    claimed_at = claimed.claimed_monotonic
    try:
        with send_window.open_until(claimed_at + SEND_WITHIN_SECONDS, others_by=claimed_at + SEND_AGAIN_WITHIN_SECONDS):
            return claimed.access.strategy.refresh(claimed.access.target, claimed.credential)
    except ProviderError as error:
        return error


def _settle(claimed: Claim, answer: Obtained | ProviderError) -> RefreshReport:
    if isinstance(answer, NotSentInTime):
        return abort(claimed, answer)
    if isinstance(answer, AnswerUnread):
        return settle_unread(claimed, answer)
    if isinstance(answer, ProviderError):
        return settle_failure(claimed, answer)
    return settle_success(claimed, answer)


def _take_back(noted: sent.Note, claimed: Claim) -> None:
    """Forget the note if the attempt has ended and used up nothing. One query; if that fails, the note stays."""
    with suppress(Error):
        if RefreshAttempt.objects.filter(id=claimed.attempt_id, state__in=HARMLESS_STATES).exists():
            noted.take_back()


def _note(claimed: Claim, failure: ProviderError | None) -> None:
    """Report the outcome to the throttle. Only after the answer is stored."""
    release_database()
    grace_seconds = claimed.grace_seconds if claimed.rotates else 0
    admission.note(
        claimed.access.party_id or claimed.app_id,
        connection_id=claimed.connection_id,
        failure=failure,
        grace_seconds=grace_seconds,
        is_accounts_own=claimed.access.asks_accounts_own,
    )


def refresh_and_wait(
    connection_id: uuid.UUID, *, trigger: Trigger, need: Need, wait_seconds: float = WAIT_SECONDS
) -> RefreshReport:
    """Refresh one connection, or wait up to ``wait_seconds`` for the refresh that is under way, in this thread.

    An attempt that fails ends the wait at once. ``Outcome.IN_FLIGHT`` means that the time ran out.
    """
    give_up_at = time.monotonic() + wait_seconds
    while True:
        report = refresh(connection_id, trigger=trigger, need=need)
        if report.outcome is not Outcome.IN_FLIGHT or time.monotonic() >= give_up_at:
            return report
        try:
            with bulkhead.place("waits"):
                _wait_for_end(report.attempt_id, give_up_at)
        except Crowded:
            return report


def _wait_for_end(attempt_id: uuid.UUID | None, give_up_at: float) -> None:
    polls = iter(_POLL_SECONDS)
    pause = _POLL_SECONDS[-1]
    while time.monotonic() < give_up_at:
        pause = next(polls, pause)
        release_database()
        time.sleep(min(pause, max(0.0, give_up_at - time.monotonic())))
        if attempt_id is None or not _is_under_way(attempt_id):
            return


def _is_under_way(attempt_id: uuid.UUID) -> bool:
    return RefreshAttempt.objects.filter(id=attempt_id, state=AttemptState.SENT).exists()


def postpone_refresh(connection_id: uuid.UUID, *, seconds: float) -> None:
    """Make the sweeps skip one connection for ``seconds``, because its task was held back. A vend may still refresh it.

    One statement; takes no lock first.
    """
    until = database_now() + timedelta(seconds=seconds)
    Connection.objects.filter(id=connection_id).skip_refresh(until)
