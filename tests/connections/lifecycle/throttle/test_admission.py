"""The throttle: what one connection learns of its provider holds for all of its app.

What is waited for lasts minutes here, and the time for it passes in Redis, so that it matters to none how busy all are.
"""

import threading
import time
import uuid

import pytest

from connections.lifecycle.throttle import admission
from connections.lifecycle.throttle.admission import (
    Server,
    admit,
    admit_many,
    give_back,
    note,
    note_probe,
    restraints,
)
from providers.errors import (
    ClientRejected,
    Evidence,
    GrantRejected,
    MalformedResponse,
    ProviderError,
    TargetRefused,
)
from providers.values import ProbeResult
from providers.vocabulary import ProbeVerdict
from tests.connections.lifecycle.throttle.outages import AS, GENEROUS, RS, fail, later, outage


@pytest.fixture
def always_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the jitter's upper end, of waits that are ten times as long."""
    monkeypatch.setattr(admission.random, "random", lambda: 0.999)
    monkeypatch.setattr(admission, "OPEN_BASE_SECONDS", 100.0)
    monkeypatch.setattr(admission, "OPEN_CAP_SECONDS", 3000.0)


@pytest.fixture
def slow_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ten times as much as comes back in a minute go at once."""
    monkeypatch.setattr(admission, "BURST", 10)


def half_open(app: uuid.UUID) -> None:
    """Open an app's breaker, and let its time pass; it was ``always_longest``."""
    fail(app, 5)
    later(app, 101)


# --- Retry-After ------------------------------------------------------------------------------------------------------
def test_retry_after_holds_everything_of_the_app_and_nothing_of_another(app: uuid.UUID) -> None:
    note(app, connection_id=uuid.uuid4(), failure=outage(retry_after=600, status=429))
    for server in Server:
        for is_urgent in (False, True):
            wait = admit(app, budget=GENEROUS, server=server, is_urgent=is_urgent)
            assert wait is not None
            assert 500 < wait <= 600
        assert app in restraints(server).held
    assert admit(uuid.uuid4(), budget=GENEROUS) is None


def test_a_wait_that_one_account_s_host_asks_for_holds_no_other_account(app: uuid.UUID) -> None:
    note(app, connection_id=uuid.uuid4(), failure=outage(retry_after=60, status=429), is_accounts_own=True)
    limited = ProbeResult(ProbeVerdict.UNAVAILABLE, status=429, retry_after_seconds=60)
    note_probe(app, connection_id=uuid.uuid4(), found=limited, server=RS, is_accounts_own=True)
    for server in Server:
        assert admit(app, budget=GENEROUS, server=server) is None
        assert app not in restraints(server).held


def test_where_the_hosts_of_many_accounts_want_to_wait_the_provider_is_left_alone(app: uuid.UUID) -> None:
    for _ in range(admission.DISTINCT_FAILURES):
        assert admit(app, budget=GENEROUS) is None
        note(app, connection_id=uuid.uuid4(), failure=outage(retry_after=60, status=429), is_accounts_own=True)
    assert app in restraints(AS).held


def test_retry_after_ends_by_itself_and_a_shorter_one_does_not_end_it(app: uuid.UUID) -> None:
    for seconds in (600, 60):
        note(app, connection_id=uuid.uuid4(), failure=outage(retry_after=seconds))
    later(app, 61)
    assert admit(app, budget=GENEROUS) is not None
    assert app in restraints(AS).held
    later(app, 540)
    assert admit(app, budget=GENEROUS) is None
    assert app not in restraints(AS).held


def test_retry_after_is_capped_at_a_quarter_of_an_hour(app: uuid.UUID) -> None:
    note(app, connection_id=uuid.uuid4(), failure=outage(retry_after=86_400))
    assert 800 < (admit(app, budget=GENEROUS) or 0) <= 900


def test_an_answer_that_was_under_way_does_not_lift_a_hold(app: uuid.UUID) -> None:
    note(app, connection_id=uuid.uuid4(), failure=outage(retry_after=60))
    note(app, connection_id=uuid.uuid4(), failure=None)
    assert admit(app, budget=GENEROUS) is not None
    assert app in restraints(AS).held


def test_a_probe_that_is_told_to_wait_holds_the_refreshes(app: uuid.UUID) -> None:
    found = ProbeResult(ProbeVerdict.UNAVAILABLE, status=429, retry_after_seconds=300)
    note_probe(app, connection_id=uuid.uuid4(), found=found, server=RS)
    assert 200 < (admit(app, budget=GENEROUS, is_urgent=True) or 0) <= 300


