"""Spans: what takes time, for whoever traces it. Names and facts are of few kinds, without addresses, texts or secrets.

Nothing happens until ``follow`` names somebody who takes them. This module imports no library of traces, so that all
others can use it.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from typing import Protocol

Fact = str | int


class Kind(Enum):
    """On which side of a call the span is."""

    SERVER = "server"
    CLIENT = "client"
    TASK = "task"


class Noted(Protocol):
    """A span that is under way."""

    def note(self, name: str, value: Fact) -> None:
        """Add a fact that was not known when it began."""


class Follower(Protocol):
    """Takes spans."""

    def begin(
        self, name: str, kind: Kind, facts: Mapping[str, Fact], parent: str | None
    ) -> AbstractContextManager[Noted]:
        """Begin a span, which ends with the block. ``parent`` is a ``traceparent`` (W3C Trace Context)."""

    def current(self) -> str | None:
        """Return the ``traceparent`` of the span that this thread or task is in."""


class _Nobody:
    def note(self, name: str, value: Fact) -> None:
        """Note nothing."""


_NOBODY = _Nobody()
_followers: list[Follower] = []


@contextmanager
def followed_by(follower: Follower) -> Iterator[None]:
    """Have ``follower`` take all spans of this process until the block ends."""
    _followers.append(follower)
    try:
        yield
    finally:
        _followers.remove(follower)


def follow(follower: Follower) -> None:
    """Have ``follower`` take all spans of this process from now on."""
    _followers.append(follower)


def are_followed() -> bool:
    """Whether anybody takes spans."""
    return bool(_followers)


def root(
    name: str, kind: Kind, facts: Mapping[str, Fact], *, parent: str | None = None
) -> AbstractContextManager[Noted]:
    """Begin a span that may be the first of its trace: a request that came, a task that was sent."""
    return _followers[-1].begin(name, kind, facts, parent) if _followers else nullcontext(_NOBODY)


def within(name: str, facts: Mapping[str, Fact]) -> AbstractContextManager[Noted]:
    """Begin the span of a call that we make within another span: of a statement, of a request to a provider."""
    if not _followers or _followers[-1].current() is None:
        return nullcontext(_NOBODY)
    return _followers[-1].begin(name, Kind.CLIENT, facts, None)


def current() -> str | None:
    """Return the ``traceparent`` for whoever goes on with this work elsewhere, None for none."""
    return _followers[-1].current() if _followers else None


def statement(text: str | bytes) -> AbstractContextManager[Noted]:
    """Begin the span of a statement, which says no more than its first word."""
    if not _followers:
        return nullcontext(_NOBODY)
    begins = text[:40].decode("ascii", "replace") if isinstance(text, bytes) else text[:40]
    word = next(iter(begins.split()), "").strip("(").upper()
    word = word if word in _WORDS else "OTHER"
    return within(word, {"db.system.name": "postgresql", "db.operation.name": word})


_WORDS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "SAVEPOINT", "RELEASE", "ROLLBACK", "SET", "COPY"})
