"""The environment of the local stack's processes: generated secrets, addresses, and nothing stale from the caller's."""

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from config.local.supervisor.state import read_record, write_record

# Settings that would otherwise leak in from the caller's shell and contradict the generated ones.
_OWNED_PREFIXES = ("LATCHKEY_", "PG", "GRANIAN_", "CELERY_", "DJANGO_")
_OWNED = frozenset({"BEHIND_TLS_PROXY", "TRUSTED_PROXY_COUNT", "STATIC_ROOT", "PYTHONDONTWRITEBYTECODE"})


def generate_secrets() -> dict[str, str]:
    """Return fresh random values for every secret setting."""
    key, audit_key = (base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "FERNET_KEYS": secrets.token_urlsafe(32),
        "KEK_KEYS": f"local-{secrets.token_hex(2)}:{key}",
        "AUDIT_KEYS": f"local-{secrets.token_hex(2)}:{audit_key}",
        "SANDBOX_CLIENT_ID": f"latchkey-{secrets.token_hex(4)}",
        "SANDBOX_CLIENT_SECRET": secrets.token_urlsafe(32),
    }


def stored_secrets(folder: Path) -> dict[str, str]:
    """Return the secrets of the stack in ``folder``; what is missing is generated and kept in ``env.json``."""
    path = folder / "env.json"
    stored = {name: str(value) for name, value in read_record(path).items()}
    complete = generate_secrets() | stored
    if complete != stored:
        write_record(path, complete)
    return complete


def inherited() -> dict[str, str]:
    """Return the caller's environment (proxies, PATH, locale…) without the settings that the stack itself decides."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(_OWNED_PREFIXES) and name not in _OWNED
    }


def development_settings(*, folder: Path, urls: Mapping[str, str]) -> dict[str, str]:
    """Return every setting but the secrets. ``urls`` has the keys database, redis, web, sandbox and customer_app."""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": urls["database"],
        "REDIS_URL": urls["redis"],
        "PUBLIC_URL": urls["web"],
        "SANDBOX_URL": urls["sandbox"],
        "CUSTOMER_APP_URL": urls["customer_app"],
        "LATCHKEY_ENV": "development",
        "LATCHKEY_SECOND_FACTOR_REQUIRED": "no",
        "LATCHKEY_LOG_FORMAT": "console",
        "LATCHKEY_CATALOG_DIR": str(folder / "catalog"),
        "LATCHKEY_SPOOL_DIR": str(folder / "spool"),
        "LATCHKEY_STATE": str(folder),
        "STATIC_ROOT": str(folder / "static"),
        "PYTHONUNBUFFERED": "1",
        # A container's only user is often root; Celery's nine lines about that belong to production.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges:UserWarning",
    }


def demo_intervals() -> dict[str, str]:
    """Return intervals so short that one sees refreshes and probes happen; production has the settings' defaults."""
    return {"SANDBOX_ACCESS_SECONDS": "45", "LATCHKEY_PROBE_SECONDS": "10,10,10", "LATCHKEY_SWEEP_SECONDS": "2"}


def placeholder_settings() -> dict[str, str]:
    """Return production-like settings under which no service can be reached, for checks of the code itself."""
    return generate_secrets() | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": "postgresql://nobody:none@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "PUBLIC_URL": "https://latchkey.example",
        "LATCHKEY_ENV": "production",
    }
