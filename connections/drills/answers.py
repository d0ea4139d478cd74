"""Scenarios: what the provider may answer to a refresh."""

import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial

from connections.database.clock import database_now
from connections.drills import faults
from connections.drills.faults import Answer
from connections.drills.grants import give_secret
from connections.drills.ground import Ground, Running, Subject, deadlines
from connections.drills.oracles import (
    Broken,
    current_version,
    expect,
    expect_attempt,
    expect_equal,
    expect_kept,
    expect_loss_told,
    expect_refreshed,
    expect_replaced,
    expect_unquoted,
)
from connections.lifecycle.refresh.claim import CLIENT_RETRY, Outcome
from connections.models import AttemptState, Incident, IncidentKind, ProviderApp, Reason, Status
from connections.refusals import InsufficientScope, MinTtlUnavailable, ReauthorizationRequired

_CAP_SECONDS = 15.0  # reading stops at the cap, long before any deadline
_HELD_BYTES = 32 * 1024 * 1024
_SHORT_SECONDS = 2.0
_CAPPED_AT_SECONDS = 3601
_PAUSES_SECONDS = (3, 30)
_LENGTHENED_SECONDS = 60.0
_AT_ONCE = 4


def _expect_no_answer(ground: Ground, subject: Subject, answer: Answer, *, error: str, seconds: float) -> None:
    """Refresh once into a fault; raise ``Broken`` unless the attempt is in doubt and the credential is kept.

    Its evidence must not quote the answer, and the refresh must end within ``seconds``.
    """
    before, shown = ground.state(subject).current_version_id, ground.refresh_token(subject)
    ground.fault(subject, answer)
    began = time.monotonic()
    outcome = ground.refresh(subject).outcome
    took = time.monotonic() - began
    expect(outcome is Outcome.UNAVAILABLE, f"{answer}: the outcome is {outcome}")
    expect(took < seconds, f"{answer}: it took {took:.1f} s")
    expect_kept(subject.id, before=before)
    attempt = ground.attempt(subject)
    expect_attempt(attempt, AttemptState.IN_DOUBT, error=error)
    expect_equal(set(attempt.evidence), {"detail", "status", "error", "sent"}, f"{answer}: what the evidence tells")
    expect_unquoted(subject.id)
    expect_equal(ground.state(subject).failures, 1, f"{answer}: failures counted")
    ground.vend(subject)
    expect_equal([one.refresh_presented for one in ground.requests(subject)], [shown], f"{answer}: what was sent")


def _recovers(ground: Ground, subject: Subject) -> None:
    expect_refreshed(ground.refresh(subject).outcome)
    expect(ground.works(subject), "the credential does not work")


def malformed(ground: Ground) -> str:
    """200 with something else than a token response."""
    for answer in faults.MALFORMED:
        (subject,) = ground.connect()
        # An answer that may hold the grant's only live tokens is kept until a mended entry can read it.
        error = "malformed_response" if answer is faults.EMPTY else "answer_unread"
        _expect_no_answer(ground, subject, answer, error=error, seconds=_CAP_SECONDS)
        expect_equal(ground.attempt(subject).evidence["status"], 200, f"{answer}: the status in the evidence")
        _recovers(ground, subject)
    return f"{len(faults.MALFORMED)} kinds: current kept, in doubt, then recovered"


def trickle(ground: Ground) -> str:
    """The answer comes a byte at a time."""
    (subject,) = ground.connect()
    with deadlines(total_seconds=_SHORT_SECONDS) as seconds:  # 20 s, shortened
        _expect_no_answer(ground, subject, faults.TRICKLE, error="provider_unavailable", seconds=seconds + 10)
    expect_equal(ground.outcomes(subject), ["rotated"], "what the provider did")
    _recovers(ground, subject)
    return "aborted at the deadline, in doubt, then recovered"


