"""Act on a push: end the connections whose grant it says is gone, or have their provider asked at once.

A push is decisive for the grant that it is about. So it ends no connection that was authorized after what it tells of;
where it does not say when that was, it may have been on its way for days. And it ends none that shares its account with
one that we have just revoked ourselves: what the provider tells then may be our own doing. There, as where the same
signature comes a second time, the provider is asked.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from connections import dispatch
from connections.database.locks import lock_connections_of, lock_push
from connections.database.pool import short_transaction
from connections.lifecycle.credentials.subject_tokens import forget_subject_tokens
from connections.lifecycle.end.disconnect import destroy_secrets
from connections.lifecycle.health.status import change_status
from connections.lifecycle.pushes.concern import Whose, concerned
from connections.models import VENDS, Connection, PushState, Reason, ReceivedPush, Revocation, Status

BATCH = 100
_OUR_OWN_DOING = timedelta(hours=1)
_MAY_COME_LATE = timedelta(days=3)  # so long providers keep what did not arrive, and send it when somebody asks them to
_LOOKED_FOR_AFTER = timedelta(seconds=30)


def act(push_id: uuid.UUID) -> None:
    """Do what one push orders, batch by batch, each in a short transaction. Does nothing where it has been done."""
    while _act_once(push_id):
        pass


def send_waiting(*, now: datetime) -> None:
    """Have the pushes acted on whose task was lost. One query."""
    late = ReceivedPush.objects.filter(state=PushState.WAITING, received_at__lt=now - _LOOKED_FOR_AFTER)
    for push_id in late.order_by("received_at").values_list("id", flat=True)[:BATCH]:
        dispatch.act_on_push_later(push_id)


def _act_once(push_id: uuid.UUID) -> bool:
    """Act on one batch. Return whether more is to be done. Locks the push and its connections."""
    with short_transaction() as now:
        push = lock_push(push_id)
        if push is None or push.state != PushState.WAITING:
            return False
        if not push.orders:
            push.finish(now=now)
            return False
        order, *later = push.orders
        whose, after = Whose.from_json(order["whose"]), order.get("after")
        found = concerned(push.provider_app_id, whose)
        ids = list((found.filter(id__gt=after) if after else found).values_list("id", flat=True)[:BATCH])
        locked = lock_connections_of(Q(id__in=ids, provider_app_id=push.provider_app_id)).values()
        ended = _act_on(locked, push, order, now=now)
        left = [{**order, "after": str(ids[-1])}, *later] if len(ids) == BATCH else later
        push.go_on(left, connections=len(ids), ended=ended)
        if not left:
            push.finish(now=now)
        return bool(left)


def _act_on(connections: Iterable[Connection], push: ReceivedPush, order: dict[str, Any], *, now: datetime) -> int:
    occurred_at, ended, asked = datetime.fromisoformat(order["occurred_at"]), 0, []
    is_dated = order.get("is_dated", False)
    for connection in connections:
        if connection.status not in (*VENDS, Status.NEEDS_REAUTH):
            continue  # another push was faster
        if order["means"] == "ended" and _is_about_its_grant(connection, occurred_at, is_dated=is_dated):
            _end(connection, push, order["type"], now=now)
            ended += 1
        elif connection.status in VENDS:
            connection.probe_at(now)
            asked.append(connection.id)
    for connection_id in asked:
        dispatch.probe_later(connection_id)
    return ended


def _is_about_its_grant(connection: Connection, occurred_at: datetime, *, is_dated: bool) -> bool:
    """Whether the push tells of the grant that the connection has now, and not of what we have done. One query.

    Unless it ``is_dated``, ``occurred_at`` is only when it arrived.
    """
    earliest = occurred_at if is_dated else occurred_at - _MAY_COME_LATE
    if connection.authorized_at is not None and connection.authorized_at > earliest:
        return False
    ours = Q(status=Status.DISCONNECTED) | Q(status=Status.REVOKED, reason=Reason.REVOKED_BY_OPERATOR)
    siblings = Connection.objects.filter(ours, provider_app_id=connection.provider_app_id).exclude(id=connection.id)
    account = connection.provider_account_id
    same = (
        Q(provider_account_id__istartswith=account, provider_account_id=account)
        if account
        else Q(params=connection.params)
    )
    return not siblings.filter(same, status_changed_at__gt=occurred_at - _OUR_OWN_DOING).exists()


def _end(connection: Connection, push: ReceivedPush, type_: str, *, now: datetime) -> None:
    """End the locked connection, and destroy its secrets: the provider has revoked what they were good for."""
    evidence = {"detail": "The provider has told us so, by a push.", "by": "push", "push": str(push.id), "told": type_}
    change_status(connection, Status.REVOKED, Reason.PROVIDER_NOTIFIED, now=now, evidence=evidence)
    forget_subject_tokens(connection)
    connection.end(Revocation.CONFIRMED)
    destroy_secrets(connection)
