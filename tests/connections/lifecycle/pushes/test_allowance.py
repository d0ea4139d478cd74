"""Allowances: a burst, then so many a second, each source apart."""

from connections.lifecycle.pushes.allowance import Allowance, place_of
from providers.sandbox.waiting import until


def test_a_burst_is_let_through_and_then_no_more() -> None:
    allowance = Allowance(per_second=0.001, at_once=3)
    assert [allowance.take("a") for _ in range(5)] == [True, True, True, False, False]
    assert allowance.take("b")


def test_it_fills_again() -> None:
    allowance = Allowance(per_second=2, at_once=1)
    assert [allowance.take("a"), allowance.take("a")] == [True, False]
    until(lambda: allowance.take("a"), "room for another")


def test_a_look_takes_nothing() -> None:
    allowance = Allowance(per_second=0.001, at_once=2)
    assert all(allowance.take("a", 0) for _ in range(10))
    assert [allowance.take("a") for _ in range(3)] == [True, True, False]
    assert not allowance.take("a", 0)


def test_countless_sources_take_no_more_memory() -> None:
    allowance = Allowance(per_second=0.001, at_once=1)
    for number in range(10_050):
        allowance.take(number)
    assert len(allowance._kept) == 10_000


def test_whoever_has_many_addresses_of_one_place_is_one_source() -> None:
    assert place_of("2001:db8:1:2::1") == place_of("2001:db8:1:2:ffff::9") != place_of("2001:db8:1:3::1")
    assert place_of("192.0.2.7") != place_of("192.0.2.8")
    assert place_of(None) is None
