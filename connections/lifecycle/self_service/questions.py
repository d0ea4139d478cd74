"""Questions: what waits for the answer of the visit's end user, before somebody may do it with an account of theirs.

They answer for their own connections, and for those of the whole tenant that they answer for (``granted_by``). The API
client that has invited them could open the page itself. So it needs the permission to grant, as for an answer by the
API, and what it has asked for by itself is not answered here, nor what a client of one hand with it has asked for.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from connections.journal import audit
from connections.lifecycle.policy.approve import decide_approval
from connections.lifecycle.policy.reach import of_one_hand
from connections.models import ApiClient, Approval, ManagementSession, OwnerKind, Permission
from connections.models.failures import Failure
from connections.refusals import SessionUnusable

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, with its connection loaded. ``asker`` is the API client's name, "" if it is gone."""

    approval: Approval
    asker: str


def waiting(session: ManagementSession, *, now: datetime) -> Sequence[Question]:
    """Return what waits for an answer, the oldest first. A few queries."""
    found = _theirs(session).filter(decided_at=None, expires_at__gt=now).order_by("created_at", "id")
    return _with_askers(list(found[:MOST_SHOWN]))


def question(session: ManagementSession, approval_id: uuid.UUID) -> Question:
    """Return one of them, answered or not. A few queries. Raises ``SessionUnusable`` ("gone") for any other."""
    found = _theirs(session).filter(id=approval_id).first()
    if found is None:
        raise SessionUnusable(Failure.GONE)
    return _with_askers([found])[0]


def answer(
    session: ManagementSession, approval_id: uuid.UUID, *, approves: bool, now: datetime, actor: audit.Actor
) -> None:
    """Allow what was asked, for one time, or refuse it, in the end user's name.

    Raises ``SessionUnusable``, and ``InvalidRequest`` where it can no longer be answered so.
    """
    asked = question(session, approval_id)
    decide_approval(asked.approval.id, approves=approves, by=session.end_user, now=now, actor=actor)


def _theirs(session: ManagementSession) -> QuerySet[Approval]:
    if Permission.GRANT not in session.api_client.permissions:
        return Approval.objects.none()
    own = Q(connection__owner_kind=OwnerKind.END_USER, connection__end_user=session.end_user)
    own |= Q(connection__owner_kind=OwnerKind.TENANT, connection__granted_by=session.end_user)
    found = Approval.objects.filter(own, tenant_id=session.tenant_id, connection__tenant_id=session.tenant_id)
    askers = set(found.order_by().values_list("api_client_id", flat=True).distinct())
    found = found.exclude(api_client_id__in=of_one_hand(session.api_client, askers))
    return found.select_related("connection__tenant", "connection__provider_app")


def _with_askers(found: Sequence[Approval]) -> list[Question]:
    ids = {approval.api_client_id for approval in found}
    names = dict(ApiClient.objects.filter(id__in=ids).values_list("id", "name")) if ids else {}
    return [Question(approval, names.get(approval.api_client_id, "")) for approval in found]
