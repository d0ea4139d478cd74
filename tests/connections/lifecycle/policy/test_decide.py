"""Who may use whose connection: each rule of the pure decision, by the request that it alone denies."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connections.lifecycle.policy.decide import Action, Allowed, Denied, Rule, UseFacts, UseRequest, decide_use
from connections.models import AccessGrant, OwnerKind, SubjectKind
from providers.catalog.scopes import ScopeInfo, ScopeRules, ScopeSpelling

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOON = NOW + timedelta(hours=1)
CLIENT = uuid.UUID(int=1)
RULES = ScopeRules.of(
    [ScopeInfo(name="write", description="", implies=("read",)), ScopeInfo(name="stay", description="", echoed=False)],
    ScopeSpelling(),
)
ALICES = UseFacts(OwnerKind.END_USER, "alice", grants_only=False, carried_scopes=("read",), expires_at=SOON)
SHARED = replace(ALICES, owner_kind=OwnerKind.TENANT, end_user="")
VEND = UseRequest(Action.VEND, CLIENT, end_user="bob")
GET = UseRequest(Action.PROXY, CLIENT, end_user="bob", method="GET", path="/contacts/7")


def grant(subject: str = "bob", kind: SubjectKind = SubjectKind.END_USER, **limits: Any) -> AccessGrant:
    return AccessGrant(subject_kind=kind, subject=subject, created_at=NOW, **limits)


def decided(facts: UseFacts, request: UseRequest, *grants: AccessGrant) -> Rule | bool | str:
    """Return the rule that denies; True where no grant is needed, "granted" under one."""
    decision = decide_use(facts, request, grants, now=NOW)
    if isinstance(decision, Denied):
        return decision.rule
    return True if decision == Allowed() else "granted"


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(
    ("facts", "changes", "expected"),
    [
        (ALICES, {"end_user": "alice"}, True),
        (ALICES, {"end_user": "bob"}, Rule.OTHER_USER),
        (ALICES, {"end_user": "Alice"}, Rule.OTHER_USER),
        (ALICES, {"end_user": ""}, Rule.OTHER_USER),
        (ALICES, {"end_user": None}, Rule.NO_USER),
        (ALICES, {"end_user": None, "may_act_without_user": True}, True),
        (ALICES, {"end_user": "bob", "may_act_without_user": True}, Rule.OTHER_USER),
        (SHARED, {"end_user": "bob"}, True),
        (SHARED, {"end_user": None}, Rule.NO_USER),
        (SHARED, {"end_user": None, "may_act_without_user": True}, True),
        (replace(ALICES, grants_only=True), {"end_user": "alice"}, Rule.GRANT_NEEDED),
        (replace(SHARED, grants_only=True), {"end_user": "bob"}, Rule.GRANT_NEEDED),
        (replace(SHARED, grants_only=True), {"end_user": None, "may_act_without_user": True}, Rule.GRANT_NEEDED),
    ],
)
def test_without_a_grant_the_owner_alone_uses_a_connection(
    action: Action, facts: UseFacts, changes: dict[str, Any], expected: object
) -> None:
    assert decided(facts, replace(GET, action=action, **changes)) == expected


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(
    ("given", "changes", "is_for_them"),
    [
        (grant("bob"), {}, True),
        (grant("bob"), {"end_user": "carol"}, False),
        (grant("bob"), {"end_user": None, "agent": "bob", "groups": ("bob",)}, False),
        (grant("sales", SubjectKind.GROUP), {"groups": ("support", "sales")}, True),
        (grant("sales", SubjectKind.GROUP), {"groups": ("support",)}, False),
        (grant("sales", SubjectKind.GROUP), {"end_user": "sales"}, False),
        (grant("sales", SubjectKind.GROUP), {"end_user": None, "groups": ("sales",)}, False),
        (grant("crm-sync", SubjectKind.AGENT), {"agent": "crm-sync"}, True),
        (grant("crm-sync", SubjectKind.AGENT), {"agent": "crm-sync", "end_user": None}, True),
        (grant("crm-sync", SubjectKind.AGENT), {"agent": "crm-sync-2"}, False),
        (grant("crm-sync", SubjectKind.AGENT), {"end_user": "crm-sync"}, False),
        (grant(str(CLIENT), SubjectKind.API_CLIENT), {"end_user": None}, True),
        (grant(str(CLIENT), SubjectKind.API_CLIENT), {"client_id": uuid.UUID(int=2)}, False),
        (grant(str(CLIENT), SubjectKind.API_CLIENT), {"client_id": uuid.UUID(int=2), "agent": str(CLIENT)}, False),
    ],
)
def test_a_grant_is_for_its_subject_alone(
    action: Action, given: AccessGrant, changes: dict[str, Any], is_for_them: bool
) -> None:
    for facts in (ALICES, replace(ALICES, grants_only=True), replace(SHARED, grants_only=True)):
        assert (decided(facts, replace(GET, action=action, **changes), given) == "granted") is is_for_them


@pytest.mark.parametrize(
    ("limits", "changes", "expected"),
    [
        ({}, {}, "granted"),
        ({"expires_at": SOON}, {}, "granted"),
        ({"expires_at": NOW}, {}, Rule.GRANT_EXPIRED),
        ({"methods": ["GET", "HEAD"]}, {"method": "HEAD"}, "granted"),
        ({"methods": ["GET", "HEAD"]}, {"method": "POST"}, Rule.GRANT_METHOD),
        ({"methods": ["GET", "HEAD"]}, {"method": "get"}, Rule.GRANT_METHOD),
        ({"methods": []}, {}, Rule.GRANT_METHOD),
        ({"paths": ["/deals/**", "/contacts/*"]}, {}, "granted"),
        ({"paths": ["/deals/**"]}, {}, Rule.GRANT_PATH),
        ({"paths": ["/**"]}, {"path": "/contacts/../deals"}, Rule.GRANT_PATH),
        ({"paths": []}, {}, Rule.GRANT_PATH),
        ({"scopes": ["read"]}, {"scopes": ("read",)}, "granted"),
        ({"scopes": ["read"]}, {}, "granted"),
        ({"scopes": ["read"]}, {"scopes": ("write",)}, Rule.GRANT_SCOPES),
        ({"scopes": ["write"]}, {"scopes": ("read",)}, "granted"),
        ({"scopes": []}, {"scopes": ("read",)}, Rule.GRANT_SCOPES),
        ({"scopes": ["read"]}, {"scopes": ("stay",)}, Rule.GRANT_SCOPES),
        ({"scopes": []}, {}, Rule.GRANT_SCOPES_UNSEEN),
        ({"scopes": [], "paths": ["/contacts/**"]}, {}, "granted"),
        ({"allows_vend": True, "methods": ["HEAD"]}, {}, Rule.GRANT_METHOD),
    ],
)
def test_a_proxied_request_keeps_to_the_terms(
    limits: dict[str, Any], changes: dict[str, Any], expected: object
) -> None:
    facts = replace(ALICES, scope_rules=RULES)
    assert decided(facts, replace(GET, **changes), grant(**limits)) == expected


@pytest.mark.parametrize(
    ("limits", "carried", "lives_until", "expected"),
    [
        ({}, ("read", "write"), None, "granted"),
        ({"scopes": ["read"]}, ("read",), SOON, "granted"),
        ({"scopes": ["write"]}, ("read",), SOON, "granted"),
        ({"scopes": ["read"]}, ("read", "write"), SOON, Rule.PROXY_ONLY),
        ({"scopes": ["read"]}, (), SOON, Rule.PROXY_ONLY),
        ({"scopes": []}, (), SOON, Rule.PROXY_ONLY),
        ({"methods": ["GET", "HEAD"]}, ("read",), SOON, Rule.PROXY_ONLY),
        ({"paths": ["/**"]}, ("read",), SOON, Rule.PROXY_ONLY),
        ({"expires_at": SOON}, ("read",), SOON, "granted"),
        ({"expires_at": SOON}, ("read",), SOON + timedelta(seconds=1), Rule.PROXY_ONLY),
        ({"expires_at": SOON}, ("read",), None, Rule.PROXY_ONLY),
        ({"expires_at": NOW, "allows_vend": True}, ("read",), SOON, Rule.GRANT_EXPIRED),
        ({"methods": [], "paths": [], "scopes": [], "allows_vend": True}, ("read",), None, "granted"),
    ],
)
def test_a_credential_that_can_do_more_than_the_grant_is_not_handed_out(
    limits: dict[str, Any], carried: tuple[str, ...], lives_until: datetime | None, expected: object
) -> None:
    facts = replace(ALICES, carried_scopes=carried, expires_at=lives_until, scope_rules=RULES)
    assert decided(facts, VEND, grant(**limits)) == expected


def test_asked_scopes_are_limited_even_where_the_vend_is_allowed() -> None:
    assert decided(ALICES, replace(VEND, scopes=("write",)), grant(scopes=["read"], allows_vend=True)) == (
        Rule.GRANT_SCOPES
    )


def test_one_of_several_grants_has_to_allow_the_whole_request() -> None:
    reads, writes = grant(methods=["GET"], paths=["/deals/**"]), grant(methods=["POST"], paths=["/contacts/**"])
    assert decided(ALICES, GET, reads, writes) is Rule.GRANT_PATH
    assert decided(ALICES, replace(GET, method="POST"), reads, writes) == "granted"


def test_the_refusal_names_the_grant_that_came_nearest() -> None:
    expired, narrow, others = grant(expires_at=NOW), grant(paths=["/deals"]), grant("carol", allows_vend=True)
    for order in ((expired, narrow, others), (others, narrow, expired)):
        assert decide_use(ALICES, GET, order, now=NOW) == Denied(Rule.GRANT_PATH, narrow.id)


def test_the_owner_needs_no_grant_whatever_grants_there_are() -> None:
    assert decide_use(ALICES, replace(GET, end_user="alice"), [grant("alice", methods=[])], now=NOW) == Allowed()
