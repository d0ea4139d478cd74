"""Sealing and opening the stored secrets: finds the right data key, and binds each value to its place.

The cryptography is ``connections.vault``; here it meets the tables.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from pydantic import SecretStr

from connections.models import Connection, ConnectSession, CredentialVersion, ProviderApp
from connections.models import DataKey as DataKeyRow
from connections.models.data_key import SHREDDED
from connections.models.fields import StoredSecret
from connections.vault.keyring import DataKey, Keyring, KeyringError, new_data_key, parse_keyring
from connections.vault.sealing import Place, Unreadable, open_sealed, seal, sealed_under
from providers.values import Credential


@lru_cache(maxsize=4)
def _keyring(entries: tuple[str, ...]) -> Keyring:
    return parse_keyring(entries)


def keyring() -> Keyring:
    """Return the keyring of ``KEK_KEYS``."""
    return _keyring(tuple(settings.KEK_KEYS))


def key_binding(tenant_id: uuid.UUID | None) -> bytes:
    """Return what a wrapped data key is bound to besides its id: its owner."""
    return b"operator" if tenant_id is None else b"tenant:" + tenant_id.bytes


def unwrap(row: DataKeyRow) -> DataKey:
    """Return the data key of ``row``. Raises ``Unreadable``."""
    return unwrap_columns(key_id=row.id, tenant_id=row.tenant_id, kek_id=row.kek_id, wrapped=bytes(row.wrapped))


def unwrap_columns(*, key_id: uuid.UUID, tenant_id: uuid.UUID | None, kek_id: str, wrapped: bytes) -> DataKey:
    """Return the data key that these columns hold. Raises ``Unreadable``. No I/O."""
    try:
        return keyring().unwrap(key_id=key_id, kek_id=kek_id, wrapped=wrapped, binding=key_binding(tenant_id))
    except KeyringError as error:
        raise Unreadable(str(error)) from None


def current_data_key(tenant_id: uuid.UUID | None) -> DataKey:
    """Return the tenant's current data key (the operator's own for None), making it on first use."""
    row = DataKeyRow.objects.filter(Q(tenant_id=tenant_id), is_current=True).first()
    if row is not None:
        return unwrap(row)
    fresh = new_data_key()
    kek_id, wrapped = keyring().wrap(fresh, binding=key_binding(tenant_id))
    try:
        with transaction.atomic():
            DataKeyRow.objects.create(id=fresh.id, tenant_id=tenant_id, kek_id=kek_id, wrapped=wrapped)
    except IntegrityError:
        return unwrap(DataKeyRow.objects.get(Q(tenant_id=tenant_id), is_current=True))
    return fresh


def _open(stored: StoredSecret | None, *, place: Place, key: DataKey | None = None) -> bytes:
    """Open a stored value, with ``key`` if it is sealed under that one, else with the key that it names (one query)."""
    blob = _outer_opened(stored)
    if key is None or key.id != sealed_under(blob):
        key = unwrap(_row_of(sealed_under(blob)))
    return open_sealed(blob, key=key, place=place)


def _outer_opened(stored: StoredSecret | None) -> bytes:
    if stored is None:
        raise Unreadable("Nothing is stored.")
    return stored.open_outer()


def _row_of(key_id: uuid.UUID) -> DataKeyRow:
    row = DataKeyRow.objects.filter(id=key_id).first()
    if row is None:
        raise Unreadable("The data key of this value no longer exists.")
    return row


def credential_place(*, tenant_id: uuid.UUID, connection_id: uuid.UUID, version_id: uuid.UUID) -> Place:
    """Return where the secrets of one credential version live."""
    return Place(tenant=str(tenant_id), owner=str(connection_id), record=str(version_id), field="secrets")


def answer_place(*, tenant_id: uuid.UUID, connection_id: uuid.UUID, answer_id: uuid.UUID) -> Place:
    """Return where one unread answer lives."""
    return Place(tenant=str(tenant_id), owner=str(connection_id), record=str(answer_id), field="answer")


def open_stored(stored: StoredSecret | None, *, place: Place) -> bytes:
    """Return what a stored value of ``place`` holds. One query. Raises ``Unreadable``."""
    return _open(stored, place=place)


def open_credential(connection: Connection, version: CredentialVersion) -> Credential:
    """Return the opened secrets of ``version``. One query. Raises ``Unreadable``."""
    place = credential_place(tenant_id=connection.tenant_id, connection_id=connection.id, version_id=version.id)
    return Credential.from_bytes(_open(version.secrets, place=place))


def open_for_renewal(connection: Connection, version: CredentialVersion) -> tuple[Credential, DataKey]:
    """Return the opened secrets of ``version``, and the key to seal its successor under. Raises ``Unreadable``."""
    blob = _outer_opened(version.secrets)
    row = _row_of(sealed_under(blob))
    key = unwrap(row)
    place = credential_place(tenant_id=connection.tenant_id, connection_id=connection.id, version_id=version.id)
    credential = Credential.from_bytes(open_sealed(blob, key=key, place=place))
    return credential, key if row.is_current else current_data_key(connection.tenant_id)


def _session_place(session: ConnectSession, field: str) -> Place:
    return Place(tenant=str(session.tenant_id), owner=str(session.id), record=str(session.id), field=field)


def seal_for_session(session: ConnectSession, field: str, plaintext: bytes) -> bytes:
    """Return ``plaintext`` sealed for one column of a connect session."""
    return seal(plaintext, key=current_data_key(session.tenant_id), place=_session_place(session, field))


def open_for_session(session: ConnectSession, field: str) -> bytes:
    """Return what one column of a connect session holds. Raises ``Unreadable``, also when it is empty."""
    return _open(getattr(session, field), place=_session_place(session, field))


def _app_place(app: ProviderApp) -> Place:
    return Place(
        tenant=str(app.tenant_id) if app.tenant_id else "operator",
        owner=str(app.id),
        record=str(app.id),
        field="secrets",
    )


def seal_client_secrets(app: ProviderApp, secrets: Sequence[str], *, registrar: str) -> bytes | None:
    """Return the ordered client secrets of ``app`` sealed, or None if there are none.

    ``registrar`` names who they are for; it is sealed with them, so that no column can say otherwise.
    """
    if not secrets:
        return None
    document = json.dumps({"secrets": list(secrets), "registrar": registrar})
    return seal(document.encode(), key=current_data_key(app.tenant_id), place=_app_place(app))


@dataclass(frozen=True, slots=True)
class ClientSecrets:
    """The ordered client secrets of a provider app, and who they are for."""

    secrets: tuple[SecretStr, ...] = ()
    registrar: str = ""


def open_registration(app: ProviderApp, *, key: DataKey | None = None) -> ClientSecrets:
    """Return the client secrets of ``app``; ``key`` spares a query if it is theirs. Raises ``Unreadable``."""
    if app.secrets is None:
        return ClientSecrets()
    document = json.loads(_open(app.secrets, place=_app_place(app), key=key))
    if not isinstance(document, dict):
        raise Unreadable("The client secrets are of an older form.")
    return ClientSecrets(tuple(SecretStr(secret) for secret in document["secrets"]), document["registrar"])


def open_client_secrets(app: ProviderApp) -> tuple[SecretStr, ...]:
    """Return the ordered client secrets of ``app``. Raises ``Unreadable``."""
    return open_registration(app).secrets


def keys_open() -> bool:
    """Whether the newest stored data keys open under ``KEK_KEYS``, and what is stored under ``FERNET_KEYS``.

    Of the latter the newest client secrets are tried, and a credential. True on an empty database. Three queries.
    """
    try:
        for row in DataKeyRow.objects.exclude(wrapped=SHREDDED).order_by("-created_at")[:3]:
            unwrap(row)
        newest = ProviderApp.objects.filter(secrets__isnull=False).order_by("-updated_at").first()
        if newest is not None:
            open_client_secrets(newest)
        version = CredentialVersion.objects.order_by().first()
        if version is not None:
            _outer_opened(version.secrets)
    except Unreadable:
        return False
    return True


def digest(secret: str) -> bytes:
    """Return the SHA-256 under which a random 256-bit secret is stored and looked up: so no timing tells of it."""
    return hashlib.sha256(secret.encode()).digest()
