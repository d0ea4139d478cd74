"""Scenarios: the database, the broker and the keys fail under a refresh."""

import base64
import secrets
import time

from django.conf import settings
from django.db import connection as database

from connections.drills.ground import Broken, Ground, expect
from connections.drills.throwaway import hang_up
from connections.lifecycle.claim import Outcome
from connections.lifecycle.clock import database_now
from connections.lifecycle.outcomes import CredentialUnreadable
from connections.lifecycle.recover import recover_unfinished
from connections.lifecycle.sealing import keys_open
from connections.lifecycle.sweep import sweep_refreshes
from connections.models import AttemptState, Connection, CredentialVersion, RefreshAttempt, Status
from providers.sandbox.waiting import until

# Each of the store's tries may wait for the pool.
_SPOOLED_WITHIN_SECONDS = 90.0


def database_cut(ground: Ground) -> str:
    """Every session of the database ends while the provider answers."""
    (subject,) = ground.connect(grace_seconds=0)
    ground.fault(subject, "stall", seconds=1)
    running = ground.in_thread(subject)
    _cut(ground)
    outcome = running.result().outcome
    expect(outcome is Outcome.REFRESHED, f"the outcome is {outcome}")
    expect(len(ground.requests(subject)) == 1, "more than one request was sent")
    expect(ground.works(subject), "the credential does not work")
    return "stored on a new connection"


def database_away(ground: Ground) -> str:
    """The database takes no connection until what was received lies in the spool."""
    (subject,) = ground.connect(grace_seconds=0)
    ground.fault(subject, "stall", seconds=1)
    running = ground.in_thread(subject)
    ground.server.allow_connections(allowed=False)
    began = time.monotonic()
    try:
        _cut(ground)
        until(lambda: list(ground.spool.glob("*.version")), "a file in the spool", seconds=_SPOOLED_WITHIN_SECONDS)
        took = time.monotonic() - began
    finally:
        ground.server.allow_connections(allowed=True)
    outcome = running.result().outcome
    # The store that is tried again or the replay: whichever comes first with the database back.
    expect(outcome in (Outcome.REFRESHED, Outcome.UNAVAILABLE), f"the outcome is {outcome}")
    hang_up()  # a worker that starts now
    recover_unfinished(now=database_now())
    until(lambda: not list(ground.spool.glob("*.version")), "an empty spool", seconds=30)
    recover_unfinished(now=database_now())
    attempt = ground.attempt(subject)
    expect(attempt.state == AttemptState.PROMOTED, f"the attempt is {attempt.state} after the replay")
    expect(ground.works(subject), "the credential does not work")
    expect(len(ground.requests(subject)) == 1, "more than one request was sent")
    return f"spooled after {took:.0f} s, stored and promoted"


def _cut(ground: Ground) -> None:
    """End every session, and forget those of this process."""
    ground.server.cut_connections()
    hang_up()


def broker_away(ground: Ground) -> str:
    """No task can be sent; the credential has expired."""
    (subject,) = ground.connect()
    ground.pass_time(subject, seconds=4000)
    sweep_refreshes(now=database_now())
    expect(ground.works(subject), "the vend was not refreshed inline")
    expect(len(ground.requests(subject)) == 1, "not exactly one request was sent")
    Connection.objects.filter(id=subject.id).update(refresh_due_at=database_now(), refresh_enqueued_until=None)
    sweep_refreshes(now=database_now())
    ground.expect_status(subject, Status.ACTIVE)
    return "the vend refreshed inline; the sweep goes on"


def corrupt_row(ground: Ground) -> str:
    """The stored credential was changed."""
    (subject,) = ground.connect()
    version = CredentialVersion.objects.get(connection_id=subject.id, stage="current")
    if version.secrets is None:
        raise Broken("the current credential holds no secrets")
    stored = version.secrets.stored
    changed = bytearray(stored)
    changed[len(changed) // 2] ^= 1
    _write(version, bytes(changed))
    outcome = ground.refresh(subject).outcome
    expect(outcome is Outcome.UNREADABLE, f"the outcome is {outcome}")
    try:
        ground.vend(subject)
    except CredentialUnreadable:
        pass
    else:
        expect(False, "a changed credential was vended")
    ground.expect_status(subject, Status.ACTIVE)
    expect(not ground.requests(subject), "a request was sent")
    _write(version, stored)
    expect(ground.works(subject), "it does not work when it is restored")
    return "unreadable, told as such; nothing marked dead"


def _write(version: CredentialVersion, stored: bytes) -> None:
    with database.cursor() as cursor:
        cursor.execute("UPDATE connections_credentialversion SET secrets = %s WHERE id = %s", [stored, version.id])


def missing_key(ground: Ground) -> str:
    """The key that wraps the data keys is another one."""
    (subject,) = ground.connect()
    kept = settings.KEK_KEYS
    settings.KEK_KEYS = [f"drill:{base64.b64encode(secrets.token_bytes(32)).decode()}"]
    try:
        expect(not keys_open(), "readiness does not notice")
        ground.refresh(subject)
        ground.expect_status(subject, Status.ACTIVE)
    finally:
        settings.KEK_KEYS = kept
    RefreshAttempt.objects.filter(connection_id=subject.id).delete()
    expect(keys_open(), "readiness does not notice that the key is back")
    expect(ground.refresh(subject).outcome is Outcome.REFRESHED, "it does not recover")
    return "readiness fails; nothing marked dead"
