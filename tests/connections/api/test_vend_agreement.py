"""The SQL of the vend and the policy decide alike: what the statement allows, the policy allows, and the other way."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from connections.access.secrets import digest
from connections.lifecycle.vend.order import VendOrder
from connections.lifecycle.vend.query import VendRow, run_vend_statement
from connections.lifecycle.vend.rules import DEFAULT_MIN_TTL_SECONDS, Vend, VendRequest, decide_vend
from connections.models import (
    REASONS_OF,
    ApiClient,
    AuditEvent,
    Connection,
    CredentialVersion,
    OwnerKind,
    Permission,
    ProviderApp,
    Scope,
    Status,
    Tenant,
)
from providers.catalog import loader
from providers.catalog.exchange_method import TokenExchangeMethod
from providers.catalog.methods import AuthorizationCodeMethod
from tests.connections.api.stored import make_connection, transaction_now
from tests.factories import Caller, make_caller

SCOPES = ("profile.read", "files.read", "files.write")
# An entry where writing includes reading, one scope has two names, and one is never named in answers.
RELATED = """
name = "Related"
base_url = "https://api.related.example"
[[scopes]]
name = "files.write"
description = "Change files"
implies = ["files.read"]
[[scopes]]
name = "profile.read"
description = "See a profile"
aliases = ["profile.long"]
[[scopes]]
name = "stay"
description = "Stay connected"
echoed = false
[authorization_code]
authorization_url = "https://related.example/authorize"
token_url = "https://related.example/token"
"""
RELATED_SCOPES = ("files.write", "files.read", "profile.read", "profile.long", "stay", "other")
# By the scope that is asked for, each that opens it.
OPENED_BY = {
    "files.read": {"files.read", "files.write"},
    "profile.read": {"profile.read", "profile.long"},
    "profile.long": {"profile.read", "profile.long"},
}
related_scopes = st.lists(st.sampled_from(RELATED_SCOPES), unique=True)
# Seconds that are left, on both sides of each limit.
LEFT = st.sampled_from([None, -3600.0, -2.0, 2.5, 30.0, 90.0, 3600.0])
scopes = st.lists(st.sampled_from(SCOPES), unique=True)
facts = st.fixed_dictionaries(
    {
        "status": st.sampled_from(list(Status)),
        "owner": st.sampled_from(list(OwnerKind)),
        "grants_only": st.sampled_from([False, False, False, True]),
        "off": st.sets(st.sampled_from(["tenant", "app", "client", "connection"]), max_size=1),
        "left": LEFT,
        "refreshable": st.booleans(),
        "granted": scopes,
        "style": st.sampled_from([AuthorizationCodeMethod.style, TokenExchangeMethod.style]),
    }
)
requests = st.fixed_dictionaries(
    {
        "end_user": st.sampled_from([None, "alice", "bob"]),
        "scopes": scopes,
        "min_ttl": st.sampled_from([None, 0.0, 60.0]),
        "may_vend": st.booleans(),
        "may_act_without_user": st.booleans(),
        "subject_token": st.sampled_from([None, SecretStr("token-of-a-subject")]),
    }
)


@pytest.fixture
def stored(acme: Tenant) -> tuple[Connection, Caller]:
    return make_connection(acme), make_caller(acme)


@pytest.fixture
def related(acme: Tenant, tmp_path: Path) -> Iterator[Connection]:
    (tmp_path / "related.toml").write_text(RELATED, encoding="utf-8")
    loader.configure_catalog(tmp_path)
    connection = make_connection(acme)
    Connection.objects.filter(id=connection.id).update(provider="related")
    ProviderApp.objects.filter(id=connection.provider_app_id).update(provider="related")
    yield connection
    loader.configure_catalog(None)


def arrange(connection: Connection, caller: Caller, state: dict[str, Any], request: dict[str, Any]) -> None:
    now = transaction_now()
    expires_at = None if state["left"] is None else now + timedelta(seconds=state["left"])

    def off(name: str) -> Any:
        return now if name in state["off"] else None

    Connection.objects.filter(id=connection.id).update(
        status=state["status"],
        reason=REASONS_OF[state["status"]][0],
        owner_kind=state["owner"],
        end_user="alice" if state["owner"] is OwnerKind.END_USER else "",
        grants_only=state["grants_only"],
        suspended_at=off("connection"),
    )
    CredentialVersion.objects.filter(connection=connection).update(
        scopes=state["granted"], access_expires_at=expires_at, is_refreshable=state["refreshable"]
    )
    Tenant.objects.filter(id=connection.tenant_id).update(suspended_at=off("tenant"))
    ProviderApp.objects.filter(id=connection.provider_app_id).update(suspended_at=off("app"), auth_style=state["style"])
    permissions = [Permission.VEND] if request["may_vend"] else [Permission.READ]
    if request["may_act_without_user"]:
        permissions.append(Permission.VEND_WITHOUT_USER)
    ApiClient.objects.filter(id=caller.client.id).update(permissions=permissions, suspended_at=off("client"))


def ask(connection: Connection, caller: Caller, request: dict[str, Any]) -> VendRow:
    order = VendOrder(
        key_hash=digest(caller.key),
        connection_id=connection.id,
        end_user=request["end_user"],
        scopes=request["scopes"],
        min_ttl_seconds=request["min_ttl"],
        subject_token=request.get("subject_token"),
    )
    (row,) = run_vend_statement([order])
    assert row is not None
    return row


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(state=facts, request=requests)
def test_the_statement_and_the_policy_agree(
    state: dict[str, Any], request: dict[str, Any], stored: tuple[Connection, Caller]
) -> None:
    connection, caller = stored
    arrange(connection, caller, state, request)
    before = AuditEvent.objects.count()

    row = ask(connection, caller, request)

    decision = decide_vend(
        row.facts(),
        VendRequest(
            end_user=request["end_user"],
            scopes=request["scopes"],
            min_ttl_seconds=request["min_ttl"],
            may_act_without_user=Permission.VEND_WITHOUT_USER in row.permissions,
            for_subject=request["subject_token"] is not None,
        ),
        now=row.now,
    )
    allowed = row.audit_id is not None
    assert AuditEvent.objects.count() - before == int(allowed)
    if allowed:
        assert decision == Vend()
        assert request["may_vend"]
    elif decision == Vend() and request["may_vend"]:
        # The one thing that the statement leaves to the policy: a credential in its last seconds, if no other is to
        # be had and the caller did not say how long it needs one.
        assert request["min_ttl"] is None
        assert not state["refreshable"]
        assert 0 < state["left"] <= DEFAULT_MIN_TTL_SECONDS


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(granted=related_scopes, requested=related_scopes, wanted=related_scopes)
def test_they_agree_on_scopes_that_stand_for_others(
    granted: list[str], requested: list[str], wanted: list[str], related: Connection, backend: Caller
) -> None:
    CredentialVersion.objects.filter(connection=related).update(scopes=granted)
    related.scopes.all().delete()
    Scope.objects.bulk_create(
        Scope(connection=related, name=name, is_requested=True, is_granted=name in granted) for name in {*requested}
    )
    before = AuditEvent.objects.count()

    row = ask(related, backend, {"end_user": "alice", "scopes": wanted, "min_ttl": None})

    allowed = row.audit_id is not None
    assert (decide_vend(row.facts(), VendRequest(end_user="alice", scopes=wanted), now=row.now) == Vend()) is allowed
    silently = {"stay"} & {*requested}
    assert allowed is all(OPENED_BY.get(scope, {scope}) & {*granted} or scope in silently for scope in wanted)
    assert AuditEvent.objects.count() - before == int(allowed)
    if allowed:
        assert AuditEvent.objects.get(id=row.audit_id).scopes == wanted


def test_every_single_reason_to_refuse_is_enough(stored: tuple[Connection, Caller]) -> None:
    """From a vend that is allowed, one fact changed at a time."""
    connection, caller = stored
    state: dict[str, Any] = {
        "status": Status.ACTIVE,
        "owner": OwnerKind.END_USER,
        "grants_only": False,
        "off": set(),
        "left": 3600.0,
        "refreshable": True,
        "granted": list(SCOPES),
        "style": AuthorizationCodeMethod.style,
    }
    request: dict[str, Any] = {
        "end_user": "alice",
        "scopes": ["files.read"],
        "min_ttl": None,
        "may_vend": True,
        "may_act_without_user": False,
        "subject_token": None,
    }
    arrange(connection, caller, state, request)
    assert ask(connection, caller, request).audit_id is not None
    for change in (
        *({"status": status} for status in Status if status not in (Status.ACTIVE, Status.SUSPECT)),
        *({"off": {name}} for name in ("tenant", "app", "client", "connection")),
        {"grants_only": True},
        {"left": -1.0},
        {"left": 4.0},
        {"granted": ["profile.read"]},
        {"end_user": "bob"},
        {"end_user": None},
        {"may_vend": False},
        {"min_ttl": 7200.0},
        {"style": TokenExchangeMethod.style},
        {"subject_token": SecretStr("token-of-a-subject")},
    ):
        changed_state = state | {name: value for name, value in change.items() if name in state}
        changed_request = request | {name: value for name, value in change.items() if name in request}
        arrange(connection, caller, changed_state, changed_request)
        assert ask(connection, caller, changed_request).audit_id is None, change
