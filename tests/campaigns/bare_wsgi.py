"""The yardstick of the vend: the least that could do its job in the same server, without Django's request handling.

One SQL statement checks the key, finds the credential and writes the audit row; the same decryption follows. What it
leaves out is all that a product needs: owner, scopes, switches, presentation, refusals. ``trivial`` is a constant.
"""

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import django
from psycopg_pool import ConnectionPool

django.setup()

from connections.access.secrets import credential_place, unwrap_columns  # noqa: E402 - the apps must be ready
from connections.models.fields import StoredSecret  # noqa: E402 - the apps must be ready
from connections.vault.sealing import open_sealed  # noqa: E402 - the apps must be ready

_STATEMENT = """
WITH vended AS (
    SELECT client.id AS client_id, connection.tenant_id, connection.id AS connection_id, version.id AS version_id,
           version.secrets, data_key.id AS data_key_id, data_key.kek_id, data_key.wrapped
      FROM connections_apikey AS key
      JOIN connections_apiclient AS client ON client.id = key.client_id
      JOIN connections_connection AS connection
        ON connection.tenant_id = client.tenant_id AND connection.id = %s AND connection.end_user = %s
      JOIN connections_credentialversion AS version ON version.id = connection.current_version_id
      JOIN connections_datakey AS data_key ON data_key.id = version.data_key_id
     WHERE key.key_hash = %s AND key.revoked_at IS NULL AND key.expires_at > now()
), audited AS (
    INSERT INTO connections_auditevent
        (action, decision, tenant_id, connection_id, credential_version_id, api_client_id)
    SELECT 'credential.vend', 'allowed', tenant_id, connection_id, version_id, client_id FROM vended
    RETURNING id
)
SELECT vended.*, audited.id FROM vended, audited
"""
_pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=1, max_size=8, kwargs={"autocommit": True}, open=True)


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer any path with a vend of the connection that the body names."""
    wanted = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    key = environ["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    parameters = (uuid.UUID(wanted["connection"]), wanted["end_user"], hashlib.sha256(key.encode()).digest())
    with _pool.connection() as database:
        row = database.execute(_STATEMENT, parameters, prepare=True).fetchone()
    if row is None:
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]
    _, tenant_id, connection_id, version_id, secrets, key_id, kek_id, wrapped, _ = row
    data_key = unwrap_columns(key_id=key_id, tenant_id=tenant_id, kek_id=kek_id, wrapped=bytes(wrapped))
    place = credential_place(tenant_id=tenant_id, connection_id=connection_id, version_id=version_id)
    opened = json.loads(open_sealed(StoredSecret(bytes(secrets)).open_outer(), key=data_key, place=place))
    body = json.dumps({"value": opened["access_token"]}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
