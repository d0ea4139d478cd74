"""Two tenants, in a transaction that is rolled back."""

import pytest

from connections.models import Tenant
from tests.factories import make_tenant


@pytest.fixture
def acme(db: None) -> Tenant:
    """acme, without a brand of its own yet."""
    return make_tenant("acme")


@pytest.fixture
def globex(db: None) -> Tenant:
    """globex, likewise."""
    return make_tenant("globex")
