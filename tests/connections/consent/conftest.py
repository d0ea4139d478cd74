"""The people of these tests, and a second authorization server that means no good."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.steer import switches
from connections.lifecycle.steer.switches import Suspendable
from connections.models import ProviderApp, Tenant
from providers.catalog import loader
from providers.sandbox.client import SandboxProcess, start_sandbox
from tests.connections.consent.teams import NORTH_AND_SOUTH, TEAMS
from tests.connections.consent.visits import Visit, visiting
from tests.factories import Caller, make_caller, make_sandbox_app
from tests.flows import EndUser
from tests.person import Person


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
    evil_process.control.clear()
    return evil_process


@pytest.fixture
def switch_off() -> Callable[[Suspendable], None]:
    """Throw the kill switch of a tenant, provider app, API client or connection."""
    return lambda subject: switches.suspend(subject, now=database_now(), actor=SYSTEM) and None


@pytest.fixture
def switch_on() -> Callable[[Suspendable], None]:
    """Throw it back."""
    return lambda subject: switches.resume(subject, actor=SYSTEM) and None


@pytest.fixture
def teams(tmp_path: Path, acme: Tenant, sandbox: SandboxProcess) -> Iterator[ProviderApp]:
    """acme's app at a provider whose grants open several teams: the sandbox, with an entry of its own."""
    (tmp_path / "teams.toml").write_text(TEAMS, encoding="utf-8")
    loader.configure_catalog(tmp_path)
    sandbox.control.settings(workspaces={"alice": NORTH_AND_SOUTH, "carol": NORTH_AND_SOUTH})
    app = make_sandbox_app(sandbox, tenant=acme, provider="teams", client_scopes=["profile.read"])
    sandbox.control.clear_log()
    yield app
    sandbox.control.settings(workspaces={})
    loader.configure_catalog(None)


@pytest.fixture
def member(backend: Caller, teams: ProviderApp) -> EndUser:
    """alice, who is a member of two teams."""
    return EndUser("alice", backend)


@pytest.fixture
def user(backend: Caller) -> EndUser:
    """alice, where she meets no provider."""
    return EndUser("alice", backend)


@pytest.fixture
def visit(user: EndUser) -> Visit:
    """Her visit to the page of her own connections."""
    return visiting(user)
