"""Latchkey against authorization servers that nobody here wrote, each in a process of its own.

What is claimed is checked on both sides: in Latchkey's answers and database, and in the server's store and wire log.
"""

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from connections.access.targets import access_to
from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.refresh.refresh import refresh
from connections.models import CredentialVersion, OutboxEvent, ProviderApp, Revocation, Tenant
from providers.vocabulary import ProbeVerdict
from tests.connections.consent.steps import leave_again
from tests.connections.lifecycle.clockwork import age
from tests.connections.management.conftest import Run
from tests.flows import EndUser, call, completion_code, failure_of
from tests.interop.conftest import Added
from tests.interop.foreign import ForeignServer
from tests.interop.steps import assert_is_the_only_grant, held, live_grants, row, state, tokens_of, use
from tests.interop.summary import Report
from tests.interop.visitor import Visitor
from tests.person import parameters_of


def without(url: str, *names: str) -> str:
    """Return an address without some of its query parameters."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in names]
    return parts._replace(query=urlencode(kept)).geturl()


def replay(foreign: ForeignServer, added: Added, refresh_token: str) -> tuple[int, str]:
    """Use a refresh token as a thief who has the client's secret too would; return status and error."""
    client = {"client_id": added.client_id, "client_secret": added.client_secret}
    answer = foreign.post(
        added.app.discovered["token"], grant_type="refresh_token", refresh_token=refresh_token, **client
    )
    return answer.status_code, answer.json().get("error", "")


def test_a_connection_lives_its_whole_life(
    foreign: ForeignServer, added: Added, alice: EndUser, report: Report
) -> None:
    client_id, provider = added.client_id, added.app.provider
    for command in added.commands:
        report.step(command)

    # Connecting.
    before = foreign.mark()
    connection = alice.connect(provider=provider)
    key = connection["id"]
    assert (connection["status"], connection["reason"]) == ("active", "connected")
    assert connection["scopes"]["granted"] == sorted(foreign.scopes)
    (asked,) = [entry for entry in foreign.log("/authorize", after=before) if entry.method == "POST"]
    (exchanged,) = foreign.log("/token", after=before)
    assert {"code_challenge", "state"} <= {*asked.parameters}
    assert (exchanged.status, exchanged.grant_type) == (200, "authorization_code")
    assert {"code_verifier", "redirect_uri"} <= {*exchanged.parameters}
    assert_is_the_only_grant(foreign, client_id, key)
    report.step(f"connected with PKCE, iss and client_secret_{exchanged.authentication}")

    vend = use(foreign, alice, key)
    report.step("vended a token that opens the protected resource")

    # Proving.
    assert probe(row(key).id, trigger="sweep").verdict is ProbeVerdict.ALIVE
    assert row(key).verified_by == foreign.probed_by
    access = access_to(row(key).provider_app, {})
    introspected = access.strategy.introspect(access.target, held(key))
    assert (introspected.verdict, introspected.scopes) == (ProbeVerdict.ALIVE, foreign.scopes)
    assert foreign.log("/introspect")[-1].token == tokens_of(held(key))["access_token"]
    report.step(f"probed: alive, verified by {foreign.probed_by}; introspection (RFC 7662) says active")

    # Refreshing.
    old = held(key)
    age(key, seconds=3300)
    before = foreign.mark()
    assert refresh(row(key).id, trigger="sweep").outcome == "refreshed"
    (rotation,) = foreign.log("/token", after=before)
    assert (rotation.status, rotation.refresh_token) == (200, tokens_of(old)["refresh_token"])
    assert tokens_of(held(key)).items().isdisjoint(tokens_of(old).items())
    assert_is_the_only_grant(foreign, client_id, key)
    assert old.refresh_token is not None
    assert replay(foreign, added, old.refresh_token.get_secret_value()) == (400, "invalid_grant")
    assert use(foreign, alice, key)["version"] != vend["version"]
    report.step("refreshed; the refresh token was rotated, and the server refuses the old one")

    # The end user takes the consent back at the server's own page.
    assert isinstance(alice.person, Visitor)
    alice.person.withdraw(f"{foreign.issuer}/authorized_tokens/")
    assert live_grants(foreign, client_id) == []
    assert probe(row(key).id, trigger="sweep").verdict is ProbeVerdict.DEAD
    assert state(key) == ("suspect", "refresh_refused")
    report.step("consent withdrawn at the server: noticed by the next probe, suspect at the first refusal")
    age(key, seconds=31)
    probe(row(key).id, trigger="sweep")
    assert state(key) == ("needs_reauth", "grant_rejected")
    assert OutboxEvent.objects.filter(type="connection.needs_reauth", connection_id=key).count() == 1
    refused = alice.vend(key)
    assert (refused.status_code, refused.json()["code"]) == (409, "reauthorization_required")
    assert [entry.error for entry in foreign.log("/token")[-2:]] == ["invalid_grant", "invalid_grant"]
    report.step("needs_reauth at the second refusal, 30 s later; vends are refused")

    # Reconnecting.
    again = alice.connect(provider=provider, connection=key)
    assert (again["id"], again["status"], again["reason"]) == (key, "active", "reconnected")
    assert_is_the_only_grant(foreign, client_id, key)
    use(foreign, alice, key)
    report.step("reconnected: the same connection vends again")

    # Disconnecting.
    last = held(key)
    assert last.access_token is not None
    before = foreign.mark()
    assert call(alice.backend, "DELETE", f"/connections/{key}").json()["status"] == "disconnected"
    assert alice.vend(key).status_code == 404
    assert revoke(row(key).id) is Revocation.CONFIRMED
    revoked = [entry for name in ("/revoke", "/revoke_token") for entry in foreign.log(name, after=before)]
    assert [(entry.status, entry.token_type_hint) for entry in revoked] == [
        (200, "refresh_token"),
        (200, "access_token"),
    ]
    assert foreign.log("/introspect", after=before)[-1].status == 200
    assert live_grants(foreign, client_id) == []
    bearer = {"Authorization": f"Bearer {last.access_token.get_secret_value()}"}
    assert foreign.files(bearer).status_code == 401
    assert not CredentialVersion.objects.filter(connection_id=key).exists()
    report.step("disconnected: revoked at the server (RFC 7009), verified by introspection, secrets destroyed")


