"""The one statement of vends: who asks, what they may have, the ciphertexts, and the audit rows, committed together.

PostgreSQL checks the keys, finds the connections, decides the plain cases and writes the audit rows in one round trip.
Orders that come at the same time share one statement and one commit. Each of them is looked up by itself, so that a
plan never depends on how many there are.
The statement allows nothing that ``rules.decide_vend`` would not allow. For every case that it leaves open it returns
the facts, and that function decides. The statement compares scopes by name. The rules by which one scope stands for
another are in the catalogue, which may change at any time. So where a granted scope stands for a requested one, the
statement runs a second time, with the name of the granted one, and with the required scopes that others stand for
(``stood_for``). Orders that bring a subject's token, name somebody who
was verified, need an access grant or are proxied only get the facts.
"""

import json
import uuid
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connections.access.parties import places
from connections.access.targets import scope_rules_of
from connections.database.locks import lock_unlocked_of
from connections.database.prepared import execute_prepared, fetch_all_prepared
from connections.lifecycle.credentials.due import probe_intervals
from connections.lifecycle.policy.check import NO_GRANT, Access
from connections.lifecycle.vend.order import VendOrder
from connections.lifecycle.vend.rules import DEFAULT_MIN_TTL_SECONDS, VendFacts
from connections.models import OwnerKind, Status, switches
from connections.models.switches import KILL_SWITCH
from providers.strategies import strategies, strategy_for

_PER_SUBJECT = ", ".join(f"'{strategy.style}'" for strategy in strategies().values() if strategy.per_subject)
# No provider can grant it (RFC 6749 §3.3). To an order that needs it the statement allows nothing.
_UNGRANTABLE = " "
_NOTED_EVERY = timedelta(minutes=5)  # the same number is in the statement
_STATEMENT = f"""
WITH asked AS (
    SELECT * FROM json_to_recordset(%(orders)s::json) AS asked (
        number int, key_hash text, connection_id uuid, tenant text, end_user text, scopes text[], needed_scopes text[],
        stood_for text[], min_ttl float8, agent text, purpose text, address inet)
), found AS (
    SELECT asked.number, caller.id AS client_id, caller.permissions, caller.is_suspended AS is_client_suspended,
           caller.restriction, caller.demands_verified, caller.proof, theirs.*
      FROM asked
      JOIN LATERAL (
            SELECT client.id, client.tenant_id, client.permissions, client.suspended_at IS NOT NULL AS is_suspended,
                   client.restriction, client.demands_verified, proven.proof
              FROM (SELECT key.client_id, NULL::jsonb AS proof
                      FROM connections_apikey AS key
                     WHERE key.key_hash = decode(asked.key_hash, 'hex') AND key.revoked_at IS NULL
                       AND key.expires_at > now()
                     UNION ALL
                    SELECT token.client_id, token.proof
                      FROM connections_proventoken AS token
                     WHERE token.token_hash = decode(asked.key_hash, 'hex') AND token.expires_at > now()
                     LIMIT 1
                   ) AS proven
              JOIN connections_apiclient AS client ON client.id = proven.client_id
             WHERE client.networks = '{{}}' OR asked.address <<= ANY (client.networks::text[]::inet[])
             LIMIT 1
           ) AS caller ON true
      LEFT JOIN LATERAL (
            SELECT connection.id AS connection_id, connection.status, connection.reason, connection.owner_kind,
                   connection.end_user, connection.grants_only, connection.binding, connection.params, connection.party,
                   connection.provider_account_id, connection.provider_account_name,
                   connection.verified_at, connection.verified_by, connection.last_vended_at,
                   tenant.id AS tenant_id, tenant.reconnect_url,
                   app.id AS app_id, app.provider, app.auth_style, app.params AS app_params,
                   app.required_scopes,
                   coalesce(own.discovered, app.discovered) AS discovered,
                   {switches.sql(KILL_SWITCH)} AS is_suspended,
                   version.id AS version_id, version.secrets, version.scopes, version.is_refreshable,
                   version.access_expires_at, version.lifetime_seconds, version.fingerprint,
                   data_key.id AS data_key_id, data_key.kek_id, data_key.wrapped,
                   ARRAY(SELECT scope.name::text FROM connections_scope AS scope
                          WHERE scope.connection_id = connection.id AND scope.is_requested AND NOT scope.is_granted
                          ORDER BY scope.name) AS missing_scopes,
                   ARRAY(SELECT scope.name::text FROM connections_scope AS scope
                          WHERE scope.connection_id = connection.id AND scope.is_granted AND NOT scope.is_observed
                          ORDER BY scope.name) AS gone_scopes
              FROM connections_connection AS connection
              JOIN connections_tenant AS tenant
                ON tenant.id = connection.tenant_id
               AND (tenant.slug = asked.tenant AND coalesce(caller.tenant_id, tenant.id) = tenant.id
                    OR tenant.id = caller.tenant_id AND asked.tenant IS NULL)
              JOIN connections_providerapp AS app ON app.id = connection.provider_app_id
              LEFT JOIN connections_registeredclient AS own ON own.id = connection.registered_client_id
              LEFT JOIN connections_credentialversion AS version ON version.id = connection.current_version_id
              LEFT JOIN connections_datakey AS data_key ON data_key.id = version.data_key_id
             WHERE connection.id = asked.connection_id AND NOT connection.is_trial
             LIMIT 1
           ) AS theirs ON true
), allowed AS (
    SELECT asked.*, found.client_id, found.tenant_id, found.version_id, found.fingerprint, found.last_vended_at,
           found.proof, nextval('connections_auditevent_id_seq') AS audit_id
      FROM found
      JOIN asked ON asked.number = found.number
     WHERE NOT found.is_suspended
       AND NOT found.is_client_suspended
       AND found.restriction = ''
       AND 'vend' = ANY (found.permissions)
       AND found.status IN ('active', 'suspect')
       AND found.auth_style NOT IN ({_PER_SUBJECT})
       AND NOT found.grants_only
       AND NOT found.demands_verified
       AND CASE WHEN asked.end_user IS NULL THEN 'vend_without_user' = ANY (found.permissions)
                ELSE found.owner_kind = 'tenant' OR found.end_user = asked.end_user END
       AND found.scopes::text[] @> asked.needed_scopes
       AND NOT found.gone_scopes && asked.needed_scopes
       AND (found.scopes::text[] @> found.required_scopes::text[]
            AND NOT found.gone_scopes && found.required_scopes::text[]
            OR found.required_scopes::text[] = asked.stood_for)
       AND (found.access_expires_at IS NULL
            OR found.access_expires_at > now() + asked.min_ttl * interval '1 second')
), audited AS (
    INSERT INTO connections_auditevent (id, action, decision, tenant_id, connection_id, credential_version_id,
                                        api_client_id, subject, agent, purpose, scopes, address, fingerprint,
                                        detail)
    SELECT audit_id, 'credential.vend', 'allowed', tenant_id, connection_id, version_id,
           client_id, coalesce(end_user, ''), agent, purpose, scopes, address, fingerprint,
           CASE WHEN proof IS NULL THEN '{{}}' ELSE jsonb_build_object('caller', proof) END
      FROM allowed
    RETURNING id
), noticed AS (
    UPDATE connections_connection AS connection
       SET last_vended_at = now(), probe_due_at = least(connection.probe_due_at, now() + %(probe_within)s)
     WHERE connection.id = ANY (ARRAY({
    lock_unlocked_of(
        "SELECT connection_id FROM allowed"
        " WHERE last_vended_at IS NULL OR last_vended_at < now() - interval '5 minutes'"
    )
}))
)
SELECT found.*, audited.id AS audit_id, now() AS now
  FROM found
  LEFT JOIN allowed ON allowed.number = found.number
  LEFT JOIN audited ON audited.id = allowed.audit_id
"""  # noqa: S608 (only constants are put in)


