"""Several connections to one account: whoever leaves takes nothing from the others."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection as database

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.disconnect import disconnect, foresee
from connections.lifecycle.end.revoke import revoke
from connections.models import AuditEvent, Connection, CredentialVersion, OutboxEvent, ProviderApp, Tenant
from tests.factories import Caller, make_caller
from tests.field.stage import Answer, Stage
from tests.flows import EndUser, call
from tests.providers.conftest import Received

NAMELESS = """
name = "Field"
base_url = "<url>/api"
[authorization_code]
authorization_url = "<url>/authorize"
token_url = "<url>/token"
revocation_url = "<url>/revoke"
"""


class GrantingProvider:
    """Knows one grant of an account to us: a revocation ends all of its tokens, a narrowed one the token alone."""

    def __init__(self, stage: Stage) -> None:
        self.live: dict[str, str] = {}
        self._count = 0
        self.account = "u-1"
        stage.server.responder = self.respond

    def respond(self, request: Received) -> Answer:
        status, body = self._answer(request)
        return status, body.encode(), {"Content-Type": "application/json"}

    def _answer(self, request: Received) -> tuple[int, str]:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if request.path == "/token":
            self._count += 1
            self.live[f"at-{self._count}"] = self.account
            return 200, f'{{"access_token": "at-{self._count}", "expires_in": 3600}}'
        if request.path == "/me":
            known = self.live.get(bearer)
            return (200, f'{{"id": "{known}"}}') if known else (401, "{}")
        if request.path == "/revoke":
            account = self.live.get(request.form["token"])
            self.live = {token: owner for token, owner in self.live.items() if owner != account}
            return 200, "{}"
        if request.path == "/revoke-one":
            self.live.pop(request.form["token"], None)
            return 200, "{}"
        return 404, "{}"


@pytest.fixture
def grants(stage: Stage) -> GrantingProvider:
    """A provider whose revocation ends the account's whole grant, as most entries do."""
    stage.describe(method='revocation_url = "<url>/revoke"')
    ProviderApp.objects.all().delete()
    stage.register()
    return GrantingProvider(stage)


def connect(stage: Stage, name: str, *, tenant: str = "acme", backend: Caller | None = None) -> Connection:
    """Connect ``name`` to the account of the moment."""
    usual, stage.alice = stage.alice, EndUser(name, backend or stage.alice.backend, tenant=tenant)
    try:
        return stage.connect()
    finally:
        stage.alice = usual


def leave(connection: Connection, *, keep: bool = False) -> str:
    """Disconnect, have the job do its work, and return what became of the revocation."""
    disconnect(connection.id, now=database_now(), actor=SYSTEM, keep=keep)
    revoke(connection.id)
    return Connection.objects.get(id=connection.id).revocation


def works(stage: Stage, grants: GrantingProvider, connection: Connection, name: str) -> bool:
    answer = call(stage.alice.backend, "POST", f"/connections/{connection.id}/credential", {"end_user": name})
    return answer.status_code == 200 and answer.json()["credential"]["value"] in grants.live


@pytest.mark.parametrize("keep", [False, True], ids=["disconnected", "revoked"])
def test_the_other_connection_of_the_account_lives_on(stage: Stage, grants: GrantingProvider, keep: bool) -> None:
    ann, bob = connect(stage, "ann"), connect(stage, "bob")
    assert foresee(ann.id) == "withheld"
    assert leave(ann, keep=keep) == "withheld"
    assert works(stage, grants, bob, "bob")
    assert stage.requests("/revoke") == []
    assert not CredentialVersion.objects.filter(connection=ann).exists()
    assert AuditEvent.objects.filter(action="connection.revocation", decision="withheld").count() == 1
    assert OutboxEvent.objects.filter(type="connection.revocation_withheld", connection_id=ann.id).count() == 1


def test_the_api_says_at_once_that_nothing_is_revoked(stage: Stage, grants: GrantingProvider) -> None:
    ann, bob = connect(stage, "ann"), connect(stage, "bob")
    answer = call(stage.alice.backend, "DELETE", f"/connections/{ann.id}")
    assert (answer.status_code, answer.json()["revocation"]) == (200, "withheld")
    assert call(stage.alice.backend, "DELETE", f"/connections/{bob.id}").json()["revocation"] == "pending"


def test_the_last_one_to_leave_revokes_the_grant(stage: Stage, grants: GrantingProvider) -> None:
    ann, bob = connect(stage, "ann"), connect(stage, "bob")
    assert [foresee(ann.id), leave(ann)] == ["withheld", "withheld"]
    assert [foresee(bob.id), leave(bob), foresee(bob.id)] == ["pending", "confirmed", ""]
    assert grants.live == {}


def test_two_that_leave_at_once_do_not_rely_on_each_other(stage: Stage, grants: GrantingProvider) -> None:
    ann, bob = connect(stage, "ann"), connect(stage, "bob")

    def go(connection: Connection) -> str:
        try:
            return leave(connection)
        finally:
            database.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(go, [ann, bob]))
    assert "confirmed" in outcomes
    assert grants.live == {}


def test_another_account_is_revoked_as_ever(stage: Stage, grants: GrantingProvider) -> None:
    ann = connect(stage, "ann")
    grants.account = "u-2"
    bob = connect(stage, "bob")
    assert leave(ann) == "confirmed"
    assert works(stage, grants, bob, "bob")


