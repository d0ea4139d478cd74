"""A usual call: to the provider with the credential, and back without it."""

from connections.models import AuditEvent, Connection
from tests.connections.lifecycle.proxy.conftest import SECRET
from tests.factories import Caller
from tests.proxied import address_of, proxied
from tests.upstream import Upstream, ok


def test_a_request_arrives_with_the_credential_and_the_answer_comes_back(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    upstream.answers(ok(b'{"items": []}', "Content-Type: application/json", "ETag: W/1", "X-Powered-By: PHP"))
    reply = proxied(agent, "GET", address_of(connection, "crm/v3/things"), query="limit=5&q=a%20b")
    assert (reply.status, reply.outcome, reply.json(), reply.is_whole) == (200, "upstream", {"items": []}, True)
    assert upstream.last.line == "GET /crm/v3/things?limit=5&q=a%20b HTTP/1.1"
    assert upstream.last.one("authorization") == f"Bearer {SECRET}"
    assert upstream.last.one("host") == upstream.url.removeprefix("http://")
    assert upstream.last.one("accept-encoding") == "identity"
    assert (reply.one("etag"), reply.one("content-length"), reply.one("x-powered-by")) == ("W/1", "13", None)
    assert reply.one("cache-control") == "no-store"
    assert "sandbox" in (reply.one("content-security-policy") or "")


def test_the_audit_trail_tells_of_the_request_before_it_leaves_and_of_its_end(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    upstream.answers(ok(b"12345"))
    stated = {"latchkey-agent": "bot", "latchkey-purpose": "a report"}
    proxied(agent, "POST", address_of(connection, "things"), query="secret=1", body=b"abc", headers=stated)
    ended, allowed = AuditEvent.objects.filter(connection_id=connection.id)
    assert (allowed.action, allowed.decision) == ("connection.proxy", "allowed")
    assert allowed.detail == {"method": "POST", "path": "/things"}
    assert (allowed.subject, allowed.agent, allowed.purpose, allowed.address) == (
        "alice",
        "bot",
        "a report",
        "192.0.2.7",
    )
    assert allowed.credential_version_id == connection.current_version_id
    assert (ended.action, ended.decision) == ("connection.proxied", "answered")
    assert ended.detail.pop("seconds") >= 0
    assert ended.detail == {"request": allowed.id, "status": 200, "sent": 3, "received": 5}
    assert SECRET not in str([allowed.__dict__, ended.__dict__])
