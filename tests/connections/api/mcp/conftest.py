"""acme's agent, and alice's connection to an API that is a socket of the test's. Each test is rolled back."""

import pytest

from connections.models import Connection, Permission, Tenant
from tests.connections.api.stored import make_app, make_connection
from tests.factories import Caller, make_caller
from tests.upstream import Upstream, upstream

__all__ = ["upstream"]

SECRET = "at-0123456789abcdef/+=" + "x" * 20


@pytest.fixture
def connection(acme: Tenant, upstream: Upstream) -> Connection:
    """alice's connection at the upstream, whose credential is ``SECRET``."""
    app = make_app(acme, params={"issuer": upstream.url})
    return make_connection(acme, app=app, access_token=SECRET)


@pytest.fixture
def agent(acme: Tenant) -> Caller:
    """A client that may proxy whatever it likes, and nothing else."""
    return make_agent(acme, "* * /**")


def make_agent(tenant: Tenant | None, *rules: str, name: str = "agent", further: tuple[Permission, ...] = ()) -> Caller:
    return make_caller(tenant, name, [Permission.PROXY, *further], proxy_rules=rules)
