"""The policy: pure decisions, checked without a database or a clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.lifecycle.policy import (
    GrantLifetimes,
    ProbeIntervals,
    RefreshFirst,
    Refuse,
    Vend,
    VendFacts,
    VendRequest,
    backoff_seconds,
    decide_probe,
    decide_refusal,
    decide_vend,
    next_probe_at,
    refresh_moment,
)
from connections.models import MAY_BECOME, REASONS_OF, CredentialVersion, OwnerKind, Reason, Status
from providers.vocabulary import ProbeVerdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def facts(**changes: Any) -> VendFacts:
    return VendFacts(
        **{
            "status": Status.ACTIVE,
            "owner_kind": OwnerKind.END_USER,
            "end_user": "alice",
            "is_suspended": False,
            "access_expires_at": NOW + timedelta(minutes=5),
            "is_refreshable": True,
            "granted_scopes": ("read",),
            **changes,
        }
    )


ALICE = VendRequest(end_user="alice")


@pytest.mark.parametrize(
    ("changes", "request_", "expected"),
    [
        ({}, ALICE, Vend()),
        ({"status": Status.SUSPECT}, ALICE, Vend()),
        ({"access_expires_at": None}, ALICE, Vend()),
        ({}, VendRequest(end_user="mallory"), Refuse("policy_denied")),
        ({}, VendRequest(), Refuse("policy_denied")),
        ({}, VendRequest(may_act_without_user=True), Vend()),
        ({}, VendRequest(end_user="mallory", may_act_without_user=True), Refuse("policy_denied")),
        ({"owner_kind": OwnerKind.TENANT, "end_user": ""}, VendRequest(), Refuse("policy_denied")),
        ({"owner_kind": OwnerKind.TENANT, "end_user": ""}, VendRequest(may_act_without_user=True), Vend()),
        ({"owner_kind": OwnerKind.TENANT, "end_user": ""}, VendRequest(end_user="mallory"), Vend()),
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
    ],
)
def test_decides_a_vend(changes: dict[str, Any], request_: VendRequest, expected: object) -> None:
    assert decide_vend(facts(**changes), request_, now=NOW) == expected


def test_tells_a_stranger_nothing_about_the_state() -> None:
    stranger = VendRequest(end_user="mallory")
    answers = {decide_vend(facts(status=status), stranger, now=NOW) for status in Status}
    assert answers == {Refuse("policy_denied")}


@given(lifetime=st.integers(30, 31_536_000), spread=st.floats(0, 1, exclude_max=True))
def test_refreshes_at_70_to_85_percent_of_the_lifetime(lifetime: int, spread: float) -> None:
    version = CredentialVersion(received_at=NOW, lifetime_seconds=lifetime, is_refreshable=True)
    moment = refresh_moment(version, spread=spread)
    assert moment is not None
    assert 0.70 <= (moment - NOW).total_seconds() / lifetime <= 0.8501


def test_never_refreshes_what_cannot_be() -> None:
    assert refresh_moment(CredentialVersion(received_at=NOW, is_refreshable=False), spread=0) is None


DAY = 86_400


@given(
    lifetime=st.one_of(st.none(), st.integers(30, 31_536_000)),
    idle=st.integers(60, 366 * DAY),
    spread=st.floats(0, 1, exclude_max=True),
)
def test_keeps_an_idle_grant_alive_however_long_its_access_token_lives(
    lifetime: int | None, idle: int, spread: float
) -> None:
    version = CredentialVersion(received_at=NOW, lifetime_seconds=lifetime, is_refreshable=True)
    moment = refresh_moment(version, spread=spread, lifetimes=GrantLifetimes(idle=idle))
    usual = refresh_moment(version, spread=spread)
    assert moment is not None
    assert usual is not None
    assert moment <= usual
    assert moment <= NOW + timedelta(seconds=0.65 * idle)
    assert moment == usual or moment >= NOW + timedelta(seconds=0.5 * idle)


def test_spreads_the_refreshes_that_keep_grants_alive() -> None:
    version = CredentialVersion(received_at=NOW, lifetime_seconds=365 * DAY, is_refreshable=True)
    lifetimes = GrantLifetimes(idle=90 * DAY)
    first, last = (refresh_moment(version, spread=spread, lifetimes=lifetimes) for spread in (0.0, 0.999))
    assert first == NOW + timedelta(days=45)
    assert last is not None
    assert last - first > timedelta(days=13)


def test_an_idle_lifetime_makes_nothing_refreshable() -> None:
    version = CredentialVersion(received_at=NOW, is_refreshable=False)
    assert refresh_moment(version, spread=0, lifetimes=GrantLifetimes(idle=60)) is None


@given(failures=st.integers(1, 10_000), spread=st.floats(0, 1), grace=st.integers(0, 3600))
def test_backs_off_within_bounds_and_within_the_grace(failures: int, spread: float, grace: int) -> None:
    wait = backoff_seconds(failures, spread=spread, retry_after_seconds=None, grace_seconds=grace)
    assert 0 < wait <= 600
    if grace:
        assert wait <= max(1, grace / 3)


def test_obeys_retry_after_above_all() -> None:
    assert backoff_seconds(1, spread=0, retry_after_seconds=120, grace_seconds=30) == 120


@pytest.mark.parametrize(
    ("ago", "is_first", "is_decisive", "is_frozen", "expected"),
    [
        (0, True, False, False, "suspect"),
        (29, False, False, False, "suspect"),
        (30, False, False, False, "end"),
        (0, True, True, False, "end"),
        (3600, False, True, True, "wait"),
    ],
)
def test_ends_a_grant_on_the_second_refusal(
    ago: int, is_first: bool, is_decisive: bool, is_frozen: bool, expected: str
) -> None:
    assert (
        decide_refusal(
            refused_at=NOW - timedelta(seconds=ago),
            is_first=is_first,
            is_decisive=is_decisive,
            is_frozen=is_frozen,
            now=NOW,
        )
        == expected
    )


def test_probes_the_more_the_more_it_is_used() -> None:
    intervals = ProbeIntervals()
    assert intervals.after(NOW - timedelta(minutes=59), now=NOW) == timedelta(minutes=10)
    assert intervals.after(NOW - timedelta(hours=23), now=NOW) == timedelta(hours=1)
    assert intervals.after(NOW - timedelta(days=2), now=NOW) == timedelta(hours=6)
    assert intervals.after(None, now=NOW) == timedelta(hours=6)


def test_the_state_table_is_complete_and_disconnected_is_final() -> None:
    assert set(REASONS_OF) == set(MAY_BECOME) == set(Status)
    listed = [reason for reasons in REASONS_OF.values() for reason in reasons]
    assert sorted(listed) == sorted(Reason), "each reason belongs to exactly one status"
    assert MAY_BECOME[Status.DISCONNECTED] == ()


@pytest.mark.parametrize(
    ("verdict", "is_refreshable", "expected"),
    [
        (ProbeVerdict.ALIVE, True, "proved"),
        (ProbeVerdict.DEAD, True, "refresh"),
        (ProbeVerdict.DEAD, False, "strike"),
        (ProbeVerdict.FORBIDDEN, False, "nothing"),
        (ProbeVerdict.UNAVAILABLE, False, "nothing"),
    ],
)
def test_a_probe_ends_nothing_by_itself(verdict: ProbeVerdict, is_refreshable: bool, expected: str) -> None:
    assert decide_probe(verdict, is_refreshable=is_refreshable) == expected


def test_probes_sooner_after_no_answer_but_not_before_the_provider_allows() -> None:
    usual = timedelta(hours=1)
    unavailable = ProbeVerdict.UNAVAILABLE
    alive = next_probe_at(ProbeVerdict.ALIVE, usual=usual, retry_after_seconds=None, now=NOW)
    assert alive == NOW + usual
    assert next_probe_at(unavailable, usual=usual, retry_after_seconds=None, now=NOW) == NOW + timedelta(minutes=1)
    assert next_probe_at(unavailable, usual=usual, retry_after_seconds=300, now=NOW) == NOW + timedelta(minutes=5)