def huge(ground: Ground) -> str:
    """An answer of a gibibyte, plain and packed."""
    for answer in faults.ENDLESS:
        (subject,) = ground.connect()
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        _expect_no_answer(ground, subject, answer, error="malformed_response", seconds=_CAP_SECONDS)
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) * 1024
        expect(more < _HELD_BYTES, f"{answer}: {more} bytes more were held")
    return "stopped at the cap on decoded bytes, twice"


def redirect(ground: Ground) -> str:
    """307 to another place."""
    (subject,) = ground.connect()
    before = ground.state(subject).current_version_id
    with _trap() as (url, visitors):
        ground.fault(subject, Answer("redirect", {"location": f"{url}/token"}))
        outcome = ground.refresh(subject).outcome
    expect(outcome is Outcome.UNAVAILABLE, f"the outcome is {outcome}")
    expect(not visitors, "the target of the redirect was called")
    attempt = ground.attempt(subject)
    expect_attempt(attempt, AttemptState.IN_DOUBT, error="target_refused")
    expect_equal(attempt.evidence["status"], 307, "the status in the evidence")
    expect_kept(subject.id, before=before)
    expect_equal([one.status for one in ground.requests(subject)], [307], "what the provider answered")
    return "refused; nothing reached the target"


@contextmanager
def _trap() -> Iterator[tuple[str, list[object]]]:
    """Listen on loopback and note every connection. Yields the address and the list of connections."""
    visitors: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            with suppress(OSError):
                while True:
                    accepted, address = listener.accept()
                    accepted.close()
                    visitors.append(address)

        thread = threading.Thread(target=listen, name="trap")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", visitors
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def lost_answer(ground: Ground) -> str:
    """The answer is lost on the way, and a strict provider no longer accepts the old refresh token."""
    (subject,) = ground.connect(grace_seconds=0)
    ground.fault(subject, faults.LOST[0])
    outcome = ground.refresh(subject).outcome
    expect(outcome is Outcome.UNAVAILABLE, f"the outcome is {outcome}")
    expect_attempt(ground.attempt(subject), AttemptState.IN_DOUBT)
    ground.refresh(subject)
    return told_as_lost(ground, subject)


def told_as_lost(ground: Ground, subject: Subject) -> str:
    """A rotated token was lost and its retry refused: one honest state, one notice, and no storm."""
    expect_loss_told(subject.id)
    expect(ground.state(subject).refresh_due_at is None, "a refresh is still due")
    expect_equal(ground.attempts(subject), ["superseded", "rejected"], "the attempts")
    expect_equal(ground.attempts(subject, "follows_doubt"), [False, True], "which attempts follow a doubt")
    for _ in range(3):
        ground.pass_time(subject)
        expect(not ground.is_swept(subject), "a sweep takes it up")
        ground.refresh(subject)
    lost, *retries = ground.requests(subject)
    expect(len(retries) == 1, f"{len(retries)} retries were sent")
    expect_equal((lost.outcome, retries[0].error), ("rotated", "invalid_grant"), "what the provider did")
    expect_equal(retries[0].refresh_presented, lost.refresh_presented, "the token of the retry")
    expect_loss_told(subject.id)
    refusal = ground.refusal(subject)
    expect_equal(refusal.code, ReauthorizationRequired.code, "what a vend is refused with")
    expect_equal(refusal.extra.get("reason"), Reason.LOST_IN_FLIGHT, "the reason that it gives")
    return "needs_reauth (lost_in_flight), one notice, one retry"


def error_in_success(ground: Ground) -> str:
    """200 with an error in it."""
    (subject,) = ground.connect()
    ground.fault(subject, faults.GRANT_REJECTED_IN_200)
    outcome = ground.refresh(subject).outcome
    expect(outcome is Outcome.REFUSED, f"the outcome is {outcome}")
    expect_attempt(ground.attempt(subject), AttemptState.REJECTED)
    ground.expect_status(subject, Status.SUSPECT, Reason.REFRESH_REFUSED)
    expect(ground.works(subject), "the valid token is not vended")
    return "taken for the refusal that it is; still vends while valid"


