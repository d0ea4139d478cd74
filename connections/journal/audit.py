"""Write audit rows: who asked for what, and what was decided. An audit row may never hold a secret."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connections.models import AuditEvent, Connection

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
    detail: dict[str, Any] | None = None,
) -> AuditEvent:
    """Write one audit row, in the caller's transaction if one is open, and return it.

    ``decision`` is "allowed", a stable code of a refusal, or the outcome. ``detail`` holds further facts of the
    ``action``, JSON-ready and without secrets: mostly ids as text (``session``, ``attempt``, ``provider_app``,
    ``api_client``, ``api_key``) and counts; the proof of ``actor`` is added to it as ``caller``. The tenant is that of
    ``connection`` where one is given; ``connection_id`` is for a connection that is not loaded.
    """
    return AuditEvent.objects.create(
        action=action,
        decision=decision,
        tenant_id=connection.tenant_id if connection else tenant_id,
        connection_id=connection.id if connection else connection_id,
        credential_version_id=version_id,
        api_client_id=actor.api_client_id,
        operator=actor.operator,
        subject=actor.subject,
        agent=actor.agent,
        purpose=actor.purpose,
        address=actor.address,
        scopes=list(scopes),
        detail=(detail or {}) | ({} if actor.proof is None else {"caller": dict(actor.proof)}),
    )
