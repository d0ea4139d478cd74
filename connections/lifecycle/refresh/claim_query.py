"""Plain claims, many at once, as two prepared statements: lock the free rows, record the attempts that are plain.

A case is not plain if ``claim`` has a rule for it: a leftover attempt or version, a doubt, an incident, a switch, a
backoff, a quarantine, a client that registered itself. Then nothing is inserted for it, and ``claim`` decides. There
are two statements because the second has to see what other transactions committed while the first was getting its locks
(``locks.lock_free``). Each connection is looked up by itself, so that a plan never depends on how many there are. They
are given as JSON, of which PostgreSQL expects the same number of rows whatever it holds. Given as an array, one alone
would look cheaper than the plan for any number, and PostgreSQL would plan anew at each claim: two thirds of its time
for a refresh.
"""

import json
import uuid
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connections.access.parties import places
from connections.database.prepared import fetch_all_prepared
from connections.models import Trigger, quarantine, switches
from connections.models.switches import KILL_SWITCH, PAUSE

_STATEMENT = f"""
WITH due AS (
    SELECT wanted.attempt_id, plain.*
      FROM json_to_recordset(%(wanted)s::json) AS wanted (connection_id uuid, attempt_id uuid)
     CROSS JOIN LATERAL (
    SELECT connection.id AS connection_id, connection.tenant_id, connection.params,
           version.id AS version_id, version.grant_id, version.secrets, version.scopes,
           version.refresh_lifetime_seconds, version.refresh_expires_at, version.grant_expires_at,
           data_key.id AS data_key_id, data_key.kek_id, data_key.wrapped,
           seals.id AS sealing_key_id, seals.kek_id AS sealing_kek_id, seals.wrapped AS sealing_wrapped,
           app.id AS app_id, app.tenant_id AS app_tenant_id, app.provider, app.name AS app_name, app.auth_style,
           app.client_id, app.secrets AS app_secrets, app.params AS app_params, app.discovered,
           app_key.id AS app_key_id, app_key.kek_id AS app_kek_id, app_key.wrapped AS app_wrapped,
           clock_timestamp() AS now
      FROM connections_connection AS connection
      JOIN connections_tenant AS tenant ON tenant.id = connection.tenant_id
      JOIN connections_providerapp AS app ON app.id = connection.provider_app_id
      JOIN connections_credentialversion AS version ON version.id = connection.current_version_id
      JOIN connections_datakey AS data_key ON data_key.id = version.data_key_id
      JOIN connections_datakey AS seals ON seals.tenant_id = connection.tenant_id AND seals.is_current
      LEFT JOIN LATERAL (
           SELECT own.id, own.kek_id, own.wrapped FROM connections_datakey AS own
            WHERE own.is_current AND own.tenant_id = app.tenant_id
            UNION ALL
           SELECT shared.id, shared.kek_id, shared.wrapped FROM connections_datakey AS shared
            WHERE shared.is_current AND shared.tenant_id IS NULL AND app.tenant_id IS NULL
           ) AS app_key ON true
     WHERE connection.id = wanted.connection_id
       AND connection.status IN ('active', 'suspect')
       AND connection.refresh_due_at <= clock_timestamp()
       AND (connection.next_attempt_at IS NULL OR connection.next_attempt_at <= clock_timestamp())
       AND connection.answer_unread_at IS NULL
       AND connection.registered_client_id IS NULL
       AND NOT {switches.sql(KILL_SWITCH, PAUSE)}
       AND {quarantine.sql_free()}
       AND NOT EXISTS (
           SELECT FROM connections_refreshattempt AS attempt
            WHERE attempt.connection_id = connection.id AND attempt.state IN ('sent', 'in_doubt'))
       AND NOT EXISTS (
           SELECT FROM connections_refreshattempt AS doubtful
            WHERE doubtful.parent_version_id = version.id AND doubtful.state = 'superseded')
       AND NOT EXISTS (
           SELECT FROM connections_credentialversion AS waiting
            WHERE waiting.connection_id = connection.id AND waiting.stage = 'received')
       AND NOT EXISTS (
           SELECT FROM connections_incident AS incident
            WHERE incident.provider_app_id = app.id AND incident.kind = 'client_rejected'
              AND incident.party IS NOT DISTINCT FROM connection.party AND incident.closed_at IS NULL)
     LIMIT 1
     ) AS plain
), claimed AS (
    INSERT INTO connections_refreshattempt (id, connection_id, parent_version_id, state, trigger, claimed_by,
                                            claimant_key, claimed_at, deadline_at, follows_doubt, error, evidence)
    SELECT attempt_id, connection_id, version_id, 'sent', %(trigger)s, %(claimed_by)s,
           %(claimant_key)s, now, now + %(lease)s, false, '', '{{}}'
      FROM due
)
SELECT * FROM due
"""  # noqa: S608 (only constants are put in)


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """What a refresh needs, and its attempt. ``params``, ``app_params`` and ``discovered`` are JSON texts.

    ``data_key_id`` opens the version; ``sealing_key_id``, the current one of the tenant, is to seal its successor. They
    differ while data keys rotate.
    """

    attempt_id: uuid.UUID
    connection_id: uuid.UUID
    tenant_id: uuid.UUID
    params: str
    version_id: uuid.UUID
    grant_id: uuid.UUID
    scopes: Sequence[str]
    refresh_lifetime_seconds: int | None
    refresh_expires_at: datetime | None
    grant_expires_at: datetime | None
    data_key_id: uuid.UUID
    kek_id: str
    sealing_key_id: uuid.UUID
    sealing_kek_id: str
    app_id: uuid.UUID
    app_tenant_id: uuid.UUID | None
    provider: str
    app_name: str
    auth_style: str
    client_id: str
    app_params: str
    discovered: str
    app_key_id: uuid.UUID | None
    app_kek_id: str
    now: datetime
    secrets: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)
    sealing_wrapped: bytes = field(repr=False)
    app_secrets: bytes | None = field(repr=False)
    app_wrapped: bytes = field(repr=False)


