"""The page of one's own connections: what it shows, and what can be done there."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.consent.manage_words import TOLD, foreseen, standing
from connections.database.clock import database_now
from connections.models import (
    REASONS_OF,
    AccessGrant,
    AuditEvent,
    Connection,
    CredentialVersion,
    ProviderApp,
    Reason,
    Revocation,
    Status,
    Tenant,
)
from providers.catalog.methods import ApiKeyMethod
from providers.sandbox.client import SandboxProcess
from tests.connections.api.stored import make_connection, overwrite
from tests.connections.consent.test_pages import policy
from tests.connections.consent.visits import Visit, pages_of_a_visit, visiting
from tests.factories import ORIGIN, Caller, make_sandbox_app
from tests.flows import EndUser, call, failure_of

STANDINGS = [(status, reason) for status, reasons in REASONS_OF.items() for reason in reasons if status != "pending"]


def status_now(connection: Connection) -> str:
    return Connection.objects.values_list("status", flat=True).get(id=connection.id)


# --- What is shown ----------------------------------------------------------------------------------------------------


def test_the_list_has_each_connection_with_its_account_label_and_standing(acme: Tenant, visit: Visit) -> None:
    make_connection(acme, account="a-1", label="Work", provider_account_name="alice@work.example")
    make_connection(acme, account="a-2", status=Status.NEEDS_REAUTH, reason=Reason.GRANT_REJECTED)
    text = visit.text()
    assert "alice@work.example" in text and ">Work<" in text and ">a-2<" in text
    assert "Partly connected" in text and "Not working" in text
    assert "Sandbox no longer accepts the permission that you gave." in text


def test_a_long_list_asks_the_database_no_more_than_a_short_one(acme: Tenant, visit: Visit) -> None:
    asked = []
    for _ in range(2):
        make_connection(acme)
        visit.get()  # the brand is known now
        with CaptureQueriesContext(database) as queries:
            visit.get()
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 12


def test_nothing_connected_is_said(visit: Visit) -> None:
    assert "No account of yours is connected." in visit.text()


def test_what_ended_lately_is_listed_apart_and_for_a_month(acme: Tenant, visit: Visit) -> None:
    ended = {"status": Status.DISCONNECTED, "reason": Reason.DISCONNECTED_BY_REQUEST}
    make_connection(acme, provider_account_name="lately", **ended)
    month_ago = database_now() - timedelta(days=31)
    make_connection(acme, provider_account_name="long ago", status_changed_at=month_ago, **ended)
    text = visit.text()
    assert "Disconnected lately" in text and "lately" in text and "long ago" not in text


@pytest.mark.parametrize(("status", "reason"), STANDINGS)
def test_every_standing_has_words_and_a_way_on(status: Status, reason: Reason, acme: Tenant, visit: Visit) -> None:
    connection = make_connection(acme, status=status, reason=reason, requested=["files.read", "profile.read"])
    how, text = standing(connection), visit.text(f"/{connection.id}")
    assert str(how.label) in text
    assert str(how.sentence).format(provider="Sandbox", tenant="Acme") in text
    assert reason not in re.sub(r"data-\w+=\"[^\"]*\"", "", text)
    assert ("/reconnect" in text) == (status != Status.DISCONNECTED)
    assert how.is_broken == (status in (Status.NEEDS_REAUTH, Status.REVOKED) or reason == Reason.REFRESH_FAILING)


@pytest.mark.parametrize("revocation", Revocation)
def test_an_ended_one_says_what_became_of_the_permission(revocation: Revocation, acme: Tenant, visit: Visit) -> None:
    ended = {"status": Status.DISCONNECTED, "reason": Reason.DISCONNECTED_BY_REQUEST, "revocation": revocation}
    connection = make_connection(acme, **ended)
    text = visit.text(f"/{connection.id}")
    assert ('id="why"' in text) == (revocation != Revocation.NOT_ASKED)
    assert "<form" not in text


def test_scopes_are_told_in_words_and_what_is_missing_apart(acme: Tenant, visit: Visit) -> None:
    connection = make_connection(acme, scopes=["profile.read", "odd.scope"], requested=["profile.read", "files.write"])
    text = visit.text(f"/{connection.id}")
    granted, _, missing = text.partition("Asked for, and not allowed")
    assert "See your name and account number" in granted
    assert "<code>odd.scope</code>" in granted
    assert "Asked for, and not allowed" in text and "Acme asked for more than you allowed." in text
    assert "files" in missing


def test_who_used_it_is_told_by_service_purpose_and_agent(acme: Tenant, backend: Caller, visit: Visit) -> None:
    connection = make_connection(acme)
    for _ in range(3):
        visit.user.vend(str(connection.id), purpose="nightly <sync>", agent="planner")
    text = visit.get(f"/{connection.id}").content.decode()
    assert backend.client.name in text and "nightly &lt;sync&gt;" in text and "planner" in text
    assert ">3 \u00d7<" in text
    assert "nightly &lt;sync&gt;" in visit.get(f"/{connection.id}/receipts").content.decode()


def test_a_use_for_somebody_else_is_told_as_that(acme: Tenant, visit: Visit) -> None:
    connection = make_connection(acme)
    for subject in ("bob", ""):
        AuditEvent.objects.create(
            action="credential.vend", decision="allowed", connection_id=connection.id, subject=subject
        )
    text = visit.text(f"/{connection.id}")
    assert "For somebody else:" in text and "bob" in text and "Without naming a person" in text


def test_older_uses_are_on_further_pages(acme: Tenant, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections.consent.manage_views.USES_A_PAGE", 2)
    connection = make_connection(acme)
    for number in range(3):
        visit.user.vend(str(connection.id), purpose=f"purpose {number}")
    first = visit.text(f"/{connection.id}/receipts")
    assert "purpose 2" in first and "purpose 0" not in first
    older = re.search(r'id="older" rel="next" href="([^"]+)"', first)
    assert older
    second = visit.text(f"/{connection.id}/receipts{older[1]}")
    assert "purpose 0" in second and "purpose 2" not in second and 'id="latest"' in second
    for odd in ("x", "-1", "9" * 30, "%00"):
        assert "purpose 2" in visit.text(f"/{connection.id}/receipts?before={odd}")


def test_no_page_has_a_secret_or_lets_anybody_keep_it(acme: Tenant, visit: Visit) -> None:
    connection = make_connection(acme, access_token="canary-of-the-token")
    for page in ("/connections", f"/{connection.id}", f"/{connection.id}/receipts", f"/{connection.id}/disconnect"):
        answer = visit.get(page)
        assert answer.status_code == 200
        assert "canary" not in answer.content.decode()
        assert answer["Cache-Control"] == "no-store" and answer["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


def test_every_page_keeps_to_itself_and_runs_only_our_own_code(alice: EndUser, acme: Tenant) -> None:
    for name, page in pages_of_a_visit(alice, acme).items():
        assert page["Referrer-Policy"] == "no-referrer" and page["Cache-Control"] == "no-store", name
        sources = policy(page)
        assert sources["default-src"] == ["'none'"] and sources["script-src"] == ["'self'"], name
        assert sources["frame-ancestors"] == (["https://app.acme.example"] if name == "start" else ["'none'"]), name
        text = page.content.decode()
        assert not re.search(r"<[^>]+\son\w+=", text), f"{name} has an inline handler"
        assert not re.search(r"<script(?![^>]*(src=|application/json))", text), f"{name} has an inline script"
        assert page["Cross-Origin-Opener-Policy"] == "same-origin", name


def test_a_visit_over_a_page_of_the_product_keeps_the_window_that_opened_it(user: EndUser) -> None:
    visit = visiting(user, origin=ORIGIN.format(slug="acme"))
    answers = [visit.get(), visit.get(""), visit.start(), visit.post("/done")]
    assert {answer["Cross-Origin-Opener-Policy"] for answer in answers} == {"unsafe-none"}


def test_an_entry_that_is_gone_does_not_hide_the_connection(acme: Tenant, visit: Visit) -> None:
    connection = make_connection(acme, provider="gone")
    ProviderApp.objects.filter(id=connection.provider_app_id).update(provider="gone")
    assert "gone" in visit.text() and "gone" in visit.text(f"/{connection.id}")
    assert visit.get(f"/{connection.id}/disconnect").status_code == 200


# --- What can be done -------------------------------------------------------------------------------------------------


def test_it_is_renamed(acme: Tenant, visit: Visit) -> None:
    connection = make_connection(acme)
    answer = visit.post(f"/{connection.id}/name", label="  Work ")
    assert answer["Location"] == f"{visit.path}/{connection.id}?told=renamed"
    assert str(TOLD["renamed"]) in visit.text(f"/{connection.id}?told=renamed")
    connection.refresh_from_db()
    assert connection.label == "Work"
    (row,) = AuditEvent.objects.filter(action="connection.described")
    assert (row.subject, row.api_client_id, row.address) == ("alice", None, "127.0.0.1")
    visit.post(f"/{connection.id}/name", label="")
    connection.refresh_from_db()
    assert connection.label == ""


@pytest.mark.parametrize("label", ["仕事\u3000用", "👨\u200d👩\u200d👧", "\u0645\u06cc\u200c\u062e"], ids=ascii)
def test_a_name_of_any_language_is_taken_and_means_the_same_to_the_api(label: str, acme: Tenant, visit: Visit) -> None:
    connection, _ = make_connection(acme), make_connection(acme)
    assert visit.post(f"/{connection.id}/name", label=label).status_code == 303
    found = call(visit.user.backend, "GET", f"/connections?{urlencode({'label': label})}").json()["items"]
    assert [one["id"] for one in found] == [str(connection.id)]


@pytest.mark.parametrize("label", ["Work", "a\nb", "a\x00b", "x" * 65, "\u202eevil"])
def test_a_name_that_does_not_do_is_refused_and_shown_again(label: str, acme: Tenant, visit: Visit) -> None:
    make_connection(acme, label="Work")
    connection = make_connection(acme)
    answer = visit.post(f"/{connection.id}/name", label=label)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode() and 'id="fault"' in answer.content.decode()
    connection.refresh_from_db()
    assert connection.label == ""


def test_it_becomes_the_default_where_there_are_several(acme: Tenant, visit: Visit) -> None:
    connection = make_connection(acme)
    assert 'id="prefer"' not in visit.text(f"/{connection.id}")
    other = make_connection(acme, is_default=True)
    assert 'id="prefer"' in visit.text(f"/{connection.id}")
    assert "This is your default account at Sandbox." in visit.text(f"/{other.id}")
    assert visit.post(f"/{connection.id}/default").status_code == 303
    connection.refresh_from_db()
    other.refresh_from_db()
    assert (connection.is_default, other.is_default) == (True, False)


def test_disconnecting_says_what_follows_and_takes_a_second_click(acme: Tenant, visit: Visit) -> None:
    connection = make_connection(acme, is_default=True, account="a-1")
    make_connection(acme, account="a-2")
    asked = visit.text(f"/{connection.id}/disconnect")
    assert "Acme can no longer use this account, at once." in asked
    assert "Sandbox is asked to withdraw the permission that you gave." in asked
    assert "It is your default account at Sandbox" in asked
    assert status_now(connection) == Status.ACTIVE
    answer = visit.post(f"/{connection.id}/disconnect")
    assert answer["Location"] == f"{visit.path}/connections?told=disconnected"
    assert "Disconnected. Acme can no longer use this account." in visit.text("/connections?told=disconnected")
    assert status_now(connection) == Status.DISCONNECTED
    (row,) = AuditEvent.objects.filter(action="connection.disconnect")
    assert row.subject == "alice"
    assert visit.post(f"/{connection.id}/disconnect").status_code == 303  # a second click, or a second tab
    assert visit.get(f"/{connection.id}/disconnect")["Location"] == f"{visit.path}/{connection.id}"


def test_ending_what_is_shared_says_so(acme: Tenant, visit: Visit) -> None:
    connection, told, now = make_connection(acme), "Others who may use this account lose that as well.", database_now()
    grant = AccessGrant(tenant=acme, connection=connection, subject_kind="end_user", subject="bob", created_at=now)
    grant.seal_terms()
    assert told not in visit.text(f"/{connection.id}/disconnect")
    grant.save()
    assert told in visit.text(f"/{connection.id}/disconnect")
    AccessGrant.objects.update(revoked_at=now)
    assert told not in visit.text(f"/{connection.id}/disconnect")


@pytest.mark.parametrize("revocation", Revocation)
def test_what_is_foreseen_at_the_provider_has_words(revocation: Revocation) -> None:
    """What is foreseen is tested with what comes of it: ``tests/field/test_shared_grants.py``."""
    is_possible = revocation in (Revocation.PENDING, Revocation.UNSUPPORTED, Revocation.WITHHELD)
    assert bool(foreseen(revocation)) == is_possible


def test_a_key_that_cannot_be_withdrawn_is_told_to_be_deleted_there(
    acme: Tenant, sandbox: SandboxProcess, visit: Visit
) -> None:
    keys = make_sandbox_app(sandbox, tenant=acme, style=ApiKeyMethod.style)
    connection = make_connection(acme, app=keys)
    assert "Replace the key" in visit.text(f"/{connection.id}")
    foreseen = visit.text(f"/{connection.id}/disconnect")
    visit.post(f"/{connection.id}/disconnect")
    connection.refresh_from_db()
    withdrawn = connection.revocation == Revocation.PENDING
    assert ("is asked to withdraw" in foreseen) == withdrawn
    assert ("Delete it there." in foreseen) == (connection.revocation == Revocation.UNSUPPORTED)


def test_what_vanished_meanwhile_is_said_with_the_way_to_the_list(acme: Tenant, visit: Visit) -> None:
    connection = make_connection(acme)
    overwrite(connection, status=Status.PENDING, reason=Reason.AWAITING_CONFIRMATION, current_version=None)
    CredentialVersion.objects.filter(connection=connection).delete()
    Connection.objects.filter(id=connection.id).delete()
    for page in ("", "/receipts", "/disconnect"):
        answer = visit.get(f"/{connection.id}{page}")
        assert (answer.status_code, failure_of(answer)) == (404, "gone")
        assert f'href="{visit.path}/connections"' in answer.content.decode()
    for page in ("/name", "/default", "/disconnect", "/reconnect"):
        assert failure_of(visit.post(f"/{connection.id}{page}")) == "gone"


@pytest.mark.parametrize("page", ["name", "default", "reconnect"])
def test_a_reload_of_a_step_leads_to_the_connection(page: str, acme: Tenant, visit: Visit) -> None:
    connection = make_connection(acme)
    assert visit.get(f"/{connection.id}/{page}")["Location"] == f"{visit.path}/{connection.id}"