def server_errors(ground: Ground) -> str:
    """5xx, again and again."""
    (subject,) = ground.connect()
    before = ground.state(subject).current_version_id
    ground.due(subject)
    waits: list[float] = []
    for answer in faults.SERVER_ERRORS:
        ground.fault(subject, answer)
        report = ground.refresh_if_due(subject)
        expect(report.outcome is Outcome.UNAVAILABLE, f"{answer}: the outcome is {report.outcome}")
        waits.append(report.retry_after_seconds or 0.0)
        expect_kept(subject.id, before=before)
        expect_equal(ground.state(subject).failures, len(waits), f"{answer}: failures counted")
        ground.lengthen_backoff(subject, seconds=_LENGTHENED_SECONDS)
        outcome = ground.refresh_if_due(subject).outcome
        expect(outcome is Outcome.BACKING_OFF, f"{answer}: the next try is not held back: {outcome}")
        ground.vend(subject)
        ground.pass_time(subject, seconds=waits[-1] + _LENGTHENED_SECONDS + 0.1)
    expect(min(waits) > 0 and len(set(waits)) > 1, f"there is no jitter: {waits}")
    expect_equal(len(ground.requests(subject)), len(waits), "requests sent")
    expect_refreshed(ground.refresh_if_due(subject).outcome)
    expect_equal(ground.state(subject).failures, 0, "failures counted after a success")
    expect_equal(ground.attempts(subject), ["superseded"] * len(waits) + ["promoted"], "the attempts")
    return f"{len(waits)} times: held back with jitter, the valid token vended"


def no_verdict(ground: Ground) -> str:
    """Refusals that do not speak of the grant."""
    for answer in faults.NO_VERDICT:
        (subject,) = ground.connect()
        before = ground.state(subject).current_version_id
        ground.fault(subject, answer)
        outcome = ground.refresh(subject).outcome
        expect(outcome is Outcome.UNAVAILABLE, f"{answer}: the outcome is {outcome}")
        expect_kept(subject.id, before=before)
        ground.vend(subject)
    return f"{len(faults.NO_VERDICT)} kinds: current kept, still vended"


def rate_limited(ground: Ground) -> str:
    """429 with Retry-After, in seconds and as a date, absurdly long, and in words."""
    limited = faults.RATE_LIMITED
    for answer, least, most in (
        (limited.but(retry_after=120), 118, 121),
        (limited.but(retry_after=120, http_date=True), 118, 121),
        (limited.but(retry_after=86_400), 300, _CAPPED_AT_SECONDS),
        (limited.but(retry_after=10**9), 300, _CAPPED_AT_SECONDS),
        (limited.but(retry_after="soon"), 0, 10),
    ):
        (subject,) = ground.connect()
        before = ground.state(subject).current_version_id
        ground.fault(subject, answer)
        outcome = ground.refresh(subject).outcome
        expect(outcome is Outcome.UNAVAILABLE, f"{answer}: the outcome is {outcome}")
        held_until = ground.state(subject).next_attempt_at
        held = 0.0 if held_until is None else (held_until - database_now()).total_seconds()
        expect(least <= held <= most, f"{answer}: held back for {held:.0f} s")
        outcome = ground.refresh_if_due(subject).outcome
        expect(outcome not in (Outcome.REFRESHED, Outcome.FRESH), f"{answer}: the next is not held back: {outcome}")
        expect_kept(subject.id, before=before)
        # Nothing was processed, so nothing is in doubt.
        expect_equal(ground.attempts(subject), ["aborted"], f"{answer}: the attempts")
        expect_equal([one.status for one in ground.requests(subject)], [429], f"{answer}: what was answered")
        ground.vend(subject)
    return "obeyed in both forms, capped"


