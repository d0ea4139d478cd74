"""The audit trail as a stream of OCSF lines: in order, gone on with, and of one's own tenant alone."""

import json
from typing import Any

import pytest

from connections.journal import audit
from connections.journal.audit import SYSTEM
from connections.models import AuditEvent, Permission, Tenant
from tests.factories import Caller, make_caller
from tests.flows import call


@pytest.fixture
def told(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex, acme):
        audit.record("tenant.changed", actor=SYSTEM, tenant_id=tenant.id, detail={"note": tenant.slug})


def stream(caller: Caller, query: str = "") -> list[dict[str, Any]]:
    answer: Any = call(caller, "GET", f"/audit-events/ocsf{query}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-ndjson"), answer
    text = b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()
    return [json.loads(line) for line in text.splitlines()]


def test_a_collector_goes_on_after_its_last_line(told: None, acme: Tenant) -> None:
    operator = make_caller(None, "operator", [Permission.AUDIT])
    lines = stream(operator)
    ids = [line["metadata"]["sequence"] for line in lines]
    assert ids == sorted(AuditEvent.objects.values_list("id", flat=True))
    assert stream(operator, f"?after={ids[-1]}") == []
    audit.record("tenant.changed", actor=SYSTEM, tenant_id=acme.id)
    (line,) = stream(operator, f"?after={ids[-1]}")
    assert line["message"] == "tenant.changed: allowed"


def test_a_tenants_client_gets_its_tenants_rows_alone(told: None, acme: Tenant) -> None:
    own = make_caller(acme, "auditor", [Permission.AUDIT])
    for query in ("", "?action=tenant.changed", "?tenant=acme"):
        lines = stream(own, query)
        assert {line["unmapped"]["tenant"] for line in lines} == {str(acme.id)}, query
    assert call(own, "GET", "/audit-events/ocsf?tenant=globex").status_code == 404


def test_whoever_may_not_read_the_trail_gets_none_of_it(told: None, acme: Tenant) -> None:
    rest = [one for one in Permission if one not in (Permission.AUDIT, Permission.TENANTS, Permission.CATALOGUE)]
    answer = call(make_caller(acme, "other", rest), "GET", "/audit-events/ocsf")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


@pytest.mark.parametrize("query", ["?after=-1", "?after=x", "?after=9999999999999999999", "?since=1", "?order=id"])
def test_what_cannot_be_meant_is_refused(told: None, acme: Tenant, query: str) -> None:
    auditor = make_caller(acme, "auditor", [Permission.AUDIT])
    assert call(auditor, "GET", f"/audit-events/ocsf{query}").status_code == 422
