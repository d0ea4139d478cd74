"""Parties: what one server answers holds back, and is held against, only the connections that lead there."""

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import pytest

from connections.access.parties import places
from connections.access.targets import access_of
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.health.incidents import freeze_for
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.refresh.claim import Need, Outcome
from connections.lifecycle.refresh.claim_query import find_apps
from connections.lifecycle.refresh.refresh import refresh
from connections.lifecycle.refresh.together import refresh_together
from connections.lifecycle.sweep import sweep_refreshes
from connections.lifecycle.throttle.admission import DISTINCT_FAILURES
from connections.lifecycle.throttle.bulkhead import bulkhead
from connections.models import Connection, Incident, ProviderApp, Status, Tenant
from providers.catalog.loader import entry
from providers.catalog.methods import AuthorizationCodeMethod
from providers.catalog.own_hosts import names_account_host, own_addresses
from providers.catalog.resolve import resolve
from providers.sandbox.client import SandboxProcess
from providers.values import ClientRegistration
from tests.connections.api.stored import make_app, make_connection, overwrite
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import reload
from tests.factories import Caller
from tests.flows import SAME_ORIGIN, EndUser, provider_link
from tests.person import parameters_of

STYLE = AuthorizationCodeMethod.style
Connect = Callable[..., Connection]


@pytest.fixture
def app(sandbox: SandboxProcess, acme: Tenant) -> ProviderApp:
    """acme's app for any MCP server."""
    sandbox.control.settings(registration=["dynamic"], mcp_server="one", mcp_stream=False, registration_lifetime=0)
    return save_provider_app(Registration(provider="mcp", auth_style=STYLE), tenant=acme, actor=SYSTEM)


@pytest.fixture
def connect(app: ProviderApp, sandbox: SandboxProcess, backend: Caller) -> Connect:
    """Return what connects an end user to one of two servers, both of which the sandbox plays, and makes that due."""

    def connect(end_user: str, *, at: str) -> Connection:
        person = EndUser("alice", backend)  # at the provider all are alice
        person.name = end_user
        invitation = person.invite(provider="mcp")
        person.start(invitation)
        typed = {"server": f"{sandbox.url}/mcp?of={at}"}
        page = person.browser.post(f"/connect/{invitation.id}/method/{app.id}", typed, headers=SAME_ORIGIN)
        returned = person.person.authorize(provider_link(page))
        code = str(parameters_of(person.visit(returned)["Location"])["completion_code"])
        answer = person.complete(invitation, code)
        assert answer.status_code == 200, answer.content
        made = Connection.objects.get(id=answer.json()["connection"]["id"])
        age(made.id, hours=1)
        return made

    return connect


def several(connect: Connect, count: int, *, at: str) -> list[Connection]:
    return [connect(f"user-{number}", at=at) for number in range(count)]


def test_each_server_that_an_end_user_names_is_a_party(connect: Connect) -> None:
    one, two, again = connect("alice", at="one"), connect("bob", at="two"), connect("user-8", at="one")
    assert one.party is not None and two.party is not None
    assert (one.party == again.party, one.party == two.party) == (True, False)
    assert one.registered_client_id == two.registered_client_id, "though both have the same authorization server"
    party = access_of(one).party
    assert party is not None and party.at.startswith("127.0.0.1:")
    assert "of=" not in party.at, "an address may hold a secret"


def test_the_wait_that_one_server_asks_for_holds_no_other_back(connect: Connect, sandbox: SandboxProcess) -> None:
    hostile, beside, other = connect("alice", at="hostile"), connect("bob", at="hostile"), connect("user-8", at="other")
    sandbox.control.fault("rate_limited", grant_type="refresh_token", retry_after=600)
    assert refresh(hostile.id, trigger="sweep").outcome is Outcome.UNAVAILABLE
    assert refresh(beside.id, trigger="sweep").outcome is Outcome.HELD_BACK
    assert sweep_refreshes(now=database_now()) == 1, "the sweep leaves out the party, and not the app"
    assert refresh(other.id, trigger="sweep").outcome is Outcome.REFRESHED


