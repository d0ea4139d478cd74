"""A connected account, ready to be refreshed, probed and disconnected."""

import pytest

from connections.models import Connection
from tests.flows import EndUser


@pytest.fixture
def connection(alice: EndUser) -> Connection:
    """alice's connection to the sandbox, just made."""
    return Connection.objects.get(id=alice.connect(scopes=["profile.read", "files.read"])["id"])
