"""Fixtures of what acts for subjects."""

from tests.connections.lifecycle.subjects import acting, acting_app, sign_in  # noqa: F401 - fixtures
