"""The choice at the vendors that need it: Jira's sites and Xero's organisations, each in its own dialect over HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from django.http import HttpResponse

from connections.access.targets import redirect_uri
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.models import ProviderApp, Tenant
from providers.catalog import loader
from providers.catalog.methods import AuthorizationCodeMethod
from tests.connections.consent.choosing import answer, offered
from tests.factories import Caller
from tests.flows import EndUser, Invitation, completion_code
from tests.person import parameters_of
from tests.providers.conftest import make_provider  # noqa: F401 - a fixture
from tests.providers.entries import test_jira_cloud as jira
from tests.providers.entries import test_xero as xero
from tests.providers.entries.vendor import CALLBACK, CLIENT_ID, CLIENT_SECRET, Vendor

BUILT_IN = Path(loader.__file__).parent


class _Registered(Vendor):
    """A vendor at which our redirect URI is the provider app's own."""

    callback: ClassVar[str] = ""

    def parameters(self, request: Any) -> dict[str, str]:
        sent = super().parameters(request)
        return sent | ({"redirect_uri": CALLBACK} if sent.get("redirect_uri") == self.callback else {})

    def consent(self, authorization_url: str) -> str:
        own, known = quote(self.callback, safe=""), quote(CALLBACK, safe="")
        assert own in authorization_url
        return super().consent(authorization_url.replace(own, known))


class JiraCloud(_Registered, jira.JiraCloud):
    """Two sites; the person is asked for at the address of one."""

    def other(self, request: Any) -> Any:
        if request.path == self.probe_path.replace(jira.ACME, jira.GLOBEX):
            return self.me() if self.is_live(request) else self.dead_token()
        return super().other(request)


class Xero(_Registered, xero.Xero):
    """Organisations, whose list is the proof."""

    opened: list[dict[str, str]] = xero.CONNECTIONS

    def me(self) -> Any:
        return 200, self.opened, {}


@pytest.fixture
def connect(
    make_provider: Callable[..., Any],  # noqa: F811 - that fixture
    tmp_path: Path,
    acme: Tenant,
    backend: Caller,
) -> Iterator[Callable[..., "_Vendored"]]:
    """Return a function that sets one vendor up for acme."""

    def set_up(kind: type[_Registered]) -> _Vendored:
        server = make_provider()
        vendor = kind(url=server.url)
        server.responder = vendor.respond
        described = (BUILT_IN / f"{kind.slug}.toml").read_text(encoding="utf-8")
        (tmp_path / f"{kind.slug}.toml").write_text(described.replace('"https://', f'"{server.url}/'), encoding="utf-8")
        loader.configure_catalog(tmp_path)
        app = save_provider_app(
            Registration(
                provider=kind.slug,
                auth_style=AuthorizationCodeMethod.style,
                client_id=CLIENT_ID,
                client_secrets=[CLIENT_SECRET],
            ),
            tenant=acme,
            actor=SYSTEM,
        )
        kind.callback = redirect_uri(app.id)
        return _Vendored(vendor, app, EndUser("alice", backend), server)

    yield set_up
    loader.configure_catalog(None)


class _Vendored:
    """One vendor, and the end user who connects there."""

    def __init__(self, vendor: Vendor, app: ProviderApp, user: EndUser, server: Any) -> None:
        self.vendor, self.app, self.user, self.server = vendor, app, user, server

    def confirm(self, **changes: Any) -> tuple[Invitation, str, HttpResponse]:
        """Connect as far as the confirmation; return its answer too."""
        invitation = self.user.invite(provider=self.app.provider, **changes)
        url = self.user.leave(invitation)
        code = self.vendor.consent(url)
        back = f"{redirect_uri(self.app.id)}?code={code}&state={quote(parameters_of(url)['state'], safe='')}"
        completion = completion_code(self.user.visit(back))
        return invitation, completion, self.user.complete(invitation, completion)

    def choose(self, workspace: str, **changes: Any) -> dict[str, Any]:
        """Connect, and choose."""
        invitation, completion, confirmed = self.confirm(**changes)
        answer(self.user, confirmed.json()["next"], workspace)
        connection: dict[str, Any] = self.user.complete(invitation, completion).json()["connection"]
        return connection


def test_a_jira_connection_is_about_the_chosen_site(connect: Callable[..., _Vendored]) -> None:
    at = connect(JiraCloud)
    _, _, confirmed = at.confirm()
    page = at.user.visit(confirmed.json()["next"])
    assert offered(page) == [jira.ACME, jira.GLOBEX]
    assert "Which site do you want to connect?" in page.content.decode()
    assert "https://globex.atlassian.net" in page.content.decode()

    connection = at.choose(jira.GLOBEX)

    assert connection["params"] == {"cloud_id": jira.GLOBEX}
    assert connection["account"]["id"] == f"{jira.GLOBEX}:5b10a2844c20165700ede21g"
    vended = at.user.vend(connection["id"]).json()["credential"]
    assert vended["base_url"] == f"{at.server.url}/api.atlassian.com/ex/jira/{jira.GLOBEX}"
    assert vended["value"] in at.vendor.live
    renewed = at.confirm(connection=connection["id"])[2].json()["connection"]
    assert (renewed["id"], renewed["params"]) == (connection["id"], connection["params"])


def test_a_xero_connection_is_about_the_chosen_organisation(connect: Callable[..., _Vendored]) -> None:
    at = connect(Xero)
    connection = at.choose(xero.OTHER)
    assert connection["params"] == {"tenant_id": xero.OTHER}
    assert connection["account"] == {"id": xero.OTHER, "name": "Globex Ltd"}
    vended = at.user.vend(connection["id"]).json()["credential"]
    assert vended["headers"]["Xero-tenant-id"] == xero.OTHER

    first = at.choose(xero.DEMO)
    assert first["id"] != connection["id"]
    assert isinstance(at.vendor, Xero)
    at.vendor.opened = xero.CONNECTIONS[:1]
    refused = at.confirm(connection=connection["id"])[2]
    assert (refused.status_code, refused.json()["code"]) == (409, "account_mismatch")
    assert at.user.vend(connection["id"]).status_code == 200
