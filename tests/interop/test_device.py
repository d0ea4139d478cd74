"""A code to enter (RFC 8628) at servers that nobody here wrote: from the widget's page to the end of the grant."""

from pathlib import Path

import pytest

from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection, Revocation
from tests.connections.consent.codes import code_on, link_with_code, pass_interval, show_code
from tests.connections.lifecycle.clockwork import age
from tests.connections.management.conftest import Run
from tests.flows import EndUser, call, completion_code, failure_of
from tests.interop.conftest import Added, add_entry
from tests.interop.foreign import ForeignServer
from tests.interop.steps import assert_is_the_only_grant, held, live_grants, row, tokens_of, use
from tests.interop.summary import Report
from tests.interop.visitor import Visitor

pytestmark = pytest.mark.parametrize("foreign", ["toolkit", "authlib"], indirect=True)
PATHS = {"django-oauth-toolkit": "device-authorization/", "Authlib": "device_authorization"}


@pytest.fixture
def by_code(foreign: ForeignServer, run: Run, catalogue: Path, acme: object) -> Added:
    """The server, by an entry that says where its codes come from."""
    return add_entry(
        foreign,
        run,
        section=f'[device_authorization]\ndevice_authorization_url = "{foreign.issuer}/{PATHS[foreign.name]}"',
        grant_type="urn:ietf:params:oauth:grant-type:device_code",
        folder=catalogue,
    )


def test_a_code_is_shown_entered_and_becomes_a_connection(
    foreign: ForeignServer, by_code: Added, alice: EndUser, report: Report
) -> None:
    provider, client_id = by_code.app.provider, by_code.client_id
    invitation, before = alice.invite(provider=provider), foreign.mark()
    page = show_code(alice, invitation)
    (asked,) = foreign.log(PATHS[foreign.name].rstrip("/"), after=before)
    assert (asked.status, "scope" in asked.parameters) == (200, True)
    report.step(f"device authorization request, client_secret_{asked.authentication}: a code and the server's page")

    pass_interval(invitation)
    alice.open(f"/connect/{invitation.id}/device/state")
    assert foreign.log("/token", after=before)[-1].error in ("authorization_pending", "slow_down")
    report.step(f"polled while nobody had decided: {foreign.log('/token', after=before)[-1].error}")

    assert isinstance(alice.person, Visitor)
    alice.person.enter(link_with_code(page), code_on(page))
    pass_interval(invitation)
    code = completion_code(alice.open(f"/connect/{invitation.id}/device"))
    answer = alice.complete(invitation, code)
    assert answer.status_code == 200, answer.content
    key = answer.json()["connection"]["id"]
    issued = foreign.log("/token", after=before)[-1]
    assert (issued.status, issued.grant_type) == (200, "urn:ietf:params:oauth:grant-type:device_code")
    assert_is_the_only_grant(foreign, client_id, key)
    use(foreign, alice, key)
    report.step("entered at the server's page, confirmed, vended and used")

    old = tokens_of(held(key))
    age(key, seconds=3300)
    assert refresh(row(key).id, trigger="sweep").outcome == "refreshed"
    assert tokens_of(held(key)).items().isdisjoint(old.items())
    assert_is_the_only_grant(foreign, client_id, key)
    use(foreign, alice, key)
    report.step("refreshed; the refresh token was rotated")

    assert call(alice.backend, "DELETE", f"/connections/{key}").json()["status"] == "disconnected"
    assert revoke(row(key).id) is Revocation.CONFIRMED
    assert live_grants(foreign, client_id) == []
    report.step("disconnected: revoked at the server, and verified")


def test_who_declines_there_connects_nothing(
    foreign: ForeignServer, by_code: Added, alice: EndUser, report: Report
) -> None:
    invitation = alice.invite(provider=by_code.app.provider)
    page = show_code(alice, invitation)
    assert isinstance(alice.person, Visitor)
    alice.person.enter(link_with_code(page), code_on(page), allow=False)
    pass_interval(invitation)
    refused = alice.visit(f"/connect/{invitation.id}/device")
    assert failure_of(refused) == "access_denied"
    assert foreign.log("/token")[-1].error == "access_denied"
    assert live_grants(foreign, by_code.client_id) == []
    assert not Connection.objects.exists()
    report.step("declined at the server's page: access_denied, and nothing is connected")
