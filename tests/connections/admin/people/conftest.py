"""Clocks that stand still: no half minute of a code ends, and no count of guesses runs down, while a test is busy."""

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from allauth.mfa.totp.internal import auth

from connections.admin.people import guesses
from connections.admin.people.guesses import Allowance


@pytest.fixture(autouse=True)
def one_half_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have codes be made and looked at as of one moment."""
    moment = time.time()
    monkeypatch.setattr(auth, "time", SimpleNamespace(time=lambda: moment))


@pytest.fixture(autouse=True)
def lasting_counts() -> Iterator[None]:
    """Let no count of guesses run down by itself."""
    allowances = [found for found in vars(guesses).values() if isinstance(found, Allowance)]
    before = [allowance.seconds for allowance in allowances]
    for allowance in allowances:
        object.__setattr__(allowance, "seconds", 1e6)  # they are frozen, and imported by name
    yield
    for allowance, seconds in zip(allowances, before, strict=True):
        object.__setattr__(allowance, "seconds", seconds)
