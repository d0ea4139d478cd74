"""Canaries: no caller tells one from a real connection, nothing leaves for it, and whoever touches one is found."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM, Actor
from connections.lifecycle.end.disconnect import foresee
from connections.lifecycle.figures import take_figures
from connections.lifecycle.steer.switches import unpause
from connections.lifecycle.sweep import sweep_probes, sweep_refreshes
from connections.lifecycle.watch.lay import Canary, lay_canary, renew_canaries
from connections.lifecycle.watch.look import watch_use
from connections.lifecycle.watch.settings import watch_settings
from connections.lifecycle.watch.settle import settle
from connections.models import (
    AuditEvent,
    Connection,
    ConnectionFigures,
    FiguresTaken,
    Finding,
    OutboxEvent,
    Permission,
    ProviderApp,
    RefreshAttempt,
    Revocation,
    Tenant,
    Verdict,
    WatchSetting,
)
from connections.models.figures import ALL
from connections.refusals import InvalidRequest, NotFound
from providers.sandbox.client import SandboxProcess
from tests.factories import BACKEND, Caller, make_caller, make_sandbox_app
from tests.flows import EndUser, call

OLGA = Actor(operator="olga")
USER = "mallory.archive"
UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_DRAWS = 25  # what a tenth of them does is nearly always among them


@pytest.fixture
def canary(connection: Connection, acme: Tenant, app: ProviderApp) -> Connection:
    """A canary beside alice's connection, and the beat has looked once."""
    stored = ProviderApp.objects.get(id=app.id)
    laid = lay_canary(Canary(end_user=USER, account="Archive"), tenant=acme, app=stored, now=database_now(), actor=OLGA)
    look()
    return laid


@pytest.fixture
def proxying(acme: Tenant) -> Caller:
    return make_caller(acme, "proxying", [*BACKEND, Permission.PROXY], proxy_rules=["* * /**"])


