"""Write audit rows: who asked for what, and what was decided. An audit row may never hold a secret."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connections.database.prepared import fetch_prepared
from connections.models import Connection

ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is behind a call: an API client, an operator in the admin, an end user's browser, or Latchkey itself.

    ``operator`` is a login name of the admin, ``subject`` the end user's id, ``agent`` and ``purpose`` what the caller
    stated about itself, ``address`` its IP address. ``proof`` says who vouches for a client that brought a token
    instead of a key: ``issuer`` and ``subject``.
    """

    api_client_id: uuid.UUID | None = None
    operator: str = ""
    subject: str = ""
    agent: str = ""
    purpose: str = ""
    address: str | None = None
    proof: Mapping[str, str] | None = None


SYSTEM = Actor()


_INSERT = """
INSERT INTO connections_auditevent (action, decision, tenant_id, connection_id, credential_version_id, api_client_id,
                                    operator, subject, agent, purpose, scopes, address, fingerprint, detail)
VALUES (%(action)s, %(decision)s, %(tenant_id)s::uuid, %(connection_id)s::uuid, %(credential_version_id)s::uuid,
        %(api_client_id)s::uuid, %(operator)s, %(subject)s, %(agent)s, %(purpose)s, %(scopes)s::text[],
        %(address)s::inet, %(fingerprint)s::bytea, %(detail)s::jsonb)
RETURNING id, at
"""


@dataclass(frozen=True, slots=True)
class Written:
    """What the database says of an audit row that it has taken."""

    id: int
    at: datetime


def record(
    action: str,
    *,
    decision: str = ALLOWED,
    actor: Actor = SYSTEM,
    tenant_id: uuid.UUID | None = None,
    connection: Connection | None = None,
    connection_id: uuid.UUID | None = None,
    version_id: uuid.UUID | None = None,
    scopes: Sequence[str] = (),
    fingerprint: bytes | None = None,
    detail: Mapping[str, Any] | None = None,
) -> Written:
    """Write one audit row, in the caller's transaction if one is open, and return its id and its moment.

    ``decision`` is "allowed", a stable code of a refusal, or the outcome. ``detail`` holds further facts of the
    ``action``, JSON-ready and without secrets: mostly ids as text (``session``, ``attempt``, ``provider_app``,
    ``api_client``, ``api_key``) and counts; the proof of ``actor`` is added to it as ``caller``. ``fingerprint`` is
    that of the token which was handed out. The tenant is that of ``connection`` where one is given; ``connection_id``
    is for a connection that is not loaded.
    """
    proof = {} if actor.proof is None else {"caller": dict(actor.proof)}
    values = {
        "action": action,
        "decision": str(decision),
        "tenant_id": connection.tenant_id if connection else tenant_id,
        "connection_id": connection.id if connection else connection_id,
        "credential_version_id": version_id,
        "api_client_id": actor.api_client_id,
        "operator": actor.operator,
        "subject": actor.subject,
        "agent": actor.agent,
        "purpose": actor.purpose,
        "scopes": list(scopes),
        "address": actor.address,
        "fingerprint": fingerprint,
        "detail": json.dumps({**(detail or {}), **proof}),
    }
    if (written := fetch_prepared(_INSERT, values, Written)) is None:
        raise RuntimeError("PostgreSQL took an audit row without saying so.")
    return written
