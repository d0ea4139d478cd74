"""The one statement of a vend: who asks, what they may have, the ciphertext, and the audit row, committed together.

PostgreSQL checks the key, finds the connection, decides the plain cases and writes the audit row in one round trip.
The statement allows nothing that ``rules.decide_vend`` would not allow. For every case that it leaves open it returns
the facts, and that function decides. The statement compares scopes by name. The rules by which one scope stands for
another are in the catalogue, which may change at any time. So where a granted scope stands for a requested one, the
statement runs a second time, with the name of the granted one.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connections.access.targets import scope_rules_of
from connections.database.prepared import fetch_prepared
from connections.lifecycle.credentials.due import probe_intervals
from connections.lifecycle.vend.rules import DEFAULT_MIN_TTL_SECONDS, VendFacts
from connections.models import OwnerKind, Status, switches
from connections.models.switches import KILL_SWITCH

_STATEMENT = f"""
WITH caller AS (
    SELECT client.id, client.tenant_id, client.permissions, client.suspended_at IS NOT NULL AS is_suspended
      FROM connections_apikey AS key
      JOIN connections_apiclient AS client ON client.id = key.client_id
     WHERE key.key_hash = %(key_hash)s AND key.revoked_at IS NULL AND key.expires_at > now()
), found AS (
    SELECT connection.id AS connection_id, connection.status, connection.reason, connection.owner_kind,
           connection.end_user, connection.binding, connection.params,
           connection.provider_account_id, connection.provider_account_name,
           connection.verified_at, connection.verified_by, connection.last_vended_at,
           tenant.id AS tenant_id, tenant.reconnect_url,
           app.provider, app.auth_style, app.params AS app_params, app.discovered,
           {switches.sql(KILL_SWITCH)} AS is_suspended,
           version.id AS version_id, version.secrets, version.scopes, version.is_refreshable,
           version.access_expires_at, version.lifetime_seconds, version.fingerprint,
           data_key.id AS data_key_id, data_key.kek_id, data_key.wrapped,
           ARRAY(SELECT scope.name::text FROM connections_scope AS scope
                  WHERE scope.connection_id = connection.id AND scope.is_requested AND NOT scope.is_granted
                  ORDER BY scope.name) AS missing_scopes
      FROM caller
      JOIN connections_connection AS connection ON connection.id = %(connection_id)s
      JOIN connections_tenant AS tenant
        ON tenant.id = connection.tenant_id
       AND (tenant.slug = %(tenant)s AND coalesce(caller.tenant_id, tenant.id) = tenant.id
            OR tenant.id = caller.tenant_id AND %(tenant)s::text IS NULL)
      JOIN connections_providerapp AS app ON app.id = connection.provider_app_id
      LEFT JOIN connections_credentialversion AS version ON version.id = connection.current_version_id
      LEFT JOIN connections_datakey AS data_key ON data_key.id = version.data_key_id
), allowed AS (
    SELECT found.*, caller.id AS client_id
      FROM found, caller
     WHERE NOT found.is_suspended
       AND NOT caller.is_suspended
       AND 'vend' = ANY (caller.permissions)
       AND found.status IN ('active', 'suspect')
       AND CASE WHEN %(end_user)s::text IS NULL THEN 'vend_without_user' = ANY (caller.permissions)
                ELSE found.owner_kind = 'tenant' OR found.end_user = %(end_user)s END
       AND found.scopes::text[] @> %(needed_scopes)s::text[]
       AND (found.access_expires_at IS NULL
            OR found.access_expires_at > now() + %(min_ttl)s * interval '1 second')
), audited AS (
    INSERT INTO connections_auditevent (action, decision, tenant_id, connection_id, credential_version_id,
                                        api_client_id, subject, agent, purpose, scopes, address, fingerprint)
    SELECT 'credential.vend', 'allowed', tenant_id, connection_id, version_id,
           client_id, coalesce(%(end_user)s, ''), %(agent)s, %(purpose)s, %(scopes)s, %(address)s, fingerprint
      FROM allowed
    RETURNING id
), noticed AS (
    UPDATE connections_connection AS connection
       SET last_vended_at = now(),
           probe_due_at = least(connection.probe_due_at, now() + %(probe_within)s)
      FROM allowed
     WHERE connection.id = allowed.connection_id
       AND (allowed.last_vended_at IS NULL OR allowed.last_vended_at < now() - interval '5 minutes')
)
SELECT caller.id AS client_id, caller.permissions, caller.is_suspended AS is_client_suspended,
       found.*, audited.id AS audit_id, now() AS now
  FROM caller LEFT JOIN found ON true LEFT JOIN audited ON true
