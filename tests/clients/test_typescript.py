"""The TypeScript client: it compiles, strictly, and does in Node what the Python one does."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connections.models import AuditEvent, Connection, Reason, Status, Tenant
from providers.sandbox.client import SandboxProcess
from tests.clients.test_webhooks import NOW, new_secret, signed
from tests.clients.typescript import compiled, node
from tests.connections.api.stored import make_app, make_connection, overwrite
from tests.flows import EndUser, Invitation
from tests.upstream import Upstream, ok, upstream

__all__ = ["upstream"]

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("typescript"))


@pytest.fixture
def run(script: Path, request: pytest.FixtureRequest) -> Run:
    """What runs a step of the walk, as acme's product unless it needs no Latchkey."""

    def step(name: str, **given: Any) -> Any:
        if "baseUrl" not in given:
            given |= {"baseUrl": request.getfixturevalue("address"), "key": request.getfixturevalue("key")}
        done = subprocess.run(
            [node(), str(script), name, json.dumps(given)], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return step


def test_a_customer_connects_and_the_credential_works(run: Run, alice: EndUser) -> None:
    session = run("begin", returnUrl="https://app.acme.example/connected")
    assert session["token"] not in session["shown"]
    code = alice.finish(Invitation(session["id"], session["token"], session["connect_url"]))
    completed = run("complete", session=session["id"], code=code)
    connection = Connection.objects.get()
    assert completed == {
        "connection": str(connection.id),
        "status": "active",
        "answered": 200,
        "isSame": True,
        "isHidden": True,
    }


def test_a_refusal_tells_its_code_and_the_link_that_heals(run: Run, connection: Connection) -> None:
    Tenant.objects.update(reconnect_url="https://app.acme.example/reconnect/{connection}")
    assert run("refused", connection=str(connection.id), endUser="mallory")["code"] == "policy_denied"
    overwrite(connection, status=Status.NEEDS_REAUTH, reason=Reason.GRANT_REJECTED)
    link = f"https://app.acme.example/reconnect/{connection.id}"
    assert run("refused", connection=str(connection.id), endUser="alice") == {
        "code": "reauthorization_required",
        "told": link,
        "link": link,
        "status": 409,
    }


def test_a_change_passes_only_if_nobody_came_first(run: Run, connection: Connection) -> None:
    assert run("match", connection=str(connection.id)) == {"label": "first", "late": True}


def test_pages_are_turned_by_themselves(run: Run, acme: Tenant) -> None:
    made = {str(make_connection(acme, end_user=f"user-{number}").id) for number in range(5)}
    found = run("pages")
    assert (len(found), set(found)) == (5, made)


def test_the_proxy_streams_both_ways(run: Run, upstream: Upstream, acme: Tenant) -> None:
    connection = make_connection(acme, app=make_app(acme, params={"issuer": upstream.url}))
    upstream.answers(ok(b"b" * 2_000_000, "Content-Type: application/octet-stream"))
    assert run("proxy", connection=str(connection.id)) == {"status": 200, "sent": 3_000_000, "received": 2_000_000}
    assert upstream.last.target == "/files/a%20b?q=%C3%BC&several=1&several=2"
    assert AuditEvent.objects.get(action="connection.proxy").purpose == "a pürpose"


def test_its_fetch_renews_after_a_401_and_vends_once_for_many(
    run: Run, connection: Connection, sandbox: SandboxProcess
) -> None:
    told = run("fetched", connection=str(connection.id), sandbox=sandbox.url)
    assert told == {"statuses": [200, 200, 200, 200], "foreign": "ForeignOrigin"}
    assert AuditEvent.objects.filter(action="credential.vend").count() == 2
    assert AuditEvent.objects.filter(action="connection.report").count() == 1


def test_a_webhook_is_believed_if_its_signature_fits(run: Run) -> None:
    old, new, body = new_secret(), new_secret(), '{"type": "connection.connected", "ü": 1}'
    headers = {name.lower(): value for name, value in signed(old, body.encode()).items()}
    told = run("webhook", baseUrl="http://x", key="", body=body, headers=headers, secrets=[new, old], now=NOW)
    assert told == {"believed": json.loads(body), "refusals": ["refused"] * 4}


def test_what_gives_no_answer_is_unreachable_and_shows_no_key(run: Run) -> None:
    told = run("unreachable", baseUrl="http://x", key="")
    assert told["isUnreachable"]
    assert told["address"]
    assert "lk_secret_key" not in told["shown"]
