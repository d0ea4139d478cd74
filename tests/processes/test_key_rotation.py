"""Both lists of keys rotate while a stack vends and refreshes, with no restart and three kills: nobody notices."""

import time
from collections.abc import Callable, Iterator

import pytest

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.campaigns.rotation import VENDED, KeyLists, Vends, ended, keys
from tests.campaigns.stacks import populate, running_stack
from tests.processes.observed import rows

CONNECTIONS = 60
KILLS = 3
RATE = "5"  # of those that are killed: slow enough not to end before
_MARKS = """
SELECT split_part(application_name, ' ', 3) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name ^@ 'latchkey presence '
"""


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> KeyLists:
    return KeyLists(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, lists: KeyLists) -> Iterator[LocalStack]:
    given = {f"{name}_FILE": str(path) for name, path in lists.paths.items()} | dict.fromkeys(lists.paths, "")
    folder = tmp_path_factory.mktemp("rotation") / "stack"
    with running_stack(folder, "web", "worker", "beat", "sandbox", **given) as running:
        yield running


def wrapped_anew(stack: LocalStack) -> int:
    """Return how many data keys are under the new KEK."""
    ((count,),) = rows(stack, "SELECT count(*) FROM connections_datakey WHERE kek_id = 'new'")
    return int(count)


def marks(stack: LocalStack) -> list[str]:
    """Return of each process the mark of the lists that it follows."""
    return [mark for (mark,) in rows(stack, _MARKS)]


def followed(stack: LocalStack, change: Callable[[], None]) -> None:
    """Change the lists, and return once every process follows them."""
    before = until(lambda: found if len(set(found := marks(stack))) == 1 else None, "processes that agree")
    change()

    def has_followed() -> bool:
        now = marks(stack)
        return len(now) >= len(before) and len(set(now)) == 1 and now[0] != before[0]

    until(has_followed, lambda: f"processes that follow: before {before}, now {marks(stack)}", seconds=120)


def test_nobody_notices_a_rotation(stack: LocalStack, lists: KeyLists) -> None:
    populated = populate(stack, CONNECTIONS)
    refreshed = "SELECT count(*) FROM connections_refreshattempt WHERE state = 'promoted'"
    due = "UPDATE connections_connection SET refresh_due_at = now() WHERE id IN (SELECT id FROM connections_connection"
    with Vends(stack, populated, pause_seconds=0.1) as vends:
        followed(stack, lists.add_last)
        followed(stack, lists.move_first)
        for kill in range(KILLS):
            rows(stack, f"{due} ORDER BY random() LIMIT {CONNECTIONS // 4})")
            running = keys(stack, "rewrap", "--rate", RATE)
            until(lambda: wrapped_anew(stack) > 0, "the first data keys", seconds=120)
            time.sleep(0.4 + kill * 0.3)
            running.kill()
            running.communicate()
            assert running.returncode != 0, "it ended before it was killed"
        ended(keys(stack, "rewrap"))
        fernet = next(line.split()[1] for line in ended(keys(stack, "status", "--exact")).splitlines() if " 2 " in line)
        ended(keys(stack, "retire", "old"))
        ended(keys(stack, "retire", fernet))
        followed(stack, lists.remove_old)
        vended = vends.vend_each()
    ((refreshes,),) = rows(stack, refreshed)
    print(f"{vends.answers.total()} vends and {refreshes} refreshes beside it")
    assert vended == {VENDED: CONNECTIONS}
    assert set(vends.answers) == {VENDED}
    assert refreshes >= CONNECTIONS // 4
    assert rows(stack, "SELECT 1 FROM connections_connection WHERE undecryptable_at IS NOT NULL") == []
    assert rows(stack, "SELECT DISTINCT status FROM connections_connection") == [("active",)]
    assert " 2 " not in ended(keys(stack, "status", "--exact"))
