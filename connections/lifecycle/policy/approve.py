"""Approvals: a grant may need one for each thing that is done under it. Who asks waits; somebody else answers.

What is approved is exactly what was asked: this client, for this end user and agent, verified or only named, with this
purpose, on this connection; a vend with these scopes, or a proxied request with this method, path, query, headers and
body. Of the body and of most headers only the digest is kept, and in the trail of the query too: they may hold what is
nobody else's to read. ``ask`` finds or makes
the question; ``decide_approval`` answers it; ``spend`` uses up an answer for one time, and ``give_back`` undoes that
where nothing was done after all.
"""

import hashlib
import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from connections.journal import audit, events
from connections.lifecycle.policy.approve_link import approve_url
from connections.lifecycle.policy.decide import UseRequest
from connections.lifecycle.policy.reach import of_one_hand
from connections.models import AccessGrant, ApiClient, Approval
from connections.refusals import ApprovalRequired, InvalidRequest, NotFound, PolicyDenied
from providers.proxying.request_headers import SHOWN_HEADERS, HeadersRefused, headers_that_count

WAITS = timedelta(hours=1)
GOOD_FOR = timedelta(minutes=15)
LONGEST = timedelta(days=30)
MOST_AWAITED = 100
LONGEST_SHOWN = 2000
REPEATED_WITHIN = timedelta(minutes=10)


class BodyUnread(Exception):
    """An approval is of the request's body, too, which has not been read: read it, and ask once more."""


def ask(
    grant: AccessGrant, request: UseRequest, *, connection_id: uuid.UUID, now: datetime, is_repeat: bool = False
) -> Approval:
    """Return the approval under which ``request`` may be done now, not used up yet: ``spend`` it when it is done.

    A few queries. Without one, asks for it: one transaction with an audit row and an event. Raises ``ApprovalRequired``
    while there is no answer, ``PolicyDenied`` where the answer is no, or too many questions wait, ``BodyUnread``, and
    ``InvalidRequest`` for an address that is too long to be shown whole to who approves.
    ``is_repeat``: it is sent on our side once more, or elsewhere, so that an approval which was used up a moment ago is
    enough, and no other is asked for.
    """
    if request.body_sha256 is None:
        raise BodyUnread
    if max(len(request.path), len(request.query)) > LONGEST_SHOWN:
        raise InvalidRequest(
            f"What needs an approval has a path and a query of {LONGEST_SHOWN} characters at most.", field="path"
        )
    if sum(len(name) + len(value) for name, value in _shown(request).items()) > LONGEST_SHOWN:
        raise InvalidRequest("What needs an approval has fewer headers, and shorter ones.", field="headers")
    asked = _asked(request, connection_id=connection_id)
    last = Approval.objects.filter(grant=grant, asked=asked).first()
    state = "" if last is None else last.state(now=now)
    if last is not None and state == "approved":
        return last
    if last is not None and state == "used" and is_repeat and last.used_at and last.used_at > now - REPEATED_WITHIN:
        return last
    if last is not None and state == "denied" and last.expires_at > now:
        raise PolicyDenied("This was asked for, and denied.", rule="approval_denied", **_ids(last))
    if is_repeat:
        raise PolicyDenied("What the approval was given for is something else.", rule="approval_needed")
    if last is None or state != "pending":
        last = _request(grant, request, asked, connection_id=connection_id, now=now)
    raise ApprovalRequired(
        "This access grant needs an approval of what you ask for: let somebody give it, then repeat the request.",
        **_ids(last),
        approve_url=approve_url(last),
        expires_at=last.expires_at.isoformat(),
    )


def spend(approval_id: uuid.UUID, *, now: datetime) -> bool:
    """Use up an approval that is good for one time. Return False if somebody was faster. One statement."""
    approval = Approval.objects.filter(id=approval_id, is_approved=True, good_until__gt=now)
    return bool(approval.filter(is_once=False).exists() or approval.filter(used_at=None).update(used_at=now))


def give_back(approval_id: uuid.UUID, *, used_at: datetime) -> None:
    """Let an approval that was used up at ``used_at`` be good for its one time again. One statement."""
    Approval.objects.filter(id=approval_id, is_approved=True, is_once=True, used_at=used_at).update(used_at=None)