def insert_plain_claims(
    connection_ids: Sequence[uuid.UUID],
    *,
    trigger: Trigger,
    claimed_by: str,
    claimant_key: int | None,
    lease: timedelta,
) -> list[ClaimRow]:
    """Insert the attempts and return the columns that the refreshes need, for those connections whose case is plain.

    One statement. Call it with the connections' rows locked.
    """
    parameters = {
        "wanted": json.dumps([{"connection_id": str(one), "attempt_id": str(uuid.uuid4())} for one in connection_ids]),
        "trigger": trigger,
        "claimed_by": claimed_by,
        "claimant_key": claimant_key,
        "lease": lease,
    }
    return fetch_all_prepared(_STATEMENT, parameters, ClaimRow)


@dataclass(frozen=True, slots=True)
class AppRow:
    """The provider app of a connection, and the party to which that leads, None for the provider itself."""

    connection_id: uuid.UUID
    id: uuid.UUID
    provider: str
    tenant_id: uuid.UUID
    party: uuid.UUID | None

    @property
    def party_or_app(self) -> uuid.UUID:
        """By whom the throttle knows the connection. It agrees with ``Connection.party_or_app``."""
        return self.party or self.id

    @property
    def places(self) -> tuple[Hashable, ...]:
        """By whom its calls count in the bulkhead."""
        return places(self.id, tenant_id=self.tenant_id, party=self.party)


def find_apps(*connection_ids: uuid.UUID) -> dict[uuid.UUID, AppRow]:
    """Return the provider apps of connections by the connections' ids, without those that are gone. One statement."""
    statement = (
        "SELECT id AS connection_id, provider_app_id AS id, provider, tenant_id, party"
        " FROM connections_connection WHERE id = ANY(%(ids)s)"
    )
    found = fetch_all_prepared(statement, {"ids": list(connection_ids)}, AppRow)
    return {row.connection_id: row for row in found}