@pytest.mark.parametrize(
    ("account", "looks"),
    [
        ("", r""),
        ("583231", r"[1-9]\d{5}"),
        ("person-1001", r"person-[1-9]\d{3}"),
        ("000123", r"\d{6}"),
        ("7", r"[1-9]"),
        ("aaaa", r"[a-z]{4}"),
        ("@handle", r"@[a-z]{6}"),
        ("---", r"[1-9]\d{8}"),
        ("T061EG9R6:U061F7AUR", r"T061EG9R6:U\d{3}[A-Z]\d[A-Z]{3}"),
        ("arn:aws:iam::123456789012:user/Bob7", r"arn:aws:iam::123456789012:user/Bob\d"),
        ("acct_1032D82eZvKYlo2C", r"acct_\d{4}[A-Z]\d\d[a-z][A-Z][a-z][A-Z]{2}[a-z]{2}\d[A-Z]"),
        ("48d31887-5fad-4d73-a9f5-3c356e68a038", UUID4),
        ("48D31887-5FAD-4D73-A9F5-3C356E68A038", UUID4.replace("a-f", "A-F").replace("ab]", "AB]")),
        ("48d318875fad4d73a9f53c356e68a038", UUID4.replace("-[", "[").replace("-4", "4")),
        (
            "d6ab8f4e-aaaa-4b0c-8000-1f1f1f1f1f1f:48d31887-5fad-4d73-a9f5-3c356e68a038",
            f"d6ab8f4e-aaaa-4b0c-8000-(1f){{6}}:{UUID4}",
        ),
        ("0192f0c1-2b7a-7cc3-98c4-dc0c0c07398f", r"0192f0c1-2b7a-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("c232ab00-9414-11ec-b3c8-9f6bdeced846", r"[0-9a-f]{8}-9414-11ec-b3c8-9f6bdeced846"),
        ("da39a3ee5e6b4b0d3255bfef95601890afd80709", r"[0-9a-f]{40}"),
        ("alice@example.com", r"[a-z]{5}@example\.com"),
        ("https://api.example.com/users/AAAA1234", r"https://api\.example\.com/users/AAAA\d{4}"),
    ],
)
def test_its_account_is_of_the_kind_of_the_real_ones(
    connection: Connection, acme: Tenant, app: ProviderApp, account: str, looks: str
) -> None:
    """It is listed beside them, and to read a list touches nothing."""
    connection.belong_to(account, "")
    stored = ProviderApp.objects.get(id=app.id)
    for number in range(_DRAWS):
        canary = Canary(end_user=f"{USER}.{number}")
        laid = lay_canary(canary, tenant=acme, app=stored, now=database_now(), actor=OLGA).provider_account_id
        assert re.fullmatch(looks, laid), laid
        assert laid != account or not account


def test_one_that_cannot_be_renewed_keeps_no_other_from_it(
    canary: Connection, acme: Tenant, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    other = ProviderApp.objects.get(id=make_sandbox_app(sandbox, style="oauth2_device_authorization").id)
    laid = lay_canary(Canary(end_user="eve"), tenant=acme, app=other, now=database_now(), actor=OLGA)
    ProviderApp.objects.filter(id=app.id).update(params={})
    due = database_now() - timedelta(minutes=1)
    Connection.objects.filter(is_canary=True).update(refresh_due_at=due)
    assert renew_canaries(now=database_now()) == 1
    renewed = dict(Connection.objects.filter(is_canary=True).values_list("id", "refresh_due_at"))
    assert (renewed[canary.id] == due, renewed[laid.id] == due) == (True, False)


def look() -> None:
    watch_use(now=database_now(), seconds=10)


def shape(value: Any) -> Any:
    """What is there, without what differs between any two connections."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return type(value).__name__


def test_no_caller_tells_it_from_a_real_one(backend: Caller, connection: Connection, canary: Connection) -> None:
    listed = {item["id"]: item for item in call(backend, "GET", "/connections").json()["items"]}
    real, decoy = listed[str(connection.id)], listed[str(canary.id)]
    assert shape(real) == shape(decoy)
    same = ("status", "reason", "paused", "suspended", "auth_style", "binding", "scopes", "params", "revocation")
    assert {name: real[name] for name in same} == {name: decoy[name] for name in same}
    assert decoy["health"]["access_expires_at"] > database_now().isoformat()
    vended = [
        call(backend, "POST", f"/connections/{one.id}/credential", {"end_user": user}).json()
        for one, user in ((connection, "alice"), (canary, USER))
    ]
    assert shape(vended[0]) == shape(vended[1])
    assert vended[0]["credential"]["scopes"] == vended[1]["credential"]["scopes"]
    assert vended[0]["credential"]["value"] != vended[1]["credential"]["value"]
    events = OutboxEvent.objects.filter(type="connection.connected").order_by("id")
    assert [event.connection_id for event in events] == [connection.id, canary.id]


TOUCHES: dict[str, tuple[str, str, dict[str, Any] | None]] = {
    "vend": ("POST", "/credential", {"end_user": USER}),
    "vend of somebody else": ("POST", "/credential", {"end_user": "alice"}),
    "proxy": ("GET", f"/proxy/a/b?end_user={USER}", None),
    "read": ("GET", "", None),
    "refresh": ("POST", "/refresh", {}),
    "probe": ("POST", "/probe", {}),
    "report": ("POST", "/report", {"version": str(uuid.UUID(int=7)), "status": 401}),
    "change": ("PATCH", "", {"metadata": {"a": "b"}}),
    "disconnect": ("DELETE", "", None),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_each_touch_is_found_and_nothing_leaves_for_it(
    proxying: Caller, canary: Connection, sandbox: SandboxProcess, touch: str
) -> None:
    method, path, body = TOUCHES[touch]
    before = len(sandbox.control.log())
    call(proxying, method, f"/connections/{canary.id}{path}", body)
    look()
    found = Finding.objects.get()
    assert (found.rule, found.client_id) == ("canary_used", proxying.client.id)
    assert found.evidence["connections"] == [str(canary.id)]
    assert found.evidence["keys"] == [proxying.key[:10]]
    (event,) = OutboxEvent.objects.filter(type="use.suspected")
    assert event.tenant_id is None
    assert len(sandbox.control.log()) == before
    assert not RefreshAttempt.objects.filter(connection=canary).exists()


def test_what_would_call_the_provider_seems_to_meet_an_outage(proxying: Caller, canary: Connection) -> None:
    for method, path in (("GET", f"/proxy/a/b?end_user={USER}"), ("POST", "/refresh"), ("POST", "/probe")):
        answer = call(proxying, method, f"/connections/{canary.id}{path}", None if method == "GET" else {})
        assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable"), path


def test_a_list_and_what_operators_do_are_no_touch(backend: Caller, canary: Connection) -> None:
    assert call(backend, "GET", f"/connections?end_user={USER}").json()["items"]
    assert not unpause(canary, actor=OLGA)
    look()
    assert not Finding.objects.exists()


def test_a_touch_kills_at_once_where_an_operator_wants_that(backend: Caller, canary: Connection) -> None:
    watch_settings()
    WatchSetting.objects.filter(rule="canary_used").update(kill_after=0)
    assert call(backend, "POST", f"/connections/{canary.id}/credential", {"end_user": USER}).status_code == 200
    look()
    answer = call(backend, "POST", f"/connections/{canary.id}/credential", {"end_user": USER})
    assert (answer.status_code, answer.json()["code"]) == (423, "suspended")
    settle(Finding.objects.get().id, Verdict.EXPECTED, note="A test.", now=database_now(), actor=OLGA)
    assert call(backend, "GET", "/connections").status_code == 200


def test_a_touch_is_found_while_other_transactions_are_open_and_once(backend: Caller, canary: Connection) -> None:
    """Rows ahead of which others may still appear are searched, too; when they have settled they add nothing new."""
    from tests.connections.lifecycle.sessions import session

    with session("") as other:
        other.execute("BEGIN")
        other.execute("SELECT txid_current()")
        call(backend, "GET", f"/connections/{canary.id}")
        look()
        assert Finding.objects.get().evidence["uses"] == 1
        other.execute("ROLLBACK")
    look()
    assert Finding.objects.count() == 1


def test_it_is_renewed_as_a_real_one_is_refreshed(backend: Caller, canary: Connection) -> None:
    canary.refresh_from_db()
    before, due = canary.current_version_id, canary.refresh_due_at
    assert due is not None
    assert renew_canaries(now=due - timedelta(seconds=1)) == 0
    assert renew_canaries(now=due + timedelta(seconds=1)) == 1
    canary.refresh_from_db()
    assert canary.current_version_id != before
    assert canary.refresh_due_at is not None
    assert canary.refresh_due_at > due
    assert OutboxEvent.objects.filter(type="connection.refreshed", connection_id=canary.id).count() == 1
    assert call(backend, "POST", f"/connections/{canary.id}/credential", {"end_user": USER}).status_code == 200


def test_no_sweep_takes_it_and_no_figure_counts_it(connection: Connection, canary: Connection) -> None:
    due = database_now() - timedelta(hours=1)
    Connection.objects.filter(id=canary.id).update(refresh_due_at=due, probe_due_at=due)
    sweep_refreshes(now=database_now(), seconds=1)
    sweep_probes(now=database_now(), seconds=1)
    canary.refresh_from_db()
    assert canary.refresh_enqueued_until is None
    assert canary.probe_due_at == due
    FiguresTaken.objects.all().delete()
    assert take_figures(now=database_now())
    assert ConnectionFigures.objects.get(tenant_id=ALL, provider_app_id=ALL).active == 1


def test_its_end_asks_the_provider_for_nothing(backend: Caller, canary: Connection) -> None:
    assert foresee(canary.id) is Revocation.UNSUPPORTED
    assert call(backend, "DELETE", f"/connections/{canary.id}").status_code == 200
    canary.refresh_from_db()
    assert (canary.status, canary.revocation) == ("disconnected", Revocation.UNSUPPORTED)


def test_the_trail_of_a_tenant_names_no_canary(canary: Connection, acme: Tenant) -> None:
    reader = make_caller(acme, "auditor", [Permission.AUDIT, Permission.READ])
    call(reader, "GET", f"/connections/{canary.id}")
    look()
    settle(Finding.objects.get().id, Verdict.EXPECTED, note="A test.", now=database_now(), actor=OLGA)
    assert AuditEvent.objects.filter(action__in=("canary.laid", "connection.read")).count() == 2
    for page in ("/audit-events?limit=200", "/events"):
        text = call(reader, "GET", page).content.decode()
        assert "canary" not in text
        assert "connection.read" not in text
        assert "use.s" not in text


def test_it_is_laid_by_an_operator_wide_client_alone(canary: Connection, acme: Tenant, app: ProviderApp) -> None:
    body = {"tenant": "acme", "provider_app": str(app.id), "end_user": "another", "label": "old"}
    wide = make_caller(None, "security", [Permission.CALLERS])
    answer = call(wide, "POST", "/canaries", body)
    assert answer.status_code == 201
    assert Connection.objects.get(id=answer.json()["id"]).is_canary
    assert call(wide, "POST", "/canaries", body).json()["field"] == "label"
    assert call(make_caller(acme, "own", [Permission.CALLERS]), "POST", "/canaries", body).status_code == 403
    assert call(make_caller(None, "reader", [Permission.READ]), "POST", "/canaries", body).status_code == 403
    assert call(wide, "POST", "/canaries", body | {"provider_app": str(uuid.uuid4())}).status_code == 404
    look()
    assert not Finding.objects.exists()  # who lays one has not touched it


def test_it_is_laid_at_an_app_of_the_tenants_or_a_shared_one(
    canary: Connection, acme: Tenant, globex: Tenant, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    with pytest.raises(NotFound):
        lay_canary(Canary(), tenant=globex, app=app, now=database_now(), actor=SYSTEM)
    shared = ProviderApp.objects.get(id=make_sandbox_app(sandbox).id)
    laid = lay_canary(Canary(), tenant=globex, app=shared, now=database_now(), actor=SYSTEM)
    assert (laid.tenant_id, laid.owner_kind) == (globex.id, "tenant")
    ProviderApp.objects.filter(id=shared.id).update(client_id="")
    shared.refresh_from_db()
    with pytest.raises(InvalidRequest, match="draft"):
        lay_canary(Canary(), tenant=globex, app=shared, now=database_now(), actor=SYSTEM)


def test_another_tenant_reaches_no_canary_and_is_not_found(canary: Connection, globex: Tenant) -> None:
    stranger = make_caller(globex, "backend")
    assert call(stranger, "GET", f"/connections/{canary.id}").status_code == 404
    assert call(stranger, "POST", f"/connections/{canary.id}/credential", {"end_user": USER}).status_code == 404
    look()
    assert not Finding.objects.exists()


def test_the_end_user_of_a_real_one_is_untouched(alice: EndUser, connection: Connection, canary: Connection) -> None:
    assert alice.vend(str(connection.id)).status_code == 200
    look()
    assert not Finding.objects.exists()
