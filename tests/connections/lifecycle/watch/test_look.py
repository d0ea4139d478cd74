"""Each rule fires for its case, with its evidence, once; and nobody without a valid key causes anything."""

import uuid

import pytest
from django.test import override_settings

from connections.database.clock import database_now
from connections.journal import audit
from connections.lifecycle.provision.api_clients import issue_key
from connections.lifecycle.watch import look
from connections.lifecycle.watch.look import watch_use
from connections.models import (
    ApiClient,
    AuditEvent,
    ClientUse,
    Finding,
    KnownNetwork,
    Notice,
    OutboxEvent,
    Tenant,
    WatchPosition,
    WatchSetting,
)
from tests.connections.lifecycle.watch.traffic import (
    DAY,
    ELSEWHERE,
    HOME,
    HOUR,
    MONDAY,
    Trail,
    client_of,
    ids,
    settled_in,
)
from tests.factories import Caller
from tests.flows import call


@pytest.fixture
def trail(acme: Tenant) -> Trail:
    return Trail()


@pytest.fixture
def client(acme: Tenant) -> ApiClient:
    return client_of(acme, "backend")


def found() -> Finding:
    """The only finding."""
    return Finding.objects.get()


def test_use_from_a_new_network_is_found_once_with_where_and_what(trail: Trail, client: ApiClient) -> None:
    fleet = ids(5)
    day = settled_in(trail, client, fleet)
    trail.use(client, day + HOUR, fleet[:2], address=ELSEWHERE)
    trail.watch(day + 2 * HOUR)
    trail.use(client, day + 3 * HOUR, fleet[2:3], address="203.0.113.200")
    trail.watch(day + 4 * HOUR)
    finding = found()
    assert (finding.rule, finding.client_id, finding.first_at) == ("new_network", client.id, day + HOUR)
    assert finding.last_at == day + 3 * HOUR
    assert finding.evidence["networks"] == ["203.0.113.0/24"]
    assert set(finding.evidence["connections"]) == {str(one) for one in fleet[:3]}
    assert finding.evidence["uses"] == 3
    assert finding.evidence["keys"] == [key.prefix for key in client.keys.all()]
    (event,) = OutboxEvent.objects.filter(type="use.suspected")
    assert event.tenant_id is None
    assert event.payload["tenant"] == "acme"
    assert event.payload["evidence"]["networks"] == ["203.0.113.0/24"]
    assert AuditEvent.objects.get(action="use.suspected").decision == "new_network"
    notice = Notice.objects.get()
    assert notice.cause == f"use.suspected:{finding.id}"
    assert str(finding.id) in notice.body


def test_a_network_to_which_the_client_is_bound_is_not_new(trail: Trail, client: ApiClient) -> None:
    client.networks = ["203.0.0.0/16", "198.51.100.0/24"]
    client.save()
    day = settled_in(trail, client, ids(5))
    trail.use(client, day + HOUR, ids(1), address=ELSEWHERE)
    trail.watch(day + 2 * HOUR)
    assert not Finding.objects.exists()


def test_a_client_of_many_networks_is_followed_within_their_surroundings(trail: Trail, client: ApiClient) -> None:
    fleet = ids(3)
    for number in range(9):
        trail.use(client, MONDAY + number * HOUR, fleet, address=f"10.7.{number}.1")
    day = settled_in(trail, client, fleet)
    trail.use(client, day + HOUR, fleet, address="10.7.200.1")
    trail.watch(day + 2 * HOUR)
    assert not Finding.objects.exists()
    trail.use(client, day + 3 * HOUR, fleet, address="10.8.1.1")
    trail.watch(day + 4 * HOUR)
    assert found().evidence["networks"] == ["10.8.1.0/24"]


def test_far_more_connections_than_ever_are_found(trail: Trail, client: ApiClient) -> None:
    fleet = ids(300)
    day = settled_in(trail, client, fleet[:60])
    trail.use(client, day + HOUR, fleet[:170])
    trail.watch(day + 2 * HOUR)
    assert not Finding.objects.exists()
    trail.use(client, day + 3 * HOUR, fleet[170:])
    trail.watch(day + 4 * HOUR)
    finding = found()
    assert finding.rule == "wide_use"
    assert finding.evidence["highest"] == pytest.approx(60, abs=2)
    assert finding.evidence["connections_counted"] == pytest.approx(300, abs=6)
    assert len(finding.evidence["connections"]) == 50


