"""Deleting a tenant: nothing vends from the first moment, nothing opens in the end, and nobody else notices."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database

from connections.access.key_checks import newest_open
from connections.access.secrets import answer_place, credential_place, current_data_key, open_stored
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM, Actor
from connections.lifecycle.credentials import spool
from connections.lifecycle.credentials.versions import SealedVersion
from connections.lifecycle.end import batches
from connections.lifecycle.end.delete_tenant import continue_deletion, delete_ordered, order_deletion
from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.provision.app_keys import make_key
from connections.lifecycle.provision.tenants import TenantProfile, upsert_tenant
from connections.lifecycle.steer.switches import resume
from connections.models import (
    ApiClient,
    AppKey,
    AuditEvent,
    Connection,
    ConnectSession,
    CredentialVersion,
    DataKey,
    Incident,
    OutboxEvent,
    ProviderApp,
    RefreshAttempt,
    Revocation,
    SubjectToken,
    Tenant,
    UnreadAnswer,
)
from connections.models.fields import StoredSecret
from connections.refusals import InvalidRequest, NotFound
from connections.vault.sealing import Unreadable, seal
from providers.sandbox.client import SandboxProcess
from providers.vocabulary import SigningAlgorithm
from tests.connections.api.stored import make_app, make_connection
from tests.factories import make_caller, make_tenant
from tests.flows import EndUser, call

OLGA = Actor(operator="olga")


@pytest.fixture
def initech(transactional_db: None) -> Tenant:
    """A tenant with rows of every kind, stored without a provider."""
    tenant = make_tenant("initech")
    for name in ("alice", "bob", "carol"):
        make_connection(tenant, end_user=name)
    connection = Connection.objects.for_tenant(tenant.id).earliest("created_at")
    client = make_caller(tenant).client
    app = connection.provider_app
    now = database_now()
    ConnectSession.objects.create(
        tenant=tenant,
        api_client=client,
        owner_kind="end_user",
        end_user="alice",
        providers=["sandbox"],
        return_url="https://app.initech.example/connected",
        provider_app=app,
        reconnects=connection,
        token_hash=uuid.uuid4().bytes,
        expires_at=now + timedelta(minutes=10),
    )
    RefreshAttempt.objects.create(
        connection=connection, parent_version_id=uuid.uuid4(), state="in_doubt", claimed_at=now, deadline_at=now
    )
    answer_id, key = uuid.uuid4(), current_data_key(tenant.id)
    place = answer_place(tenant_id=tenant.id, connection_id=connection.id, answer_id=answer_id)
    UnreadAnswer.objects.create(
        id=answer_id,
        connection=connection,
        grant_id=uuid.uuid4(),
        parent_id=uuid.uuid4(),
        attempt_id=uuid.uuid4(),
        answer=seal(b"answer", key=key, place=place),
        data_key_id=key.id,
        status=200,
        size=6,
        received_at=now,
    )
    Incident.objects.create(provider_app=app, kind="many_failures", opened_at=now, last_seen_at=now)
    OutboxEvent.objects.create(type="connection.connected", tenant_id=tenant.id, connection_id=connection.id)
    return tenant


def rows_of(tenant: Tenant) -> dict[str, int]:
    """How many rows of every table that names a tenant are this one's, as the database counts them."""
    counts = {}
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT table_name::text FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND column_name = 'tenant_id' AND table_name NOT LIKE '%%auditevent'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE tenant_id = %s', [tenant.id])
            counts[table] = cursor.fetchone()[0]
    assert len(counts) >= 6
    return {table: count for table, count in counts.items() if count}


def delete(tenant: Tenant) -> bool:
    order_deletion(tenant.id, now=database_now(), at_once=True, actor=OLGA)
    return continue_deletion(tenant.id, now=database_now()).is_done