def decide_approval(
    approval_id: uuid.UUID,
    *,
    approves: bool,
    by: str,
    until: datetime | None = None,
    now: datetime,
    actor: audit.Actor,
) -> Approval:
    """Approve what was asked, for one time within 15 minutes, or as often as wanted ``until`` then; or deny it.

    Repeating the answer changes nothing. One transaction, with an audit row that says what was approved, and an event.
    Raises ``NotFound``, ``InvalidRequest`` where it was answered otherwise, has expired or ``until`` makes no sense,
    and ``PolicyDenied`` where an API client would answer its own question.
    """
    if until is not None and not now < until <= now + LONGEST:
        raise InvalidRequest("Approve for a time that is to come, of 30 days at the most.", field="until")
    with transaction.atomic():
        found = Approval.objects.filter(id=approval_id).first()
        if found is None:
            raise NotFound("There is no such approval.")
        if _answers_itself(found, actor):
            raise PolicyDenied(
                "An API client answers nothing that it has asked for, nor what one of the same hand has asked for:"
                " one may issue, or has issued, a key of the other.",
                rule="own_approval",
            )
        decided = Approval.objects.filter(id=approval_id, decided_at=None, expires_at__gt=now).update(
            decided_at=now,
            decided_by=by,
            is_approved=approves,
            is_once=until is None,
            good_until=(until or now + GOOD_FOR) if approves else None,
        )
        found.refresh_from_db()
        if not decided:
            if found.is_approved is not approves:
                raise InvalidRequest(f"This can no longer be answered: it is {found.state(now=now)}.", field="approval")
            return found
        verdict = "approved" if approves else "denied"
        told = {**found.told(), "decided_by": by, "once": found.is_once}
        told["good_until"] = None if found.good_until is None else found.good_until.isoformat()
        audit.record(
            "approval.decided",
            decision=verdict,
            actor=actor,
            tenant_id=found.tenant_id,
            connection_id=found.connection_id,
            scopes=found.scopes,
            detail=told,
        )
        events.emit_of_tenant(f"approval.{verdict}", found.tenant_id, connection_id=found.connection_id, payload=told)
    return found


def _answers_itself(approval: Approval, actor: audit.Actor) -> bool:
    """Whether who answers could be who asked. A few queries."""
    if actor.api_client_id is None:
        return False
    answers = ApiClient.objects.filter(id=actor.api_client_id).first()
    return answers is None or bool(of_one_hand(answers, {approval.api_client_id}))


def _request(
    grant: AccessGrant, request: UseRequest, asked: bytes, *, connection_id: uuid.UUID, now: datetime
) -> Approval:
    awaited = Approval.objects.filter(grant=grant, decided_at=None)
    awaited.filter(expires_at__lte=now).update(decided_at=now, is_approved=False)
    if awaited[:MOST_AWAITED].count() >= MOST_AWAITED:
        raise PolicyDenied("Too many approvals are awaited under this access grant.", rule="too_many_approvals")
    try:
        with transaction.atomic():
            made = Approval.objects.create(
                tenant_id=grant.tenant_id,
                grant=grant,
                connection_id=connection_id,
                api_client_id=request.client_id,
                end_user=request.end_user or "",
                agent=request.agent,
                purpose=request.purpose,
                action=request.action.value,
                scopes=sorted(request.scopes),
                method=request.method,
                path=request.path,
                query=request.query,
                body_sha256=request.body_sha256 or "",
                headers=_shown(request),
                verified=dict(request.verified),
                asked=asked,
                created_at=now,
                expires_at=now + WAITS,
            )
            audit.record(
                "approval.requested",
                actor=audit.Actor(
                    api_client_id=request.client_id,
                    subject=request.end_user or "",
                    agent=request.agent,
                    purpose=request.purpose,
                ),
                tenant_id=grant.tenant_id,
                connection_id=connection_id,
                scopes=made.scopes,
                detail=made.told(),
            )
            events.emit_of_tenant(
                "approval.requested", grant.tenant_id, connection_id=connection_id, payload=made.told()
            )
    except IntegrityError as error:
        if "one_approval_awaited_a_question" not in str(error.__cause__):
            raise
        return awaited.get(asked=asked)  # another call was faster
    return made


def _asked(request: UseRequest, *, connection_id: uuid.UUID) -> bytes:
    asked = [
        str(connection_id),
        str(request.client_id),
        request.end_user,
        request.agent,
        request.purpose,
        request.action.value,
        sorted(request.scopes),
        request.method,
        request.path,
        request.query,
        request.body_sha256,
        _counted(request),
        sorted(request.verified.items()),
    ]
    return hashlib.sha256(json.dumps(asked).encode()).digest()


def _counted(request: UseRequest) -> list[tuple[str, str]]:
    try:
        return headers_that_count(request.headers)
    except HeadersRefused as refused:
        raise InvalidRequest(str(refused), field="headers") from None


def _shown(request: UseRequest) -> dict[str, str]:
    """Return the headers as who approves sees them: a digest of each that is not known to say what is meant."""
    values: dict[str, list[str]] = {}
    for name, value in _counted(request):
        values.setdefault(name, []).append(value)
    told = {name: ", ".join(each) for name, each in values.items()}
    return {
        name: value if name in SHOWN_HEADERS else f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
        for name, value in told.items()
    }


def _ids(approval: Approval) -> dict[str, Any]:
    return {"approval": str(approval.id), "grant": str(approval.grant_id)}
