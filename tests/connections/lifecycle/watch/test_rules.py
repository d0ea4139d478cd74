"""What is usual of a client: how much more it may do than ever, and what nobody earns by waiting."""

from datetime import UTC, datetime, timedelta

import pytest

from connections.lifecycle.watch.rules import FAR_MORE, Usual, is_wide, most_expected

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HIGHEST = 100


def usual(**changes: object) -> Usual:
    facts = {"first_at": NOW - timedelta(days=200), "highest": HIGHEST, "days_since_highest": 46, **changes}
    return Usual(**facts)  # type: ignore[arg-type]


def test_a_month_of_growth_is_expected_of_a_client_that_was_used_all_the_time() -> None:
    assert most_expected(usual(), at=NOW) > 5 * HIGHEST


@pytest.mark.parametrize("awake", [timedelta(minutes=1), timedelta(days=1, hours=1), timedelta(days=7)])
def test_days_on_which_nobody_used_a_key_let_it_do_no_more(awake: timedelta) -> None:
    """Who finds a key that was unused for long may use it once, and wait until it is no longer judged as awakened."""
    woken = usual(woke_at=NOW - awake, slept_days=46)
    assert most_expected(woken, at=NOW) == FAR_MORE * HIGHEST
    assert is_wide(usual(woke_at=NOW - awake, today=FAR_MORE * HIGHEST + 1), at=NOW, least=50)


def test_a_client_that_has_woken_grows_again_from_then() -> None:
    assert most_expected(usual(woke_at=NOW - timedelta(days=40)), at=NOW) > 5 * HIGHEST
