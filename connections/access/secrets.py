"""Seal and open the stored secrets: this module finds the right data key and binds each value to its place.

The cryptography itself is in ``connections.vault``, which knows no tables.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.db.models import Q
from pydantic import SecretStr

from connections.access import held_keks
from connections.database.pool import in_transaction
from connections.models import (
    Connection,
    ConnectSession,
    CredentialVersion,
    ProviderApp,
    RegisteredClient,
    WebhookEndpoint,
    WebhookSecret,
)
from connections.models import DataKey as DataKeyRow
from connections.models.fields import StoredSecret
from connections.vault.keyring import DataKey, KekAway, Keyring, KeyringError, WrappedKek, new_data_key, parse_keyring
from connections.vault.sealing import KeyAway, Place, Unreadable, open_sealed, seal, sealed_under
from providers.values import Credential

# The seeds of second factors are the one sealed thing that no column of ours holds (``admin.people.factors``).
SEED_PLACE = Place(tenant="operator", owner="staff", record="second_factor", field="seed")


@lru_cache(maxsize=4)
def _keyring(entries: tuple[str, ...]) -> Keyring:
    return parse_keyring(entries, open_kek=_open_kek)


def _open_kek(kek: WrappedKek) -> bytes:
    return held_keks.open_kek(kek, may_wait=not (held_keks.is_kept() or in_transaction()))


def keyring() -> Keyring:
    """Return the keyring of the setting ``KEK_KEYS``. Cached; no I/O."""
    return _keyring(tuple(settings.KEK_KEYS))


def hold_keks(*, waits_seconds: float) -> None:
    """Hold the KEKs that key management services have wrapped, and see to it that they may be used (``held_keks``).

    For a process that begins. Raises ``ImproperlyConfigured`` if the first of ``KEK_KEYS`` is not to be had by then.
    """
    try:
        held_keks.keep(
            lambda: keyring().wrapped(), primary_id=lambda: keyring().primary_id, waits_seconds=waits_seconds
        )
    except KeyringError as error:
        raise ImproperlyConfigured(str(error)) from None


def fetch_keks() -> None:
    """Ask for the KEKs that key management services have wrapped, for a command that opens them in a transaction.

    Blocks for seconds where a service does not answer. Raises nothing: whoever needs such a key is told.
    """
    for kek in keyring().wrapped():
        held_keks.fault_of(kek)


def key_binding(tenant_id: uuid.UUID | None) -> bytes:
    """Return the bytes of the owner (None: the operator). A wrapped data key is bound to these and to its id."""
    return b"operator" if tenant_id is None else b"tenant:" + tenant_id.bytes


def unwrap(row: DataKeyRow) -> DataKey:
    """Return the data key of ``row``. Raises ``Unreadable``."""
    return unwrap_columns(key_id=row.id, tenant_id=row.tenant_id, kek_id=row.kek_id, wrapped=bytes(row.wrapped))


def unwrap_columns(*, key_id: uuid.UUID, tenant_id: uuid.UUID | None, kek_id: str, wrapped: bytes) -> DataKey:
    """Return the data key that these columns hold. Looks at the files of keys if it has to.

    Raises ``Unreadable``, and of these ``KeyAway`` for a KEK that a service does not give now: at once, except in
    commands.
    """
    if not keyring().has(kek_id):
        settings.KEY_FILES.look()  # another process may have read a newer key already
    try:
        return keyring().unwrap(key_id=key_id, kek_id=kek_id, wrapped=wrapped, binding=key_binding(tenant_id))
    except KeyringError as error:
        raise _unreadable(error) from None


def _unreadable(error: KeyringError) -> Unreadable:
    return KeyAway(str(error)) if isinstance(error, KekAway) else Unreadable(str(error))


def current_data_key(tenant_id: uuid.UUID | None) -> DataKey:
    """Return the current data key of the tenant (None: of the operator). Make the key on first use.

    One query; on first use a write in a transaction as well. Raises ``Unreadable`` where ``KEK_KEYS`` cannot unwrap it,
    or wrap it.
    """
    row = DataKeyRow.objects.filter(Q(tenant_id=tenant_id), is_current=True).first()
    if row is not None:
        return unwrap(row)
    fresh = new_data_key()
    try:
        kek_id, wrapped = keyring().wrap(fresh, binding=key_binding(tenant_id))
    except KeyringError as error:
        raise _unreadable(error) from None
    try:
        with transaction.atomic():
            DataKeyRow.objects.create(id=fresh.id, tenant_id=tenant_id, kek_id=kek_id, wrapped=wrapped)
    except IntegrityError:
        return unwrap(DataKeyRow.objects.get(Q(tenant_id=tenant_id), is_current=True))
    return fresh


def _open(stored: StoredSecret | None, *, place: Place, key: DataKey | None = None) -> bytes:
    """Open a stored value, with ``key`` if the value is sealed under it. Else load the key it names (one query)."""
    blob = _outer_opened(stored)
    if key is None or key.id != sealed_under(blob):
        key = data_key(sealed_under(blob))
    return open_sealed(blob, key=key, place=place)


def _outer_opened(stored: StoredSecret | None) -> bytes:
    if stored is None:
        raise Unreadable("Nothing is stored.")
    return stored.open_outer()


def data_key(key_id: uuid.UUID) -> DataKey:
    """Return the data key of this id, current or not. One query. Raises ``Unreadable``."""
    return unwrap(_row_of(key_id))


def _row_of(key_id: uuid.UUID) -> DataKeyRow:
    row = DataKeyRow.objects.filter(id=key_id).first()
    if row is None:
        raise Unreadable("The data key of this value no longer exists.")
    return row


def credential_place(*, tenant_id: uuid.UUID, connection_id: uuid.UUID, version_id: uuid.UUID) -> Place:
    """Return the place to which the secrets of one credential version are bound. No I/O.

    The end user is no part of it: connections are handed over and shared, and persons erased. Whoever can write that
    column can write an API client, too.
    """
    return Place(tenant=str(tenant_id), owner=str(connection_id), record=str(version_id), field="secrets")


def subject_place(*, tenant_id: uuid.UUID, connection_id: uuid.UUID, version_id: uuid.UUID) -> Place:
    """Return the place to which one token that acts for a subject is bound. No I/O."""
    return Place(tenant=str(tenant_id), owner=str(connection_id), record=str(version_id), field="subject_token")


def answer_place(*, tenant_id: uuid.UUID, connection_id: uuid.UUID, answer_id: uuid.UUID) -> Place:
    """Return the place to which one unread answer is bound. No I/O."""
    return Place(tenant=str(tenant_id), owner=str(connection_id), record=str(answer_id), field="answer")


def kept_answer_place(client_id: uuid.UUID, tenant_id: uuid.UUID | None) -> Place:
    """Return the place to which an answer is bound that is kept for an API client. No I/O."""
    tenant = "operator" if tenant_id is None else str(tenant_id)
    return Place(tenant=tenant, owner=str(client_id), record=str(client_id), field="kept_answer")


def import_place(*, tenant_id: uuid.UUID, run_id: uuid.UUID, row_id: uuid.UUID) -> Place:
    """Return the place to which what was read of one row of an import is bound. No I/O."""
    return Place(tenant=str(tenant_id), owner=str(run_id), record=str(row_id), field="content")


def open_stored(stored: StoredSecret | None, *, place: Place, key: DataKey | None = None) -> bytes:
    """Return the plaintext of the value that is stored at ``place``. Raises ``Unreadable``.

    One query for the data key, unless ``key`` is the one under which the value is sealed.
    """
    return _open(stored, place=place, key=key)


def open_credential(connection: Connection, version: CredentialVersion) -> Credential:
    """Return the opened secrets of ``version``. One query. Raises ``Unreadable``."""
    place = credential_place(tenant_id=connection.tenant_id, connection_id=connection.id, version_id=version.id)
    return Credential.from_bytes(_open(version.secrets, place=place))


def open_for_renewal(connection: Connection, version: CredentialVersion) -> tuple[Credential, DataKey]:
    """Return the opened secrets of ``version``, and the data key under which to seal its successor.

    One query; one or two more where the key of ``version`` is no longer current. Raises ``Unreadable``.
    """
    blob = _outer_opened(version.secrets)
    row = _row_of(sealed_under(blob))
    key = unwrap(row)
    place = credential_place(tenant_id=connection.tenant_id, connection_id=connection.id, version_id=version.id)
    credential = Credential.from_bytes(open_sealed(blob, key=key, place=place))
    return credential, key if row.is_current else current_data_key(connection.tenant_id)


def session_place(session: ConnectSession, field: str) -> Place:
    """Return the place to which the column ``field`` of a connect session is bound. No I/O."""
    return Place(tenant=str(session.tenant_id), owner=str(session.id), record=str(session.id), field=field)


def seal_for_session(session: ConnectSession, field: str, plaintext: bytes, *, key: DataKey) -> bytes:
    """Return ``plaintext`` sealed for the column ``field`` of a connect session. No I/O.

    ``key`` is the current data key of the session's tenant.
    """
    return seal(plaintext, key=key, place=session_place(session, field))


def open_for_session(session: ConnectSession, field: str, *, key: DataKey | None = None) -> bytes:
    """Return the plaintext of the column ``field`` of a connect session. Raises ``Unreadable``, also for an empty one.

    One query for the data key, unless ``key`` is the one under which the column is sealed.
    """
    return _open(getattr(session, field), place=session_place(session, field), key=key)


def app_place(app: ProviderApp) -> Place:
    """Return the place to which the client secrets of ``app`` are bound. No I/O."""
    return Place(
        tenant=str(app.tenant_id) if app.tenant_id else "operator",
        owner=str(app.id),
        record=str(app.id),
        field="secrets",
    )


def push_place(app: ProviderApp) -> Place:
    """Return the place to which the push secrets of ``app`` are bound. No I/O."""
    return replace(app_place(app), field="push_secrets")


def seal_push_secrets(app: ProviderApp, secrets: Sequence[str]) -> bytes | None:
    """Return the push secrets of ``app``, sealed in their order; None for none. One query. Raises ``Unreadable``."""
    if not secrets:
        return None
    return seal(json.dumps(list(secrets)).encode(), key=current_data_key(app.tenant_id), place=push_place(app))


def open_push_secrets(app: ProviderApp) -> tuple[SecretStr, ...]:
    """Return the push secrets of ``app``, the newest first. One query, if it has any. Raises ``Unreadable``."""
    if app.push_secrets is None:
        return ()
    return tuple(SecretStr(secret) for secret in json.loads(_open(app.push_secrets, place=push_place(app))))


def push_content_place(*, tenant_id: uuid.UUID, connection_id: uuid.UUID, event_id: uuid.UUID) -> Place:
    """Return the place to which what a pushed event says is bound. No I/O."""
    return Place(tenant=str(tenant_id), owner=str(connection_id), record=str(event_id), field="push_content")


def client_place(client: RegisteredClient, field: str) -> Place:
    """Return the place to which the column ``field`` of a registered client is bound. No I/O."""
    tenant_id = client.provider_app.tenant_id
    return Place(
        tenant=str(tenant_id) if tenant_id else "operator",
        owner=str(client.provider_app_id),
        record=str(client.id),
        field=field,
    )


def seal_for_client(client: RegisteredClient, field: str, plaintext: bytes) -> bytes:
    """Return ``plaintext`` sealed for the column ``field`` of a registered client. One query. Raises ``Unreadable``."""
    return seal(plaintext, key=current_data_key(client.provider_app.tenant_id), place=client_place(client, field))


def open_for_client(client: RegisteredClient, field: str) -> bytes:
    """Return the plaintext of the column ``field`` of a registered client. One query. Raises ``Unreadable``."""
    return _open(getattr(client, field), place=client_place(client, field))


def webhook_place(endpoint: WebhookEndpoint, secret_id: uuid.UUID) -> Place:
    """Return the place to which one signing secret of ``endpoint`` is bound. No I/O."""
    return Place(
        tenant=str(endpoint.tenant_id) if endpoint.tenant_id else "operator",
        owner=str(endpoint.id),
        record=str(secret_id),
        field="webhook_secret",
    )


def seal_webhook_secret(endpoint: WebhookEndpoint, secret_id: uuid.UUID, secret: SecretStr) -> bytes:
    """Return a signing secret of ``endpoint``, sealed for its row. One query. Raises ``Unreadable``."""
    place = webhook_place(endpoint, secret_id)
    return seal(secret.get_secret_value().encode(), key=current_data_key(endpoint.tenant_id), place=place)


def open_webhook_secret(endpoint: WebhookEndpoint, secret: WebhookSecret) -> SecretStr:
    """Return a signing secret of ``endpoint``. One query. Raises ``Unreadable``."""
    return SecretStr(_open(secret.secret, place=webhook_place(endpoint, secret.id)).decode())


def seal_client_secrets(
    app: ProviderApp, secrets: Sequence[str], *, registrar: str, client: RegisteredClient | None = None
) -> bytes | None:
    """Return the client secrets of ``app``, sealed in their order, or None if there are none. One query.

    With ``client`` they are sealed for that, which one authorization server has registered.

    ``registrar`` names the party to which the secrets may be sent. It is sealed together with the secrets, so that a
    change of a plain column cannot redirect them. Raises ``Unreadable`` where the data key cannot be unwrapped.
    """
    if not secrets:
        return None
    document = json.dumps({"secrets": list(secrets), "registrar": registrar})
    place = app_place(app) if client is None else client_place(client, "secrets")
    return seal(document.encode(), key=current_data_key(app.tenant_id), place=place)


@dataclass(frozen=True, slots=True)
class ClientSecrets:
    """The client secrets of a provider app, the preferred first, and the party to which they may be sent."""

    secrets: tuple[SecretStr, ...] = ()
    registrar: str = ""


def open_registration(
    app: ProviderApp, *, client: RegisteredClient | None = None, key: DataKey | None = None
) -> ClientSecrets:
    """Return the client secrets of ``app``, or of its ``client`` at one authorization server. Raises ``Unreadable``.

    One query for the data key, unless ``key`` is the one under which the secrets are sealed.
    """
    stored = app.secrets if client is None else client.secrets
    if stored is None:
        return ClientSecrets()
    place = app_place(app) if client is None else client_place(client, "secrets")
    document = json.loads(_open(stored, place=place, key=key))
    if not isinstance(document, dict):
        raise Unreadable("The client secrets are of an older form.")
    return ClientSecrets(tuple(SecretStr(secret) for secret in document["secrets"]), document["registrar"])


def open_client_secrets(app: ProviderApp) -> tuple[SecretStr, ...]:
    """Return the client secrets of ``app``, the preferred first. Raises ``Unreadable``."""
    return open_registration(app).secrets


def digest(secret: str) -> bytes:
    """Return the SHA-256 of a random 256-bit secret. Secrets are stored and looked up by it.

    The time that the lookup takes therefore reveals nothing about the secret itself.
    """
    return hashlib.sha256(secret.encode()).digest()