def rate_limited_app(ground: Ground) -> str:
    """A 429 for one connection holds back all connections of the provider app. Redis keeps that state."""
    held = [_hold_back(ground, by_date=by_date) for by_date in (False, True)]
    (stranger,) = ground.connect()
    expect_refreshed(ground.refresh(stranger).outcome)  # another registration has its own limit
    for one, other, over_at in held:
        time.sleep(max(0.0, over_at - time.monotonic()))
        ground.due(other)
        expect_refreshed(ground.refresh_if_due(other).outcome)
        expect_equal([entry.status for entry in ground.requests(one)], [429, 200], "what the provider answered")
    return "the other connection of the app waits as well, no other app does"


def _hold_back(ground: Ground, *, by_date: bool) -> tuple[Subject, Subject, float]:
    """Have a connection told to wait, and see that another of its app waits. Return both, and when that is over.

    On a machine that is too slow to look within the pause, it is done again with a longer one.
    """
    for pause in _PAUSES_SECONDS:
        one, other = ground.connect(count=2)
        ground.due(other)
        ground.fault(one, faults.RATE_LIMITED.but(retry_after=pause, http_date=by_date))
        began = time.monotonic()
        ground.refresh(one)
        over_at = time.monotonic() + pause + 0.1
        report = ground.refresh_if_due(other)
        if time.monotonic() < began + pause - 1:  # a date says it in whole seconds
            break
    sent = len(ground.requests(one))
    expect(sent == 1, f"another connection of the app was refreshed (is Redis reachable?): {sent} requests")
    seconds = report.retry_after_seconds or 0.0
    expect(0 < seconds <= pause, f"the other is held back for {seconds:.1f} s: {report.outcome}")
    expect(not ground.attempts(other), "an attempt was made")
    expect_equal(ground.state(other).failures, 0, "failures of the other connection")
    ground.vend(other)
    return one, other, over_at


def odd_lifetimes(ground: Ground) -> str:
    """expires_in is zero, negative, no number, text or missing."""
    subjects = ground.connect(count=len(faults.ODD_LIFETIMES))
    for count, (subject, answer) in enumerate(zip(subjects, faults.ODD_LIFETIMES, strict=True), start=1):
        before = ground.state(subject).current_version_id
        ground.fault(subject, answer)
        outcome = ground.refresh(subject).outcome
        expect(outcome is Outcome.REFRESHED, f"{answer}: the outcome is {outcome}")
        try:
            expect_replaced(subject.id, before=before)
        except Broken as broken:
            raise Broken(f"{answer}: {broken}") from None
        for _ in range(3):
            expect(not ground.is_swept(subject), f"{answer}: swept again")
            outcome = ground.refresh_if_due(subject).outcome
            expect(outcome is Outcome.FRESH, f"{answer}: then {outcome}")
            ground.vend(subject)
        expect_equal(len(ground.requests(subject)), count, f"{answer}: requests sent")
    return f"{len(faults.ODD_LIFETIMES)} values clamped or found out; none due at once"


def impatient_caller(ground: Ground) -> str:
    """Tokens live for a second, and a caller asks for one that lives longer."""
    (subject,) = ground.connect()
    ground.fault(subject, Answer("expires_in", {"value": 1}), times=0)
    expect_refreshed(ground.refresh(subject).outcome)
    for seconds in (29.9999, 600.0) * 5:
        refusal = ground.refusal(subject, min_ttl_seconds=seconds)
        expect_equal(refusal.code, MinTtlUnavailable.code, "what a vend is refused with")
    expect_equal(ground.attempts(subject), ["promoted"], "the attempts")
    expect_equal(len(ground.requests(subject)), 1, "requests sent")
    return "told that none lives so long; one request in all"


