"""Key lists: a mark of the lists of keys that a process follows, by which others see whether they follow the same."""

import hashlib
from functools import lru_cache

from connections.access.secrets import keyring
from connections.models.fields import outer_keys


def mark() -> str:
    """Return the mark of this process's ``FERNET_KEYS`` and ``KEK_KEYS``, in their order. Reveals no key."""
    return _mark(tuple(key.fingerprint for key in outer_keys()), tuple(keyring().ids))


@lru_cache(maxsize=8)
def _mark(fingerprints: tuple[str, ...], kek_ids: tuple[str, ...]) -> str:
    return hashlib.sha256(repr((fingerprints, kek_ids)).encode()).hexdigest()[:12]
