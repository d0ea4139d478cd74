"""One connection in this process, for the faults that need no second one; servers with certificates of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from connections.models import Connection
from providers import egress
from providers.sandbox.client import SandboxProcess
from tests.faults.observed import Subject
from tests.flows import EndUser
from tests.providers.conftest import authority, egress_policy, make_provider, raw_server, trusting

__all__ = ["authority", "egress_policy", "make_provider", "raw_server", "trusting"]


@pytest.fixture
def subject(alice: EndUser, sandbox: SandboxProcess, settings: Settings, tmp_path: Path) -> Subject:
    """alice's connection, a refresh of which is due although its token still works."""
    settings.SPOOL_DIR = tmp_path / "spool"
    connection = alice.connect(scopes=["profile.read", "files.read"])
    sandbox.control.clear_log()
    subject = Subject(Connection.objects.get(id=connection["id"]), sandbox, alice)
    subject.make_due()
    return subject


@pytest.fixture
def short_deadline() -> Iterator[float]:
    """Give calls to providers 2 s in all."""
    before = egress.current_policy()
    egress.configure(egress.EgressPolicy(allow_loopback=True, connect_seconds=1, total_seconds=2))
    yield 2.0
    egress.configure(before)