def test_the_server_itself_insists_on_pkce(foreign: ForeignServer, added: Added, alice: EndUser) -> None:
    asked = alice.leave(alice.invite(provider=added.app.provider))
    refused = parameters_of(alice.person.authorize(without(asked, "code_challenge", "code_challenge_method")))
    assert (refused["error"], "code" in refused) == ("invalid_request", False)


def test_an_answer_without_the_promised_issuer_is_refused(foreign: ForeignServer, added: Added, alice: EndUser) -> None:
    invitation = alice.invite(provider=added.app.provider)
    answer = alice.authorize(invitation)
    before = foreign.mark()
    page = alice.visit(without(answer, "iss"))
    assert (page.status_code, failure_of(page)) == (400, "issuer")
    assert foreign.log("/token", after=before) == []
    assert live_grants(foreign, added.client_id) == []


def test_who_declines_at_the_server_is_told_and_may_try_again(
    foreign: ForeignServer, added: Added, alice: EndUser
) -> None:
    invitation = alice.invite(provider=added.app.provider)
    page = alice.visit(alice.authorize(invitation, allow=False)).content.decode()
    assert "You did not allow access" in page
    again = re.search(r'class="primary" href="([^"]+)"', page)
    assert again is not None
    choice = f"/connect/{invitation.id}/method/{added.app.id}"
    assert choice in alice.visit(again[1]).content.decode()
    code = completion_code(alice.visit(alice.person.authorize(leave_again(alice, choice))))
    assert alice.complete(invitation, code).status_code == 200
    assert len(live_grants(foreign, added.client_id)) == 1


