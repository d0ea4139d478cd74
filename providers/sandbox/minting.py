"""Grants out of thin air: what a person's consent would have led to, for drills and load tests that need thousands."""

import time
from typing import Any

from providers.sandbox.registry import Client
from providers.sandbox.state import Sandbox
from providers.sandbox.store import AccessToken
from providers.sandbox.tokens import ACCESS_PREFIX, REFRESH_PREFIX, digest, new_token


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
