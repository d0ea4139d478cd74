"""Failing: judge a connection whose refresh fails again and again, although the provider does not call its grant dead.

An outage of the provider, or an answer that cannot be read, only causes an event. Refusals that blame neither the grant
nor our registration (``invalid_request``, a code of the provider's own, a bare 400, 403 or 404) make the connection
suspect when no valid token is left. They end it when they go on while its siblings are refreshed. ``strikes`` judges a
refusal of the grant itself. Call these functions in a transaction, with the connection locked. No HTTP.
"""

from datetime import datetime

from django.db.models import Min

from connections.journal import events
from connections.lifecycle.health.incidents import freeze_for, open_common_incident, spare
from connections.lifecycle.health.rules import GIVE_UP_AFTER, decide_failing
from connections.lifecycle.health.status import change_status
from connections.models import Connection, CredentialVersion, IncidentKind, Reason, RefreshAttempt, Status
from connections.models.refresh_attempt import RefreshAttemptQuerySet
from providers.errors import ClientRejected, ProviderError, RequestRejected

HTTP_FORBIDDEN = 403


def judge_failure(connection: Connection, failure: ProviderError, *, can_probe: bool, now: datetime) -> None:
    """Judge one more failed refresh. The caller has counted it already (``Connection.count_failure``).

    ``can_probe``: the provider has a call that can prove the credential dead. The evidence of a change has the keys of
    ``providers.errors.Evidence`` and ``failures``; at the end of the grant also ``refusals`` and ``refused_since``.
    """
    refusals = _refusals(connection)
    if not isinstance(failure, ClientRejected):  # earlier refusals of our registration blame the provider app
        refusals = refusals.exclude(error=ClientRejected.code)
    count = refusals.count()
    first_at = refusals.aggregate(first=Min("claimed_at"))["first"] or now
    decision = decide_failing(
        failures=connection.failures,
        is_expired=connection.access_expires_at is not None and connection.access_expires_at <= now,
        refusals=count,
        refused_for=now - first_at,
        names_a_code=_names_a_code(failure) and _is_proved_dead(connection, can_probe=can_probe),
        is_common=count >= GIVE_UP_AFTER and _is_common(connection, since=first_at),
    )
    if decision == "wait":
        return
    is_new = connection.refresh_failing_at is None
    if is_new:
        connection.fail_to_refresh(now)
    incident = freeze_for(connection, now=now)
    evidence = failure.evidence.as_dict() | {"failures": connection.failures}
    if is_new and (incident is None or incident.kind == IncidentKind.UNAVAILABLE):
        events.emit("connection.refresh_failing", connection, evidence=evidence)
    if incident is not None:
        if decision != "tell":
            spare(connection, incident, now=now)
    elif decision == "end":
        given_up = connection.evidence | evidence | {"refusals": count, "refused_since": first_at.isoformat()}
        change_status(connection, Status.NEEDS_REAUTH, Reason.REFRESH_GIVEN_UP, evidence=given_up, now=now)
        connection.rest()
    elif decision == "suspect" and connection.status == Status.ACTIVE:
        change_status(connection, Status.SUSPECT, Reason.REFRESH_FAILING, evidence=evidence, now=now)
        if can_probe:
            connection.probe_at(now)
    elif count >= GIVE_UP_AFTER and _is_common(connection, since=first_at):
        open_common_incident(connection.provider_app, party=connection.party, evidence=evidence, now=now)


def note_dead_probe(connection: Connection, *, status: int | None) -> None:
    """Add to the evidence of a suspicion that the provider also refused a probe of the current credential.

    The keys are ``probe`` ("dead") and ``probe_status`` (the HTTP status or None).
    """
    if connection.status == Status.SUSPECT and connection.reason == Reason.REFRESH_FAILING:
        connection.add_evidence(probe="dead", probe_status=status)


def is_refused_alone(connection: Connection, attempt: RefreshAttempt) -> bool:
    """Whether the provider refused our registration for this connection before, and accepted it for a sibling since.

    Then the registration is not at fault, and there is no incident of the provider app.
    """
    earlier = _refusals(connection).filter(error=ClientRejected.code).exclude(id=attempt.id)
    first_at = earlier.aggregate(first=Min("claimed_at"))["first"]
    return first_at is not None and _was_refreshed_beside(connection, since=first_at)


def _refusals(connection: Connection) -> RefreshAttemptQuerySet:
    attempts = RefreshAttempt.objects.refused().filter(connection=connection)
    return attempts.filter(parent_version_id=connection.current_version_id)


def _names_a_code(failure: ProviderError) -> bool:
    """Whether the failure is an OAuth error and not a page of a proxy or firewall. A 403 is never taken for one."""
    is_answer = isinstance(failure, RequestRejected | ClientRejected)
    return is_answer and failure.evidence.status != HTTP_FORBIDDEN


def _is_proved_dead(connection: Connection, *, can_probe: bool) -> bool:
    """Whether the access token is useless too: refused by a probe, or expired where the provider has no probe."""
    return not can_probe or connection.evidence.get("probe") == "dead"


def _is_common(connection: Connection, *, since: datetime) -> bool:
    """Whether a sibling fails as well and none was refreshed since ``since``. Then the provider app is at fault."""
    failing = Connection.objects.filter(
        provider_app=connection.provider_app, party=connection.party, refresh_failing_at__isnull=False
    )
    return failing.exclude(id=connection.id).exists() and not _was_refreshed_beside(connection, since=since)


def _was_refreshed_beside(connection: Connection, *, since: datetime) -> bool:
    """Whether a sibling that leads to the same party was refreshed after ``since``."""
    refreshed = CredentialVersion.objects.filter(
        connection__provider_app=connection.provider_app, connection__party=connection.party, attempt_id__isnull=False
    )
    return refreshed.filter(received_at__gt=since).exclude(connection=connection).exists()