def odd_token_types(ground: Ground) -> str:
    """token_type has an unknown value."""
    subjects = ground.connect(count=len(faults.ODD_TOKEN_TYPES))
    for subject, answer in zip(subjects, faults.ODD_TOKEN_TYPES, strict=True):
        before = ground.state(subject).current_version_id
        ground.fault(subject, answer)
        outcome = ground.refresh(subject).outcome
        expect(outcome is Outcome.REFRESHED, f"{answer}: the outcome is {outcome}")
        expect_replaced(subject.id, before=before)
        expect_equal(set(ground.vend(subject).presentation.headers), {"Authorization"}, f"{answer}: what is vended")
    expect_equal(ground.outcomes(subjects[0]), ["rotated"] * len(subjects), "what the provider did")
    return f"{len(faults.ODD_TOKEN_TYPES)} kinds: taken, and presented as ever"


def narrowed_scope(ground: Ground) -> str:
    """The answer grants less than before."""
    (subject,) = ground.connect()
    ground.vend(subject, "files.read")
    ground.fault(subject, faults.NARROWED)
    outcome = ground.refresh(subject).outcome
    expect(outcome is Outcome.REFRESHED, f"the outcome is {outcome}")
    expect_equal(current_version(subject.id).scopes, ["profile.read"], "the scopes that are stored")
    told = [event["lost_scopes"] for event in ground.events(subject, "connection.scopes_lost")]
    expect_equal(told, [["files.read"]], "what is told of lost scopes")
    ground.expect_status(subject, Status.ACTIVE)
    ground.vend(subject, "profile.read")
    refusal = ground.refusal(subject, "files.read")
    expect_equal(refusal.code, InsufficientScope.code, "what a vend is refused with")
    expect_equal(refusal.extra.get("missing_scopes"), ["files.read"], "the scopes that it says are missing")
    return "stored, told, and vends that need the lost scope refused"


def client_rejected(ground: Ground) -> str:
    """The provider refuses our own registration, on every connection: it has another secret for it."""
    subjects = ground.connect(count=3 * _AT_ONCE)
    before = {subject.id: ground.state(subject).current_version_id for subject in subjects}
    app = ProviderApp.objects.get(id=subjects[0].app_id)
    ground.register(app.client_id, "another secret")
    for running in [Running(partial(ground.refresh, subject)) for subject in subjects[:_AT_ONCE]]:
        running.result()
    sent = ground.requests(subjects[0])
    expect(0 < len(sent) <= _AT_ONCE, f"{len(sent)} requests were sent")
    expect_equal({one.error for one in sent}, {"invalid_client"}, "what the provider answered")
    for subject in subjects[_AT_ONCE:]:
        outcome = ground.refresh(subject).outcome
        expect(outcome is Outcome.CLIENT_REJECTED, f"with the incident open: {outcome}")
    expect_equal(len(ground.requests(subjects[0])), len(sent), "requests sent once the incident is open")
    expect_equal(_open_incidents(app), [IncidentKind.CLIENT_REJECTED], "the open incidents")
    for subject in subjects:
        expect_kept(subject.id, before=before[subject.id])
        ground.expect_status(subject, Status.ACTIVE, Reason.CONNECTED)
        expect_equal(ground.kinds_of_events(subject), {"connection.connected"}, "what was told")
    ground.vend(subjects[0])

    give_secret(app, "another secret")
    Incident.objects.filter(provider_app=app).update(last_seen_at=database_now() - CLIENT_RETRY - timedelta(seconds=1))
    for subject in subjects:
        expect_refreshed(ground.refresh(subject).outcome)
    expect_equal(_open_incidents(app), [], "the open incidents after the remedy")
    expect_equal(ground.outcomes(subjects[0]).count("rotated"), len(subjects), "refreshes after the remedy")
    return "one incident on the provider app; no connection touched; mended with the secret"


def _open_incidents(app: ProviderApp) -> list[str]:
    return list(Incident.objects.filter(provider_app=app, closed_at=None).values_list("kind", flat=True))