def test_nothing_of_a_deleted_tenant_opens_or_stays(initech: Tenant) -> None:
    version = CredentialVersion.objects.filter(connection__tenant=initech).first()
    answer = UnreadAnswer.objects.get()
    assert version is not None
    places = {
        version.secrets.stored: credential_place(
            tenant_id=initech.id, connection_id=version.connection_id, version_id=version.id
        ),
        answer.answer.stored: answer_place(
            tenant_id=initech.id, connection_id=answer.connection_id, answer_id=answer.id
        ),
    }
    copies = [(StoredSecret(bytes(stored)), place) for stored, place in places.items()]
    for copy, place in copies:
        assert open_stored(copy, place=place)

    assert delete(initech)

    for copy, place in copies:
        with pytest.raises(Unreadable):
            open_stored(copy, place=place)
    assert rows_of(initech) == {}
    for model in (Tenant, CredentialVersion, UnreadAnswer, RefreshAttempt, Incident, ApiClient, ProviderApp):
        assert not model._default_manager.exists(), model
    actions = AuditEvent.objects.filter(tenant_id=initech.id).order_by("id").values_list("action", "operator")
    assert list(actions)[-3:] == [
        ("tenant.delete_ordered", "olga"),
        ("tenant.shredded", ""),
        ("tenant.deleted", ""),
    ]
    assert AuditEvent.objects.get(action="tenant.deleted").detail == {"slug": "initech"}


