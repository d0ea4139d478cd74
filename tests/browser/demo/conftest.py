"""A demo for each file: the tour revokes what others have connected, and counts on what nobody else has revoked."""

from collections.abc import Iterator

import pytest

from config.local.demo.stack import LocalStack
from tests.campaigns.stacks import own_databases

# An access token of 15 s, and everything in the background comes round quickly.
_INTERVALS = {"LATCHKEY_SWEEP_SECONDS": "1", "LATCHKEY_PROBE_SECONDS": "2,2,2", "SANDBOX_ACCESS_SECONDS": "15"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("demo")
    with (
        own_databases() as databases,
        LocalStack(state_dir=folder / "stack", migrate=False, overrides=_INTERVALS | databases) as running,
    ):
        yield running
