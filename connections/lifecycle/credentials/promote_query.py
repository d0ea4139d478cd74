"""The plain promotions (T2b) of versions that came together, as one prepared statement.

A promotion is plain if the connection is healthy and nothing but its token has changed. In every other case (a
recovery, other scopes, a new grant, a disconnection) the statement changes nothing of it, and ``promote`` decides.

The statement locks the connections' rows itself, and sees the other tables as they were when it began. That is enough:
whoever promotes, sets aside or replaces a version changes the connection's row as well, and then the conditions are
tried again on the changed row. At most one version may be current at any moment, so the new one becomes current only
for the row of one that was demoted.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from connections.database.locks import CONNECTION_IF_FREE
from connections.database.prepared import fetch_all_prepared
from connections.lifecycle.credentials.due import ProbeIntervals

_STATEMENT = f"""
WITH plain AS MATERIALIZED (
    SELECT given.*, connection.id AS connection_id, connection.authorized_at,
           attempt.id AS attempt_id, attempt.claimed_at, clock_timestamp() AS now,
           clock_timestamp() - COALESCE(connection.last_vended_at, clock_timestamp()) AS unvended_for,
           CASE WHEN connection.is_trial THEN NULL ELSE connection.tenant_id END AS told_tenant_id,
           (SELECT to_jsonb(told) FROM (
               SELECT connection.id AS connection, connection.provider, NULLIF(connection.end_user, '') AS end_user,
                      connection.status, connection.reason) AS told
           ) AS identity
      FROM json_to_recordset(%(promotions)s::json) AS given (
               version_id uuid, refresh_due_at timestamptz, refresh_expires_at timestamptz, announced_end timestamptz,
               absolute_seconds float8)
      JOIN connections_credentialversion AS version ON version.id = given.version_id
      JOIN connections_connection AS connection ON connection.id = version.connection_id
      JOIN connections_credentialversion AS parent ON parent.id = version.parent_id
      JOIN connections_refreshattempt AS attempt ON attempt.id = version.attempt_id
     WHERE connection.status = 'active'
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
    RETURNING version.id, version.connection_id, version.access_expires_at, version.received_at
), ended AS (
    UPDATE connections_refreshattempt AS attempt SET state = 'promoted', ended_at = plain.now FROM plain
     WHERE attempt.id = plain.attempt_id
), event AS (
    INSERT INTO connections_outboxevent (event_id, type, tenant_id, connection_id, payload, created_at)
    SELECT gen_random_uuid(), 'connection.refreshed', told_tenant_id, connection_id, identity, now
      FROM plain
)
UPDATE connections_connection AS connection
   SET current_version_id = promoted.id,
       access_expires_at = promoted.access_expires_at,
       refresh_expires_at = plain.refresh_expires_at,
       grant_expires_at = LEAST(plain.announced_end,
                                plain.authorized_at + plain.absolute_seconds * interval '1 second'),
       refresh_due_at = plain.refresh_due_at,
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
 WHERE connection.id = plain.connection_id AND promoted.connection_id = plain.connection_id
RETURNING connection.current_version_id AS version_id
"""  # noqa: S608 (only a constant is put in)


@dataclass(frozen=True, slots=True)
class PlainPromotion:
    """One received version to make current, and what follows from its lifetimes.

    The grant ends at ``announced_end`` or ``absolute_seconds`` after its authorization, whichever is first
    (``grant_ends_at``).
    """

    version_id: uuid.UUID
    refresh_due_at: datetime | None
    refresh_expires_at: datetime | None
    announced_end: datetime | None
    absolute_seconds: int | None


@dataclass(frozen=True, slots=True)
class _Promoted:
    version_id: uuid.UUID


def run_plain_promotions(promotions: Sequence[PlainPromotion], *, probes: ProbeIntervals) -> set[uuid.UUID]:
    """Make these versions current, close their attempts and write the events. Return the ids of those that are plain.

    One statement, a transaction of its own; skips a connection that another transaction has locked. All
    ``promotions`` are of different connections. When to probe next follows from ``probes`` as in
    ``ProbeIntervals.after``.
    """
    parameters = {
        "promotions": json.dumps([asdict(promotion) for promotion in promotions], default=str),
        "hot": probes.hot,
        "warm": probes.warm,
        "cold": probes.cold,
    }
    return {row.version_id for row in fetch_all_prepared(_STATEMENT, parameters, _Promoted)}
