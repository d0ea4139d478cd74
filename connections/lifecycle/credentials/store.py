"""Store (T2a): insert received versions at once, because each may hold the only live token.

One version is stored without a condition, and waits for whoever has locked its attempt. Versions that came together
share a statement and a commit; it leaves out those that would have to wait, so that none of them waits for another's.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from connections.database.locks import ATTEMPT_IF_FREE
from connections.database.prepared import execute_prepared, fetch_all_prepared
from connections.lifecycle.credentials.versions import SealedVersion, columns_of
from connections.models.fields import outer_fernet

_GIVEN = """
WITH given AS (
    SELECT * FROM json_to_recordset(%(versions)s::json) AS given (
        id uuid, connection_id uuid, grant_id uuid, parent_id uuid, attempt_id uuid, stage text, secrets bytea,
        data_key_id uuid, fingerprint bytea, scopes text[], is_refreshable boolean, access_expires_at timestamptz,
        lifetime_seconds int, received_at timestamptz, refresh_lifetime_seconds int, refresh_expires_at timestamptz,
        grant_expires_at timestamptz)
)"""

_STORED = """
, attempt AS (
    UPDATE connections_refreshattempt AS attempt SET state = 'received' FROM stored
     WHERE attempt.id = stored.attempt_id AND attempt.state IN ('sent', 'in_doubt', 'superseded')
)
INSERT INTO connections_credentialversion (id, connection_id, grant_id, parent_id, attempt_id, stage, secrets,
                                           data_key_id, fingerprint, scopes, is_refreshable, access_expires_at,
                                           lifetime_seconds, refresh_lifetime_seconds, refresh_expires_at,
                                           grant_expires_at, received_at)
SELECT id, connection_id, grant_id, parent_id, attempt_id, stage, secrets, data_key_id, fingerprint, scopes,
       is_refreshable, access_expires_at, lifetime_seconds, refresh_lifetime_seconds, refresh_expires_at,
       grant_expires_at, received_at
  FROM stored
RETURNING id
"""

_STORE = f"{_GIVEN}, stored AS (TABLE given) {_STORED}"

_STORE_FREE = f"""
{_GIVEN}, free AS MATERIALIZED (
    SELECT attempt.id FROM given JOIN connections_refreshattempt AS attempt ON attempt.id = given.attempt_id
     {ATTEMPT_IF_FREE}
), stored AS (
    SELECT given.* FROM given JOIN free ON free.id = given.attempt_id
) {_STORED}
"""  # noqa: S608 (only constants are put in)


@dataclass(frozen=True, slots=True)
class _Stored:
    id: UUID


def store_received(sealed: SealedVersion) -> None:
    """Insert ``sealed`` as ``received`` and mark its attempt as received (T2a). One statement; takes no lock first."""
    execute_prepared(_STORE, _given([sealed]))


def store_free(sealed: Sequence[SealedVersion]) -> set[UUID]:
    """Store, as ``store_received`` does, those of ``sealed`` whose attempts nobody has locked. Return the ids of these.

    One statement, which waits for no lock that is held for longer than a moment. An error fails them all: then store
    each by itself.
    """
    return {row.id for row in fetch_all_prepared(_STORE_FREE, _given(sealed), _Stored)}


def _given(sealed: Sequence[SealedVersion]) -> dict[str, Any]:
    return {"versions": json.dumps([_document(version) for version in sealed])}


def _document(sealed: SealedVersion) -> dict[str, Any]:
    secrets = outer_fernet().encrypt(sealed.secrets)  # as ``SealedField`` does it
    return {name: _plain(value) for name, value in (columns_of(sealed) | {"secrets": secrets}).items()}


def _plain(value: object) -> object:
    """Return ``value`` as JSON can say it and PostgreSQL reads it."""
    match value:
        case bytes():
            return f"\\x{value.hex()}"
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
    return value
