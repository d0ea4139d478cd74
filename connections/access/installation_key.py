"""The key that signs for this installation, sealed under the operator's data key. Made when it is first needed."""

import base64
import uuid

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import IntegrityError, transaction

from connections.access.secrets import current_data_key, open_stored
from connections.models import InstallationKey
from connections.vault.sealing import Place, seal


def installation_key_place(key_id: uuid.UUID) -> Place:
    """Return the place to which the key that signs for this installation is bound. No I/O."""
    return Place(tenant="operator", owner=str(key_id), record=str(key_id), field="private_key")


def installation_key() -> Ed25519PrivateKey:
    """Return the private key. A few queries; makes it at the first call. Raises ``Unreadable``."""
    row = InstallationKey.objects.first()
    if row is None:
        fresh, key_id = Ed25519PrivateKey.generate(), uuid.uuid4()
        sealed = seal(fresh.private_bytes_raw(), key=current_data_key(None), place=installation_key_place(key_id))
        try:
            with transaction.atomic():
                InstallationKey.objects.create(id=key_id, public_key=public_text(fresh), private_key=sealed)
        except IntegrityError:
            return installation_key()  # another process was faster
        return fresh
    return Ed25519PrivateKey.from_private_bytes(open_stored(row.private_key, place=installation_key_place(row.id)))


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public half as operators pass it on, in base64. No I/O."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()
