"""Latchkey on a port, acme's backend as a client of it, and a connection at the sandbox."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import httpx2
import pytest
import requests
from latchkey_client import Latchkey

from connections.models import Connection, Permission, ProviderApp, Tenant
from providers.sandbox.client import SandboxProcess
from tests.clients.serving import served
from tests.connected import connect_at
from tests.factories import make_caller

LIBRARIES: dict[str, Callable[[], Any]] = {
    "requests": requests.Session,
    "httpx": httpx.Client,
    "httpx2": httpx2.Client,
}


@pytest.fixture(scope="module")
def address(django_db_setup: None) -> Iterator[str]:
    """Where this test's Latchkey is reached."""
    with served() as url:
        yield url


@pytest.fixture
def key(acme: Tenant) -> str:
    """The key of a backend that may do all that a product does, and call the sandbox through the proxy."""
    permissions = [Permission.CONNECT, Permission.READ, Permission.VEND, Permission.MANAGE, Permission.PROXY]
    return make_caller(acme, "product", permissions, proxy_rules=["sandbox * /**"]).key


@pytest.fixture(params=LIBRARIES)
def latchkey(request: pytest.FixtureRequest, address: str, key: str) -> Iterator[Latchkey]:
    """A client, over each library."""
    with LIBRARIES[request.param]() as http:
        yield Latchkey(address, key, http=http)


@pytest.fixture
def connection(app: ProviderApp, sandbox: SandboxProcess) -> Connection:
    """alice's connection, as she left it."""
    return connect_at(sandbox, app)
