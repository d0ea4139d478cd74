"""The prepared statements of a refresh, each condition by itself: they look at this connection, and touch no other."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from connections.access.secrets import current_data_key
from connections.database.clock import database_now
from connections.lifecycle.credentials.due import GrantLifetimes
from connections.lifecycle.credentials.promote import promote_plainly
from connections.lifecycle.credentials.store import store_received
from connections.lifecycle.credentials.versions import SealedVersion
from connections.lifecycle.refresh.claim import LEASE
from connections.lifecycle.refresh.claim_query import ClaimRow, insert_plain_claims
from connections.models import (
    AttemptState,
    Connection,
    CredentialVersion,
    DataKey,
    Incident,
    IncidentKind,
    OutboxEvent,
    ProviderApp,
    RefreshAttempt,
    Stage,
    Tenant,
    Trigger,
)
from tests.connections.api.stored import make_app, make_connection, overwrite
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.unfinished import made_up, open_attempt


@pytest.fixture
def connection(acme: Tenant) -> Connection:
    """A connection of acme's that is due, made without a provider."""
    made = make_connection(acme)
    age(made.id, hours=2)
    return Connection.objects.get(id=made.id)


def claimed(connection: Connection) -> ClaimRow | None:
    """Return what the statement claims; it is rolled back."""
    with transaction.atomic():
        rows = insert_plain_claims(
            [connection.id], trigger=Trigger.SWEEP, claimed_by="test", claimant_key=None, lease=LEASE
        )
        assert RefreshAttempt.objects.filter(claimed_by="test").count() == len(rows)
        transaction.set_rollback(True)
    return rows[0] if rows else None


def _version(connection: Connection, stage: Stage, **values: Any) -> CredentialVersion:
    version = CredentialVersion.objects.get(id=connection.current_version_id)
    version.id, version.stage, version.attempt_id = uuid.uuid4(), stage, uuid.uuid4()
    for name, value in values.items():
        setattr(version, name, value)
    version.save(force_insert=True)
    return version


def _incident(app: ProviderApp, **values: Any) -> None:
    now = database_now()
    Incident.objects.create(
        **{"provider_app": app, "kind": IncidentKind.CLIENT_REJECTED, "opened_at": now, "last_seen_at": now, **values}
    )


# What goes on at another connection of the same app, or is over at this one.
BESIDE: dict[str, Callable[[Connection, Connection], object]] = {
    "another's attempt is sent": lambda _, other: open_attempt(other),
    "another's attempt is in doubt": lambda _, other: open_attempt(other, state=AttemptState.IN_DOUBT),
    "another comes after a doubt": lambda _, other: open_attempt(other, state=AttemptState.SUPERSEDED),
    "another has received a version": lambda _, other: _version(other, Stage.RECEIVED),
    "another is paused": lambda _, other: overwrite(other, paused_at=database_now(), suspended_at=database_now()),
    "another is no longer in use": lambda _, other: Connection.objects.filter(id=other.id).update(
        status="needs_reauth", reason="grant_rejected"
    ),
    "attempts are over": lambda this, _: [
        open_attempt(this, state=state)
        for state in (AttemptState.PROMOTED, AttemptState.REJECTED, AttemptState.ABORTED, AttemptState.RECEIVED)
    ],
    "a doubt was about an older token": lambda this, _: RefreshAttempt.objects.filter(
        id=open_attempt(this, state=AttemptState.SUPERSEDED).id
    ).update(parent_version_id=uuid.uuid4()),
    "there are versions of other stages": lambda this, _: [
        _version(this, stage) for stage in (Stage.PREVIOUS, Stage.ORPHAN)
    ],
    "another app's registration is refused": lambda *_: _incident(make_app(None)),
    "the registration is refused elsewhere": lambda this, _: _incident(this.provider_app, party=uuid.uuid4()),
    "the refusal of the registration is over": lambda this, _: _incident(this.provider_app, closed_at=database_now()),
    "many failed at once": lambda this, _: _incident(this.provider_app, kind=IncidentKind.MANY_FAILURES),
    "a backoff is over": lambda this, _: overwrite(this, next_attempt_at=database_now() - timedelta(seconds=1)),
    "it is suspect": lambda this, _: Connection.objects.filter(id=this.id).update(
        status="suspect", reason="refresh_refused"
    ),
}


@pytest.mark.parametrize("happens", BESIDE.values(), ids=BESIDE)
def test_claims_in_spite_of_what_concerns_something_else(
    acme: Tenant, connection: Connection, happens: Callable[[Connection, Connection], object]
) -> None:
    other = make_connection(acme, end_user="bob")
    happens(connection, other)
    row = claimed(connection)
    assert row is not None
    assert (row.connection_id, row.version_id) == (connection.id, connection.current_version_id)


@pytest.mark.parametrize("party", [None, uuid.uuid4()], ids=["the provider", "a party of its own"])
def test_claims_nothing_while_the_registration_is_refused_where_it_leads(
    connection: Connection, party: uuid.UUID | None
) -> None:
    overwrite(connection, party=party)
    _incident(connection.provider_app, party=uuid.uuid4())
    assert claimed(connection) is not None
    _incident(connection.provider_app, party=party)
    assert claimed(connection) is None


