"""Findings: one for one cause, with its evidence, told once when it begins."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog

from connections.journal import audit, events, notices
from connections.journal.event_types import EventType
from connections.lifecycle.watch.use import Span
from connections.models import ApiClient, ApiKey, Finding, WatchRule

logger = structlog.get_logger(__name__)

KEPT = 50  # of each list of the evidence


def note(client: ApiClient, rule: WatchRule, *, span: Span, facts: dict[str, Any], now: datetime) -> Finding:
    """Begin a finding about ``client``, or go on with the open one of this rule.

    ``span`` is the use in which it shows. ``facts`` are for the evidence: lists are joined with those that it has.
    In the caller's transaction. Tells of it once: an audit row, an event of the operator's, a mail,
    and a line in the log.
    """
    found, is_new = Finding.objects.get_or_create(
        client=client,
        rule=rule.value,
        resolved_at=None,
        defaults={"opened_at": now, "first_at": span.first_at, "last_at": span.last_at},
    )
    evidence = _joined(found.evidence, {"uses": span.uses, "keys": _keys(client, at=span.last_at), **facts})
    found.go_on(last_at=span.last_at, evidence=evidence)
    if is_new:
        detail = {"finding": str(found.id), "api_client": str(client.id)}
        audit.record("use.suspected", decision=rule.value, detail=detail)  # the operator's, as the event is
        tell(EventType.USE_SUSPECTED, found)
        logger.error("use_suspected", rule=rule.value, **detail)
        subject, body = mail_about(found)
        notices.tell(f"{EventType.USE_SUSPECTED}:{found.id}", subject, body, now=now)
    return found


def tell(type_: EventType, found: Finding) -> None:
    """Write an event about ``found``, in the caller's transaction. It is the operator's: no tenant's key reads it.

    Otherwise whoever has stolen a key could read that it was noticed, and which connection is a canary.
    """
    client = found.client
    payload = {
        "finding": str(found.id),
        "rule": found.rule,
        "step": found.get_step_display(),
        "api_client": str(client.id),
        "name": client.name,
        "tenant": client.tenant.slug if client.tenant else None,
        "first_at": found.first_at.isoformat(),
        "last_at": found.last_at.isoformat(),
        "evidence": found.evidence,
        "verdict": found.verdict or None,
    }
    events.emit_of_tenant(type_, None, payload=payload)


def mail_about(found: Finding) -> tuple[str, str]:
    """Return the subject and the text of the notice that ``found`` has begun. No I/O."""
    what = WatchRule(found.rule).label
    body = f"{what}. What was seen, and what can be done about it:\n{notices.admin_page(found)}\n"
    return f"Suspicious use of the API client {found.client.name}", body


def texts(ids: Iterable[uuid.UUID]) -> list[str]:
    """Return the first few ids as text, for the evidence. No I/O."""
    return sorted(str(one) for one in ids)[:KEPT]


def _keys(client: ApiClient, *, at: datetime) -> list[str]:
    usable = ApiKey.objects.filter(client=client, created_at__lte=at, expires_at__gt=at, revoked_at=None)
    return sorted(usable.values_list("prefix", flat=True)[:KEPT])


def _joined(known: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Return the evidence with ``facts``: lists grow up to ``KEPT``, uses add up, other facts take the newest value."""
    joined = dict(known)
    for name, value in facts.items():
        if isinstance(value, list):
            joined[name] = [*dict.fromkeys([*joined.get(name, ()), *value])][:KEPT]
        else:
            joined[name] = joined.get(name, 0) + value if name == "uses" else value
    return joined
