"""Fixtures of the styles' tests."""

from tests.providers.conftest import every_log_record  # noqa: F401 - a fixture
