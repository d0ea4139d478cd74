"""Credentials without a protocol: API keys, and grants without a consent.

These grants equal those after a person's consent. Drills and load tests need thousands of them.
"""

import time
from typing import Any

from providers.sandbox.people import Account
from providers.sandbox.registry import Client
from providers.sandbox.state import Sandbox
from providers.sandbox.store import AccessToken
from providers.sandbox.tokens import ACCESS_PREFIX, API_KEY_PREFIX, REFRESH_PREFIX, digest, new_token

_HINT_LENGTH = 8


def mint_grant(sandbox: Sandbox, *, client: Client, username: str, scope: str) -> dict[str, Any]:
    """Make one active grant and return its token response (RFC 6749 §5.1)."""
    lifetime = sandbox.registry.access_lifetime(client)
    access_token, refresh_token, now = new_token(ACCESS_PREFIX), new_token(REFRESH_PREFIX), time.time()
    with sandbox.store.transaction() as ledger:
        grant_id = ledger.add_grant(client_id=client.client_id, username=username, scope=scope, now=now)
        ledger.activate_grant(grant_id, now=now)
        ledger.add_refresh_token(digest=digest(refresh_token), grant_id=grant_id, now=now)
        ledger.add_access_token(AccessToken(digest(access_token), grant_id, scope, now, now + lifetime))
    return {
        "grant_id": grant_id,
        "access_token": access_token,
        "refresh_token": refresh_token,
        "token_type": "Bearer",
        "expires_in": lifetime,
        "scope": scope,
    }


def create_api_key(sandbox: Sandbox, *, person: Account, label: str) -> str:
    """Return a fresh API key of ``person``; it cannot be read again."""
    api_key = new_token(API_KEY_PREFIX)
    with sandbox.store.transaction() as ledger:
        ledger.add_api_key(
            digest=digest(api_key),
            username=person.username,
            label=label.strip()[:60] or "API key",
            hint=api_key[:_HINT_LENGTH],
            now=time.time(),
        )
    return api_key