@pytest.mark.parametrize("is_shared", [False, True], ids=["its own app", "a shared app"])
def test_claims_with_the_current_key_of_the_apps_owner(acme: Tenant, globex: Tenant, is_shared: bool) -> None:
    app = make_app(None if is_shared else acme)
    for tenant in (acme, globex, None):
        current_data_key(tenant.id if tenant else None)
        DataKey.objects.create(id=uuid.uuid4(), tenant=tenant, kek_id="old", wrapped=b"old", is_current=False)
    connection = make_connection(acme, app=app)
    make_connection(globex)
    age(connection.id, hours=2)
    row = claimed(connection)
    assert row is not None
    assert row.app_key_id == DataKey.objects.get(tenant=None if is_shared else acme, is_current=True).id
    assert row.data_key_id == row.sealing_key_id == DataKey.objects.get(tenant=acme, is_current=True).id


def test_claims_what_an_earlier_data_key_has_sealed(acme: Tenant, connection: Connection) -> None:
    earlier = DataKey.objects.get(tenant=acme, is_current=True)
    earlier.give_way()
    current = current_data_key(acme.id)
    row = claimed(connection)
    assert row is not None
    assert (row.data_key_id, row.sealing_key_id) == (earlier.id, current.id)


# --- Promotion --------------------------------------------------------------------------------------------------------
def stored(connection: Connection, **changes: Any) -> SealedVersion:
    """Store the answer to a refresh that was claimed just now."""
    sealed = made_up(connection, **changes)
    store_received(sealed)
    return sealed


def is_promoted(sealed: SealedVersion) -> bool:
    plainly = promote_plainly([(sealed, GrantLifetimes())]) == {sealed.id}
    stage = CredentialVersion.objects.get(id=sealed.id).stage
    assert (stage == Stage.CURRENT) is plainly
    return plainly


def test_promotes_what_is_plain(connection: Connection) -> None:
    assert is_promoted(stored(connection))


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_id": uuid.uuid4()},
        {"scopes": ("profile.read",)},
        {"scopes": ("files.read", "profile.read", "more")},
    ],
    ids=["another grant", "fewer scopes", "more scopes"],
)
def test_promotes_no_other_grant_and_no_other_scopes(connection: Connection, changes: dict[str, Any]) -> None:
    assert not is_promoted(stored(connection, **changes))


def test_promotes_only_what_its_parent_bought(connection: Connection) -> None:
    elder = _version(connection, Stage.PREVIOUS)
    assert not is_promoted(stored(connection, parent_id=elder.id))


@pytest.mark.parametrize("stage", [Stage.ORPHAN, Stage.PREVIOUS])
def test_promotes_only_what_was_received(connection: Connection, stage: Stage) -> None:
    sealed = stored(connection)
    CredentialVersion.objects.filter(id=sealed.id).update(stage=stage)
    assert not is_promoted(sealed)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("suspect", "refresh_refused"),
        ("needs_reauth", "grant_rejected"),
        ("revoked", "revoked_by_operator"),
        ("disconnected", "disconnected_by_request"),
    ],
)
def test_promotes_only_at_a_healthy_connection(connection: Connection, status: str, reason: str) -> None:
    sealed = stored(connection)
    Connection.objects.filter(id=connection.id).update(status=status, reason=reason)
    assert not is_promoted(sealed)


def everything_of(connection: Connection) -> list[Any]:
    """Return all rows of one connection."""
    of_it = {"connection_id": connection.id}
    return [
        Connection.objects.filter(id=connection.id).values().get(),
        list(CredentialVersion.objects.filter(**of_it).order_by("id").values_list("id", "stage", "access_expires_at")),
        list(RefreshAttempt.objects.filter(**of_it).order_by("id").values()),
        list(OutboxEvent.objects.filter(**of_it).order_by("id").values()),
    ]


def test_promotes_without_touching_another_connection(acme: Tenant, connection: Connection) -> None:
    other = make_connection(acme, end_user="bob")
    for stage in (Stage.PREVIOUS, Stage.ORPHAN, Stage.RECEIVED):
        _version(other, stage, received_at=database_now() - timedelta(hours=1))
    open_attempt(other)
    before = everything_of(other)
    replaced = connection.current_version_id
    elder = _version(connection, Stage.PREVIOUS)
    sealed = stored(connection)
    assert is_promoted(sealed)
    assert everything_of(other) == before
    stages = dict(CredentialVersion.objects.filter(connection=connection).values_list("id", "stage"))
    assert stages == {sealed.id: "current", replaced: "previous"}, "the one before that is gone"
    assert elder.id not in stages
    connection.refresh_from_db()
    assert connection.current_version_id == sealed.id


def test_an_orphan_goes_once_its_grant_was_refreshed_after_it_came(connection: Connection) -> None:
    """One that came while the refresh was under way may be the live token: it stays until the next."""
    sealed = stored(connection)
    claimed_at = RefreshAttempt.objects.get(id=sealed.attempt_id).claimed_at
    before, meanwhile = (
        _version(connection, Stage.ORPHAN, received_at=claimed_at + timedelta(seconds=seconds)) for seconds in (-1, 1)
    )
    assert is_promoted(sealed)
    left = set(CredentialVersion.objects.filter(connection=connection, stage=Stage.ORPHAN).values_list("id", flat=True))
    assert (before.id in left, meanwhile.id in left) == (False, True)
