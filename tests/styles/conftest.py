"""Fixtures of the styles' tests."""

from collections.abc import Iterator

import pytest

from providers import egress
from tests.providers.conftest import every_log_record  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def _own_policy() -> Iterator[None]:
    """Put back the policy of egress: a style may have to trust another authority."""
    before = egress.current_policy()
    yield
    egress.configure(before)
