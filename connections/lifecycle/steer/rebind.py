"""Rebind: let the credentials of a provider app follow it to endpoints that have moved.

A credential may only be sent to the party that issued it (``targets.check_grantor``). Where a provider has really
moved, an operator with access to the keys confirms that by this command. The admin has no such button: a person who may
change an app could otherwise have the credentials of its connections sent to a server of their own.
"""

import uuid
from dataclasses import dataclass, replace

from django.db.models import Q

from connections.access.secrets import credential_place, open_for_renewal
from connections.access.targets import access_of
from connections.database.locks import lock_connection
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.models import Connection, CredentialVersion, ProviderApp
from connections.vault.sealing import Unreadable, fingerprint, seal


@dataclass(frozen=True, slots=True)
class Rebound:
    """How many connections were rebound (``moved``), and how many were ``left`` since a credential does not open."""

    moved: int
    left: int


def rebind(app: ProviderApp, *, actor: audit.Actor) -> Rebound:
    """Bind the credentials of all connections of ``app`` to its endpoints of now.

    Locks each connection in a short transaction of its own; no HTTP. Repeating it is harmless. Raises
    ``AppMisconfigured`` where the app cannot be used: enter its client secrets for the new endpoints first.
    """
    moved = left = 0
    for connection_id in Connection.objects.filter(provider_app=app).order_by("id").values_list("id", flat=True):
        try:
            moved += _rebind(connection_id, actor=actor)
        except Unreadable:
            left += 1
    return Rebound(moved, left)


def _rebind(connection_id: uuid.UUID, *, actor: audit.Actor) -> bool:
    """Rebind all credential versions of one connection's grant, or none. Return False where nothing had to change."""
    with short_transaction():
        connection = lock_connection(connection_id)
        if connection is None:
            return False
        versions = list(CredentialVersion.objects.filter(Q(grant_id=connection.grant_id), connection=connection))
        if not versions:
            return False
        grantor = access_of(connection).target.grantor
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
