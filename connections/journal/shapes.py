"""The shapes in which audit rows are exported: OCSF 1.3.0, one JSON object a line, and CSV. No I/O.

OCSF (https://schema.ocsf.io/1.3.0): a login is *Authentication* (3002); a call that uses a credential or has a request
sent is *API Activity* (6003); all else changes something, and is *Entity Management* (3004). What the schema has no
place for is in ``unmapped``. ``metadata.uid`` is the row's id, by which a reader knows a row that comes twice.
"""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from connections.journal.audit import ALLOWED
from connections.journal.canonical import microseconds
from connections.journal.sealing import anchor_of
from connections.models import AuditEvent, AuditSeal

OCSF_VERSION = "1.3.0"
_ENTITY, _AUTHENTICATION, _API = 3004, 3002, 6003
_CATEGORY = {_ENTITY: 3, _AUTHENTICATION: 3, _API: 6}
_INFORMATIONAL, _MEDIUM = 1, 3
_LOGINS = {"operator.login": (1, "Logon"), "operator.logout": (2, "Logoff")}
_AUTHENTICATES = ("operator.", "api_key.refused", "caller_token.")
_USES = ("credential.vend", "credential.exchange", "connection.proxy", "connection.proxied", "mcp.")
# By the end of an action's name: the activity of Entity Management.
_ACTIVITIES = (
    (1, "Create", ("added", "given", "issued", "made", "trusted", "connected", "ordered")),
    (
        4,
        "Delete",
        ("removed", "deleted", "revoked", "distrusted", "shredded", "erase", "prune", "pruned", "disconnect"),
    ),
)
_UPDATE, _OTHER = (3, "Update"), (99, "Other")
COLUMNS = (
    *("id", "at", "action", "decision", "tenant", "connection", "version", "client", "operator", "subject", "agent"),
    *("purpose", "scopes", "address", "detail"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def facts_of(row: AuditEvent) -> dict[str, Any]:
    """Return the columns of ``row`` by the names of ``COLUMNS``, JSON-ready."""
    ids = (row.tenant_id, row.connection_id, row.credential_version_id, row.api_client_id)
    values: list[Any] = [
        row.id,
        row.at.isoformat(),
        row.action,
        row.decision,
        *(None if one is None else str(one) for one in ids),
    ]
    values += [row.operator, row.subject, row.agent, row.purpose, list(row.scopes), row.address, row.detail]
    return dict(zip(COLUMNS, values, strict=True))


def ocsf_of(row: AuditEvent) -> dict[str, Any]:
    """Return ``row`` as an event of OCSF."""
    kind = _class_of(row.action)
    is_allowed = row.decision == ALLOWED
    is_refused = not is_allowed and (kind != _ENTITY or row.decision in ("refused", "failed"))
    event = _event(kind, *_activity(kind, row.action), at=microseconds(row.at), uid=str(row.id), sequence=row.id)
    event |= {
        "severity_id": _MEDIUM if is_refused else _INFORMATIONAL,
        "status_id": 2 if is_refused else 1,
        "status": "Failure" if is_refused else "Success",
        "status_code": row.decision,
        "message": f"{row.action}: {row.decision}",
        "actor": _actor(row),
        "unmapped": {name: value for name, value in facts_of(row).items() if value not in (None, "", [], {})},
    }
    if row.address:
        event["src_endpoint"] = {"ip": row.address}
    if kind == _AUTHENTICATION:
        event |= {"user": _person(row), "service": {"name": "Latchkey"}}
    if kind == _API:
        event["api"] = {"operation": row.action, "service": {"name": "Latchkey"}}
        event["src_endpoint"] = {"ip": row.address} if row.address else {"name": "unknown"}
        if row.connection_id is not None:
            event["resources"] = [{"type": "connection", "uid": str(row.connection_id)}]
    if kind == _ENTITY:
        about = row.connection_id or row.tenant_id
        event["entity"] = {"type": row.action.partition(".")[0], "name": row.action, "uid": str(about or row.id)}
    return event


def ocsf_of_seal(seal: AuditSeal) -> dict[str, Any]:
    """Return a seal as an event of OCSF: its anchor, kept elsewhere, proves that the chain up to it is there."""
    at = microseconds(seal.sealed_at)
    event = _event(_ENTITY, 1, "Create", at=at, uid=f"seal-{seal.number}", sequence=seal.last_id)
    return event | {
        "severity_id": _INFORMATIONAL,
        "status_id": 1,
        "status": "Success",
        "message": f"audit.sealed: {anchor_of(seal)}",
        "actor": {"app_name": "Latchkey"},
        "entity": {"type": "audit seal", "uid": str(seal.number), "name": anchor_of(seal)},
        "unmapped": {"anchor": anchor_of(seal), "last_id": seal.last_id, "rows": seal.rows, "key_id": seal.key_id},
    }


def as_line(event: dict[str, Any]) -> str:
    """Return ``event`` as one line of JSON."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False) + "\n"


def as_csv(rows: Iterable[AuditEvent], *, with_heading: bool) -> str:
    """Return ``rows`` as lines of CSV (RFC 4180). No cell is one that a spreadsheet would take for a formula."""
    written = io.StringIO()
    writer = csv.writer(written)
    if with_heading:
        writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([cell(value) for value in facts_of(row).values()])
    return written.getvalue()


def cell(value: Any) -> str:
    """Return ``value`` as a cell of CSV that no spreadsheet takes for a formula. What is no text is written as JSON."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value or value == 0 else ""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _event(kind: int, activity_id: int, activity: str, *, at: int, uid: str, sequence: int) -> dict[str, Any]:
    return {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": _CATEGORY[kind],
        "class_uid": kind,
        "type_uid": kind * 100 + activity_id,
        "time": at // 1000,
        "metadata": {
            "version": OCSF_VERSION,
            "product": {"name": "Latchkey", "vendor_name": "Latchkey"},
            "log_name": "audit",
            "uid": uid,
            "sequence": sequence,
        },
    }


def _class_of(action: str) -> int:
    if action.startswith(_AUTHENTICATES):
        return _AUTHENTICATION
    return _API if action.startswith(_USES) else _ENTITY


def _activity(kind: int, action: str) -> tuple[int, str]:
    if kind == _AUTHENTICATION:
        return _LOGINS.get(action, _LOGINS["operator.login"] if action.endswith("refused") else _OTHER)
    if kind == _API:
        return (2, "Read") if action == "credential.vend" else _OTHER
    last = action.rpartition(".")[2].rpartition("_")[2]
    return next(((number, name) for number, name, ends in _ACTIVITIES if last in ends), _UPDATE)


def _person(row: AuditEvent) -> dict[str, Any]:
    if row.operator:
        return {"name": row.operator, "type_id": 2, "type": "Admin"}
    if row.subject:
        return {"uid": row.subject, "type_id": 1, "type": "User"}
    return {"name": "unknown", "type_id": 0, "type": "Unknown"}


def _actor(row: AuditEvent) -> dict[str, Any]:
    actor: dict[str, Any] = {"app_name": row.agent or "API client", "app_uid": str(row.api_client_id)}
    if row.api_client_id is None:
        actor = {} if row.operator or row.subject else {"app_name": "Latchkey"}
    return actor | ({"user": _person(row)} if row.operator or row.subject else {})
