"""An operator's word: what is expected from then on, and what begins anew if it goes on."""

import pytest

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.watch.settle import MOST_NOTE, settle
from connections.models import ApiClient, Finding, Tenant, Verdict
from connections.refusals import InvalidRequest, NotFound
from tests.connections.lifecycle.watch.traffic import DAY, ELSEWHERE, HOUR, Trail, client_of, ids, settled_in

OLGA = Actor(operator="olga")


@pytest.fixture
def trail(acme: Tenant) -> Trail:
    return Trail()


@pytest.fixture
def client(acme: Tenant) -> ApiClient:
    return client_of(acme, "backend")


def say(verdict: Verdict) -> Finding:
    (open_now,) = Finding.objects.filter(resolved_at=None)
    return settle(open_now.id, verdict, note=" Olga has asked them. ", now=database_now(), actor=OLGA)


@pytest.mark.parametrize(("verdict", "again"), [(Verdict.EXPECTED, 0), (Verdict.HARMFUL, 1)])
def test_an_expected_network_is_known_and_any_other_is_found_anew(
    trail: Trail, client: ApiClient, verdict: Verdict, again: int
) -> None:
    day = settled_in(trail, client, ids(3))
    trail.use(client, day, ids(1), address=ELSEWHERE)
    trail.watch(day + HOUR)
    settled = say(verdict)
    assert (settled.resolved_by, settled.note, settled.verdict) == ("olga", "Olga has asked them.", verdict)
    trail.use(client, day + 2 * HOUR, ids(1), address=ELSEWHERE)
    trail.watch(day + 3 * HOUR)
    assert Finding.objects.filter(resolved_at=None).count() == again


@pytest.mark.parametrize("verdict", Verdict)
def test_ordinary_use_on_the_day_of_wide_use_begins_nothing_anew(
    trail: Trail, client: ApiClient, verdict: Verdict
) -> None:
    fleet = ids(400)
    day = settled_in(trail, client, fleet[:60])
    trail.use(client, day, fleet)
    trail.watch(day + HOUR)
    say(verdict)
    trail.use(client, day + 2 * HOUR, fleet[:60])
    trail.watch(day + 3 * HOUR)
    assert not Finding.objects.filter(resolved_at=None).exists()
    trail.use(client, day + DAY, fleet)
    trail.watch(day + DAY + HOUR)
    assert Finding.objects.filter(resolved_at=None).exists() is (verdict is Verdict.HARMFUL)


@pytest.mark.parametrize("verdict", Verdict)
def test_denials_that_go_on_are_found_anew(trail: Trail, client: ApiClient, verdict: Verdict) -> None:
    day = settled_in(trail, client, ids(3))
    trail.use(client, day, ids(25), decision="not_found")
    trail.watch(day + HOUR)
    say(verdict)
    trail.use(client, day + 2 * HOUR, ids(15), decision="not_found")
    trail.watch(day + 3 * HOUR)
    assert not Finding.objects.filter(resolved_at=None).exists()
    trail.use(client, day + 4 * HOUR, ids(100), decision="not_found")
    trail.watch(day + 5 * HOUR)
    assert Finding.objects.filter(resolved_at=None).exists()


@pytest.mark.parametrize(("verdict", "again"), [(Verdict.EXPECTED, False), (Verdict.HARMFUL, True)])
def test_an_expected_pause_is_known(trail: Trail, client: ApiClient, verdict: Verdict, again: bool) -> None:
    fleet = ids(40)
    day = settled_in(trail, client, fleet) + 90 * DAY
    trail.use(client, day, fleet)
    trail.watch(day + HOUR)
    say(verdict)
    trail.use(client, day + 91 * DAY, fleet)
    trail.watch(day + 92 * DAY)
    assert Finding.objects.filter(resolved_at=None).exists() is again


def test_it_is_said_once_with_a_note_and_by_nobody_about_itself(trail: Trail, client: ApiClient) -> None:
    day = settled_in(trail, client, ids(3))
    trail.use(client, day, ids(1), address=ELSEWHERE)
    trail.watch(day + HOUR)
    found, now = Finding.objects.get(), database_now()
    for note in ("", "  ", "x" * (MOST_NOTE + 1)):
        with pytest.raises(InvalidRequest, match="Say why"):
            settle(found.id, Verdict.EXPECTED, note=note, now=now, actor=OLGA)
    with pytest.raises(InvalidRequest, match="about itself"):
        settle(found.id, Verdict.EXPECTED, note="Fine.", now=now, actor=OLGA, judge=client)
    settle(found.id, Verdict.EXPECTED, note="Fine.", now=now, actor=OLGA)
    with pytest.raises(InvalidRequest, match="already"):
        settle(found.id, Verdict.HARMFUL, note="Not fine.", now=now, actor=OLGA)
    with pytest.raises(NotFound):
        settle(client.id, Verdict.HARMFUL, note="Not fine.", now=now, actor=OLGA)