@pytest.mark.parametrize("daily", [0, 1, 29])
@pytest.mark.parametrize(("rest", "count"), [(1, 100), (10, 100), (31, 100), (31, 190), (31, 220)])
def test_a_client_may_have_grown_on_each_day_since_its_busiest(
    trail: Trail, client: ApiClient, rest: int, count: int, daily: int
) -> None:
    """What is done once a month finds a month's new connections. Whoever has its key finds no more than that.

    It makes no difference that the client does a little meanwhile; one that does as much as ever has not rested.
    """
    fleet = ids(30)
    day = settled_in(trail, client, fleet) + (rest - 1) * DAY
    for number in range(1, rest) if daily else ():
        trail.use(client, day - number * DAY + HOUR, fleet[:daily])
    is_found = count == 220 or rest < 31 or daily == 29
    trail.use(client, day + HOUR, ids(count))
    trail.watch(day + 2 * HOUR)
    assert [finding.rule for finding in Finding.objects.all()] == (["wide_use"] if is_found else [])


def test_many_end_users_hide_nobody(trail: Trail, client: ApiClient) -> None:
    """A client that names another end user each time is counted as one."""
    day = settled_in(trail, client, ids(20))
    for number, one in enumerate(ids(100)):
        trail.use(client, day + HOUR + number * HOUR / 100, [one], subject=f"user-{number}")
    trail.watch(day + 3 * HOUR)
    assert found().rule == "wide_use"


@pytest.mark.parametrize("decision", ["not_found", "policy_denied"])
def test_denials_on_many_different_ids_are_found(trail: Trail, client: ApiClient, decision: str) -> None:
    tried = ids(25)
    trail.use(client, MONDAY + HOUR, tried[:19], decision=decision)
    trail.watch(MONDAY + 2 * HOUR)
    assert not Finding.objects.exists()
    trail.use(client, MONDAY + 3 * HOUR, tried, decision=decision)
    trail.watch(MONDAY + 4 * HOUR)
    finding = found()
    assert finding.rule == "many_denials"
    assert set(finding.evidence["asked_for"]) == {str(one) for one in tried}
    assert finding.evidence["asked_for_counted"] == pytest.approx(25, abs=1)


def test_the_same_ids_again_and_again_are_no_enumeration(trail: Trail, client: ApiClient) -> None:
    trail.use(client, MONDAY + HOUR, ids(5) * 40, decision="not_found")
    trail.watch(MONDAY + 2 * HOUR)
    assert not Finding.objects.exists()


def test_what_the_tenant_once_had_was_not_guessed_and_what_another_has_was(
    trail: Trail, client: ApiClient, globex: Tenant
) -> None:
    ours, theirs = ids(40), ids(40)
    trail.use(client, MONDAY, ours[:20])
    trail.use(client_of(globex, "backend"), MONDAY, theirs)
    trail.use(client, MONDAY + HOUR, ours[20:])
    trail.watch(MONDAY + 2 * HOUR)
    trail.use(client, MONDAY + 3 * HOUR, ours, decision="not_found")
    trail.watch(MONDAY + 4 * HOUR)
    assert not Finding.objects.exists()
    trail.use(client, MONDAY + 5 * HOUR, theirs, decision="not_found")
    trail.watch(MONDAY + 6 * HOUR)
    assert found().rule == "many_denials"


def test_long_dormant_and_then_bulk_is_found(trail: Trail, client: ApiClient) -> None:
    fleet = ids(40)
    day = settled_in(trail, client, fleet) + 50 * DAY
    trail.use(client, day, fleet[:10])
    trail.watch(day + HOUR)
    assert not Finding.objects.exists()
    trail.use(client, day + 2 * HOUR, fleet[10:])
    trail.watch(day + 3 * HOUR)
    finding = found()
    assert finding.rule == "awakened"
    assert finding.evidence["slept_days"] in (50, 51)


def test_a_client_that_was_never_used_is_dormant_since_watching_began(trail: Trail, client: ApiClient) -> None:
    trail.use(client, MONDAY + DAY, ids(40))
    trail.watch(MONDAY + 2 * DAY)
    assert not Finding.objects.exists()
    forgotten = client_of(client.tenant, "forgotten")
    trail.use(forgotten, MONDAY + 60 * DAY, ids(40))
    trail.watch(MONDAY + 61 * DAY)
    assert (found().rule, found().client_id) == ("awakened", forgotten.id)


