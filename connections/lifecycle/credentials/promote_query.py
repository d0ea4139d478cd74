"""The plain promotion (T2b) as one prepared statement.

A promotion is plain if the connection is healthy and nothing but its token has changed. In every other case (a
recovery, other scopes, a new grant, a disconnection) the statement changes nothing, and ``promote`` decides.

The statement locks the connection's row itself, and sees the other tables as they were when it began. That is enough:
whoever promotes, sets aside or replaces a version changes the connection's row as well, and then the conditions are
tried again on the changed row. At most one version may be current at any moment, so the new one becomes current only
for the row of one that was demoted.
"""

import uuid
from datetime import datetime, timedelta

from connections.database.locks import CONNECTION_IF_FREE
from connections.database.prepared import execute_prepared
from connections.lifecycle.credentials.due import ProbeIntervals

_STATEMENT = f"""
WITH plain AS MATERIALIZED (
    SELECT connection.id AS connection_id, connection.tenant_id, connection.authorized_at, version.id AS version_id,
           attempt.id AS attempt_id, attempt.claimed_at, clock_timestamp() AS now,
           clock_timestamp() - COALESCE(connection.last_vended_at, clock_timestamp()) AS unvended_for,
           (SELECT to_jsonb(told) FROM (
               SELECT connection.id AS connection, connection.provider, NULLIF(connection.end_user, '') AS end_user,
                      connection.status, connection.reason) AS told
           ) AS identity
      FROM connections_connection AS connection
      JOIN connections_credentialversion AS version ON version.id = %(version_id)s
      JOIN connections_credentialversion AS parent ON parent.id = version.parent_id
      JOIN connections_refreshattempt AS attempt ON attempt.id = version.attempt_id
     WHERE connection.id = version.connection_id
       AND connection.status = 'active'
       AND connection.answer_unread_at IS NULL
       AND connection.grant_id = version.grant_id
       AND connection.current_version_id = parent.id
       AND version.stage = 'received'
       AND version.scopes = parent.scopes
       {CONNECTION_IF_FREE}
), removed AS (
    DELETE FROM connections_credentialversion AS version USING plain
     WHERE version.connection_id = plain.connection_id
       AND (version.stage = 'previous' OR version.stage = 'orphan' AND version.received_at <= plain.claimed_at)
), demoted AS (
    UPDATE connections_credentialversion AS version SET stage = 'previous' FROM plain
     WHERE version.connection_id = plain.connection_id AND version.stage = 'current'
    RETURNING version.connection_id
), promoted AS (
    UPDATE connections_credentialversion AS version SET stage = 'current' FROM plain, demoted
     WHERE version.id = plain.version_id AND version.connection_id = demoted.connection_id
    RETURNING version.id, version.access_expires_at, version.received_at
), ended AS (
    UPDATE connections_refreshattempt AS attempt SET state = 'promoted', ended_at = plain.now FROM plain
     WHERE attempt.id = plain.attempt_id
), event AS (
    INSERT INTO connections_outboxevent (event_id, type, tenant_id, connection_id, payload, created_at)
    SELECT gen_random_uuid(), 'connection.refreshed', tenant_id, connection_id, identity, now
      FROM plain
)
UPDATE connections_connection AS connection
   SET current_version_id = promoted.id,
       access_expires_at = promoted.access_expires_at,
       refresh_expires_at = %(refresh_expires_at)s,
       grant_expires_at = LEAST(%(announced_end)s, plain.authorized_at + %(absolute)s::interval),
       refresh_due_at = %(refresh_due_at)s,
       refresh_enqueued_until = NULL,
       next_attempt_at = NULL,
       failures = 0,
       refused_at = NULL,
       refresh_failing_at = NULL,
       evidence = '{{}}',
       undecryptable_at = NULL,
       probe_due_at = plain.now + CASE WHEN plain.unvended_for < interval '1 hour' THEN %(hot)s::interval
                                       WHEN plain.unvended_for < interval '1 day' THEN %(warm)s
                                       ELSE %(cold)s END,
       verified_at = promoted.received_at,
       verified_by = 'refresh',
       updated_at = plain.now
  FROM plain, promoted
 WHERE connection.id = plain.connection_id
"""  # noqa: S608 (only a constant is put in)


def run_plain_promotion(
    *,
    version_id: uuid.UUID,
    refresh_due_at: datetime | None,
    refresh_expires_at: datetime | None,
    announced_end: datetime | None,
    absolute_seconds: int | None,
    probes: ProbeIntervals,
) -> bool:
    """Make the received version current, close its attempt and write the event. Return False if it is not plain.

    One statement, a transaction of its own; skips a connection that another transaction has locked. The grant ends at
    ``announced_end`` or ``absolute_seconds`` after its authorization, whichever is first (``grant_ends_at``). When to
    probe next follows from ``probes`` as in ``ProbeIntervals.after``.
    """
    parameters = {
        "version_id": version_id,
        "refresh_due_at": refresh_due_at,
        "refresh_expires_at": refresh_expires_at,
        "announced_end": announced_end,
        "absolute": None if absolute_seconds is None else timedelta(seconds=absolute_seconds),
        "hot": probes.hot,
        "warm": probes.warm,
        "cold": probes.cold,
    }
    return execute_prepared(_STATEMENT, parameters) == 1
