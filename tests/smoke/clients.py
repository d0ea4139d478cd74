"""The step of the smoke run in which a product calls Latchkey by the generated Python client."""

import sys

import requests

from config.local.demo.stack import LocalStack
from config.local.supervisor.state import PROJECT_ROOT
from tests.smoke.visitor import expect

sys.path.append(str(PROJECT_ROOT / "static" / "clients" / "python"))  # a product would install it
from latchkey_client import ConnectionAuth, Latchkey, Problem


def call_by_client(stack: LocalStack, *, connection_id: str, end_user: str, stranger: str) -> None:
    """Vend, call the provider by an auth that renews itself, be refused as ``stranger``, and read to the last event."""
    with Latchkey(stack.urls["web"], str(stack.seeded["api_key"])) as latchkey:
        vended = latchkey.vend(connection_id, end_user=end_user, purpose="smoke")
        expect(str(vended.credential.value) not in repr(vended), "the client shows the credential")
        auth = ConnectionAuth(latchkey, provider="sandbox", end_user=end_user)
        with requests.Session() as session:
            session.trust_env = False
            answers = [session.get(auth.url("me"), auth=auth, timeout=10).status_code for _ in range(2)]
        expect(answers == [200, 200], f"the provider answers {answers} to the client's auth")
        try:
            latchkey.vend(connection_id, end_user=stranger)
        except Problem as refused:
            expect(refused.code == "policy_denied", f"the refusal is {refused.code}")
        else:
            expect(False, "the client vends for a stranger")
        seen = {event.type for event in latchkey.iter_events(limit=2) if event.connection == connection_id}
        expect("connection.connected" in seen, f"the events of the connection are {sorted(seen)}")
