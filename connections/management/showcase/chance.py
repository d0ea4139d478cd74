"""What a seed decides: every choice of the showcase, in the order in which it is made."""

import random
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from connections.management.showcase.names import FIRST_NAMES, LAST_NAMES

T = TypeVar("T")


class Chance:
    """Choices that are the same for the same ``seed``, as of ``now``. No I/O."""

    def __init__(self, seed: int, *, now: datetime) -> None:
        self._random = random.Random(seed)
        self.now = now

    def number(self, low: int, high: int) -> int:
        """Return a number from ``low`` to ``high``."""
        return self._random.randint(low, high)

    def share(self) -> float:
        """Return a number in [0, 1)."""
        return self._random.random()

    def falls(self, probability: float) -> bool:
        """Return True with this probability."""
        return self._random.random() < probability

    def one_of(self, choices: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """Return one of ``choices``."""
        return self._random.choices(choices, weights)[0]

    def some_of(self, choices: Sequence[T], most: int) -> list[T]:
        """Return up to ``most`` different ``choices``."""
        return self._random.sample(choices, min(most, len(choices)))

    def id(self) -> uuid.UUID:
        """Return an id."""
        return uuid.UUID(int=self._random.getrandbits(128), version=4)

    def token(self, size: int = 24) -> str:
        """Return what looks like a token, and opens nothing."""
        return f"showcase-{self._random.getrandbits(size * 8):0{size * 2}x}"

    def digest(self) -> bytes:
        """Return what looks like a hash."""
        return self._random.getrandbits(256).to_bytes(32, "big")

    def before(self, longest: timedelta, *, of: datetime | None = None) -> datetime:
        """Return a moment up to ``longest`` before ``of`` (None: now), more often a late one than an early one."""
        end = of or self.now
        return end - longest * float(self._random.random() ** 1.6)

    def after(self, longest: timedelta) -> datetime:
        """Return a moment up to ``longest`` from now."""
        return self.now + longest * self._random.random()

    def person(self) -> tuple[str, str]:
        """Return a first and a last name."""
        return self._random.choice(FIRST_NAMES), self._random.choice(LAST_NAMES)
