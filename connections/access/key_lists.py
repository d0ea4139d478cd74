"""Key lists: a mark of the lists of keys that a process follows, by which others see whether they follow the same."""

import hashlib
from functools import lru_cache

from django.conf import settings

from connections.access.secrets import keyring
from connections.models.fields import outer_keys
from connections.vault.signing import parse_signing_keys


def mark() -> str:
    """Return the mark of this process's three lists of keys, in their order. Reveals no key.

    Another key under the same id makes another mark; of a key that signs, its public half makes the same.
    """
    signing = tuple(parse_signing_keys(settings.AUDIT_KEYS).public_entries())
    return _mark(tuple(key.fingerprint for key in outer_keys()), tuple(keyring().prints()), signing)


@lru_cache(maxsize=8)
def _mark(*lists: tuple[str, ...]) -> str:
    return hashlib.sha256(repr(lists).encode()).hexdigest()[:12]
