"""The rules of a vend: pure decisions, checked without a database or a clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connections.lifecycle.vend.rules import (
    ExchangeFirst,
    GrantFirst,
    RefreshFirst,
    Refuse,
    Vend,
    VendFacts,
    VendRequest,
    decide_vend,
)
from connections.models import OwnerKind, Status

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def facts(**changes: Any) -> VendFacts:
    return VendFacts(
        **{
            "status": Status.ACTIVE,
            "owner_kind": OwnerKind.END_USER,
            "end_user": "alice",
            "grants_only": False,
            "is_suspended": False,
            "access_expires_at": NOW + timedelta(minutes=5),
            "is_refreshable": True,
            "granted_scopes": ("read",),
            **changes,
        }
    )


ALICE = VendRequest(end_user="alice")
MISSING_WRITE = Refuse("insufficient_scope", ("write",))
SUBJECT = VendRequest(end_user="alice", scopes=("any",), for_subject=True)


@pytest.mark.parametrize(
    ("changes", "request_", "expected"),
    [
        ({}, ALICE, Vend()),
        ({"status": Status.SUSPECT}, ALICE, Vend()),
        ({"access_expires_at": None}, ALICE, Vend()),
        ({}, VendRequest(end_user="mallory"), GrantFirst()),
        ({}, VendRequest(), GrantFirst()),
        ({}, VendRequest(may_act_without_user=True), Vend()),
        ({}, VendRequest(end_user="mallory", may_act_without_user=True), GrantFirst()),
        ({"owner_kind": OwnerKind.TENANT, "end_user": ""}, VendRequest(), GrantFirst()),
        ({"owner_kind": OwnerKind.TENANT, "end_user": ""}, VendRequest(may_act_without_user=True), Vend()),
        ({"owner_kind": OwnerKind.TENANT, "end_user": ""}, VendRequest(end_user="mallory"), Vend()),
        ({"grants_only": True}, ALICE, GrantFirst()),
        ({"grants_only": True}, VendRequest(may_act_without_user=True), GrantFirst()),
        ({"grants_only": True}, VendRequest(end_user="alice", under_grant=True), Vend()),
        ({}, VendRequest(end_user="mallory", under_grant=True), Vend()),
        ({}, VendRequest(end_user="mallory", under_grant=True, scopes=("write",)), MISSING_WRITE),
        ({"status": Status.NEEDS_REAUTH}, VendRequest(under_grant=True), Refuse("reauthorization_required")),
        ({"is_suspended": True}, VendRequest(under_grant=True), Refuse("suspended")),
        ({"is_suspended": True}, ALICE, Refuse("suspended")),
        ({"status": Status.PENDING}, ALICE, Refuse("pending")),
        ({"status": Status.DISCONNECTED}, ALICE, Refuse("not_found")),
        ({"status": Status.NEEDS_REAUTH}, ALICE, Refuse("reauthorization_required")),
        ({"status": Status.REVOKED}, ALICE, Refuse("reauthorization_required")),
        ({}, VendRequest(end_user="alice", scopes=("read",)), Vend()),
        ({}, VendRequest(end_user="alice", scopes=("read", "write")), Refuse("insufficient_scope", ("write",))),
        ({}, VendRequest(end_user="alice", min_ttl_seconds=299), Vend()),
        ({}, VendRequest(end_user="alice", min_ttl_seconds=301), RefreshFirst(still_valid=False, is_expired=False)),
        ({"lifetime_seconds": 301}, VendRequest(end_user="alice", min_ttl_seconds=301), Refuse("min_ttl_unavailable")),
        ({"is_refreshable": False}, VendRequest(end_user="alice", min_ttl_seconds=301), Refuse("min_ttl_unavailable")),
        ({"access_expires_at": NOW + timedelta(seconds=3)}, ALICE, RefreshFirst(still_valid=True, is_expired=False)),
        ({"access_expires_at": NOW}, ALICE, RefreshFirst(still_valid=False)),
        ({"access_expires_at": NOW + timedelta(seconds=3), "is_refreshable": False}, ALICE, Vend()),
        ({"access_expires_at": NOW, "is_refreshable": False}, ALICE, Refuse("reauthorization_required")),
        ({}, SUBJECT, Refuse("subject_token_unwanted")),
        ({"is_per_subject": True}, ALICE, Refuse("subject_token_required")),
        ({"is_per_subject": True}, SUBJECT, ExchangeFirst()),
        ({"is_per_subject": True, "access_expires_at": NOW, "granted_scopes": ()}, SUBJECT, ExchangeFirst()),
        ({"is_per_subject": True, "status": Status.PENDING}, SUBJECT, Refuse("pending")),
        ({"is_per_subject": True, "is_suspended": True}, SUBJECT, Refuse("suspended")),
        ({"is_per_subject": True, "end_user": "bob"}, SUBJECT, GrantFirst()),
    ],
)
def test_decides_a_vend(changes: dict[str, Any], request_: VendRequest, expected: object) -> None:
    assert decide_vend(facts(**changes), request_, now=NOW) == expected


def test_tells_a_stranger_nothing_about_the_state() -> None:
    stranger = VendRequest(end_user="mallory")
    answers = {decide_vend(facts(status=status), stranger, now=NOW) for status in Status}
    assert answers == {GrantFirst()}
