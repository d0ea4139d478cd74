"""The cast of the API's tests. No provider is called, so each test is one transaction that is rolled back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.steer import switches
from connections.lifecycle.steer.switches import Suspendable
from connections.models import Connection, Permission, Tenant
from providers.catalog.loader import configure_catalog
from tests.connections.api.stored import make_connection
from tests.factories import Caller, make_caller, make_tenant


@pytest.fixture
def acme(db: None) -> Tenant:
    """The tenant that most tests are about."""
    return make_tenant("acme")


@pytest.fixture
def globex(db: None) -> Tenant:
    """Another tenant, to be kept apart from acme."""
    return make_tenant("globex")


@pytest.fixture
def foreign_backend(globex: Tenant) -> Caller:
    """globex's own backend."""
    return make_caller(globex)


@pytest.fixture
def operator(db: None) -> Caller:
    """An operator-wide client."""
    return make_caller(None, "operator")


@pytest.fixture
def connection(acme: Tenant) -> Connection:
    """alice's connection at acme, good for an hour."""
    return make_connection(acme)


@pytest.fixture
def switch_off() -> Callable[[Suspendable], None]:
    """Throw the kill switch of a tenant, provider app, API client or connection."""
    return lambda subject: switches.suspend(subject, now=database_now(), actor=SYSTEM) and None


@pytest.fixture
def editor(tmp_path: Path, db: None) -> Iterator[Caller]:
    """The operator-wide client that describes providers, in a folder of its own."""
    configure_catalog(tmp_path)
    with override_settings(CATALOG_DIR=tmp_path):
        yield make_caller(None, "editor", [Permission.CATALOGUE, Permission.READ, Permission.APPS])
    configure_catalog(settings.CATALOG_DIR)
