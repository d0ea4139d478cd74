"""Filling a running stack for ``growth_bench``: ``python -m tests.campaigns.growth_fill --connections 1000000``.

Runs in a process of its own, under the environment of a stack that has a connection which was never refreshed. The
connections that it adds are copies of that one and never due; each has a version and a refresh attempt. Their secrets
do not open, because a ciphertext is bound to its row: they are there to be many. The audit rows are of vends of these
connections, one a second.
"""

import argparse

import django

django.setup()

from django.db import connection as database  # noqa: E402 - the apps must be ready
from django.db import transaction  # noqa: E402 - the apps must be ready

from connections.models import AuditEvent, Connection, CredentialVersion, RefreshAttempt  # noqa: E402 - the apps too
from tests.campaigns.copies import copies  # noqa: E402 - the apps must be ready

_PLANNED = """
CREATE TEMP TABLE planned AS
SELECT number, origin.id AS origin_id, gen_random_uuid() AS connection_id, gen_random_uuid() AS version_id
  FROM generate_series(1, %(count)s) AS number,
       (SELECT connection_id AS id FROM connections_credentialversion
         WHERE stage = 'current' AND attempt_id IS NULL LIMIT 1) AS origin
"""
_AUDIT = """
INSERT INTO connections_auditevent (at, action, decision, tenant_id, connection_id, credential_version_id,
                                    api_client_id, subject, address, fingerprint)
SELECT now() - number * interval '1 second', 'credential.vend', 'allowed', vended.tenant_id, vended.id,
       vended.current_version_id, vended.tenant_id, vended.end_user, '127.0.0.1', sha256('token')
  FROM generate_series(1, %(count)s) AS number
  JOIN (SELECT row_number() OVER () - 1 AS place, id, tenant_id, current_version_id, end_user
          FROM connections_connection) AS vended
    ON vended.place = number::bigint * 7919 %% (SELECT count(*) FROM connections_connection)
"""


def add_connections(count: int) -> None:
    """Add that many connections, each with its version and one refresh attempt."""
    connection = {
        "id": "planned.connection_id",
        "end_user": "'filler-' || number",
        "current_version_id": "planned.version_id",
        "grant_id": "gen_random_uuid()",
        "access_expires_at": "now() + interval '90 days'",
        "refresh_due_at": "now() + (60 + 10 * random()) * interval '1 day'",
        "probe_due_at": "now() + (60 + 10 * random()) * interval '1 day'",
    }
    version = {"id": "planned.version_id", "connection_id": "planned.connection_id"}
    attempts = f"""
        INSERT INTO {RefreshAttempt._meta.db_table} (id, connection_id, parent_version_id, state, trigger, claimed_by,
                                                     claimed_at, deadline_at, ended_at, follows_doubt, error, evidence)
        SELECT gen_random_uuid(), connection_id, gen_random_uuid(), 'promoted', 'sweep', 'worker',
               now() - interval '1 day' - number * interval '1 second', now(), now(), false, '', '{{}}' FROM planned
    """
    with transaction.atomic(), database.cursor() as cursor:
        # The references are right as they are made; to check six million of them takes as long as all the rest.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(_PLANNED, {"count": count})
        cursor.execute(copies(Connection, connection, of="id"))
        cursor.execute(copies(CredentialVersion, version, of="connection_id"))
        cursor.execute(attempts)


def add_audit_rows(count: int) -> None:
    """Add that many audit rows, about all connections in turn."""
    with database.cursor() as cursor:
        cursor.execute("SET work_mem = '256MB'")  # else the rows would come in the order of a hash
        cursor.execute(_AUDIT, {"count": count})


def main() -> None:
    """Add what the arguments ask for, and leave the tables as tidy as autovacuum would."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=0)
    parser.add_argument("--audit-rows", type=int, default=0)
    options = parser.parse_args()
    if options.connections:
        add_connections(options.connections)
    if options.audit_rows:
        add_audit_rows(options.audit_rows)
    with database.cursor() as cursor:
        for model in (Connection, CredentialVersion, RefreshAttempt, AuditEvent):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
        cursor.execute("CHECKPOINT")


if __name__ == "__main__":
    main()
