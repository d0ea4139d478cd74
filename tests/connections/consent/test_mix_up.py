"""Two authorization servers, one of them malicious: mix-up, COAT and CORF. Neither token endpoint ever hears of it."""

from urllib.parse import urlencode

import pytest

from connections.access.targets import redirect_uri
from connections.models import ProviderApp, Tenant
from providers.sandbox.client import SandboxProcess
from tests.connections.consent.observed import assert_nothing_left, session_of, token_requests
from tests.factories import make_sandbox_app
from tests.flows import EndUser, Invitation, failure_of
from tests.person import parameters_of


@pytest.fixture
def evil_app(acme: Tenant, evil: SandboxProcess) -> ProviderApp:
    """acme's app at the attacker's server: a provider of its own, found by discovery."""
    app = make_sandbox_app(evil, tenant=acme, provider="oidc", scopes=["profile"], client_scopes=["profile"])
    evil.control.clear_log()
    return app


def forward_to_honest(alice: EndUser, invitation: Invitation, honest_app: ProviderApp, honest: SandboxProcess) -> str:
    """Have the malicious server pass its visitor on to the honest one, with our client id and the state it was given.

    Returns where the honest server sends the person's browser.
    """
    at_evil = parameters_of(alice.leave(invitation))
    request = at_evil | {
        "client_id": honest_app.client_id,
        "redirect_uri": redirect_uri(honest_app.id),
        "scope": "profile.read",
    }
    return alice.person.authorize(f"{honest.url}/authorize?{urlencode(request)}")


@pytest.mark.attack("COAT, by a malicious provider", stopped_at="the callback: path")
def test_a_code_of_the_honest_server_never_reaches_the_malicious_one(
    alice: EndUser, app: ProviderApp, evil_app: ProviderApp, sandbox: SandboxProcess, evil: SandboxProcess
) -> None:
    """Mix-up and COAT: the person chose the malicious provider, and consents at the honest one."""
    invitation = alice.invite(provider="oidc")

    page = alice.visit(forward_to_honest(alice, invitation, app, sandbox))

    assert (page.status_code, failure_of(page)) == (400, "callback")
    assert_nothing_left(invitation, "callback")
    assert token_requests(sandbox, evil) == []


@pytest.mark.attack("COAT, with the path exchanged", stopped_at="the callback: issuer")
def test_a_code_of_the_honest_server_at_the_malicious_apps_path_names_the_wrong_issuer(
    alice: EndUser, app: ProviderApp, evil_app: ProviderApp, sandbox: SandboxProcess, evil: SandboxProcess
) -> None:
    """COAT where the honest server lets a client have more redirect URIs than one: RFC 9207 is what is left."""
    invitation = alice.invite(provider="oidc")
    back = forward_to_honest(alice, invitation, app, sandbox)

    page = alice.visit(back.replace(str(app.id), str(evil_app.id)))

    assert (page.status_code, failure_of(page)) == (400, "issuer")
    assert_nothing_left(invitation, "issuer")
    assert token_requests(sandbox, evil) == []


@pytest.mark.attack("CORF, in a session of the victim's", stopped_at="the callback: path, issuer")
def test_a_code_of_the_malicious_server_is_not_taken_for_the_honest_ones(
    alice: EndUser, app: ProviderApp, evil_app: ProviderApp, sandbox: SandboxProcess, evil: SandboxProcess
) -> None:
    """CORF: the attacker's code, in the middle of the victim's session with the honest provider."""
    invitation = alice.invite()
    honest = parameters_of(alice.leave(invitation))
    request = honest | {"client_id": evil_app.client_id, "redirect_uri": redirect_uri(evil_app.id), "scope": "profile"}
    planted = alice.person.authorize(f"{evil.url}/authorize?{urlencode(request)}")

    at_its_own_path = alice.visit(planted)

    assert failure_of(at_its_own_path) == "callback"
    assert_nothing_left(invitation, "callback")
    again = alice.invite()
    state = parameters_of(alice.leave(again))["state"]
    moved = planted.replace(str(evil_app.id), str(app.id)).replace(honest["state"], state)
    assert failure_of(alice.visit(moved)) == "issuer"
    assert token_requests(sandbox, evil) == []


@pytest.mark.attack("CORF, without a session of the victim's", stopped_at="the callback: cookie")
def test_an_attackers_own_answer_opened_by_a_victim_is_refused(
    alice: EndUser, mallory: EndUser, evil_app: ProviderApp, sandbox: SandboxProcess, evil: SandboxProcess
) -> None:
    """CORF without a session of the victim's: the answer to the attacker's own session, in the victim's browser."""
    invitation = mallory.invite(provider="oidc")
    back = mallory.person.authorize(mallory.leave(invitation))
    assert failure_of(alice.visit(back)) == "no_cookie"
    assert token_requests(sandbox, evil) == []


def test_discovery_makes_the_issuer_required_where_the_metadata_promises_it(
    alice: EndUser, evil_app: ProviderApp, evil: SandboxProcess
) -> None:
    evil.control.fault("wrong_iss", endpoint="authorize")
    invitation = alice.invite(provider="oidc")
    page = alice.visit(alice.person.authorize(alice.leave(invitation)))
    assert failure_of(page) == "issuer"
    assert session_of(invitation).failure == "issuer"
    assert token_requests(evil) == []
