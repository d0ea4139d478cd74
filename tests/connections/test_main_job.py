"""The main job: an end user connects through the widget, and a caller gets a token that works."""

import requests

from connections.models import AuditEvent, Connection
from providers.sandbox.client import SandboxProcess
from tests.flows import EndUser


def test_connects_and_vends_a_token_that_works(alice: EndUser, sandbox: SandboxProcess) -> None:
    connection = alice.connect()

    assert connection["status"] == "active"
    assert connection["account"]["name"].startswith("Alice")
    answer = alice.vend(connection["id"])
    assert answer.status_code == 200, answer.content
    credential = answer.json()["credential"]
    me = requests.get(f"{credential['base_url']}/me", headers=credential["headers"], timeout=60)
    assert me.json()["sub"] == connection["account"]["id"]
    assert AuditEvent.objects.filter(action="credential.vend", decision="allowed").count() == 1
    assert Connection.objects.count() == 1
