"""The ground of the drills, on the tests' own database and sandbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from connections.drills.ground import Ground, isolate
from connections.drills.throwaway import Server
from providers.sandbox.client import SandboxProcess
from tests.broker import forget_broker
from tests.connections.lifecycle.sessions import session
from tests.providers.conftest import authority

__all__ = ["authority"]


@pytest.fixture
def ground(transactional_db: None, sandbox: SandboxProcess, tmp_path: Path) -> Iterator[Ground]:
    """What ``manage.py drill`` plays its scenarios on."""
    spool = tmp_path / "spool"
    with session("postgres") as connected:
        with isolate(spool):
            forget_broker()
            yield Ground(sandbox.control, Server(connected, str(settings.DATABASES["default"]["NAME"])), spool)
        forget_broker()
