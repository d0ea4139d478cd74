"""A connected account, ready to be refreshed, probed and disconnected; and rows that all tests of a module share."""

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings as project
from django.db import transaction
from pytest_django import DjangoDbBlocker, Settings

from connections.models import Connection, ProviderApp
from providers.sandbox.client import SandboxProcess
from tests.connected import connect_at

_OWN_DATABASE = 9  # of Redis: other tests empty and take away the usual one


@pytest.fixture
def connection(sandbox: SandboxProcess, app: ProviderApp) -> Connection:
    """alice's connection to the sandbox, just made."""
    return connect_at(sandbox, app)


@pytest.fixture
def redis_of_its_own(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator["redis.Redis"]:
    """An empty database of the test run's Redis, and an empty folder, which remember what this test does."""
    settings.REDIS_URL = f"{project.REDIS_URL.rpartition('/')[0]}/{_OWN_DATABASE}"
    settings.SPOOL_DIR = str(tmp_path_factory.mktemp("spool"))
    client = redis.Redis.from_url(settings.REDIS_URL)
    with client.lock(f"tests:{_OWN_DATABASE}", timeout=1800, blocking_timeout=1800):
        for key in client.keys("latchkey:*"):
            client.delete(key)
        yield client


@pytest.fixture(scope="module")
def module_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A transaction for the rows that fixtures of a module make once. It is rolled back after the module's last test.

    Each test works in a savepoint, so what it changes is gone when the next one begins. All tests of the module have
    to ask for ``db``: others work outside of this transaction.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        # As Django marks the transaction of a test: what insists on being the outermost one may be inside.
        transaction.get_connection().atomic_blocks[-1]._from_testcase = True
        yield
        transaction.set_rollback(True)
