"""Agreement: whether every process that runs follows the same lists of keys, before anything is stored under a new one.

Each process writes the mark of its lists beside its presence. What others store under a key that a process has not read
yet, that process cannot open.
"""

from dataclasses import dataclass

from connections.access.key_lists import mark
from connections.lifecycle.refresh.presence import present


class Disagreement(Exception):
    """Processes that run follow other lists of keys. Its argument says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Follower:
    """A process that runs, as ``pid@host``, and whether it follows the lists that this one follows.

    None where it does not say, as an earlier release does not.
    """

    process: str
    follows: bool | None


def followers() -> list[Follower]:
    """Return the other processes that run. One query. None of them is seen where none can hold a lock."""
    own = mark()
    return [Follower(one.process, None if not one.mark else one.mark == own) for one in present()]


def disagreement(found: list[Follower]) -> str:
    """Return who of ``found`` does not follow these lists, and what to do; "" if all do. No I/O."""
    others = [one for one in found if not one.follows]
    if not others:
        return ""
    names = ", ".join(one.process for one in others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
    silent = " (an earlier release does not say)" if any(one.follows is None for one in others) else ""
    return (
        f"{len(others)} of {len(found)} processes follow other lists of keys than this command{silent}: {names}. Wait"
        " until all have read the same files, or start them anew with the same environment"
    )


def check_agreement() -> None:
    """Raise ``Disagreement`` unless every process that runs follows the lists of this one. One query."""
    if says := disagreement(followers()):
        raise Disagreement(says)
