"""A connected account, ready to be refreshed, probed and disconnected."""

import pytest

from connections.models import Connection, ProviderApp
from providers.sandbox.client import SandboxProcess
from tests.connected import connect_at


@pytest.fixture
def connection(sandbox: SandboxProcess, app: ProviderApp) -> Connection:
    """alice's connection to the sandbox, just made."""
    return connect_at(sandbox, app)
