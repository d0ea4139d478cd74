"""The foreign servers, each started once for a worker, and what the tests take to Latchkey and to them."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from connections.models import ProviderApp, Tenant
from providers.catalog.loader import configure_catalog
from tests.connections.management.conftest import Run, run
from tests.factories import Caller
from tests.flows import EndUser
from tests.interop import summary
from tests.interop.foreign import ForeignServer, run_foreign
from tests.interop.summary import Report
from tests.interop.visitor import Visitor

__all__ = ["run"]  # the operators' commands, as a fixture


def pytest_configure(config: pytest.Config) -> None:
    """Print what was shown at the end, also where the plugin was not loaded before."""
    if not config.pluginmanager.has_plugin(summary.__name__):
        config.pluginmanager.register(summary, summary.__name__)


@pytest.fixture(scope="session")
def toolkit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignServer]:
    """django-oauth-toolkit without OpenID Connect: found by RFC 8414, and tokens are proved by introspection."""
    folder = str(tmp_path_factory.mktemp("toolkit"))
    with run_foreign(
        "tests.interop.toolkit_server", folder, kind="RFC 8414", scopes=("files",), probed_by="introspection"
    ) as server:
        yield server


@pytest.fixture(scope="session")
def openid_toolkit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignServer]:
    """django-oauth-toolkit as an OpenID provider: tokens are proved by userinfo, which names the account."""
    folder = str(tmp_path_factory.mktemp("openid-toolkit"))
    with run_foreign(
        "tests.interop.toolkit_server",
        folder,
        "--oidc",
        kind="OpenID Connect",
        scopes=("openid", "files"),
        probed_by="probe",
    ) as server:
        yield server


@pytest.fixture(scope="session")
def authlib() -> Iterator[ForeignServer]:
    """Authlib's authorization server in Flask."""
    with run_foreign(
        "tests.interop.authlib_server", kind="RFC 8414", scopes=("files",), probed_by="introspection"
    ) as server:
        yield server


@pytest.fixture(params=["toolkit", "openid_toolkit", "authlib"])
def foreign(request: pytest.FixtureRequest) -> ForeignServer:
    """Each of the servers in turn."""
    server: ForeignServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def report(request: pytest.FixtureRequest, foreign: ForeignServer) -> Report:
    """The steps that this test shows."""
    told = Report(foreign.title)
    told.attach(request.node)
    return told


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Path]:
    """An empty folder of added entries."""
    configure_catalog(tmp_path)
    with override_settings(CATALOG_DIR=tmp_path):
        yield tmp_path
    configure_catalog(settings.CATALOG_DIR)


@dataclass
class Added:
    """A foreign server as Latchkey knows it, and the client that Latchkey is there."""

    app: ProviderApp
    client_id: str
    client_secret: str
    commands: list[str]


@pytest.fixture
def added(foreign: ForeignServer, acme: Tenant, run: Run, catalogue: Path) -> Added:
    """The server, added as an operator adds one that nobody has described: by two commands and its own registration."""
    client_id = f"latchkey-{secrets.token_hex(4)}"
    client_secret = f"{secrets.token_urlsafe(24)}:/+%&="  # what RFC 6749 §2.3.1 wants to be quoted
    foreign.oracle("register", client_id=client_id, client_secret=client_secret, redirect_uris=["https://x.example/"])
    issuing = ["providers", "add", "--issuer", foreign.issuer, "--scopes", *foreign.scopes]
    entry = run(*issuing, "--json")
    assert entry.code == 0, entry.err
    registering = ["provider_apps", "add", entry.data["slug"], "--client-id", client_id, "--client-secret-file", "-"]
    app = run(*registering, "--json", stdin=client_secret)
    assert app.code == 0, app.err
    foreign.oracle("redirect_to", client_id=client_id, redirect_uris=[app.data["redirect_uri"]])
    commands = [" ".join(["manage.py", *typed]) for typed in (issuing, registering)]
    return Added(ProviderApp.objects.get(id=app.data["id"]), client_id, client_secret, commands)


def add_entry(
    foreign: ForeignServer,
    run: Run,
    *,
    section: str,
    grant_type: str,
    folder: Path,
    discovers: bool = True,
    **client: object,
) -> Added:
    """Add the server by an entry with one ``section``, and register a client of this grant there."""
    client_id, client_secret = f"latchkey-{secrets.token_hex(4)}", secrets.token_urlsafe(24)
    foreign.oracle(
        "register", client_id=client_id, client_secret=client_secret, redirect_uris=[], grant_type=grant_type, **client
    )
    found = f'issuer = "{foreign.issuer}"\ndiscover = true\n' if discovers else ""
    scopes = "".join(
        f'[[scopes]]\nname = "{scope}"\ndescription = "{scope}"\ndefault = true\n' for scope in foreign.scopes
    )
    text = f'name = "Foreign"\n{scopes}{section}\n{found}'
    path = folder.parent / f"foreign-{secrets.token_hex(4)}.toml"
    path.write_text(text, encoding="utf-8")
    adding = run("providers", "add", path, "--json")
    assert adding.code == 0, adding.err
    registering = ["provider_apps", "add", adding.data["slug"], "--client-id", client_id, "--client-secret-file", "-"]
    app = run(*registering, "--json", stdin=client_secret)
    assert app.code == 0, app.err
    return Added(ProviderApp.objects.get(id=app.data["id"]), client_id, client_secret, [])


@pytest.fixture
def alice(backend: Caller) -> EndUser:
    """An end user of acme's, whose browser knows the pages of the foreign servers."""
    user = EndUser("alice", backend)
    user.person = Visitor("alice")
    return user


@pytest.fixture
def bob(backend: Caller) -> EndUser:
    """Another one, with a browser of their own."""
    user = EndUser("bob", backend)
    user.person = Visitor("bob")
    return user