@pytest.mark.parametrize("foreign", ["toolkit", "openid_toolkit"], indirect=True)
def test_a_refusal_without_the_promised_issuer_connects_nothing(
    foreign: ForeignServer, added: Added, alice: EndUser
) -> None:
    """The toolkit promises ``iss`` and leaves it out of error responses, which RFC 9207 §2 does not allow:
    it counts as the refusal that it is, because nothing is taken from it."""
    invitation = alice.invite(provider=added.app.provider)
    answer = alice.authorize(invitation, allow=False)
    assert (parameters_of(answer)["error"], "iss" in parameters_of(answer)) == ("access_denied", False)
    alice.visit(answer)
    assert foreign.grants(added.client_id) == []
    assert alice.connect(provider=added.app.provider)["status"] == "active"


@pytest.mark.parametrize("foreign", ["toolkit"], indirect=True)
def test_a_stolen_refresh_token_ends_the_grant_and_that_is_noticed(
    foreign: ForeignServer, added: Added, alice: EndUser, report: Report
) -> None:
    key = alice.connect(provider=added.app.provider)["id"]
    stolen = held(key).refresh_token
    assert stolen is not None
    age(key, seconds=3300)
    refresh(row(key).id, trigger="sweep")
    foreign.oracle("protect_against_reuse", is_on=True)
    try:
        assert replay(foreign, added, stolen.get_secret_value()) == (400, "invalid_grant")
        assert live_grants(foreign, added.client_id) == []
        report.step("a stolen refresh token was used again: the server ended the whole grant (RFC 9700 §4.14.2)")
        probe(row(key).id, trigger="sweep")
        age(key, seconds=31)
        probe(row(key).id, trigger="sweep")
        assert state(key) == ("needs_reauth", "grant_rejected")
        report.step("noticed by the probes: needs_reauth")
    finally:
        foreign.oracle("protect_against_reuse", is_on=False)


@pytest.mark.parametrize("foreign", ["openid_toolkit"], indirect=True)
def test_another_account_at_the_server_is_no_reconnection(
    foreign: ForeignServer, added: Added, alice: EndUser, bob: EndUser
) -> None:
    key = alice.connect(provider=added.app.provider)["id"]
    invitation = alice.invite(provider=added.app.provider, connection=key)
    code = completion_code(alice.visit(bob.person.authorize(alice.leave(invitation))))
    answer = alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["code"]) == (409, "account_mismatch")
    assert use(foreign, alice, key)["connection"] == key


@pytest.mark.parametrize("foreign", ["openid_toolkit"], indirect=True)
def test_an_unknown_openid_server_takes_two_commands(
    foreign: ForeignServer, acme: Tenant, alice: EndUser, run: Run, catalogue: Path, report: Report
) -> None:
    slug = re.sub("[^a-z0-9]+", "-", foreign.issuer.removeprefix("http://"))
    assert run("providers", "show", slug).code == 1
    secret = "given-out-by-the-server"
    foreign.oracle("register", client_id="two-commands", client_secret=secret, redirect_uris=["https://x.example/"])

    first = run("providers", "add", "--issuer", foreign.issuer, "--scopes", *foreign.scopes)
    second = run("provider_apps", "add", slug, "--client-id", "two-commands", "--client-secret-file", "-", stdin=secret)

    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert [path.name for path in catalogue.glob("*.toml")] == [f"{slug}.toml"]
    app = ProviderApp.objects.get()
    assert secret not in first.out + second.out + (catalogue / f"{slug}.toml").read_text()
    (redirect_uri,) = re.findall(r"\S+/connect/callback/\S+", second.out)
    foreign.oracle("redirect_to", client_id="two-commands", redirect_uris=[redirect_uri])
    report.step(f"manage.py providers add --issuer {foreign.issuer} --scopes {' '.join(foreign.scopes)}")
    report.step(f"manage.py provider_apps add {slug} --client-id two-commands --client-secret-file -")
    connection = alice.connect(provider=slug)
    assert (connection["status"], connection["account"]["id"]) == ("active", "1")
    assert row(connection["id"]).provider_app_id == app.id
    use(foreign, alice, connection["id"])
    report.step("connected, vended and used")