def test_the_wait_that_one_server_s_api_asks_for_holds_no_other_back(connect: Connect, sandbox: SandboxProcess) -> None:
    hostile, other = connect("alice", at="hostile"), connect("bob", at="other")
    sandbox.control.fault("rate_limited", endpoint="mcp", retry_after=600)
    assert probe(hostile.id, trigger="sweep").verdict is not None
    assert probe(hostile.id, trigger="sweep").verdict is None
    assert refresh(hostile.id, trigger="sweep").outcome is Outcome.HELD_BACK
    found = probe(other.id, trigger="sweep")
    assert found.verdict is not None and found.verdict == "alive"
    assert refresh(other.id, trigger="sweep").outcome is Outcome.REFRESHED


def test_one_server_that_answers_nobody_opens_no_breaker_for_the_others(
    connect: Connect, sandbox: SandboxProcess
) -> None:
    hostile, other = several(connect, DISTINCT_FAILURES + 1, at="hostile"), connect("user-9", at="other")
    sandbox.control.fault("status", grant_type="refresh_token", times=DISTINCT_FAILURES, status=503)
    outcomes = [refresh(connection.id, trigger="sweep").outcome for connection in hostile]
    assert outcomes == [Outcome.UNAVAILABLE] * DISTINCT_FAILURES + [Outcome.HELD_BACK]
    assert refresh(other.id, trigger="sweep").outcome is Outcome.REFRESHED


def test_one_message_for_several_servers_asks_the_throttle_for_each(connect: Connect, sandbox: SandboxProcess) -> None:
    hostile, beside, other = connect("alice", at="hostile"), connect("bob", at="hostile"), connect("user-8", at="other")
    sandbox.control.fault("rate_limited", grant_type="refresh_token", retry_after=600)
    refresh(hostile.id, trigger="sweep")
    rows = [*find_apps(beside.id, other.id).values()]
    assert refresh_together(rows, begin_by=time.monotonic() + 30) == []
    assert reload(beside).current_version_id == beside.current_version_id
    assert reload(other).current_version_id != other.current_version_id


def test_a_server_that_refuses_our_client_is_no_incident_of_the_app(
    connect: Connect, sandbox: SandboxProcess, backend: Caller
) -> None:
    hostile, other = connect("alice", at="hostile"), connect("bob", at="other")
    sandbox.control.fault("error", grant_type="refresh_token", error="invalid_client", status=401)
    assert refresh(hostile.id, trigger="sweep").outcome is Outcome.UNAVAILABLE
    assert not Incident.objects.exists()
    assert EndUser("bob", backend).vend(str(other.id)).status_code == 200
    assert reload(hostile).status == Status.ACTIVE


def test_many_failures_at_one_server_freeze_no_downgrade_elsewhere(connect: Connect, app: ProviderApp) -> None:
    hostile, other = several(connect, 5, at="hostile"), connect("user-9", at="other")
    now = database_now()
    Connection.objects.filter(id__in=[connection.id for connection in hostile]).update(refused_at=now)
    assert freeze_for(other, now=now) is None
    assert freeze_for(hostile[0], now=now) is not None
    [opened] = Incident.objects.all()
    assert (opened.party, opened.at) == (hostile[0].party, access_of(hostile[0]).party.at)  # type: ignore[union-attr]
    assert freeze_for(other, now=now) is None
    assert [*Incident.objects.concerning(other)] == []
    assert [*Incident.objects.concerning(hostile[1])] == [opened]


def test_a_slow_server_takes_the_places_of_its_tenant_and_leaves_some_to_the_others(
    connect: Connect, app: ProviderApp, acme: Tenant, globex: Tenant
) -> None:
    hostile, other = connect("alice", at="hostile"), connect("bob", at="other")
    of = {row.connection_id: row for row in find_apps(hostile.id, other.id).values()}
    assert of[hostile.id].places == (app.id, acme.id, hostile.party)
    elsewhere = places(app.id, tenant_id=globex.id, party=other.party)
    with ExitStack() as stack:
        while bulkhead.has_room(*of[hostile.id].places):
            stack.enter_context(bulkhead.place(*of[hostile.id].places))
        assert bulkhead.has_room(*of[other.id].places)
        assert bulkhead.has_room(*elsewhere)
        assert bulkhead.has_room("another app")


