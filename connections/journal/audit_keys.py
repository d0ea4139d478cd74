"""The keys of the setting ``AUDIT_KEYS``, parsed (``vault.signing``)."""

from functools import lru_cache

from django.conf import settings

from connections.vault.signing import SigningKeys, parse_signing_keys


@lru_cache(maxsize=4)
def _keys(entries: tuple[str, ...]) -> SigningKeys:
    return parse_signing_keys(entries)


def audit_keys() -> SigningKeys:
    """Return the keys that sign the audit trail's seals. Cached; no I/O. Raises ``KeyringError``."""
    return _keys(tuple(settings.AUDIT_KEYS))