# --- The breaker ------------------------------------------------------------------------------------------------------
def test_opens_after_five_distinct_connections_in_a_row(app: uuid.UUID, always_longest: None) -> None:
    fail(app, 20, connection=uuid.uuid4())
    assert admit(app, budget=GENEROUS) is None, "one connection alone says nothing about the provider"
    fail(app, 3)
    assert admit(app, budget=GENEROUS) is None
    fail(app, 1)
    assert 80 < (admit(app, budget=GENEROUS) or 0) <= 100
    assert app in restraints(AS).held


@pytest.mark.parametrize(
    "answer",
    [
        None,
        GrantRejected(Evidence("refused", status=400)),
        ClientRejected(Evidence("refused", status=401)),
    ],
)
def test_any_answer_in_between_begins_the_count_anew(app: uuid.UUID, answer: ProviderError | None) -> None:
    for _ in range(3):
        fail(app, 4)
        note(app, connection_id=uuid.uuid4(), failure=answer)
    assert admit(app, budget=GENEROUS) is None


@pytest.mark.parametrize(
    "failure",
    [
        MalformedResponse(Evidence("html", status=200)),
        TargetRefused(Evidence("not public", sent=False)),
        GrantRejected(Evidence("nothing to refresh with", sent=False)),
    ],
)
def test_what_says_nothing_about_the_provider_neither_opens_nor_closes(
    app: uuid.UUID, always_longest: None, failure: ProviderError
) -> None:
    for _ in range(20):
        note(app, connection_id=uuid.uuid4(), failure=failure)
    assert admit(app, budget=GENEROUS) is None
    fail(app, 4)
    note(app, connection_id=uuid.uuid4(), failure=failure)
    fail(app, 1)
    assert admit(app, budget=GENEROUS) is not None


def test_one_server_may_be_down_while_the_other_answers(app: uuid.UUID, always_longest: None) -> None:
    fail(app, 5, server=RS)
    assert admit(app, budget=GENEROUS, server=RS) is not None
    assert admit(app, budget=GENEROUS, server=AS) is None
    note(app, connection_id=uuid.uuid4(), failure=None, server=AS)
    assert admit(app, budget=GENEROUS, server=RS) is not None
    assert (app in restraints(RS).held, app in restraints(AS).held) == (True, False)


def test_half_opens_with_one_trial_and_closes_at_its_answer(app: uuid.UUID, always_longest: None) -> None:
    fail(app, 5)
    assert admit(app, budget=GENEROUS, is_urgent=True) is not None
    later(app, 101)
    found = restraints(AS)
    assert (app in found.held, app in found.on_trial) == (False, True)
    assert found.most_at_once(app, budget=GENEROUS) == 1
    assert admit(app, budget=GENEROUS) is None
    assert [admit(app, budget=GENEROUS, is_urgent=urgent) for urgent in (False, True)] == [2, 2]
    note(app, connection_id=uuid.uuid4(), failure=None)
    assert [admit(app, budget=GENEROUS) for _ in range(3)] == [None] * 3
    assert app not in restraints(AS).on_trial


def test_of_many_at_once_one_gets_the_trial(app: uuid.UUID, always_longest: None) -> None:
    half_open(app)
    ready, waits = threading.Barrier(8), []

    def run() -> None:
        ready.wait()
        waits.append(admit(app, budget=GENEROUS, is_urgent=True))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits.count(None) == 1


def test_a_failed_trial_opens_it_again_for_longer(app: uuid.UUID, always_longest: None) -> None:
    fail(app, 5)
    expected = 100.0
    for _ in range(7):
        assert (admit(app, budget=GENEROUS) or 0) == pytest.approx(expected, abs=20)
        later(app, expected)
        assert admit(app, budget=GENEROUS) is None
        fail(app, 1)
        expected = min(expected * 2, 3000)
    assert expected == 3000


def test_stays_open_for_a_part_of_the_grace_at_the_most(app: uuid.UUID, always_longest: None) -> None:
    for _ in range(5):
        note(app, connection_id=uuid.uuid4(), failure=outage(), grace_seconds=150)
    assert 40 < (admit(app, budget=GENEROUS) or 0) <= 50


def test_failures_that_were_under_way_do_not_prolong_it(app: uuid.UUID, always_longest: None) -> None:
    fail(app, 60)
    assert (admit(app, budget=GENEROUS) or 0) <= 100


