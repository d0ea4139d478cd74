"""Raw SQL beside the rules that it stands for: each column of the models is moved by itself, and both are asked.

So a rule that is added to the policy, to the claim or to a switch, and not to the statement, fails here whatever column
it looks at. Combinations are ``test_vend_agreement`` and ``test_plain_statements``.
"""

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, IntegrityError, models, transaction
from pydantic import SecretStr

from connections.access.secrets import current_data_key, digest
from connections.access.targets import access_to
from connections.database.clock import database_now
from connections.database.locks import lock_connection
from connections.database.pool import short_transaction
from connections.lifecycle.credentials.due import GrantLifetimes
from connections.lifecycle.credentials.grant_end import grant_ends_at
from connections.lifecycle.credentials.promote import promote, promote_plainly
from connections.lifecycle.credentials.store import store_received
from connections.lifecycle.credentials.versions import SealedVersion, ends_of, seal_version
from connections.lifecycle.refresh.claim import LEASE, Need, _why_not
from connections.lifecycle.refresh.claim_query import insert_plain_claims
from connections.lifecycle.refresh.recover import follows_doubt, settle_earlier
from connections.lifecycle.vend.order import VendOrder
from connections.lifecycle.vend.query import VendRow, run_vend_statement
from connections.lifecycle.vend.rules import Vend, VendRequest, decide_vend
from connections.models import (
    REASONS_OF,
    ApiClient,
    ApiKey,
    AttemptState,
    Connection,
    CredentialVersion,
    Incident,
    IncidentKind,
    OutboxEvent,
    Permission,
    ProviderApp,
    RefreshAttempt,
    Stage,
    Status,
    Tenant,
    Trigger,
)
from providers.values import Credential, Obtained
from tests.connections.api.stored import make_connection
from tests.connections.lifecycle.clockwork import age
from tests.factories import Caller, make_caller, make_tenant


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def connection(acme: Tenant) -> Connection:
    """A connection of acme's that is due, made without a provider."""
    made = make_connection(acme)
    age(made.id, minutes=55)
    return Connection.objects.select_related("tenant", "provider_app").get(id=made.id)


@pytest.fixture
def backend(acme: Tenant) -> Caller:
    return make_caller(acme)


def changes_of(model: type[models.Model]) -> Iterator[dict[str, Any]]:
    """Return what one column at a time may be changed to: moments, choices, flags and numbers."""
    for field in model._meta.concrete_fields:
        for value in _other_values(field):
            changes = {field.column: value}
            if model is Connection and field.column == "status":
                changes["reason"] = REASONS_OF[Status(value)][0]
            yield changes


def _other_values(field: Any) -> list[Any]:
    now = database_now()
    if isinstance(field, models.DateTimeField):
        moments = [now + timedelta(days=days) for days in (-400, -0.01, 400)]
        return [None, *moments] if field.null else moments
    if field.choices:
        return [value for value, _ in field.choices]
    if isinstance(field, models.BooleanField):
        return [True, False]
    if isinstance(field, models.IntegerField) and not field.primary_key:
        return [*([None] if field.null else []), 0, 1, 1000]
    base = getattr(field, "base_field", None)
    return [[], [value for value, _ in base.choices or ()]] if base is not None else []


@contextmanager
def moved(model: type[models.Model], changes: dict[str, Any]) -> Iterator[None]:
    """Change all rows of a model, and nothing for good."""
    with transaction.atomic():
        model._default_manager.update(**changes)
        yield
        transaction.set_rollback(True)


def is_allowed(model: type[models.Model], changes: dict[str, Any]) -> bool:
    """Whether the constraints of the database let such rows be."""
    try:
        with moved(model, changes):
            return True
    except (IntegrityError, DataError):
        return False


def each_move(*of: type[models.Model]) -> Iterator[str]:
    """Make every change in turn, and name it while it lasts."""
    for model in of:
        for changes in changes_of(model):
            if is_allowed(model, changes):
                with moved(model, changes):
                    yield f"{model.__name__}: {changes}"


def is_claimed(connection: Connection) -> bool:
    """Whether the statement claims; what it inserts is rolled back."""
    with transaction.atomic():
        rows = insert_plain_claims(
            [connection.id], trigger=Trigger.SWEEP, claimed_by="test", claimant_key=None, lease=LEASE
        )
        transaction.set_rollback(True)
    return bool(rows)


def why_not(connection: Connection) -> object:
    """Return what the rules of the claim have against the refresh of a connection, or None."""
    locked = lock_connection(connection.id)
    assert locked is not None
    now = database_now()
    open_incidents = Incident.objects.filter(kind=IncidentKind.CLIENT_REJECTED, closed_at=None)
    with transaction.atomic():
        against = (
            settle_earlier(locked, now=now)
            or open_incidents.first()
            or _why_not(locked, Need(), is_in_doubt=False, incident=None, now=now)
            or (follows_doubt(locked) or None)
        )
        transaction.set_rollback(True)
    return against