def test_the_keys_are_destroyed_though_rows_are_still_there(initech: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a kill between the two: readiness is not bothered, and the next run goes on."""
    version = CredentialVersion.objects.filter(connection__tenant=initech).first()
    assert version is not None
    place = credential_place(tenant_id=initech.id, connection_id=version.connection_id, version_id=version.id)
    signing = make_key(version.connection.provider_app, SigningAlgorithm.ES256, actor=OLGA)
    order_deletion(initech.id, now=database_now(), at_once=True, actor=OLGA)
    assert not continue_deletion(initech.id, now=database_now(), give_up_at=0.0).is_done
    assert CredentialVersion.objects.exists()
    assert AppKey.objects.get(id=signing.id).private_key is None
    with pytest.raises(Unreadable):
        open_stored(version.secrets, place=place)
    assert newest_open()
    monkeypatch.setattr(batches, "BATCH", 1)
    assert delete_ordered(now=database_now()) == 1
    assert rows_of(initech) == {}
    assert AuditEvent.objects.filter(action="tenant.shredded").count() == 1


class _Killed(Exception):
    """The process ended here."""


@pytest.mark.parametrize("at_once", [True, False])
def test_wherever_it_is_cut_off_it_goes_on(initech: Tenant, at_once: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run ends before a statement, as a killed process does: what was not committed is as if it had never been."""
    monkeypatch.setattr(batches, "BATCH", 1)
    order_deletion(initech.id, now=database_now(), at_once=at_once, actor=OLGA)
    now = database_now() + timedelta(seconds=1)
    cuts = 0
    for length in range(3, 400):
        left = length

        def cut(execute: Any, *arguments: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise _Killed
            return execute(*arguments)

        if not at_once and length == 60:
            now += timedelta(hours=25)
        try:
            with database.execute_wrapper(cut):
                gone = delete_ordered(now=now)
        except _Killed:
            cuts += 1
            continue
        if gone:
            break
    assert cuts >= 10
    assert rows_of(initech) == {}
    for action in ("tenant.delete_ordered", "tenant.shredded", "tenant.deleted"):
        assert AuditEvent.objects.filter(tenant_id=initech.id, action=action).count() == 1


def test_others_and_what_is_shared_stay(initech: Tenant) -> None:
    shared = make_app(None)
    globex = make_tenant("globex")
    theirs = make_connection(globex, end_user="alice", app=shared)
    make_connection(initech, end_user="dave", app=shared)
    operator = make_caller(None, "operator")
    before = rows_of(globex)
    OutboxEvent.objects.create(type="connection.connected", tenant_id=globex.id, connection_id=theirs.id)
    assert delete(initech)
    assert rows_of(globex) == before | {"connections_outboxevent": before.get("connections_outboxevent", 0) + 1}
    assert ProviderApp.objects.get() == shared
    assert ApiClient.objects.get() == operator.client
    answer = call(make_caller(globex), "POST", f"/connections/{theirs.id}/credential", {"end_user": "alice"})
    assert answer.status_code == 200


def test_vends_stop_with_the_order_and_the_grant_is_revoked(alice: EndUser, sandbox: SandboxProcess) -> None:
    connection = Connection.objects.get(id=alice.connect(scopes=["profile.read"])["id"])
    tenant = connection.tenant
    assert alice.vend(str(connection.id)).status_code == 200
    deletion = order_deletion(tenant.id, now=database_now(), at_once=False, actor=OLGA)
    assert (deletion.is_done, deletion.connections) == (False, 1)
    assert alice.vend(str(connection.id)).json()["code"] == "suspended"
    deletion = continue_deletion(tenant.id, now=database_now())
    assert (deletion.connections, deletion.revoking) == (1, 1)
    assert DataKey.objects.filter(tenant=tenant).exclude(wrapped=b"").exists()
    assert revoke(connection.id) is Revocation.CONFIRMED
    assert continue_deletion(tenant.id, now=database_now()).is_done
    assert AuditEvent.objects.get(action="tenant.shredded").detail["not_revoked"] == {}
    assert alice.vend(str(connection.id)).status_code == 401
    assert rows_of(tenant) == {}


def test_the_order_forgets_tokens_that_act_for_subjects(initech: Tenant) -> None:
    connection = Connection.objects.for_tenant(initech.id).earliest("created_at")
    SubjectToken.objects.create(connection=connection, asked=b"asked", kept_until=database_now())
    order_deletion(initech.id, now=database_now(), at_once=False, actor=OLGA)
    assert not SubjectToken.objects.exists()


def test_after_a_day_no_provider_is_waited_for(initech: Tenant) -> None:
    order_deletion(initech.id, now=database_now(), at_once=False, actor=OLGA)
    assert continue_deletion(initech.id, now=database_now()).revoking == 3
    assert delete_ordered(now=database_now() + timedelta(hours=23)) == 0
    assert delete_ordered(now=database_now() + timedelta(hours=25)) == 1
    assert rows_of(initech) == {}
    assert AuditEvent.objects.get(action="tenant.shredded").detail["not_revoked"] == {"sandbox": 3}


def test_a_refresh_that_is_under_way_finds_its_row(initech: Tenant) -> None:
    now = database_now()
    RefreshAttempt.objects.update(state="sent", deadline_at=now + timedelta(seconds=60))
    assert not delete(initech)
    assert Connection.objects.for_tenant(initech.id).count() == 3
    assert not DataKey.objects.exclude(wrapped=b"").exists()
    assert delete_ordered(now=now + timedelta(seconds=61)) == 1


def test_an_order_stands_and_can_be_hastened(initech: Tenant) -> None:
    first = order_deletion(initech.id, now=database_now(), at_once=False, actor=OLGA)
    assert order_deletion(initech.id, now=database_now(), at_once=False, actor=OLGA).shred_at == first.shred_at
    hastened = order_deletion(initech.id, now=database_now(), at_once=True, actor=OLGA)
    assert first.shred_at is not None
    assert hastened.shred_at is not None
    assert hastened.shred_at < first.shred_at
    assert AuditEvent.objects.filter(action="tenant.delete_ordered").count() == 2
    initech.refresh_from_db()
    with pytest.raises(InvalidRequest, match="being deleted"):
        resume(initech, actor=SYSTEM)
    with pytest.raises(InvalidRequest, match="being deleted"):
        upsert_tenant("initech", TenantProfile("Back"), actor=SYSTEM)
    with pytest.raises(NotFound):
        order_deletion(uuid.uuid4(), now=database_now(), at_once=True, actor=SYSTEM)


def test_a_tenant_that_nobody_ordered_away_is_left_alone(initech: Tenant) -> None:
    assert delete_ordered(now=database_now() + timedelta(days=30)) == 0
    with pytest.raises(ValueError, match="not ordered"):
        continue_deletion(initech.id, now=database_now())
    assert Connection.objects.for_tenant(initech.id).count() == 3


def test_what_was_spooled_for_it_goes(initech: Tenant, settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = str(tmp_path)
    connection = Connection.objects.for_tenant(initech.id).earliest("created_at")
    stored = CredentialVersion.objects.get(connection=connection)
    spool.write(
        SealedVersion(
            id=uuid.uuid4(),
            connection_id=connection.id,
            grant_id=stored.grant_id,
            parent_id=stored.id,
            attempt_id=uuid.uuid4(),
            secrets=b"sealed",
            data_key_id=stored.data_key_id,
            fingerprint=b"f",
            scopes=(),
            is_refreshable=True,
            lifetime_seconds=60,
            refresh_lifetime_seconds=None,
            refresh_expires_at=None,
            grant_expires_at=None,
            received_at=database_now(),
        )
    )
    assert list(tmp_path.iterdir())
    assert delete(initech)
    assert list(tmp_path.iterdir()) == []


def test_the_same_slug_begins_anew(initech: Tenant) -> None:
    assert delete(initech)
    again = make_tenant("initech")
    assert again.id != initech.id
    assert rows_of(again) == rows_of(make_tenant("hooli")), "what every new tenant has"
    assert AuditEvent.objects.filter(tenant_id=initech.id, action="tenant.deleted").count() == 1
