"""Every line of the export keeps the rules of OCSF 1.3.0, for every action that the code can write, whoever asked.

The rules are those of the classes and objects that are used: what is required, of what one has to be there, and which
numbers an enumeration has (schema.ocsf.io, version 1.3.0).
"""

import re
import uuid
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import connections
from connections.journal.shapes import as_line, ocsf_of, ocsf_of_seal
from connections.models import AuditEvent, AuditSeal

SOURCES = sorted(Path(connections.__file__).parent.rglob("*.py"))
ACTION = re.compile(r'record(?:_\w+)?\(\s*f?"([a-z_]+\.[a-z_{}]+)"')
ACTIONS = sorted({name for path in SOURCES for name in ACTION.findall(path.read_text(encoding="utf-8"))})

BASE = {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"}
REQUIRED = {3002: {"user"}, 3004: {"entity"}, 6003: {"actor", "api", "src_endpoint"}}
CATEGORY = {3002: 3, 3004: 3, 6003: 6}
# The captions of each activity; 0 and 99 are in every class.
ACTIVITIES = {
    3002: {1: "Logon", 2: "Logoff", 3: "Authentication Ticket", 4: "Service Ticket Request"},
    3004: {1: "Create", 2: "Read", 3: "Update", 4: "Delete"},
    6003: {1: "Create", 2: "Read", 3: "Update", 4: "Delete"},
}
COMMON = {0: "Unknown", 99: "Other"}
STATUS = {0: "Unknown", 1: "Success", 2: "Failure", 99: "Other"}
SEVERITY = {0, 1, 2, 3, 4, 5, 6, 99}
USER_TYPES = {0: "Unknown", 1: "User", 2: "Admin", 3: "System", 99: "Other"}
# Of each object, one of these has to be there.
ONE_OF = {
    "actor": {"process", "user", "invoked_by", "session", "app_name", "app_uid"},
    "user": {"account", "name", "uid"},
    "entity": {"name", "uid"},
    "service": {"name", "uid"},
    "src_endpoint": {"ip", "uid", "name", "hostname", "svc_name", "instance_uid", "interface_uid", "interface_name"},
    "product": {"name", "uid"},
}


def objects_of(name: str, value: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return every object below ``value`` with the name of the attribute that has it; what is unmapped has no rules."""
    if isinstance(value, list):
        return [found for item in value for found in objects_of(name, item)]
    if not isinstance(value, dict) or name == "unmapped":
        return []
    return [(name, value), *(found for key, inner in value.items() for found in objects_of(key, inner))]


def check(event: dict[str, Any]) -> None:
    """Raise unless ``event`` keeps the rules."""
    kind = event["class_uid"]
    assert BASE | REQUIRED[kind] <= event.keys()
    assert event["category_uid"] == CATEGORY[kind]
    assert event["type_uid"] == kind * 100 + event["activity_id"]
    assert (ACTIVITIES[kind] | COMMON)[event["activity_id"]] == event["activity_name"]
    assert STATUS[event["status_id"]] == event["status"]
    assert event["severity_id"] in SEVERITY
    assert isinstance(event["time"], int) and 1_500_000_000_000 < event["time"] < 10_000_000_000_000, "milliseconds"
    assert kind != 3002 or event.keys() & {"service", "dst_endpoint"}, "a login is one at something"
    for name, value in objects_of("", event):
        assert value, f"{name} is empty"
        assert name not in ONE_OF or value.keys() & ONE_OF[name], name
        if name == "user":
            assert USER_TYPES[value["type_id"]] == value["type"]
        if name == "api":
            assert value["operation"]
        if name == "metadata":
            assert value["version"] == "1.3.0" and value["product"]["vendor_name"]
            assert isinstance(value["sequence"], int)
    assert as_line(event).count("\n") == 1


def row_of(action: str, *, decision: str, **asked: Any) -> AuditEvent:
    texts = dict.fromkeys(("operator", "subject", "agent", "purpose"), "")
    fixed = {"id": 7, "at": datetime(2026, 1, 2, tzinfo=UTC), "scopes": [], "detail": {}, "address": None}
    return AuditEvent(action=action, decision=decision, **{**fixed, **texts, **asked})


WHO: list[dict[str, Any]] = [
    {},
    {"operator": "olga", "address": "192.0.2.1"},
    {"api_client_id": uuid.uuid4(), "agent": "bot"},
    {"api_client_id": uuid.uuid4(), "subject": "alice", "connection_id": uuid.uuid4(), "address": "2001:db8::1"},
    {"subject": "line\nbreak\u2028", "tenant_id": uuid.uuid4(), "purpose": "x", "detail": {"a": None}},
]


def test_the_actions_are_found_in_the_code() -> None:
    assert len(ACTIONS) > 80
    assert {"connection.disconnect", "operator.login", "bulk.ordered"} <= {*ACTIONS}


@pytest.mark.parametrize("action", ACTIONS)
def test_every_row_keeps_the_rules_of_its_class(action: str) -> None:
    for who, decision in product(WHO, ("allowed", "refused", "failed", "policy_denied", "")):
        check(ocsf_of(row_of(action, decision=decision, **who)))


def test_a_seal_keeps_them_too() -> None:
    seal = AuditSeal(number=1, first_id=1, last_id=7, rows=7, sealed_at=datetime(2026, 1, 2, tzinfo=UTC), key_id="k1")
    seal.hash = "5ea1"
    check(ocsf_of_seal(seal))


@pytest.mark.parametrize(
    "broken",
    [{"type_uid": 1}, {"activity_id": 5}, {"status": "Success", "status_id": 2}, {"user": {}}, {"time": 1.5}],
)
def test_what_breaks_a_rule_is_noticed(broken: dict[str, Any]) -> None:
    event = ocsf_of(row_of("operator.login", decision="allowed", operator="olga")) | broken
    with pytest.raises((AssertionError, KeyError)):
        check(event)