def test_the_next_who_connects_is_registered_anew_where_the_server_has_forgotten_us(
    connect: Connect, sandbox: SandboxProcess
) -> None:
    before = connect("alice", at="one")
    sandbox.control.fault("error", grant_type="refresh_token", error="invalid_client", status=401)
    refresh(before.id, trigger="sweep")
    after = connect("bob", at="one")
    assert after.registered_client_id != before.registered_client_id
    assert refresh(before.id, trigger="api", need=Need(at_once=True)).outcome is Outcome.REFRESHED, "it keeps its own"


def test_a_connection_of_before_learns_its_party_with_its_next_refresh(connect: Connect) -> None:
    made = connect("alice", at="one")
    overwrite(made, party=None)
    assert refresh(made.id, trigger="sweep").outcome is Outcome.REFRESHED
    assert reload(made).party == access_of(reload(made)).party_id
    overwrite(made, party=None)
    probe(made.id, trigger="sweep")
    assert reload(made).party is not None


def test_a_tenant_that_names_many_servers_has_a_sweep_ask_some_of_them_at_a_time(
    acme: Tenant, globex: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connections.lifecycle.sweep.MOST_PARTIES", 2)
    app = make_app(None)
    for number in range(4):
        made = make_connection(acme, app=app, end_user=f"user-{number}", party=uuid.uuid4())
        age(made.id, hours=number + 2)
    for tenant, party in ((acme, made.party), (globex, uuid.uuid4()), (globex, None)):
        age(make_connection(tenant, app=app, end_user="other", party=party).id, hours=1)
    assert sweep_refreshes(now=database_now()) == 5, "two of acme's servers, one of them twice, and all of globex's"
    assert sweep_refreshes(now=database_now()) == 2, "the others follow at the next beat"


def test_a_connection_to_the_provider_itself_has_no_party(acme: Tenant) -> None:
    stored = make_connection(acme, app=make_app(acme))
    assert (stored.party, stored.party_or_app) == (None, stored.provider_app_id)
    row = find_apps(stored.id)[stored.id]
    assert (row.party_or_app, row.places) == (stored.provider_app_id, (stored.provider_app_id,))


# What the connection names, and whether that is a party of its own, or at least a host of the account's own.
KINDS: Mapping[str, tuple[str, str, Mapping[str, str], bool, bool]] = {
    "a fixed host": ("hubspot", STYLE, {}, False, False),
    "a shop at the provider's": ("shopify", STYLE, {"shop": "acme"}, False, True),
    "a subdomain of the provider's": ("zendesk", STYLE, {"subdomain": "acme"}, False, True),
    "a pattern of the provider's domains": ("okta", "", {"domain": "acme.okta.com"}, False, True),
    "a region out of a list": ("datadog", "", {"site": "us3.datadoghq.com"}, False, False),
    "the usual host": ("sentry", "", {"hostname": "sentry.io"}, False, False),
    "a server of the company's own": ("sentry", "", {"hostname": "sentry.acme.example"}, True, True),
    "any address": ("mcp", STYLE, {"server": "https://mcp.acme.example/mcp"}, True, True),
    "a host of one's own": ("grafana", "", {"host": "grafana.acme.example"}, True, True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_party_is_who_can_be_anybody(kind: str) -> None:
    slug, style, params, is_party, is_accounts_own = KINDS[kind]
    described = entry(slug)
    method = described.methods[style or next(iter(described.methods))]
    assert own_addresses(described, method, params) == (tuple(params.values()) if is_party else ())
    assert names_account_host(described, method, params) is is_accounts_own


def test_no_server_can_name_an_account_of_another() -> None:
    def within(server: str) -> tuple[str, ...]:
        described = entry("mcp")
        params = {"server": server, "resource": server}
        discovered = {"issuer": server, "authorization": f"{server}/a", "token": f"{server}/t"}
        client = ClientRegistration("c", (), "https://latchkey.example/c", {})
        return resolve(
            entry=described, style=STYLE, registration=client, discovered=discovered, params=params
        ).account_within

    good, evil = within("https://good.example/mcp"), within("https://evil.example/mcp")
    assert good != evil
    assert all(len(part) < 100 for part in good)
    assert within(f"https://{'x.' * 100}example/mcp")[0] != ""