@dataclass(frozen=True, slots=True)
class VendRow:
    """The row that the statement returns. From ``connection_id`` on, all are None where the caller may not see it.

    ``access`` says under which access grant the vend is allowed. The statement allows none that needs one.
    ``missing_scopes`` are the requested scopes that are not granted under their own name (``scopes_missing`` also
    applies the catalogue's rules). ``gone_scopes`` are granted ones that a probe has missed since. ``required_scopes``
    are those that the provider app requires. ``params``, ``app_params``, ``discovered`` and ``proof`` are JSON texts;
    the last says who vouches for a caller that brought a token, and is None for a key.
    """

    number: int
    now: datetime
    client_id: uuid.UUID
    permissions: Sequence[str]
    is_client_suspended: bool
    restriction: str
    demands_verified: bool
    proof: str | None
    audit_id: int | None
    connection_id: uuid.UUID | None
    tenant_id: uuid.UUID
    status: str
    reason: str
    owner_kind: str
    end_user: str
    grants_only: bool
    binding: str
    params: str
    party: uuid.UUID | None
    provider_account_id: str
    provider_account_name: str
    verified_at: datetime | None
    verified_by: str
    last_vended_at: datetime | None
    reconnect_url: str
    app_id: uuid.UUID
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
    gone_scopes: Sequence[str]
    required_scopes: Sequence[str]
    secrets: bytes | None = field(repr=False)
    fingerprint: bytes | None = field(repr=False)
    wrapped: bytes = field(repr=False)
    access: Access = NO_GRANT

    def facts(self) -> VendFacts:
        """Return the facts for ``rules.decide_vend``. No I/O beyond the catalogue."""
        if self.connection_id is None:
            raise ValueError("There is no connection to decide about.")
        return VendFacts(
            status=Status(self.status),
            owner_kind=OwnerKind(self.owner_kind),
            end_user=self.end_user,
            grants_only=self.grants_only,
            is_suspended=self.is_suspended or self.is_client_suspended,
            access_expires_at=self.access_expires_at,
            is_refreshable=bool(self.is_refreshable),
            granted_scopes=self.held,
            required_scopes=self.required_scopes or (),
            lifetime_seconds=self.lifetime_seconds,
            ungranted_scopes=self.missing_scopes or (),
            scope_rules=scope_rules_of(self.provider),
            is_per_subject=strategy_for(self.auth_style).per_subject,
            demands_verified=self.demands_verified,
        )

    @property
    def places(self) -> tuple[Hashable, ...]:
        """By whom a refresh of the connection counts in the bulkhead."""
        return places(self.app_id, tenant_id=self.tenant_id, party=self.party)

    @property
    def held(self) -> list[str]:
        """The scopes of the credential that no probe has missed."""
        return [name for name in self.scopes or () if name not in (self.gone_scopes or ())]

    def granted_for(self, scopes: Sequence[str]) -> tuple[str, ...] | None:
        """Return the held scopes that stand for ``scopes``.

        None where these and the required ones all have their names, or some of them are missing.
        """
        held, wanted = self.held, [*scopes, *(self.required_scopes or ())]
        if self.scopes is None or set(wanted) <= set(held):
            return None
        rules = scope_rules_of(self.provider)
        if rules.missing(wanted, granted=held, asked=self.missing_scopes):
            return None
        return rules.witnesses(scopes, granted=held)

    def scopes_missing(self) -> tuple[str, ...]:
        """Return the requested and the required scopes for which no scope stands that the credential has."""
        asked = self.missing_scopes or ()
        wanted = dict.fromkeys([*asked, *(self.gone_scopes or ()), *(self.required_scopes or ())])
        return scope_rules_of(self.provider).missing(wanted, granted=self.held, asked=asked) if wanted else ()