def test_one_that_connects_between_the_ending_and_its_revocation_lives_on(
    stage: Stage, grants: GrantingProvider
) -> None:
    ann = connect(stage, "ann")
    disconnect(ann.id, now=database_now(), actor=SYSTEM)
    assert Connection.objects.get(id=ann.id).revocation == "pending"
    bob = connect(stage, "bob")
    assert revoke(ann.id) == "withheld"
    assert works(stage, grants, bob, "bob")


def test_the_tenant_next_door_keeps_its_connection(
    stage: Stage, grants: GrantingProvider, globex: Tenant, make_shared: Callable[[], ProviderApp]
) -> None:
    make_shared()
    ann = connect(stage, "ann")
    theirs = make_caller(globex)
    gus = connect(stage, "gus", tenant="globex", backend=theirs)
    assert leave(ann) == "withheld"
    answer = call(theirs, "POST", f"/connections/{gus.id}/credential", {"end_user": "gus"})
    assert answer.json()["credential"]["value"] in grants.live


@pytest.fixture
def make_shared(stage: Stage) -> Callable[[], ProviderApp]:
    """Return a function that makes acme's app everybody's."""

    def make() -> ProviderApp:
        tenant, stage.tenant = stage.tenant, None  # type: ignore[assignment]  # shared by all
        ProviderApp.objects.all().delete()
        app = stage.register()
        stage.tenant = tenant
        return app

    return make


def test_where_nobody_knows_the_account_the_tenants_others_are_spared(stage: Stage) -> None:
    stage.write(NAMELESS)
    ProviderApp.objects.all().delete()
    stage.register()
    grants = GrantingProvider(stage)
    ann, bob = connect(stage, "ann"), connect(stage, "bob")
    assert leave(ann) == "withheld"
    assert works(stage, grants, bob, "bob")


def test_one_whose_account_nobody_knows_is_spared_in_the_tenant(stage: Stage, grants: GrantingProvider) -> None:
    ann, bob = connect(stage, "ann"), connect(stage, "bob")
    Connection.objects.filter(id=bob.id).update(provider_account_id="")
    assert leave(ann) == "withheld"
    assert works(stage, grants, bob, "bob")


WORKSPACES = """
[[params]]
name = "site"
label = "Site"
scope = "workspace"
[workspaces]
url = "<url>/sites"
id = "/id"
param = "site"
"""


@pytest.mark.parametrize(("theirs", "outcome"), [("south:p-1", "withheld"), ("south:p-2", "confirmed")])
def test_one_persons_grant_may_open_several_workspaces(
    stage: Stage, grants: GrantingProvider, theirs: str, outcome: str
) -> None:
    ann, bob = connect(stage, "ann"), connect(stage, "bob")
    stage.describe(method='revocation_url = "<url>/revoke"', rest=WORKSPACES)
    Connection.objects.filter(id=ann.id).update(provider_account_id="north:p-1", params={"site": "north"})
    Connection.objects.filter(id=bob.id).update(provider_account_id=theirs, params={"site": "south"})
    grants.live["at-1"], grants.live["at-2"] = "ann's", "bob's"
    assert leave(ann) == outcome


def test_where_an_account_is_a_workspace_its_people_are_taken_for_one(stage: Stage, grants: GrantingProvider) -> None:
    ann, bob = connect(stage, "ann"), connect(stage, "bob")
    method = 'revocation_url = "<url>/revoke"'
    stage.describe(method=method, probe="lists_workspaces = true", rest=WORKSPACES)
    Connection.objects.filter(id=ann.id).update(provider_account_id="north", params={"site": "north"})
    Connection.objects.filter(id=bob.id).update(provider_account_id="south", params={"site": "south"})
    assert leave(ann) == "withheld"
    assert works(stage, grants, bob, "bob")


def test_a_connection_that_is_over_keeps_nobody_from_revoking(stage: Stage, grants: GrantingProvider) -> None:
    ann, bob = connect(stage, "ann"), connect(stage, "bob")
    Connection.objects.filter(id=bob.id).update(status="needs_reauth", reason="grant_rejected")
    assert leave(ann) == "confirmed"


def test_one_token_alone_is_revoked_where_the_provider_can(stage: Stage, grants: GrantingProvider) -> None:
    method = 'revocation_url = "<url>/revoke"\n[authorization_code.revocation]\nnarrowed_url = "<url>/revoke-one"'
    stage.describe(method=method)
    ann, bob = connect(stage, "ann"), connect(stage, "bob")
    assert leave(ann) == "confirmed"
    assert works(stage, grants, bob, "bob")
    assert (len(stage.requests("/revoke-one")), len(stage.requests("/revoke"))) == (1, 0)
    assert leave(bob) == "confirmed"
    assert len(stage.requests("/revoke")) == 1


def test_an_entry_may_say_that_each_consent_stands_alone(stage: Stage, grants: GrantingProvider) -> None:
    stage.describe(method='revocation_url = "<url>/revoke"\n[authorization_code.revocation]\nends = "token"')
    ann = connect(stage, "ann")
    connect(stage, "bob")
    assert leave(ann) == "confirmed"
    assert len(stage.requests("/revoke")) == 1


def test_what_was_withheld_stays_told_when_the_connection_goes_for_good(stage: Stage, grants: GrantingProvider) -> None:
    ann = connect(stage, "ann")
    connect(stage, "bob")
    assert leave(ann, keep=True) == "withheld"
    assert leave(ann) == "withheld"
