"""What must hold after a fault, judged by the database: the oracles of the drills and of the campaigns.

Each raises ``Broken`` with what is wrong. Each scenario judges the provider's log itself, because that depends on what
was sent. Nothing here changes anything; each function reads the database.
"""

import json
import uuid

from connections.access.secrets import open_credential
from connections.database.clock import database_now
from connections.drills.faults import CANARY
from connections.lifecycle.refresh.claim import Outcome
from connections.models import (
    AttemptState,
    Connection,
    CredentialVersion,
    OutboxEvent,
    Reason,
    RefreshAttempt,
    Stage,
    Status,
)
from providers.sandbox.tokens import ACCESS_PREFIX, REFRESH_PREFIX

SHORTEST_SECONDS = 30
LONGEST_SECONDS = 366 * 86_400
# A lifetime below 30 s counts as 30 s, and a refresh is due after 0.70 of the lifetime at the earliest.
_SOONEST_SECONDS = 15


class Broken(Exception):
    """A promise was not kept; the text says how."""


def expect(holds: object, what: str) -> None:
    """Raise ``Broken`` unless ``holds``."""
    if not holds:
        raise Broken(what)


def expect_equal(found: object, wanted: object, what: str) -> None:
    """Raise ``Broken`` unless ``found`` equals ``wanted``; ``what`` names it."""
    expect(found == wanted, f"{what}: {found!s}, not {wanted!s}")


def expect_status(connection_id: uuid.UUID, status: Status, reason: Reason | None = None) -> None:
    """Raise ``Broken`` unless the connection has that status, and that reason if one is given."""
    found = Connection.objects.get(id=connection_id)
    wanted = status if reason is None else f"{status} ({reason})"
    expect(
        found.status == status and reason in (None, found.reason),
        f"the connection is {found.status} ({found.reason}), not {wanted}",
    )


def current_version(connection_id: uuid.UUID) -> CredentialVersion:
    """Return the version that is current, with its connection. Raises ``Broken`` where there is none."""
    versions = CredentialVersion.objects.select_related("connection__provider_app")
    version = versions.filter(connection_id=connection_id, stage=Stage.CURRENT).first()
    if version is None:
        raise Broken("no credential is current")
    return version


def expect_kept(connection_id: uuid.UUID, *, before: uuid.UUID | None) -> None:
    """After a fault that yields no credential: ``before`` is still current and opens, and nothing counts as dead."""
    expect_status(connection_id, Status.ACTIVE)
    version = current_version(connection_id)
    expect(version.id == before, "the current credential was replaced")
    open_credential(version.connection, version)


def expect_replaced(connection_id: uuid.UUID, *, before: uuid.UUID | None) -> CredentialVersion:
    """After a success, however odd: another credential is current and opens, with a sane lifetime, not due at once.

    Returns its version. Raises ``Broken``.
    """
    expect_status(connection_id, Status.ACTIVE)
    version = current_version(connection_id)
    expect(version.id != before, "the credential was not replaced")
    open_credential(version.connection, version)
    seconds = version.lifetime_seconds
    expect(seconds is not None and SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS, f"its lifetime is {seconds} s")
    expires_at = version.access_expires_at
    expect(expires_at is not None, "it never expires")
    if expires_at is not None:
        lives = (expires_at - version.received_at).total_seconds()
        expect(SHORTEST_SECONDS <= lives <= LONGEST_SECONDS, f"it lives for {lives} s")
    due_at = version.connection.refresh_due_at
    expect(
        due_at is not None and (due_at - database_now()).total_seconds() > _SOONEST_SECONDS,
        "its refresh is due at once",
    )
    return version


def expect_attempt(attempt: RefreshAttempt, state: AttemptState, *, error: str | None = None) -> None:
    """Raise ``Broken`` unless the attempt ended in that state, and with that error if one is given."""
    expect(attempt.state == state, f"the attempt is {attempt.state} ({attempt.error}), not {state}")
    expect(error in (None, attempt.error), f"the attempt's error is {attempt.error}, not {error}")


def expect_unquoted(connection_id: uuid.UUID) -> None:
    """Raise ``Broken`` if any plain text stored about the connection quotes the provider's answer."""
    kept = [
        *RefreshAttempt.objects.filter(connection_id=connection_id).values("error", "evidence"),
        *Connection.objects.filter(id=connection_id).values("reason", "evidence", "metadata"),
        *OutboxEvent.objects.filter(connection_id=connection_id).values("payload"),
    ]
    text = json.dumps(kept)
    for secret in (CANARY, ACCESS_PREFIX, REFRESH_PREFIX):
        expect(secret not in text, f"something quotes the answer: {secret}… was found")


def expect_unsent(attempt: RefreshAttempt, *, detail: str = "") -> None:
    """Raise ``Broken`` unless the attempt failed before its request's first byte, and its evidence says so."""
    expect_attempt(attempt, AttemptState.ABORTED, error="provider_unavailable")
    evidence = attempt.evidence
    expect(evidence["sent"] is False and evidence["status"] is None, f"the evidence says that it was sent: {evidence}")
    expect(detail in evidence["detail"], f"the evidence says “{evidence['detail']}”, not “{detail}”")


def expect_loss_told(connection_id: uuid.UUID) -> None:
    """Raise ``Broken`` unless the connection's status says that a token was lost, with exactly one event."""
    expect_status(connection_id, Status.NEEDS_REAUTH, Reason.LOST_IN_FLIGHT)
    notices = OutboxEvent.objects.filter(connection_id=connection_id, type="connection.needs_reauth").count()
    expect(notices == 1, f"{notices} notices were given")


def expect_refreshed(outcome: Outcome) -> None:
    """Raise ``Broken`` unless a refresh succeeded."""
    expect(outcome is Outcome.REFRESHED, f"it does not recover: {outcome}")