def vouched(order: VendOrder, row: VendRow) -> dict[str, Any]:
    """Return what an audit row says of who vouches: ``caller`` and ``verified``, where somebody does. No I/O."""
    told: dict[str, Any] = {} if row.proof is None else {"caller": json.loads(row.proof)}
    return told | ({"verified": order.vouched_by} if order.vouched_by else {})


def run_vend_statement(orders: Sequence[VendOrder]) -> list[VendRow | None]:
    """Run the statement for all ``orders`` at once, prepared on the server, outside any transaction.

    Returns a row for each order, in their order; None means that its key is not valid. If ``audit_id`` of a row is set,
    the audit row is committed and the credential may be handed out. Runs the statement a second time for orders where
    granted scopes stand for requested ones under other names. Waits for no row lock. An error fails all ``orders``.
    """
    rows = _run([_asked(number, order, order.scopes) for number, order in enumerate(orders)])
    again = [
        _asked(number, orders[number], needed, stood_for=row.required_scopes)
        for number, row in rows.items()
        if row.audit_id is None
        and not orders[number].wants_facts
        and (needed := row.granted_for(orders[number].scopes)) is not None
    ]
    if again:
        rows |= _run(again)
    return [rows.get(number) for number in range(len(orders))]


_NOTICED = f"""
UPDATE connections_connection AS connection
   SET last_vended_at = now(), probe_due_at = least(connection.probe_due_at, now() + %(probe_within)s)
 WHERE connection.id = ANY (ARRAY({lock_unlocked_of("SELECT %(connection_id)s::uuid")}))
"""  # noqa: S608 (only constants are put in)


def note_use(row: VendRow) -> None:
    """Note that the connection of ``row`` was used otherwise than by a vend, as a vend notes it. Waits for no lock."""
    if row.last_vended_at is None or row.last_vended_at < row.now - _NOTED_EVERY:
        execute_prepared(_NOTICED, {"connection_id": row.connection_id, "probe_within": probe_intervals().hot})


def _run(asked: Sequence[dict[str, Any]]) -> dict[int, VendRow]:
    parameters = {"orders": json.dumps(asked), "probe_within": probe_intervals().hot}
    return {row.number: row for row in fetch_all_prepared(_STATEMENT, parameters, VendRow)}


def _asked(
    number: int, order: VendOrder, needed_scopes: Sequence[str], *, stood_for: Sequence[str] | None = None
) -> dict[str, Any]:
    wanted = order.min_ttl_seconds
    return {
        "number": number,
        "key_hash": order.key_hash.hex(),
        "connection_id": str(order.connection_id),
        "tenant": order.tenant,
        "end_user": order.end_user,
        "scopes": list(order.scopes),
        "needed_scopes": [_UNGRANTABLE] if order.wants_facts else list(needed_scopes),
        "stood_for": None if stood_for is None else list(stood_for),
        "min_ttl": DEFAULT_MIN_TTL_SECONDS if wanted is None else max(0.0, wanted),
        "agent": order.agent,
        "purpose": order.purpose,
        "address": order.address,
    }