def test_what_is_claimed_plainly_no_rule_is_against(connection: Connection) -> None:
    """Whatever column moves. The other way round, the rules decide once more about what the statement leaves."""
    claimed = Counter[bool]()
    for move in each_move(Connection, ProviderApp, Tenant, CredentialVersion):
        claims = is_claimed(connection)
        claimed[claims] += 1
        if claims:
            assert why_not(connection) is None, move
    assert claimed[True] > 50
    assert claimed[False] > 10


@pytest.mark.parametrize("state", AttemptState)
@pytest.mark.parametrize("is_of_current", [True, False])
def test_nor_after_an_attempt_in_any_state(connection: Connection, state: AttemptState, is_of_current: bool) -> None:
    now = database_now()
    RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=connection.current_version_id if is_of_current else uuid.uuid4(),
        state=state,
        claimed_at=now,
        deadline_at=now + LEASE,
    )
    assert is_claimed(connection) is (why_not(connection) is None)


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.CURRENT])
def test_nor_beside_a_version_of_any_stage(connection: Connection, stage: Stage) -> None:
    version = CredentialVersion.objects.get(connection=connection)
    version.id, version.stage, version.attempt_id = uuid.uuid4(), stage, uuid.uuid4()
    version.save(force_insert=True)
    assert is_claimed(connection) is (stage is not Stage.RECEIVED)


@pytest.mark.parametrize("kind", IncidentKind)
def test_nor_in_an_incident_of_any_kind(connection: Connection, kind: IncidentKind) -> None:
    now = database_now()
    Incident.objects.create(provider_app=connection.provider_app, kind=kind, opened_at=now, last_seen_at=now)
    assert is_claimed(connection) is (why_not(connection) is None)


def asked(connection: Connection, caller: Caller, **request: Any) -> VendRow | None:
    order = VendOrder(digest(caller.key), connection.id, **{"end_user": "alice"} | request)
    (row,) = run_vend_statement([order])
    return row


def test_what_the_statement_vends_the_policy_vends_and_nothing_else(connection: Connection, backend: Caller) -> None:
    outcomes = Counter[bool | None]()
    of = (Connection, ProviderApp, Tenant, CredentialVersion, ApiClient, ApiKey)
    for move in each_move(*of):
        row = asked(connection, backend)
        if row is None or row.connection_id is None:  # the key is not valid, or no key of this tenant
            outcomes[None] += 1
            continue
        may_vend = Permission.VEND in row.permissions
        decision = decide_vend(row.facts(), VendRequest(end_user="alice"), now=row.now)
        is_vended = row.audit_id is not None
        assert is_vended is (may_vend and not row.restriction and decision == Vend()), move
        outcomes[is_vended] += 1
    assert outcomes[True] > 50
    assert outcomes[False] > 5
    assert outcomes[None] > 1


def test_a_request_is_asked_about_in_each_of_its_members(connection: Connection, backend: Caller) -> None:
    """A member that is added to the request is added here, with a value that is refused and one that is not."""
    refused: dict[str, Any] = {"end_user": "bob", "scopes": ("admin",), "min_ttl_seconds": 7200.0, "for_subject": True}
    granted: dict[str, Any] = {
        "end_user": "alice",
        "scopes": ("profile.read",),
        "min_ttl_seconds": 60.0,
        "for_subject": False,
    }
    assert {field.name for field in fields(VendRequest)} - {
        "may_act_without_user",
        "under_grant",
        "is_verified",
    } == set(refused)
    for request in [*({name: value} for name, value in refused.items()), granted]:
        told = {name: value for name, value in request.items() if name != "for_subject"}
        token = SecretStr("token-of-a-subject") if request.get("for_subject") else None
        row = asked(connection, backend, **told, subject_token=token)
        assert row is not None
        decision = decide_vend(row.facts(), VendRequest(**{"end_user": "alice"} | request), now=row.now)
        assert (row.audit_id is not None) is (decision == Vend()) is (request is granted), request


def test_switched_off_is_the_same_in_python_in_the_sweep_and_in_both_statements(
    connection: Connection, backend: Caller
) -> None:
    seen = Counter[tuple[bool, bool]]()
    for move in each_move(Connection, ProviderApp, Tenant):
        now = Connection.objects.select_related("tenant", "provider_app").get(id=connection.id)
        row = asked(connection, backend)
        if row is not None and row.connection_id is not None:
            assert row.is_suspended is now.is_suspended, move
        is_working = Connection.objects.working().exists()
        assert is_working is not (now.is_suspended or now.is_paused), move
        if not is_working:
            assert not is_claimed(connection), move
        seen[now.is_suspended, now.is_paused] += 1
    assert set(seen) == {(False, False), (True, False), (False, True)}


