"""Fixtures shared by the tests: a real sandbox provider a worker, and the cast of tenants, callers and people."""

import importlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import TransactionTestCase, override_settings
from pytest_django import DjangoDbBlocker

from connections.admin import logins
from connections.lifecycle.connect import callback
from connections.lifecycle.identify import callers as token_callers
from connections.lifecycle.provision import callers
from connections.lifecycle.pushes import allowance, receive
from connections.lifecycle.refresh import presence
from connections.lifecycle.throttle import shared
from connections.models import AuditEvent, AuditPruning, AuditRedaction, AuditSeal, ProviderApp, Tenant
from providers.custodians.custody import configure_custody, current_custody
from providers.sandbox.client import SandboxProcess, start_sandbox
from providers.signing import keys
from tests.factories import Caller, make_caller, make_sandbox_app, make_tenant
from tests.flows import EndUser
from tests.services import migrated_database
from tests.sources import Folder
from tests.warm.imports import PACKAGES
from tests.warm.start import Warm

# The product makes RSA keys of 3072 bits. To make and to read one takes four times as long as with one of 2048; some
# are made when a test module is imported, and so this is no fixture.
keys.MADE_RSA_BITS = keys.SHORTEST_RSA_BITS
# The product goes on without Redis after a quarter of a second. Here Redis is there, and may take long beside other
# tests; the tests of one that is away say so.
shared.TIMEOUT_SECONDS = 10.0


class QuickHasher(PBKDF2PasswordHasher):
    """The product's own way to hash a password, with one round instead of a million: a quarter of a second less."""

    iterations = 1


@pytest.fixture(scope="session", autouse=True)
def _quick_settings() -> Iterator[None]:
    """Spare every test the hashing, and every browser a look at each static file before its first request."""
    quick_hasher = f"{QuickHasher.__module__}.{QuickHasher.__qualname__}"
    with override_settings(PASSWORD_HASHERS=[quick_hasher], WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(autouse=True)
def _fresh_minute() -> None:
    """Let nothing count that was refused before this test."""
    for gate in (callers.gate, token_callers.gate, callback.unasked, logins.guesses, logins.strangers):
        gate.forget()
    for kept in (receive.gate, allowance.pushes, allowance.refusals):
        kept.forget()


@cache
def _statement_that_empties() -> str:
    """Return what empties every table, but those of which migrations fill the rows.

    Django's own ``flush`` empties them too, and writes them anew after each test, which takes longer than many a test.
    To delete the few rows of a test takes 1 ms, and TRUNCATE takes 40; past the triggers that keep the audit trail,
    and without the order that foreign keys ask for, only a superuser may do it.
    """
    filled = {one._meta.db_table for one in (ContentType, Permission, Group, Group.permissions.through)}
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - filled
    quoted = [connection.ops.quote_name(table) for table in sorted(tables)]
    with connection.cursor() as cursor:
        cursor.execute("SHOW is_superuser")
        (is_superuser,) = cursor.fetchone()
    if is_superuser == "off":
        return f"TRUNCATE {', '.join(quoted)}"
    return "SET LOCAL session_replication_role = replica; " + "; ".join(f"DELETE FROM {table}" for table in quoted)


def _empty_tables(_: TransactionTestCase) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_statement_that_empties())


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Have the test database of a worker copied from one that is migrated once for all of them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        connection.settings_dict["TEST"] |= {"TEMPLATE": migrated_database(), "MIGRATE": False}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database; this process lets go of it before it is dropped.

    Where the tables are emptied after each test by TRUNCATE, the audit trail would refuse it.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for model in (AuditEvent, AuditSeal, AuditRedaction, AuditPruning):
            cursor.execute(f"ALTER TABLE {model._meta.db_table} DISABLE TRIGGER audit_no_truncate")
    # What a web process does at its start, for ``asgi_client``: it sets up the logs, and holds a lock in this database.
    importlib.import_module("config.asgi")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _empty_tables)
        yield
    presence.stop()


@pytest.fixture(scope="session")
def warmed() -> Iterator[Warm]:
    """What runs Python programs that need not import the packages once more."""
    with Warm(PACKAGES, sets_up=False) as process:
        yield process


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxProcess]:
    """One sandbox provider for this worker."""
    with start_sandbox() as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> SandboxProcess:
    """The sandbox, strict about rotation, with no fault armed and an empty log."""
    sandbox_process.control.clear(
        grace_seconds=0, rotate=True, delay_seconds=0, locked=[], device_interval=5, device_lifetime=600
    )
    return sandbox_process


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Folder]:
    """A folder of secrets that the settings allow."""
    before, made = current_custody(), Folder(tmp_path)
    made.allow()
    yield made
    configure_custody(before)


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    """The tenant that most tests are about."""
    return make_tenant("acme")


@pytest.fixture
def globex(transactional_db: None) -> Tenant:
    """Another tenant, to be kept apart from acme."""
    return make_tenant("globex")


@pytest.fixture
def backend(acme: Tenant) -> Caller:
    """acme's own backend."""
    return make_caller(acme)


@pytest.fixture
def app(acme: Tenant, sandbox: SandboxProcess) -> ProviderApp:
    """acme's app at the sandbox."""
    return make_sandbox_app(sandbox, tenant=acme)


@pytest.fixture
def alice(backend: Caller, app: ProviderApp) -> EndUser:
    """An end user of acme's, with a browser."""
    return EndUser("alice", backend)
