"""The constraints on notices: what breaks each, and what comes close."""

from typing import Any

from django.utils import timezone

from connections.models import Notice
from tests.connections.models.issuers import Act


def notice(**values: Any) -> Notice:
    return Notice.objects.create(**{"cause": "incident.opened:1", "created_at": timezone.now(), **values})


NOTICES: dict[str, tuple[list[Act], list[Act]]] = {
    "notice_is_due_or_has_ended": (
        [
            lambda _: notice(),
            lambda _: notice(due_at=timezone.now(), ended_at=timezone.now()),
            lambda _: notice(state="sent"),
            lambda _: notice(state="sent", due_at=timezone.now(), ended_at=timezone.now()),
            lambda _: notice(state="lost", ended_at=timezone.now()),
        ],
        [
            lambda _: [
                notice(due_at=timezone.now()),
                notice(cause="2", state="handing", due_at=timezone.now()),
                notice(cause="3", state="unknown", ended_at=timezone.now()),
            ]
        ],
    ),
}
