"""The people of these tests, and a second authorization server that means no good."""

from collections.abc import Callable, Iterator

import pytest

from connections.lifecycle import switches
from connections.lifecycle.audit import SYSTEM
from connections.lifecycle.clock import database_now
from connections.lifecycle.switches import Suspendable
from connections.models import ProviderApp, Tenant
from tests.factories import Caller, make_caller
from tests.flows import EndUser
from tests.person import Person
from tests.sandbox_control import SandboxProcess, start_sandbox


@pytest.fixture
def mallory(backend: Caller, app: ProviderApp) -> EndUser:
    """A user of acme's, as known to its backend as alice is; at the provider the account is carol's."""
    attacker = EndUser("mallory", backend)
    attacker.person = Person("carol")
    return attacker


@pytest.fixture
def bob(backend: Caller, app: ProviderApp) -> EndUser:
    """Another end user of acme's."""
    return EndUser("bob", backend)


@pytest.fixture
def unbound(acme: Tenant) -> Caller:
    """A backend of acme's that may opt out of the confirmation."""
    return make_caller(acme, "mailer", allows_unbound=True)


@pytest.fixture(scope="session")
def evil_process() -> Iterator[SandboxProcess]:
    with start_sandbox(name="Evil") as process:
        yield process


@pytest.fixture
def evil(evil_process: SandboxProcess) -> SandboxProcess:
    """An authorization server that an attacker runs."""
    evil_process.control.clear_faults()
    evil_process.control.clear_log()
    return evil_process


@pytest.fixture
def switch_off() -> Callable[[Suspendable], None]:
    """Throw the kill switch of a tenant, provider app, API client or connection."""
    return lambda subject: switches.suspend(subject, now=database_now(), actor=SYSTEM) and None


@pytest.fixture
def switch_on() -> Callable[[Suspendable], None]:
    """Throw it back."""
    return lambda subject: switches.resume(subject, actor=SYSTEM) and None