def test_a_trial_that_was_not_used_goes_to_the_next(app: uuid.UUID, always_longest: None) -> None:
    half_open(app)
    assert admit(app, budget=GENEROUS) is None
    give_back(app)
    assert admit(app, budget=GENEROUS) is None


@pytest.mark.parametrize(
    ("found", "opens"),
    [
        (ProbeResult(ProbeVerdict.UNAVAILABLE, unanswered=True), True),
        (ProbeResult(ProbeVerdict.UNAVAILABLE, status=502), True),
        (ProbeResult(ProbeVerdict.UNAVAILABLE, status=429), True),
        (ProbeResult(ProbeVerdict.UNAVAILABLE, status=404), False),
        (ProbeResult(ProbeVerdict.FORBIDDEN, status=403), False),
        (ProbeResult(ProbeVerdict.DEAD, status=401), False),
        (ProbeResult(ProbeVerdict.UNAVAILABLE, detail="the credential lacks a part"), False),
    ],
)
def test_learns_from_probes_what_they_say_of_the_server(
    app: uuid.UUID, always_longest: None, found: ProbeResult, opens: bool
) -> None:
    for _ in range(5):
        note_probe(app, connection_id=uuid.uuid4(), found=found, server=RS)
    assert (admit(app, budget=GENEROUS, server=RS) is not None) == opens


# --- The budget -------------------------------------------------------------------------------------------------------
def test_the_background_keeps_to_the_budget_and_what_is_urgent_overdraws_it(app: uuid.UUID, slow_budget: None) -> None:
    began = time.monotonic()  # one a minute comes back meanwhile
    assert [admit(app, budget=1) for _ in range(10)] == [None] * 10
    wait = admit(app, budget=1)
    assert wait is not None
    assert 59 - (time.monotonic() - began) < wait <= 60
    assert app in restraints(AS).held, "the sweeps leave it alone until it is worth while"
    assert [admit(app, budget=1, is_urgent=True) for _ in range(4)] == [None] * 4
    wait = admit(app, budget=1) or 0
    assert 299 - (time.monotonic() - began) < wait <= 300


def test_what_is_overdrawn_is_bounded(app: uuid.UUID) -> None:
    for _ in range(100):
        admit(app, budget=60, is_urgent=True)
    assert (admit(app, budget=60) or 0) <= 11


def test_the_budget_fills_again(app: uuid.UUID, slow_budget: None) -> None:
    while admit(app, budget=1) is None:
        pass
    later(app, 5 * 60)
    admitted = 0
    while admit(app, budget=1) is None:
        admitted += 1
    assert admitted == 5, "one a minute"


def test_probes_leave_a_part_to_refreshes(app: uuid.UUID, slow_budget: None) -> None:
    probes = 0
    while admit(app, budget=4, server=RS) is None:
        probes += 1
    assert probes == 30, "of the forty that may go at once"
    assert [admit(app, budget=4) for _ in range(10)] == [None] * 10


def test_a_budget_below_one_burst_still_lets_through_one(app: uuid.UUID) -> None:
    assert admit(app, budget=1, server=RS) is None
    assert 30 < (admit(app, budget=1) or 0) <= 60


def test_what_was_not_used_goes_back(app: uuid.UUID) -> None:
    for _ in range(50):
        assert admit(app, budget=60) is None
        give_back(app)


# --- Many at once -----------------------------------------------------------------------------------------------------
def test_admits_as_many_of_several_as_the_budget_has_left(app: uuid.UUID, slow_budget: None) -> None:
    assert admit_many(app, count=7, budget=1) == 7
    assert admit_many(app, count=7, budget=1) == 3, "ten may go at once"
    assert admit_many(app, count=7, budget=1) == 0
    assert admit(app, budget=1) is not None
    give_back(app, count=2)
    assert admit_many(app, count=7, budget=1) == 2


def test_admits_one_of_several_on_trial(app: uuid.UUID, always_longest: None) -> None:
    half_open(app)
    assert admit_many(app, count=7, budget=GENEROUS) == 1
    assert admit_many(app, count=7, budget=GENEROUS) == 0


def test_admits_none_of_several_while_the_provider_asks_to_wait(app: uuid.UUID) -> None:
    note(app, connection_id=uuid.uuid4(), failure=outage(retry_after=30))
    assert admit_many(app, count=7, budget=GENEROUS) == 0
