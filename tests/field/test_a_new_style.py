"""A style that nobody outside the strategies has heard of is connected, vended, probed, refreshed and shown.

It is registered in the map and described by an entry of its own, and that is all: what a new style costs.
"""

from collections.abc import Iterator
from types import MappingProxyType

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from connections.lifecycle.probe.probe import probe
from connections.lifecycle.refresh.claim import Outcome
from connections.models import Connection
from providers import strategies as styles
from providers.catalog import loader
from providers.vocabulary import ProbeVerdict
from tests.connections.admin.conftest import list_url, logged_in, page_url
from tests.field.stage import Stage
from tests.flows import SAME_ORIGIN, call, completion_code
from tests.providers.strategies.session_login import EntryWithLogin, SessionLogin

ENTRY = """
name = "Field"
base_url = "<url>/api"
[session_login]
login_url = "<url>/login"
[[session_login.fields]]
name = "user"
label = "User name"
secret = false
[[session_login.fields]]
name = "password"
label = "Password"
[probe]
url = "<url>/me"
account_id = "/id"
"""
TYPED = {"user": "ann", "password": "pass-12345678"}


@pytest.fixture
def login(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """acme's app at a provider where end users log in, and the style that does it in the map."""
    made = SessionLogin()
    monkeypatch.setattr(styles, "_STRATEGIES", MappingProxyType({**styles.strategies(), made.style: made}))
    monkeypatch.setattr(loader, "CatalogEntry", EntryWithLogin)
    stage.app.delete()
    stage.write(ENTRY)
    stage.register(auth_style=made.style, client_id="", client_secrets=[])
    stage.answers("/login", {"token": "session-1", "seconds": 900})
    yield stage
    loader.configure_catalog(None)


def connect(stage: Stage) -> Connection:
    invitation = stage.invite()
    form = stage.alice.visit(stage.alice.start(invitation)["Location"]).content.decode()
    assert 'name="user"' in form
    assert 'type="password"' in form
    path = f"/connect/{invitation.id}/method/{stage.app.id}"
    held = stage.alice.browser.post(path, TYPED, headers=SAME_ORIGIN)
    answer = stage.alice.complete(invitation, completion_code(held))
    assert answer.status_code == 200, answer.content
    return Connection.objects.get(id=answer.json()["connection"]["id"])


def test_it_is_connected_through_the_widget_and_vended(login: Stage) -> None:
    connection = connect(login)
    assert (connection.status, connection.provider_account_id) == ("active", "u-1")
    vended = login.vend(connection).json()["credential"]
    assert (vended["value"], vended["headers"]) == ("session-1", {"Authorization": "Bearer session-1"})
    assert vended["expires_at"] is not None
    assert {request.body for request in login.requests("/login")} == {b'{"user": "ann", "password": "pass-12345678"}'}


def test_a_wrong_password_is_told_and_nothing_is_held(login: Stage) -> None:
    login.forget_answers("/login")
    login.answers("/login", {}, status=401)
    invitation = login.invite()
    login.alice.start(invitation)
    page = login.alice.browser.post(f"/connect/{invitation.id}/method/{login.app.id}", TYPED, headers=SAME_ORIGIN)
    assert page.status_code == 422
    assert TYPED["password"] not in page.content.decode()
    assert not Connection.objects.exists()


def test_it_is_refreshed_by_the_same_call(login: Stage) -> None:
    connection = connect(login)
    assert connection.refresh_due_at is not None
    login.forget_answers("/login")
    login.answers("/login", {"token": "session-2", "seconds": 900})
    assert login.refresh(connection).outcome is Outcome.REFRESHED
    assert login.vend(connection).json()["credential"]["value"] == "session-2"


def test_a_password_that_is_refused_twice_ends_it(login: Stage) -> None:
    connection = connect(login)
    login.forget_answers("/login")
    login.answers("/login", {}, status=401)
    login.refresh(connection)
    assert connection.status == "suspect"
    login.refresh(connection)
    assert (connection.status, connection.reason) == ("needs_reauth", "grant_rejected")


def test_it_is_probed_with_what_it_has(login: Stage) -> None:
    connection = connect(login)
    before = len(login.requests("/me"))
    assert probe(connection.id, trigger="sweep").verdict is ProbeVerdict.ALIVE
    asked = login.requests("/me")
    assert len(asked) == before + 1
    assert asked[-1].headers["Authorization"] == "Bearer session-1"


def test_operators_see_it_and_what_comes_next(login: Stage) -> None:
    connection = connect(login)
    olga = logged_in(User.objects.create_superuser("olga"))
    page = olga.get(page_url(connection)).content.decode()
    assert "Session login" in page
    assert "Refresh" in page
    app = olga.get(page_url(login.app)).content.decode()
    assert "Session login" in app
    assert "not needed" in app, "no redirect URI"
    assert 'name="client_id"' not in app
    listed = olga.get(f"{list_url(type(login.app))}?kind=session_login").content.decode()
    assert login.app.name in listed
    choice = olga.get(f"{reverse('catalogue:list')}?q=field").content.decode()
    assert reverse("catalogue:entry", args=["field"]) in choice
    assert "Session login" in olga.get(reverse("catalogue:entry", args=["field"])).content.decode()


def test_callers_are_told_what_its_form_asks(login: Stage) -> None:
    found = call(login.alice.backend, "GET", "/providers/field").json()["methods"]
    assert [(method["auth_style"], method["configured"]) for method in found] == [("session_login", True)]
    assert list(found[0]["fields"]["properties"]) == ["user", "password"]


def test_it_is_disconnected_though_nothing_can_revoke_it(login: Stage) -> None:
    connection = connect(login)
    assert call(login.alice.backend, "DELETE", f"/connections/{connection.id}").json()["status"] == "disconnected"
    assert login.vend(connection).status_code == 404
