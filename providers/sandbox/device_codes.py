"""Device codes (RFC 8628): how they are issued, and what a poll for one is told. HTTP is ``device`` and ``oauth``."""

import secrets

from providers.sandbox.registry import Settings
from providers.sandbox.store import DeviceCode, Ledger
from providers.sandbox.tokens import DEVICE_PREFIX, digest, new_token

# What a poll is told: oauthlib's words, which but for the first are the error codes of §3.5.
AUTHORIZED, PENDING, SLOW_DOWN = "authorized", "authorization_pending", "slow_down"
EXPIRED, DENIED = "expired_token", "access_denied"
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # §6.1: no vowels, so that no word comes of it
_SLOWER_SECONDS = 5


def issue(ledger: Ledger, *, client_id: str, scope: str, settings: Settings, now: float) -> tuple[str, str]:
    """Store a fresh device code, and return it with its user code."""
    device_code, letters = new_token(DEVICE_PREFIX), "".join(secrets.choice(_LETTERS) for _ in range(8))
    user_code = f"{letters[:4]}-{letters[4:]}"
    ledger.add_device_code(
        DeviceCode(
            digest=digest(device_code),
            user_code=user_code,
            client_id=client_id,
            scope=scope,
            expires_at=now + settings.device_lifetime,
            interval=float(settings.device_interval),
            polled_at=None,
            username=None,
            decision="",
            used_at=None,
        )
    )
    return device_code, user_code


def poll(ledger: Ledger, found: DeviceCode, *, now: float) -> str:
    """Note a poll and return what it is told. One that comes too early slows all later ones down; a success is used."""
    is_early = found.polled_at is not None and now - found.polled_at < found.interval
    interval = found.interval + _SLOWER_SECONDS if is_early else found.interval
    ledger.poll_device_code(found.digest, now=now, interval=interval)
    if found.expires_at <= now:
        return EXPIRED
    if is_early:
        return SLOW_DOWN
    if found.decision != "allowed":
        return DENIED if found.decision else PENDING
    ledger.use_device_code(found.digest, now=now)
    return AUTHORIZED