# --- The promotion ----------------------------------------------------------------------------------------------------
def sealed_for(connection: Connection) -> SealedVersion:
    """Store what a refresh would bring, and return it."""
    now = database_now()
    attempt = RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=connection.current_version_id,
        state=AttemptState.SENT,
        claimed_at=now,
        deadline_at=now + LEASE,
    )
    current = CredentialVersion.objects.get(connection=connection, stage=Stage.CURRENT)
    app = ProviderApp.objects.get(id=connection.provider_app_id)
    sealed = seal_version(
        Obtained(
            credential=Credential(access_token=SecretStr("new"), refresh_token=SecretStr("newer")),
            lifetime_seconds=3600,
        ),
        tenant_id=connection.tenant_id,
        connection_id=connection.id,
        grant_id=current.grant_id,
        key=current_data_key(connection.tenant_id),
        scopes=tuple(current.scopes),
        is_refreshable=True,
        received_at=now,
        grantor=access_to(app, {}).target.grantor,
        parent_id=current.id,
        attempt_id=attempt.id,
    )
    store_received(sealed)
    return sealed


def spoil(connection: Connection) -> None:
    """Give each column another value than a fresh row has, but for those that make the promotion a special case."""
    special = {"status", "reason", "owner_kind", "end_user", "answer_unread_at", "is_canary"}
    long_ago = database_now() - timedelta(days=30)
    for field in Connection._meta.concrete_fields:
        if field.is_relation or field.primary_key or field.column in special:
            continue
        value: Any = None
        if isinstance(field, models.DateTimeField):
            value = long_ago
        elif isinstance(field, models.BooleanField):
            value = not field.get_default()
        elif isinstance(field, models.IntegerField):
            value = 7
        elif isinstance(field, models.JSONField):
            value = {"spoilt": "yes"}
        elif field.choices:
            value = [choice for choice, _ in field.choices][-1]
        elif isinstance(field, models.CharField):
            value = "spoilt"
        if value is not None and is_allowed(Connection, {field.column: value}):
            Connection.objects.filter(id=connection.id).update(**{field.column: value})


def told(connection: Connection, version_id: uuid.UUID) -> dict[str, Any]:
    """Return what a promoted connection's row says, in words that are the same for another one's."""
    row = Connection.objects.values().get(id=connection.id)
    row["end_user"] = "the same" if row["end_user"] == connection.end_user else "another"
    begun = database_now()

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return round((value - begun).total_seconds() / 60)
        return "the new version" if value == version_id else value

    return {name: plain(value) for name, value in row.items() if name not in ("id", "grant_id", "provider_account_id")}


@pytest.mark.parametrize("vended", [None, *(timedelta(hours=hours) for hours in (0.9, 1.1, 23.9, 24.1))])
def test_a_plain_promotion_leaves_every_column_as_the_rules_do(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, vended: timedelta | None
) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.5)
    plainly, by_rule = make_connection(acme), make_connection(acme, end_user="bob")
    for connection in (plainly, by_rule):
        spoil(connection)
        last_vended_at = None if vended is None else database_now() - vended
        Connection.objects.filter(id=connection.id).update(last_vended_at=last_vended_at)
    plain, ruled = sealed_for(plainly), sealed_for(by_rule)
    lifetimes = GrantLifetimes()
    assert promote_plainly([(plain, lifetimes)]) == {plain.id}
    with short_transaction() as now:
        locked = lock_connection(by_rule.id)
        assert locked is not None
        assert promote(locked, CredentialVersion.objects.get(id=ruled.id), now=now)
    assert told(plainly, plain.id) == told(by_rule, ruled.id)
    events = OutboxEvent.objects.filter(type="connection.refreshed")
    of_plain, of_ruled = (events.get(connection_id=connection.id).payload for connection in (plainly, by_rule))
    assert of_plain == of_ruled | {"connection": str(plainly.id), "end_user": plainly.end_user}
    assert of_ruled["connection"] == str(by_rule.id)


@pytest.mark.parametrize("announced", [None, timedelta(days=1), timedelta(days=9)])
@pytest.mark.parametrize("absolute", [None, 5 * 86_400])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_plain_promotion_ends_the_grant_when_the_rule_does(
    acme: Tenant, announced: timedelta | None, absolute: int | None, is_known: bool
) -> None:
    connection = make_connection(acme)
    if not is_known:
        Connection.objects.filter(id=connection.id).update(authorized_at=None)
    authorized_at = Connection.objects.get(id=connection.id).authorized_at
    sealed = sealed_for(connection)
    sealed = replace(sealed, grant_expires_at=None if announced is None else sealed.received_at + announced)
    lifetimes = GrantLifetimes(absolute=absolute)
    assert promote_plainly([(sealed, lifetimes)]) == {sealed.id}
    ends_at = grant_ends_at(ends_of(sealed), lifetimes=lifetimes, authorized_at=authorized_at)
    assert Connection.objects.get(id=connection.id).grant_expires_at == ends_at