"""  # noqa: S608 (only constants are put in)


@dataclass(frozen=True, slots=True)
class VendRow:
    """The row that the statement returns. All but the first are None where the caller may not see the connection.

    ``missing_scopes`` are the requested scopes that are not granted under their own name (``scopes_missing`` also
    applies the catalogue's rules). ``params``, ``app_params`` and ``discovered`` are JSON texts.
    """

    now: datetime
    client_id: uuid.UUID
    permissions: Sequence[str]
    is_client_suspended: bool
    audit_id: int | None
    connection_id: uuid.UUID | None
    tenant_id: uuid.UUID
    status: str
    reason: str
    owner_kind: str
    end_user: str
    binding: str
    params: str
    provider_account_id: str
    provider_account_name: str
    verified_at: datetime | None
    verified_by: str
    last_vended_at: datetime | None
    reconnect_url: str
    provider: str
    auth_style: str
    app_params: str
    discovered: str
    is_suspended: bool
    version_id: uuid.UUID | None
    scopes: Sequence[str] | None
    is_refreshable: bool | None
    access_expires_at: datetime | None
    lifetime_seconds: int | None
    kek_id: str
    data_key_id: uuid.UUID | None
    missing_scopes: Sequence[str]
    secrets: bytes | None = field(repr=False)
    fingerprint: bytes | None = field(repr=False)
    wrapped: bytes = field(repr=False)

    def facts(self) -> VendFacts:
        """Return the facts for ``rules.decide_vend``. No I/O beyond the catalogue."""
        if self.connection_id is None:
            raise ValueError("There is no connection to decide about.")
        return VendFacts(
            status=Status(self.status),
            owner_kind=OwnerKind(self.owner_kind),
            end_user=self.end_user,
            is_suspended=self.is_suspended or self.is_client_suspended,
            access_expires_at=self.access_expires_at,
            is_refreshable=bool(self.is_refreshable),
            granted_scopes=self.scopes or (),
            lifetime_seconds=self.lifetime_seconds,
            ungranted_scopes=self.missing_scopes or (),
            scope_rules=scope_rules_of(self.provider),
        )

    def granted_for(self, scopes: Sequence[str]) -> tuple[str, ...] | None:
        """Return the granted scopes that stand for ``scopes``; None where all have their names, or some are missing."""
        granted = self.scopes
        if granted is None or set(scopes) <= set(granted):
            return None
        rules = scope_rules_of(self.provider)
        if rules.missing(scopes, granted=granted, asked=self.missing_scopes):
            return None
        return rules.witnesses(scopes, granted=granted)

    def scopes_missing(self) -> tuple[str, ...]:
        """Return the requested scopes for which no granted scope stands."""
        asked = self.missing_scopes or ()
        return scope_rules_of(self.provider).missing(asked, granted=self.scopes or ()) if asked else ()


def run_vend_statement(
    *,
    key_hash: bytes,
    connection_id: uuid.UUID,
    tenant: str | None,
    end_user: str | None,
    scopes: Sequence[str],
    min_ttl_seconds: float | None,
    agent: str,
    purpose: str,
    address: str | None,
) -> VendRow | None:
    """Run the statement, prepared on the server, outside any transaction. None means that the key is not valid.

    Runs the statement twice where granted scopes stand for requested ones under other names. If ``audit_id`` of the row
    is set, the audit row is committed and the credential may be handed out.
    """
    parameters: dict[str, Any] = {
        "key_hash": key_hash,
        "connection_id": connection_id,
        "tenant": tenant,
        "end_user": end_user,
        "scopes": list(scopes),
        "needed_scopes": list(scopes),
        "min_ttl": DEFAULT_MIN_TTL_SECONDS if min_ttl_seconds is None else max(0.0, min_ttl_seconds),
        "agent": agent,
        "purpose": purpose,
        "address": address,
        "probe_within": probe_intervals().hot,
    }
    row = fetch_prepared(_STATEMENT, parameters, VendRow)
    if row is None or row.audit_id is not None or (needed := row.granted_for(scopes)) is None:
        return row
    return fetch_prepared(_STATEMENT, parameters | {"needed_scopes": list(needed)}, VendRow)
