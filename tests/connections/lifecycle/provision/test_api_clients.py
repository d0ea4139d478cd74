"""API keys over time: an overlap is kept, a revocation acts at once, and a repeated click makes nothing twice."""

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.provision.api_clients import issue_key, revoke_key, rotate_key
from connections.models import ApiKey, AuditEvent
from tests.factories import Caller
from tests.flows import call

OLGA = Actor(operator="olga")


def test_a_rotation_never_prolongs_an_earlier_key(backend: Caller) -> None:
    now = database_now()
    short = issue_key(backend.client, now=now, lifetime=timedelta(minutes=5), actor=OLGA)
    rotate_key(backend.client, now=now, overlap=timedelta(hours=1), actor=OLGA)
    assert ApiKey.objects.get(prefix=short.key[:10]).expires_at == now + timedelta(minutes=5)
    assert ApiKey.objects.get(prefix=backend.key[:10]).expires_at == now + timedelta(hours=1)
    assert AuditEvent.objects.get(action="api_key.rotated").detail["earlier_keys"] == 1


def test_a_rotation_leaves_revoked_keys_and_other_clients_alone(backend: Caller, globex: object) -> None:
    from tests.factories import make_caller

    other = make_caller(None, "other")
    key = ApiKey.objects.get(client=backend.client)
    revoke_key(key, now=database_now(), actor=OLGA)
    rotate_key(backend.client, now=database_now(), overlap=timedelta(0), actor=OLGA)
    key.refresh_from_db()
    assert key.expires_at > database_now()
    assert ApiKey.objects.get(client=other.client).expires_at > database_now() + timedelta(days=300)


def test_a_repeated_rotation_with_one_id_changes_nothing(backend: Caller) -> None:
    once, now = uuid.uuid4(), database_now()
    first = rotate_key(backend.client, now=now, overlap=timedelta(hours=2), actor=OLGA, key_id=once)
    with pytest.raises(IntegrityError):
        rotate_key(backend.client, now=now, overlap=timedelta(0), actor=OLGA, key_id=once)
    assert ApiKey.objects.get(prefix=first.key[:10]).expires_at > now + timedelta(days=300)
    assert ApiKey.objects.get(prefix=backend.key[:10]).expires_at == now + timedelta(hours=2)
    assert AuditEvent.objects.filter(action="api_key.rotated").count() == 1


def test_a_revoked_key_is_refused_at_once_and_revoked_once(backend: Caller) -> None:
    key = ApiKey.objects.get()
    assert revoke_key(key, now=database_now(), actor=OLGA)
    assert not revoke_key(key, now=database_now(), actor=OLGA)
    assert call(backend, "GET", "/providers").status_code == 401
    assert AuditEvent.objects.get(action="api_key.revoked").operator == "olga"
