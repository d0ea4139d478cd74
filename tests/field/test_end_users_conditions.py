"""What only the end user can change at the provider is told to them, and blamed on nobody."""

from typing import Any

import pytest

from connections.models import Connection, ConnectSession, Incident
from tests.field.stage import Stage
from tests.flows import failure_of

GOOD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600}
SITES = """
[[params]]
name = "site"
label = "Site"
scope = "workspace"
pattern = '^[a-z]{1,20}$'

[workspaces]
label = "Site"
url = "<url>/sites"
items = "/sites"
id = "/id"
param = "site"
"""


@pytest.fixture
def sites(stage: Stage) -> Stage:
    """A provider whose grants open sites."""
    stage.describe(top='website = "https://field.example"', rest=SITES)
    stage.tokens(GOOD)
    return stage


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (200, {"sites": []}, "no_workspace", "has no site yet"),
        (404, {"message": "Not Found"}, "no_workspace", "has no site yet"),
        (403, {"error": "insufficient_permissions"}, "account_not_permitted", "may not do this"),
        (403, b"Forbidden", "account_not_permitted", "may not do this"),
        (402, {}, "account_not_permitted", "may not do this"),
    ],
    ids=["an empty list", "nothing there", "forbidden", "forbidden in plain text", "not in the plan"],
)
def test_an_account_that_has_nothing_to_connect_to_is_told_so(
    sites: Stage, status: int, body: Any, code: str, words: str
) -> None:
    sites.answers("/sites", body, status=status)
    answer = sites.confirm()
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert f"account at Field {words}" in answer.json()["detail"]
    assert answer.json()["website"] == "https://field.example"
    assert not Incident.objects.exists()
    assert (ConnectSession.objects.get().failure, Connection.objects.count()) == (code, 0)


@pytest.mark.parametrize(
    ("status", "code", "title"),
    [
        (200, "no_workspace", "Your account at Field has no site yet"),
        (403, "account_not_permitted", "Your account at Field may not do this"),
    ],
)
def test_the_page_tells_the_end_user_what_to_do(sites: Stage, status: int, code: str, title: str) -> None:
    sites.let_mail()
    sites.answers("/sites", {"sites": []}, status=status)
    page = sites.come_back(sites.invite(binding="none"))
    text = page.content.decode()
    assert failure_of(page) == code
    assert title in text
    assert "The people who run this service" not in text
    assert f"error={code}" in text, "the way back"


def test_sites_that_the_entry_cannot_name_are_not_blamed_on_the_account(sites: Stage) -> None:
    sites.answers("/sites", {"sites": [{"id": "NORTH-1"}]})
    answer = sites.confirm()
    assert (answer.status_code, answer.json()["code"]) == (502, "app_misconfigured")
    assert "pattern" in answer.json()["detail"]


def test_once_there_is_a_site_connecting_works(sites: Stage) -> None:
    sites.answers("/sites", {"sites": []})
    sites.answers("/sites", {"sites": [{"id": "north"}]})
    assert sites.confirm().status_code == 409
    assert sites.connect().params == {"site": "north"}


def test_a_call_that_the_account_may_not_make_is_no_refusal_of_the_credential(stage: Stage) -> None:
    stage.tokens(GOOD)
    stage.forget_answers("/me")
    stage.me({}, status=403)
    connection = stage.connect()
    assert (connection.status, connection.verified_at, connection.provider_account_id) == ("active", None, "")


def test_a_renewal_by_an_account_that_may_not_say_who_it_is_changes_nothing(stage: Stage) -> None:
    stage.tokens(GOOD)
    before = stage.connect()
    stage.forget_answers("/me")
    stage.me({}, status=403)
    answer = stage.confirm(connection=str(before.id))
    assert (answer.status_code, answer.json()["code"]) == (409, "account_not_permitted")
    assert Connection.objects.get().current_version_id == before.current_version_id
