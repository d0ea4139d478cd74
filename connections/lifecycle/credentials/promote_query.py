"""Store (T2a) and the plain promotion (T2b) as prepared statements.

A promotion is plain if the connection is healthy and nothing but its token has changed. In every other case (a
recovery, other scopes, a new grant, a disconnection) the statements change nothing, and ``promote`` decides. The
promotion takes two statements because at most one version may be current at any moment.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from connections.database.prepared import execute_prepared, fetch_prepared

_DEMOTE = """
WITH plain AS (
    SELECT connection.id AS connection_id, connection.tenant_id, connection.provider, connection.end_user,
           connection.status, connection.reason, connection.last_vended_at, connection.authorized_at,
           attempt.claimed_at, clock_timestamp() AS now
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
), removed AS (
    DELETE FROM connections_credentialversion AS version USING plain
     WHERE version.connection_id = plain.connection_id
       AND (version.stage = 'previous' OR version.stage = 'orphan' AND version.received_at <= plain.claimed_at)
), demoted AS (
    UPDATE connections_credentialversion AS version SET stage = 'previous' FROM plain
     WHERE version.connection_id = plain.connection_id AND version.stage = 'current'
)
SELECT connection_id, tenant_id, provider, end_user, status, reason, last_vended_at, authorized_at, now FROM plain
"""

_PROMOTE = """
WITH version AS (
    UPDATE connections_credentialversion SET stage = 'current' WHERE id = %(version_id)s
    RETURNING access_expires_at, received_at
), attempt AS (
    UPDATE connections_refreshattempt SET state = 'promoted', ended_at = %(now)s WHERE id = %(attempt_id)s
), event AS (
    INSERT INTO connections_outboxevent (event_id, type, tenant_id, connection_id, payload, created_at)
    VALUES (gen_random_uuid(), %(event)s, %(tenant_id)s, %(connection_id)s, %(payload)s, %(now)s)
)
UPDATE connections_connection AS connection
   SET current_version_id = %(version_id)s,
       access_expires_at = version.access_expires_at,
       refresh_expires_at = %(refresh_expires_at)s,
       grant_expires_at = %(grant_expires_at)s,
       refresh_due_at = %(refresh_due_at)s,
       refresh_enqueued_until = NULL,
       next_attempt_at = NULL,
       failures = 0,
       refused_at = NULL,
       refresh_failing_at = NULL,
       evidence = '{}',
       undecryptable_at = NULL,
       probe_due_at = %(probe_due_at)s,
       verified_at = version.received_at,
       verified_by = 'refresh',
       updated_at = %(now)s
  FROM version
 WHERE connection.id = %(connection_id)s
"""


@dataclass(frozen=True, slots=True)
class PlainPromotion:
    """The columns of a locked connection whose new version may simply replace the current one."""

    connection_id: uuid.UUID
    tenant_id: uuid.UUID
    provider: str
    end_user: str
    status: str
    reason: str
    last_vended_at: datetime | None
    authorized_at: datetime | None
    now: datetime


def begin_plain_promotion(version_id: uuid.UUID) -> PlainPromotion | None:
    """Demote the version that ``version_id`` will replace. Return None, with nothing changed, if the case is not plain.

    One statement. Call it with the connection locked.
    """
    return fetch_prepared(_DEMOTE, {"version_id": version_id}, PlainPromotion)


def end_plain_promotion(
    plain: PlainPromotion,
    *,
    version_id: uuid.UUID,
    attempt_id: uuid.UUID,
    refresh_due_at: datetime | None,
    refresh_expires_at: datetime | None,
    grant_expires_at: datetime | None,
    probe_due_at: datetime,
    event: str,
    payload: Mapping[str, Any],
) -> None:
    """Make the version current, close its attempt, and write the event ``event`` with ``payload``. One statement.

    Call it in the same transaction as ``begin_plain_promotion``.
    """
    execute_prepared(
        _PROMOTE,
        {
            "version_id": version_id,
            "attempt_id": attempt_id,
            "connection_id": plain.connection_id,
            "tenant_id": plain.tenant_id,
            "now": plain.now,
            "refresh_due_at": refresh_due_at,
            "refresh_expires_at": refresh_expires_at,
            "grant_expires_at": grant_expires_at,
            "probe_due_at": probe_due_at,
            "event": event,
            "payload": Jsonb(dict(payload)),
        },
    )
