"""Dynamic registration (RFC 7591) at servers that nobody here wrote: two commands, and nobody types a client id."""

from pathlib import Path

import pytest

from connections.models import ProviderApp
from tests.connections.management.conftest import Run
from tests.flows import EndUser
from tests.interop.foreign import ForeignServer
from tests.interop.steps import assert_is_the_only_grant, use
from tests.interop.summary import Report


@pytest.mark.parametrize("foreign", ["toolkit", "authlib"], indirect=True)
def test_an_app_registers_itself_and_is_used(
    foreign: ForeignServer, acme: object, alice: EndUser, run: Run, catalogue: Path, report: Report
) -> None:
    before = foreign.mark()
    added = run("providers", "add", "--issuer", foreign.issuer, "--scopes", *foreign.scopes, "--json")
    assert added.code == 0, added.err
    slug = added.data["slug"]
    registered = run("provider_apps", "add", slug)
    assert registered.code == 0, registered.err
    assert "Dynamic registration" in registered.out
    (asked,) = [entry for entry in foreign.log("/register", after=before) if entry.method == "POST"]
    assert asked.status == 201
    report.step(f"manage.py provider_apps add {slug}: registered by dynamic registration")

    assert run("provider_apps", "add", slug).code == 0
    assert len(foreign.log("/register", after=before)) == 1
    report.step("once: a second run asks nobody")

    connection = alice.connect(provider=slug)
    app = ProviderApp.objects.get(provider=slug)
    (client,) = app.registered_clients.all()
    assert_is_the_only_grant(foreign, client.client_id, connection["id"])
    use(foreign, alice, connection["id"])
    report.step("connected as the client that the server has made, vended and used")
