"""Rebind: let the credentials of a provider app follow it to endpoints that have moved.

A credential goes to nobody but the party that gave it (``targets.check_grantor``). Where a provider has really moved,
an operator who holds the keys says so here; the admin has no such button, because a person who may change an app may
not read what its connections hold.
"""

import uuid
from dataclasses import dataclass, replace

from django.db.models import Q

from connections.access.secrets import credential_place, open_for_renewal
from connections.access.targets import access_to
from connections.database.locks import lock_connection
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.models import Connection, CredentialVersion, ProviderApp
from connections.vault.sealing import Unreadable, fingerprint, seal


@dataclass(frozen=True, slots=True)
class Rebound:
    """How many connections follow, and how many are left as they were because a credential of theirs does not open."""

    moved: int
    left: int


def rebind(app: ProviderApp, *, actor: audit.Actor) -> Rebound:
    """Bind what the connections of ``app`` hold to its endpoints of today. Each is locked on its own; no HTTP.

    Repeating it is harmless. Raises ``AppMisconfigured`` where the app cannot be used as it is: its client secrets have
    to be entered for the new endpoints first.
    """
    moved = left = 0
    for connection_id in Connection.objects.filter(provider_app=app).order_by("id").values_list("id", flat=True):
        try:
            moved += _rebind(connection_id, actor=actor)
        except Unreadable:
            left += 1
    return Rebound(moved, left)


def _rebind(connection_id: uuid.UUID, *, actor: audit.Actor) -> bool:
    """Rebind what one connection holds of its grant, all or nothing; False where there was nothing to do."""
    with short_transaction():
        connection = lock_connection(connection_id)
        if connection is None:
            return False
        versions = list(CredentialVersion.objects.filter(Q(grant_id=connection.grant_id), connection=connection))
        if not versions:
            return False
        grantor = access_to(connection.provider_app, connection.params).target.grantor
        moved = [_reseal(connection, version, grantor) for version in versions]
        if any(moved):
            audit.record("connection.rebound", actor=actor, connection=connection)
        return any(moved)


def _reseal(connection: Connection, version: CredentialVersion, grantor: str) -> bool:
    credential, key = open_for_renewal(connection, version)
    if credential.granted_by == grantor:
        return False
    place = credential_place(tenant_id=connection.tenant_id, connection_id=connection.id, version_id=version.id)
    version.secrets = seal(replace(credential, granted_by=grantor).to_bytes(), key=key, place=place)
    version.data_key_id = key.id
    version.fingerprint = fingerprint(credential.main_secret(), key=key)
    version.save(update_fields=["secrets", "data_key", "fingerprint"])
    return True
