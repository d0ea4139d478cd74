"""What has become of a connection, and what is next: the same as its page in the admin shows, without a secret."""

from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from connections.database.clock import database_now
from connections.models import Connection, CredentialVersion, Permission, RefreshAttempt, Tenant
from tests.connections.api.own_entries import ENTRY
from tests.connections.api.stored import overwrite
from tests.connections.api.test_problems import assert_problem
from tests.factories import Caller, make_caller
from tests.flows import call


def test_it_is_said_what_happens_next_and_what_holds_it_back(connection: Connection, backend: Caller) -> None:
    due = database_now() + timedelta(hours=1)
    overwrite(connection, refresh_due_at=due, paused_at=database_now())
    steps = call(backend, "GET", f"/connections/{connection.id}/outlook").json()["steps"]
    assert [step["held"] for step in steps if "paused" in step["text"]] == [True]
    (refresh,) = [step for step in steps if step["text"] == "Refresh"]
    assert datetime.fromisoformat(refresh["at"]) == due.replace(microsecond=due.microsecond // 1000 * 1000)


def test_attempts_are_listed_page_by_page_the_newest_first(connection: Connection, backend: Caller) -> None:
    version, now = connection.versions.get(), database_now()
    made = [
        RefreshAttempt.objects.create(
            connection=connection,
            parent_version=version,
            state="rejected",
            error="invalid_grant",
            claimed_at=now - timedelta(minutes=ago),
            deadline_at=now,
        )
        for ago in (3, 1, 2)
    ]
    path = f"/connections/{connection.id}/refresh-attempts?limit=2"
    first = call(backend, "GET", path).json()
    rest = call(backend, "GET", f"{path}&cursor={first['next']}").json()
    assert [one["id"] for one in first["items"] + rest["items"]] == [str(made[place].id) for place in (1, 2, 0)]
    assert rest["next"] is None
    assert {one["error"] for one in first["items"]} == {"invalid_grant"}
    assert {one["version"] for one in first["items"]} == {str(version.id)}


def test_versions_are_listed_without_their_secrets(connection: Connection, backend: Caller) -> None:
    answer = call(backend, "GET", f"/connections/{connection.id}/versions")
    (shown,) = answer.json()["items"]
    version = CredentialVersion.objects.get()
    assert (shown["id"], shown["stage"], shown["grant"]) == (str(version.id), "current", str(version.grant_id))
    vended = call(backend, "POST", f"/connections/{connection.id}/credential", {"end_user": "alice"}).json()
    assert vended["credential"]["value"] not in answer.content.decode()
    assert "secrets" not in shown


def test_the_addresses_to_list_at_providers_are_told(acme: Tenant, backend: Caller, settings: Any) -> None:
    settings.EGRESS_ADDRESSES = (ip_network("192.0.2.0/28").with_prefixlen,)
    chief = make_caller(None, "chief", [Permission.READ])
    told = call(chief, "GET", "/outbound-addresses").json()
    assert (told["to_list"], told["seen"], told["asked"]) == (["192.0.2.0/28"], "", "")
    assert_problem(call(backend, "GET", "/outbound-addresses"), 403, "permission_denied")


def test_an_entry_is_tried_without_being_stored(editor: Caller) -> None:
    path = "/own-providers/acme-erp"
    wrong = call(editor, "POST", f"{path}/check", {"toml": ENTRY.replace("website", "web")}).json()
    assert any("web" in problem for problem in wrong["problems"])
    assert wrong["provider"] is None
    good = call(editor, "POST", f"{path}/check", {"toml": ENTRY}).json()
    assert (good["problems"], good["moves"], good["forgets"], good["hides_built_in"]) == ([], [], 0, False)
    assert good["provider"]["methods"][0]["auth_style"] == "oauth2_authorization_code"
    hides = call(editor, "POST", "/own-providers/hubspot/check", {"toml": ENTRY}).json()
    assert hides["hides_built_in"]
    assert_problem(call(editor, "GET", path), 404, "not_found")
