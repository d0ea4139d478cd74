"""Spans: who takes them, and what costs nothing while nobody does."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from providers import spans


@dataclass
class Taken:
    """A follower that remembers names, in the order in which spans began."""

    names: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)

    def note(self, name: str, value: spans.Fact) -> None:
        self.names.append(f"{name}={value}")

    @contextmanager
    def begin(
        self, name: str, kind: spans.Kind, facts: Mapping[str, spans.Fact], parent: str | None
    ) -> Iterator["Taken"]:
        self.names.append(name)
        self.inside.append(name)
        yield self
        self.inside.pop()

    def current(self) -> str | None:
        return self.inside[-1] if self.inside else None


def test_a_call_of_ours_is_a_span_only_within_another() -> None:
    with spans.followed_by(taken := Taken()):
        with spans.within("alone", {}):
            assert spans.current() is None
        with spans.root("request", spans.Kind.SERVER, {}), spans.within("call", {}) as span:
            span.note("status", 200)
            assert spans.current() == "call"
    assert taken.names == ["request", "call", "status=200"]


def test_nobody_is_told_anything_behind_the_block() -> None:
    with spans.followed_by(taken := Taken()):
        pass
    assert not spans.are_followed() and spans.current() is None
    with spans.root("request", spans.Kind.SERVER, {}), spans.statement("SELECT 1") as span:
        span.note("status", 200)
    assert taken.names == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("SELECT secret", "SELECT"),
        (b"\n  with x as", "WITH"),
        ("(select", "SELECT"),
        ("secret", "OTHER"),
        ("", "OTHER"),
    ],
)
def test_a_statement_is_named_by_its_first_word(text: str | bytes, word: str) -> None:
    with spans.followed_by(taken := Taken()), spans.root("request", spans.Kind.TASK, {}), spans.statement(text):
        pass
    assert taken.names == ["request", word]
