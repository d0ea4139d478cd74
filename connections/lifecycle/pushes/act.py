"""Act on a push: end the connections whose grant it says is gone, or have their provider asked at once.

A push is decisive for the grant that it is about. So it ends no connection that was authorized after what it tells of;
where it does not say when that was, it may have been on its way for days. And it ends none that shares its account with
one that we have just revoked ourselves: what the provider tells then may be our own doing. There, as where the same
signature comes a second time, the provider is asked.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
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
from connections.lifecycle.pushes.receive import MAY_COME_LATE
from connections.models import VENDS, Connection, PushState, Reason, ReceivedPush, Revocation, Status

BATCH = 50  # they become visible together: the first should not wait for many
_OUR_OWN_DOING = timedelta(hours=1)
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
        locked = lock_connections_of(Q(id__in=ids, provider_app_id=push.provider_app_id))
        ended = _act_on([*locked.values()], push, order, now=now)
        left = [{**order, "after": str(ids[-1])}, *later] if len(ids) == BATCH else later
        push.go_on(left, connections=len(ids), ended=ended)
        if not left:
            push.finish(now=now)
        return bool(left)


def _act_on(connections: Sequence[Connection], push: ReceivedPush, order: dict[str, Any], *, now: datetime) -> int:
    """Do what ``order`` says with the locked ``connections``. Return how many have ended. A few statements for each."""
    live = [one for one in connections if one.status in (*VENDS, Status.NEEDS_REAUTH)]  # or another push was faster
    is_gone = _gone(push, order) if live and order["means"] == "ended" else lambda _: False
    ended = [connection for connection in live if is_gone(connection)]
    _end(ended, push, order["type"], now=now)
    for connection in live:
        if connection.status in VENDS:
            connection.probe_at(now)
            dispatch.probe_later(connection.id)
    return len(ended)


def _gone(push: ReceivedPush, order: dict[str, Any]) -> Callable[[Connection], bool]:
    """Return whether ``order`` tells of the grant that a connection has now, and not of what we have done. One query.

    Where the event does not say when that was, ``occurred_at`` is only when it was signed, or arrived: later, perhaps,
    by ``late_seconds``.
    """
    occurred_at = datetime.fromisoformat(order["occurred_at"])
    earliest = occurred_at - timedelta(seconds=order.get("late_seconds", MAY_COME_LATE.total_seconds()))
    ours = Q(status=Status.DISCONNECTED) | Q(status=Status.REVOKED, reason=Reason.REVOKED_BY_OPERATOR)
    ended_by_us = Connection.objects.filter(ours, status_changed_at__gt=occurred_at - _OUR_OWN_DOING)
    theirs = ended_by_us.filter(Whose.from_json(order["whose"]).named(), provider_app_id=push.provider_app_id)
    grants = {
        name for one in theirs.only("provider_account_id", "params") for name in (one.provider_account_id, _params(one))
    }

    def is_gone(connection: Connection) -> bool:
        is_later = connection.authorized_at is not None and connection.authorized_at > earliest
        return not is_later and (connection.provider_account_id or _params(connection)) not in grants

    return is_gone


def _params(connection: Connection) -> str:
    """Return what tells its account from others where the provider names none. No I/O."""
    return json.dumps(connection.params, sort_keys=True)


def _end(connections: Sequence[Connection], push: ReceivedPush, type_: str, *, now: datetime) -> None:
    """End the locked connections, and destroy their secrets: the provider has revoked what they were good for."""
    evidence = {"detail": "The provider has told us so, by a push.", "by": "push", "push": str(push.id), "told": type_}
    with ExitStack() as saved:
        for connection in connections:
            saved.enter_context(connection.saved_once())
            change_status(connection, Status.REVOKED, Reason.PROVIDER_NOTIFIED, now=now, evidence=evidence)
            connection.end(Revocation.CONFIRMED)
        forget_subject_tokens(connections)
        destroy_secrets(*connections)
