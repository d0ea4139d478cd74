"""Several connections of one owner at one provider: told apart by labels, with one of them the default."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections as databases
from django.http import HttpResponse

from connections.models import AuditEvent, Connection, OwnerKind, Permission, Reason, Status, Tenant
from providers.sandbox.client import SandboxProcess
from tests.connections.api.stored import make_connection, overwrite
from tests.factories import Caller, make_caller, make_sandbox_app
from tests.flows import EndUser, call
from tests.person import Person


def vend(caller: Caller, **changes: Any) -> HttpResponse:
    """Vend to alice by her name and her provider's."""
    return call(caller, "POST", "/credentials", {"provider": "sandbox", "end_user": "alice", **changes})


def patch(caller: Caller, connection: Connection, **changes: Any) -> HttpResponse:
    return call(caller, "PATCH", f"/connections/{connection.id}", changes)


@pytest.fixture
def work(acme: Tenant) -> Connection:
    """alice's connection for her work."""
    return make_connection(acme, label="Work", provider_account_name="alice@acme.example")


@pytest.fixture
def home(acme: Tenant, work: Connection) -> Connection:
    """alice's other connection, without a label."""
    return make_connection(acme)


def vended(answer: HttpResponse) -> str:
    assert answer.status_code == 200, answer.content
    return str(answer.json()["connection"])


def test_a_vend_names_the_label_or_is_told_the_choices(work: Connection, home: Connection, backend: Caller) -> None:
    ambiguous = vend(backend)
    assert (ambiguous.status_code, ambiguous.json()["code"]) == (409, "ambiguous_connection")
    assert ambiguous.json()["connections"] == [
        {"id": str(work.id), "label": "Work", "account": "alice@acme.example"},
        {"id": str(home.id), "label": "", "account": home.provider_account_id},
    ]
    assert vended(vend(backend, label="Work")) == str(work.id)
    for unknown in ("work", "Home"):
        assert vend(backend, label=unknown).json()["code"] == "not_found"
    listed = call(backend, "GET", "/connections?label=Work").json()["items"]
    assert [(row["id"], row["label"], row["default"]) for row in listed] == [(str(work.id), "Work", False)]


def test_the_default_is_meant_where_no_label_is_named_even_if_it_is_broken(
    work: Connection, home: Connection, backend: Caller
) -> None:
    assert patch(backend, home, default=True).json()["default"] is True
    assert vended(vend(backend)) == str(home.id)
    assert vended(vend(backend, label="Work")) == str(work.id)
    # Another account would answer with another account's data.
    overwrite(home, status=Status.NEEDS_REAUTH, reason=Reason.GRANT_REJECTED)
    assert vend(backend).json()["code"] == "reauthorization_required"
    assert patch(backend, work, default=True).json()["default"] is True
    assert vended(vend(backend)) == str(work.id)
    home.refresh_from_db()
    assert not home.is_default
    assert patch(backend, work, default=False).json()["default"] is False
    overwrite(home, status=Status.ACTIVE, reason=Reason.CONNECTED)
    assert vend(backend).json()["code"] == "ambiguous_connection"


def test_a_label_is_changed_taken_away_and_unique(work: Connection, home: Connection, backend: Caller) -> None:
    taken = patch(backend, home, label="Work")
    assert (taken.status_code, taken.json()["code"], taken.json()["field"]) == (422, "invalid_request", "label")
    assert patch(backend, work, label=" Office ").json()["label"] == "Office"
    assert patch(backend, home, label="Work", metadata={"a": 1}).json()["label"] == "Work"
    assert patch(backend, home, label="").json()["label"] == ""
    assert call(backend, "GET", f"/connections/{home.id}").json()["metadata"] == {"a": 1}
    row = AuditEvent.objects.filter(action="connection.described").latest("at")
    assert row.detail == {"changed": ["label"]}


@pytest.mark.parametrize(
    "body",
    [{}, {"label": "a\nb"}, {"label": "\u202eon"}, {"label": " "}, {"label": "x" * 65}, {"default": "often"}],
    ids=["nothing", "two lines", "unseen mark", "blank", "too long", "no truth value"],
)
def test_what_cannot_be_told_apart_is_refused(work: Connection, backend: Caller, body: dict[str, Any]) -> None:
    answer = patch(backend, work, **body)
    assert answer.status_code == 422, answer.content
    work.refresh_from_db()
    assert (work.label, work.is_default) == ("Work", False)


def test_labels_and_defaults_are_an_owner_s_own(acme: Tenant, work: Connection, backend: Caller) -> None:
    others = [make_connection(acme, end_user="bob"), make_connection(acme, owner=OwnerKind.TENANT)]
    assert patch(backend, work, default=True).status_code == 200
    for other in others:
        assert patch(backend, other, label="Work", default=True).status_code == 200
    assert Connection.objects.filter(label="Work", is_default=True).count() == 3


