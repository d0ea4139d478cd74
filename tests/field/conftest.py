"""The stage of each test of this folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connections.models import Tenant
from providers.catalog import loader
from tests.connections.management.conftest import run  # noqa: F401 - a fixture
from tests.factories import Caller
from tests.field.stage import Stage
from tests.flows import EndUser
from tests.providers.conftest import Provider, make_provider  # noqa: F401 - a fixture


@pytest.fixture
def stage(
    make_provider: Callable[..., Provider],  # noqa: F811 - that fixture
    tmp_path: Path,
    acme: Tenant,
    backend: Caller,
) -> Iterator[Stage]:
    """A provider with an entry and an app of acme's, as plain as can be; a test describes it anew where it differs."""
    made = Stage(make_provider(), tmp_path, acme, EndUser("alice", backend))
    made.describe()
    made.register()
    made.me({"id": "u-1"})
    yield made
    loader.configure_catalog(None)
