"""The key pairs of provider apps: sealed, and opened to sign.

``connections.models.app_key`` says which key signs; ``lifecycle.provision.app_keys`` makes, brings and rotates them.
"""

import uuid

from django.conf import settings
from pydantic import SecretStr

from connections.access.secrets import current_data_key, open_stored
from connections.models import AppKey, ProviderApp
from connections.vault.keyring import DataKey
from connections.vault.sealing import Place, seal
from providers.values import ClientKey
from providers.vocabulary import SigningAlgorithm


def jwks_url(app_id: uuid.UUID) -> str:
    """Return the address at which the public halves of an app's keys are published (RFC 7517 §5)."""
    return f"{settings.WIDGET_URL}/apps/{app_id}/jwks.json"


def seal_private_key(app: ProviderApp, key_id: uuid.UUID, private_key: SecretStr) -> bytes:
    """Return the private half of the key ``key_id`` of ``app``, sealed. One query. Raises ``Unreadable``."""
    plaintext = private_key.get_secret_value().encode()
    return seal(plaintext, key=current_data_key(app.tenant_id), place=private_key_place(app, key_id))


def has_signing_key(app: ProviderApp) -> bool:
    """Whether ``app`` has a key that signs now. One query."""
    return AppKey.objects.signing().filter(provider_app_id=app.id).exists()


def open_signing_key(app: ProviderApp, *, key: DataKey | None = None) -> ClientKey | None:
    """Return the key of ``app`` that signs now, opened, or None if none does.

    One query, and one more for the data key unless ``key`` is the one under which the private half is sealed. Raises
    ``Unreadable``.
    """
    row = AppKey.objects.signing().filter(provider_app_id=app.id).first()
    if row is None:
        return None
    opened = open_stored(row.private_key, place=private_key_place(app, row.id), key=key)
    return ClientKey(
        kid=row.kid,
        algorithm=SigningAlgorithm(row.algorithm),
        private_key=SecretStr(opened.decode()),
        certificates=row.certificates,
    )


def private_key_place(app: ProviderApp, key_id: uuid.UUID) -> Place:
    """Return the place to which the private half of a key of ``app`` is bound. No I/O."""
    owner = str(app.tenant_id) if app.tenant_id else "operator"
    return Place(tenant=owner, owner=str(app.id), record=str(key_id), field="private_key")
