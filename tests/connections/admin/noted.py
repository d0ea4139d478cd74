"""Acts in the admin that leave notes there, about somebody who will be erased."""

from datetime import timedelta

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.urls import reverse

from connections.database.clock import database_now
from connections.lifecycle.forecast.digest import write_digest
from connections.models import AccessGrant, Connection
from tests.connections.admin.conftest import logged_in, press_url


def act_on_what_is_of_alice(connection: Connection) -> None:
    """Do in the admin what leaves notes there, and have the operator's people told by mail of what ends soon."""
    olga = logged_in(User.objects.create_superuser("olga"))
    for row, verb in ((connection, "pause"), (AccessGrant.objects.get(subject="alice"), "revoke")):
        olga.post(press_url(row, verb))
    given = {"tenant": connection.tenant_id, "subject_kind": "end_user", "subject": "alice", "provider": "sandbox"}
    olga.post(reverse("admin:connections_accessgrant_add"), given)
    assert LogEntry.objects.count() >= 2
    Connection.objects.filter(id=connection.id).update(
        paused_at=None, refresh_due_at=None, grant_expires_at=database_now() + timedelta(days=1)
    )
    assert write_digest(now=database_now())