def test_nobody_else_changes_or_finds_them(
    work: Connection, acme: Tenant, globex: Tenant, foreign_backend: Caller
) -> None:
    make_connection(globex)
    assert patch(foreign_backend, work, label="Mine", default=True).status_code == 404
    assert vend(foreign_backend, label="Work").json()["code"] == "not_found"
    reader = make_caller(acme, "reader", [Permission.READ, Permission.VEND])
    assert patch(reader, work, label="Mine").json()["code"] == "permission_denied"
    work.refresh_from_db()
    assert (work.label, work.is_default) == ("Work", False)


def test_what_is_not_connected_is_no_default_and_holds_no_label(
    work: Connection, home: Connection, backend: Caller
) -> None:
    overwrite(work, status=Status.DISCONNECTED, reason=Reason.DISCONNECTED_BY_REQUEST)
    refused = patch(backend, work, default=True)
    assert (refused.status_code, refused.json()["field"]) == (422, "default")
    assert patch(backend, home, label="Work").json()["label"] == "Work"
    assert vended(vend(backend, label="Work")) == str(home.id)


@pytest.mark.django_db(transaction=True)
def test_one_default_is_left_after_many_calls_at_once(acme: Tenant, backend: Caller) -> None:
    made = [make_connection(acme) for _ in range(4)]

    def prefer(connection: Connection) -> int:
        try:
            return patch(backend, connection, default=True).status_code
        finally:
            databases.close_all()

    with ThreadPoolExecutor(len(made)) as threads:
        codes = list(threads.map(prefer, made * 3))
    assert set(codes) <= {200, 422}, codes
    assert 200 in codes
    assert Connection.objects.filter(is_default=True).count() == 1


# --- At the connect ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_connecting_under_a_label_again_renews_that_connection(
    sandbox: SandboxProcess, acme: Tenant, backend: Caller
) -> None:
    make_sandbox_app(sandbox, tenant=acme)
    alice, other = EndUser("alice", backend), EndUser("alice", backend)
    other.person = Person("bob")
    first = alice.connect(label="Work")
    assert (first["label"], alice.connect(label="Work")["id"]) == ("Work", first["id"])
    second = other.connect(label="Other")
    assert second["id"] != first["id"]
    # The label stands for an account: another one under it needs an explicit word.
    invitation = other.invite(label="Work")
    refused = other.complete(invitation, other.finish(invitation))
    assert (refused.status_code, refused.json()["code"]) == (409, "account_mismatch")
    # The same account under another label is the same connection, which has the new label.
    renamed = alice.connect(label="Office")
    assert (renamed["id"], renamed["label"]) == (first["id"], "Office")
    assert vended(vend(backend, label="Other")) == second["id"]


@pytest.mark.django_db(transaction=True)
def test_a_label_that_was_taken_meanwhile_costs_no_grant(
    sandbox: SandboxProcess, acme: Tenant, backend: Caller
) -> None:
    app = make_sandbox_app(sandbox, tenant=acme)
    alice = EndUser("alice", backend)
    invitation = alice.invite(label="Work")
    code = alice.finish(invitation)
    taken = make_connection(acme, app=app, label="Work")
    answer = alice.complete(invitation, code)
    assert answer.status_code == 200, answer.content
    made = answer.json()["connection"]
    assert (made["id"] != str(taken.id), made["label"], made["status"]) == (True, "", "active")
    row = AuditEvent.objects.get(action="connection.connected", connection_id=made["id"])
    assert row.detail["label_taken"] == "Work"


@pytest.mark.django_db(transaction=True)
def test_a_session_s_label_fits_its_connection(sandbox: SandboxProcess, acme: Tenant, backend: Caller) -> None:
    app = make_sandbox_app(sandbox, tenant=acme)
    work, home = make_connection(acme, app=app, label="Work"), make_connection(acme, app=app)
    asked = {"end_user": "alice", "return_url": EndUser("alice", backend).invite().connect_url}
    asked["return_url"] = acme.return_urls[0]
    for body in (
        {"provider": ["sandbox", "oidc"], "label": "Home"},
        {"provider": "sandbox", "connection": str(home.id), "label": work.label},
    ):
        refused = call(backend, "POST", "/connect-sessions", asked | body)
        assert (refused.status_code, refused.json()["field"]) == (422, "label"), refused.content
    begun = call(backend, "POST", "/connect-sessions", asked | {"provider": "sandbox", "label": "Home"})
    assert begun.status_code == 201
