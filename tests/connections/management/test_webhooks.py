"""``manage.py webhooks``: all that the admin does, from the shell."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connections.lifecycle.webhooks.deliver import deliver
from connections.models import Tenant, WebhookEndpoint
from tests.receiver import Receiver, emit, receiver, upstream

__all__ = ["receiver", "upstream"]


def run(*arguments: object) -> Any:
    out = StringIO()
    call_command("webhooks", *map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def test_an_endpoint_is_kept_from_the_shell(receiver: Receiver, acme: Tenant) -> None:
    made = run("add", receiver.url, "--tenant", "acme", "--types", "connection.refreshed,connection.revoked")
    assert made["secret"].startswith("whsec_")
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.event_types == ["connection.refreshed", "connection.revoked"]
    assert run("test", made["id"]) == {"delivered": True, "status": 204, "error": ""}
    run("disable", made["id"])
    emit(acme, 1)
    (row,) = run("list", "--tenant", "acme")
    assert (row["state"], row["pending"]) == ("disabled (operator)", 0)
    assert run("enable", made["id"])["fell_out"] == 0
    deliver(endpoint.id)
    assert run("replay", made["id"], "--hours", "1") == {"events": 1}
    deliver(endpoint.id)
    assert [event["data"].get("number") for event in receiver.came[1:]] == [1, 1]
    assert run("rotate", made["id"], "--overlap-hours", "0")["secret"] != made["secret"]
    run("remove", made["id"])
    assert run("list") == []


def test_what_is_refused_says_why(receiver: Receiver, acme: Tenant) -> None:
    with pytest.raises(CommandError, match="may not be called from here"):
        run("add", "https://10.0.0.1/")
    with pytest.raises(CommandError, match="no event of the type"):
        run("add", receiver.url, "--types", "no.such")
    made = run("add", receiver.url)
    receiver.answers("500 Oops")
    with pytest.raises(CommandError, match="status 500"):
        run("test", made["id"])
    with pytest.raises(CommandError, match="between 0 and 8784"):
        run("replay", made["id"], "--hours", "nan")
