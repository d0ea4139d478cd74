"""What the sandbox tells clients by itself: signed pushes to the address that a client has registered.

A client that is registered with ``push_url`` and ``push_secret`` is told when nothing is left of what a person has
granted it. The control API sends whatever else a test or a demo wants. This is the provider's side; it shares no code
with the other.
"""

import hashlib
import hmac
import json
import threading
import time
import uuid
from typing import Any

import requests

from providers.sandbox.people import PEOPLE
from providers.sandbox.registry import Client
from providers.sandbox.state import Sandbox

_SECONDS = 10.0


def send_push(client: Client, kind: str, *, username: str, members: dict[str, Any] | None = None) -> int | None:
    """Push one event about a person to ``client``, and return the status of the answer; None if none came. HTTP."""
    person = PEOPLE[username]
    event = {"id": f"push_{uuid.uuid4().hex}", "type": kind, "account": person.subject, "occurred_at": time.time()}
    body = json.dumps({**event, **(members or {})}).encode()
    stamp = str(int(time.time()))
    signature = hmac.new(client.push_secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Sandbox-Timestamp": stamp,
        "Sandbox-Signature": f"v1={signature}",
    }
    try:
        answer = requests.post(client.push_url, body, headers=headers, timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException:
        return None
    return answer.status_code


def tell_revoked(sandbox: Sandbox, *, username: str | None = None, client_id: str | None = None) -> None:
    """Tell the clients that listen of each person who has nothing granted to them any more. Does not wait for it."""
    with sandbox.store.transaction() as ledger:
        grants = ledger.grants(username=username, client_id=client_id)
    live = {(grant.client_id, grant.username) for grant in grants if grant.revoked_at is None}
    ended = {(grant.client_id, grant.username) for grant in grants} - live
    for named, who in ended:
        client = sandbox.registry.client(named)
        if client is not None and client.push_url and who in PEOPLE:
            told = {"username": who}
            threading.Thread(target=send_push, args=(client, "grant.revoked"), kwargs=told, daemon=True).start()