def test_a_rule_that_is_off_finds_nothing_and_its_least_number_is_heeded(trail: Trail, client: ApiClient) -> None:
    WatchSetting.objects.filter(rule="many_denials").update(least=100)
    WatchSetting.objects.filter(rule="new_network").update(is_on=False)
    day = settled_in(trail, client, ids(3))
    trail.use(client, day, ids(60), decision="policy_denied", address=ELSEWHERE)
    trail.watch(day + HOUR)
    assert not Finding.objects.exists()
    trail.use(client, day + 2 * HOUR, ids(60), decision="policy_denied")
    trail.watch(day + 3 * HOUR)
    assert found().rule == "many_denials"


def test_a_suspicious_day_teaches_nothing(trail: Trail, client: ApiClient) -> None:
    fleet = ids(400)
    day = settled_in(trail, client, fleet[:60])
    trail.use(client, day, fleet)
    trail.watch(day + HOUR)
    trail.use(client, day + DAY, fleet[:60])
    trail.watch(day + DAY + HOUR)
    assert ClientUse.objects.get(client=client).highest < 70


def test_each_part_of_the_trail_counts_once_however_it_is_cut(
    trail: Trail, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "BATCH", 7)
    day = settled_in(trail, client, ids(20))
    trail.use(client, day, ids(100), address=ELSEWHERE)
    trail.watch(day + HOUR)
    watch_use(now=day + HOUR, seconds=10)
    assert Finding.objects.get(rule="new_network").evidence["uses"] == 100
    last = AuditEvent.objects.order_by("-id").first()
    assert last is not None
    assert WatchPosition.objects.get().audit_id >= last.id - 2  # what watching itself wrote comes with the next look


def test_with_redis_away_the_position_stays_and_nothing_is_lost(trail: Trail, client: ApiClient) -> None:
    trail.use(client, MONDAY, ids(30), decision="policy_denied")
    before = WatchPosition.objects.get().audit_id
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        trail.watch(MONDAY + HOUR)
    assert WatchPosition.objects.get().audit_id == before
    assert not Finding.objects.exists()
    trail.watch(MONDAY + 2 * HOUR)
    assert found().rule == "many_denials"


def test_what_was_before_the_first_look_is_not_judged(acme: Tenant, client: ApiClient) -> None:
    for one in ids(30):
        audit.record(
            "credential.vend",
            decision="policy_denied",
            connection_id=one,
            actor=audit.Actor(api_client_id=client.id, address=HOME),
        )
    watch_use(now=database_now(), seconds=10)
    watch_use(now=database_now(), seconds=10)
    assert not Finding.objects.exists()
    assert not ClientUse.objects.exists()


@pytest.mark.attack("a stranger troubles somebody else's key", stopped_at="no valid key, no use")
def test_nobody_without_a_valid_key_causes_a_finding(trail: Trail, acme: Tenant, backend: Caller) -> None:
    """Not with a key that is none, and not with one of the client's that is revoked, expired or used from elsewhere."""
    client = backend.client
    revoked = issue_key(client, now=database_now(), actor=audit.SYSTEM)
    client.keys.filter(id=revoked.id).update(revoked_at=database_now())
    expired = issue_key(client, now=database_now() - 400 * DAY, actor=audit.SYSTEM)
    for key in ("lk_none", f"{backend.key}x", revoked.key, expired.key):
        stranger = Caller(client, key)
        for _ in range(30):
            answer = call(stranger, "POST", f"/connections/{uuid.uuid4()}/credential", {"end_user": "alice"})
            assert answer.status_code == 401
    client.networks = ["10.0.0.0/8"]
    client.save()
    for _ in range(30):
        assert call(backend, "POST", f"/connections/{uuid.uuid4()}/credential", {}).status_code == 401
    watch_use(now=database_now(), seconds=10)
    assert not Finding.objects.exists()
    assert not ClientUse.objects.exists()
    assert not KnownNetwork.objects.exists()


def test_real_vends_over_the_api_are_counted(trail: Trail, backend: Caller) -> None:
    for _ in range(25):
        answer = call(backend, "POST", f"/connections/{uuid.uuid4()}/credential", {"end_user": "alice"})
        assert answer.status_code == 404
    watch_use(now=database_now(), seconds=10)
    finding = found()
    assert (finding.rule, finding.evidence["uses"]) == ("many_denials", 25)
    assert finding.evidence["keys"] == [backend.key[:10]]
