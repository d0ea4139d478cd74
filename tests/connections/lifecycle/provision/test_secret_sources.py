"""Client secrets by reference: read again and again, never lost, and sent to nobody but whom they are meant for."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from connections.access.secrets import open_client_secrets, open_registration
from connections.access.targets import registrar_of
from connections.database.clock import database_now
from connections.database.pool import release_database
from connections.journal.audit import SYSTEM, Actor
from connections.lifecycle.health.incidents import open_client_incident
from connections.lifecycle.provision.client_secrets import (
    add_client_secret,
    end_others,
    fingerprints,
    remove_client_secret,
    set_end_of_others,
)
from connections.lifecycle.provision.provider_apps import DEFAULT_OVERLAP, Registration, save_provider_app
from connections.lifecycle.provision.secret_sources import leave_source, look, look_due, set_source
from connections.models import AuditEvent, Notice, OutboxEvent, ProviderApp, Tenant
from connections.models.provider_app import NO_SOURCE
from connections.refusals import InvalidRequest
from connections.tasks import read_client_secrets
from providers import egress
from providers.custodians import openbao
from providers.sandbox.waiting import until
from tests.providers.custodians.stand_ins import Bao, serving
from tests.sources import Folder

ANN = Actor(operator="ann")
STYLE = "oauth2_authorization_code"
HOUR = timedelta(hours=1)
VAULT = "vault:secret/data/latchkey/ours#client_secret"


def save(secrets: list[str] | None, *, tenant: Tenant | None, port: int = 9, source: str = "") -> ProviderApp:
    params = {"issuer": f"http://127.0.0.1:{port}"}
    typed = Registration(
        "sandbox", STYLE, client_id="ours", client_secrets=secrets, secret_source=source, params=params
    )
    saved = save_provider_app(typed, tenant=tenant, actor=ANN)
    saved.refresh_from_db()
    return saved


@pytest.fixture
def app(acme: Tenant) -> ProviderApp:
    """acme's own app, with a secret that somebody has typed."""
    return save(["typed"], tenant=acme)


@pytest.fixture
def bao(mounted: Folder) -> Iterator[Bao]:
    """A vault that keeps the secret "first"."""
    policy = egress.current_policy()
    egress.configure(egress.EgressPolicy())
    openbao._tokens.forget()
    with serving(Bao()) as running:
        running.kept["secret/data/latchkey/ours"] = {"client_secret": "first"}
        mounted.allow("vault:secret/data/latchkey/", custody=running.custody())
        yield running
    egress.configure(policy)


def held(app: ProviderApp) -> list[str]:
    app.refresh_from_db()
    return [secret.get_secret_value() for secret in open_client_secrets(app)]


def again(app: ProviderApp) -> list[str]:
    """Have the app's source be due, and read; return what the app holds then."""
    ProviderApp.objects.filter(id=app.id).update(secret_look_at=database_now())
    read_client_secrets()
    return held(app)


def reading(app: ProviderApp) -> threading.Thread:
    """Begin to look at the source of ``app`` in another thread."""

    def run() -> None:
        try:
            look(app.id, actor=SYSTEM)
        finally:
            release_database()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def fail_for(app: ProviderApp, time: timedelta) -> None:
    """Let a source that fails have done so for ``time``."""
    ProviderApp.objects.filter(id=app.id).update(secret_failing_since=database_now() - time)


def trail(app: ProviderApp) -> list[AuditEvent]:
    found = AuditEvent.objects.filter(detail__provider_app=str(app.id), action__startswith="provider_app.secret_")
    return list(found.order_by("id"))


def test_a_secret_is_read_at_once_and_preferred_to_the_one_before(app: ProviderApp, mounted: Folder) -> None:
    reference = mounted.put("ours", "first\n")
    assert set_source(app, reference, actor=ANN)
    assert (held(app), app.secret_source) == (["first", "typed"], reference)
    assert (app.secret_failing_since, app.secret_problem, app.secret_claimed_until) == (None, "", None)
    assert app.secret_read_at is not None
    assert app.other_secrets_end_at == app.secret_read_at + DEFAULT_OVERLAP
    assert not set_source(app, reference, actor=ANN), "it is so already"


def test_a_secret_that_changes_becomes_the_preferred_one_by_itself(app: ProviderApp, mounted: Folder) -> None:
    set_source(app, mounted.put("ours", "first"), actor=ANN)
    assert again(app) == ["first", "typed"]
    mounted.put("ours", "second")
    assert again(app) == ["second", "first", "typed"]
    assert app.secrets_changed_at == app.secret_read_at
    assert end_others(now=database_now() + DEFAULT_OVERLAP + HOUR) == 1
    assert held(app) == ["second"]


def test_a_secret_that_goes_back_and_forth_is_kept_once(app: ProviderApp, mounted: Folder) -> None:
    set_source(app, mounted.put("ours", "a"), actor=ANN)
    for text in "babab":
        mounted.put("ours", text)
        assert again(app)[0] == text
    assert held(app) == ["b", "a", "typed"]
    for number in range(20):
        mounted.put("ours", f"secret-{number}")
        again(app)
    assert held(app) == [f"secret-{number}" for number in range(19, 9, -1)]


def test_each_change_is_told_once_without_the_secret_or_its_place(app: ProviderApp, mounted: Folder) -> None:
    reference = mounted.put("ours", "first-value")
    set_source(app, reference, actor=ANN)
    for _ in range(3):
        again(app)
    mounted.put("ours", "second-value")
    for _ in range(3):
        again(app)
    leave_source(app, actor=ANN)
    assert [(row.action.rpartition(".")[2], row.operator, row.tenant_id) for row in trail(app)] == [
        ("secret_source_set", "ann", None),
        ("secret_read", "ann", app.tenant_id),
        ("secret_read", "", app.tenant_id),
        ("secret_source_set", "ann", None),
    ]
    assert [row.detail.get("from") for row in trail(app)] == [reference, None, None, ""]
    told = OutboxEvent.objects.filter(type="provider_app.client_secret_read", tenant_id=app.tenant_id)
    assert [event.payload for event in told] == [{"provider_app": str(app.id), "provider": "sandbox"}] * 2
    everything = f"{[row.detail for row in trail(app)]}{[event.payload for event in told]}"
    assert "-value" not in everything


@pytest.mark.parametrize("fault", ["missing", "empty", "long", "unsendable", "forbidden", "folder"])
def test_what_cannot_be_read_leaves_the_secret_in_use(app: ProviderApp, mounted: Folder, fault: str) -> None:
    reference = mounted.put("ours", "first")
    set_source(app, reference, actor=ANN)
    before, path = app.secret_read_at, mounted.path / "ours"
    if fault == "missing":
        path.unlink()
    elif fault == "folder":
        path.unlink()
        path.mkdir()
    elif fault == "forbidden":
        mounted.forbid()
    else:
        mounted.put("ours", {"empty": "\n", "long": "a" * 4097, "unsendable": "a\x07b"}[fault])
    assert again(app) == ["first", "typed"]
    since = app.secret_failing_since
    assert since is not None
    assert app.secret_problem
    assert (again(app), app.secret_failing_since, app.secret_read_at) == (["first", "typed"], since, before)
    if fault == "folder":
        path.rmdir()
    mounted.allow()
    mounted.put("ours", "second")
    assert again(app)[0] == "second"
    assert (app.secret_failing_since, app.secret_problem) == (None, "")


def test_a_source_that_fails_for_long_is_told_once_with_what_to_do(app: ProviderApp, mounted: Folder) -> None:
    set_source(app, mounted.put("ours", "first"), actor=ANN)
    (mounted.path / "ours").unlink()
    again(app)
    assert not Notice.objects.exists()
    fail_for(app, timedelta(minutes=16))
    for _ in range(2):
        again(app)
    notice = Notice.objects.get()
    assert "No such file" in notice.body
    assert "doctor" in notice.body
    mounted.put("ours", "first")
    again(app)
    (mounted.path / "ours").unlink()
    again(app)
    fail_for(app, timedelta(minutes=15, seconds=30))
    again(app)
    assert Notice.objects.count() == 2, "it is another time"


@pytest.mark.parametrize(("kind", "seconds"), [("file", 60), ("vault", 300)])
def test_each_kind_has_its_interval(app: ProviderApp, mounted: Folder, bao: Bao, kind: str, seconds: int) -> None:
    set_source(app, mounted.put("ours", "first") if kind == "file" else VAULT, actor=ANN)
    read_at = app.secret_read_at
    assert read_at is not None
    assert app.secret_look_at == read_at + timedelta(seconds=seconds)
    assert look_due(now=read_at + timedelta(seconds=seconds - 1), seconds=5) == 0
    assert look_due(now=read_at + timedelta(seconds=seconds), seconds=5) == 1
    assert look_due(now=read_at + HOUR, seconds=-1) == 0, "none begins after its time"


def test_a_vault_that_is_away_stops_no_other_source(app: ProviderApp, mounted: Folder, bao: Bao) -> None:
    set_source(app, VAULT, actor=ANN)
    shared = save(None, tenant=None, source=mounted.put("shared", "one"))
    bao.is_cut = True
    mounted.put("shared", "two")
    again(shared)
    assert again(app) == ["first", "typed"]
    assert (held(shared)[0], app.secret_failing_since is None) == ("two", False)
    bao.is_cut = False
    bao.kept["secret/data/latchkey/ours"] = {"client_secret": "second"}
    assert again(app)[0] == "second"


def test_two_never_read_one_source_at_once(app: ProviderApp, bao: Bao) -> None:
    set_source(app, VAULT, actor=ANN)
    before = len(bao.calls)
    bao.is_quick.clear()
    first = reading(app)
    until(lambda: len(bao.calls) > before, "the call of the vault")
    assert [look(app.id, actor=SYSTEM) for _ in range(3)] == [False] * 3
    bao.is_quick.set()
    first.join()
    assert len(bao.calls) == before + 1
    app.refresh_from_db()
    assert app.secret_claimed_until is None


@pytest.mark.parametrize("change", ["another source", "no source", "typed anew", "an end of the others"])
def test_what_was_read_before_a_change_is_not_stored_after_it(
    app: ProviderApp, mounted: Folder, bao: Bao, change: str
) -> None:
    set_source(app, VAULT, actor=ANN)
    bao.kept["secret/data/latchkey/ours"] = {"client_secret": "late"}
    before = len(bao.calls)
    bao.is_quick.clear()
    late = reading(app)
    until(lambda: len(bao.calls) > before, "the call of the vault")
    if change == "another source":
        set_source(app, mounted.put("ours", "of the file"), actor=ANN)
    elif change == "no source":
        leave_source(app, actor=ANN)
    elif change == "typed anew":
        save(["by hand"], tenant=app.tenant)
    else:
        set_end_of_others(app, database_now() + HOUR, now=database_now(), actor=ANN)
    expected, source = held(app), app.secret_source
    bao.is_quick.set()
    late.join()
    assert (held(app), app.secret_source, app.secret_claimed_until) == (expected, source, None)
    if change == "an end of the others":
        assert again(app)[0] == "late", "it is read once more, soon"


def test_a_reader_that_died_before_it_stored_has_lost_nothing(app: ProviderApp, mounted: Folder) -> None:
    set_source(app, mounted.put("ours", "first"), actor=ANN)
    mounted.put("ours", "second")
    now = database_now()
    claimed = {"secret_look_at": now - HOUR, "secret_claimed_until": now + timedelta(seconds=60)}
    ProviderApp.objects.filter(id=app.id).update(**claimed)  # as it is left by a process that is killed while it reads
    assert (look_due(now=now, seconds=5), held(app)[0]) == (0, "first")
    ProviderApp.objects.filter(id=app.id).update(secret_claimed_until=now)  # its lease has passed
    assert (look_due(now=now, seconds=5), held(app)[0]) == (1, "second")


def test_a_refused_client_has_its_secret_read_at_once_but_not_again_and_again(
    app: ProviderApp, mounted: Folder
) -> None:
    set_source(app, mounted.put("ours", "first"), actor=ANN)

    def refused(*, read_ago: timedelta) -> bool:
        """Have the provider refuse our client, and say whether the secret is due then."""
        now = database_now()
        ProviderApp.objects.filter(id=app.id).update(secret_read_at=now - read_ago, secret_look_at=now + HOUR)
        open_client_incident(app, evidence={}, now=now)
        app.refresh_from_db()
        return app.secret_look_at == now

    assert not refused(read_ago=timedelta(seconds=29))
    assert refused(read_ago=timedelta(seconds=30))
    mounted.put("ours", "second")
    read_client_secrets()
    assert held(app)[0] == "second"
    (mounted.path / "ours").unlink()
    again(app)
    assert not refused(read_ago=HOUR), "it cannot be read, and is looked at anyway"


@pytest.mark.attack("an operator's client secret, led to a tenant's server", stopped_at="the party it is sealed for")
def test_a_secret_of_the_operators_is_not_sent_where_a_tenant_leads_the_app(app: ProviderApp, mounted: Folder) -> None:
    set_source(app, mounted.put("ours", "the operator's"), actor=ANN)
    with pytest.raises(InvalidRequest) as moved:
        save(None, tenant=app.tenant, port=666)
    assert moved.value.extra["field"] == "client_secrets"
    # Past every check: whoever can write the table.
    ProviderApp.objects.filter(id=app.id).update(params={"issuer": "http://127.0.0.1:666"})
    app.refresh_from_db()
    mounted.put("ours", "the operator's next")
    again(app)
    assert open_registration(app).registrar != registrar_of(app)
    assert "the operator's next" not in held(app)
    assert "enter them again" in app.secret_problem
    # With a secret of its own the tenant may lead it there, and nothing of the operator's stays.
    moved_app = save(["the tenant's own"], tenant=app.tenant, port=666)
    assert held(moved_app) == ["the tenant's own"]
    assert {name: getattr(moved_app, name) for name in NO_SOURCE} == NO_SOURCE
    again_due = look_due(now=database_now() + HOUR, seconds=5)
    assert (again_due, held(moved_app)) == (0, ["the tenant's own"])


def test_what_is_read_is_changed_where_it_is_kept(app: ProviderApp, mounted: Folder) -> None:
    set_source(app, mounted.put("ours", "first"), actor=ANN)
    now, (preferred, other) = database_now(), fingerprints(app)
    for is_preferred in (True, False):
        with pytest.raises(InvalidRequest, match="change it there"):
            add_client_secret(app, "typed beside", preferred=is_preferred, now=now, actor=ANN)
    with pytest.raises(InvalidRequest, match="change it there"):
        remove_client_secret(app, preferred, actor=ANN)
    remove_client_secret(app, other, actor=ANN)
    assert held(app) == ["first"]


def test_a_source_that_is_left_leaves_its_last_secret(app: ProviderApp, mounted: Folder) -> None:
    set_source(app, mounted.put("ours", "first"), actor=ANN)
    assert leave_source(app, actor=ANN)
    assert not leave_source(app, actor=ANN)
    mounted.put("ours", "second")
    read_client_secrets()
    assert not look(app.id, actor=SYSTEM)
    assert (held(app), app.secret_source) == (["first", "typed"], "")


def test_secrets_that_are_forgotten_are_not_read_again(app: ProviderApp, mounted: Folder) -> None:
    set_source(app, mounted.put("ours", "first"), actor=ANN)
    app.forget_secrets()
    app.refresh_from_db()
    assert (app.secrets, {name: getattr(app, name) for name in NO_SOURCE}) == (None, NO_SOURCE)


@pytest.mark.parametrize("values", [{"secrets": None}, {"secret_look_at": None}, {"secret_source": ""}])
def test_the_database_keeps_no_source_without_what_was_read(
    app: ProviderApp, mounted: Folder, values: dict[str, object]
) -> None:
    set_source(app, mounted.put("ours", "first"), actor=ANN)
    set_end_of_others(app, None, now=database_now(), actor=ANN)
    with pytest.raises(IntegrityError), transaction.atomic():
        ProviderApp.objects.filter(id=app.id).update(**values)


@pytest.mark.parametrize("reference", ["hubspot", "file:/etc/../etc/passwd", "vault:auth/token/lookup-self#id"])
def test_a_source_that_cannot_be_read_is_not_set(app: ProviderApp, mounted: Folder, reference: str) -> None:
    for one in (reference, mounted.reference("missing"), "file:/etc/hostname"):
        with pytest.raises(InvalidRequest) as refusal:
            set_source(app, one, actor=ANN)
        assert refusal.value.extra["field"] == "client_secret_from"
    assert (held(app), app.secret_source, trail(app)) == (["typed"], "", [])


def test_no_transaction_is_open_while_a_source_is_read(app: ProviderApp, mounted: Folder) -> None:
    reference = mounted.put("ours", "first")
    with pytest.raises(RuntimeError, match="transaction"), transaction.atomic():
        set_source(app, reference, actor=SYSTEM)


def test_an_app_is_saved_with_its_source_and_stays_as_it_is_the_next_time(acme: Tenant, mounted: Folder) -> None:
    reference = mounted.put("ours", "first")
    made = save(None, tenant=acme, source=reference)
    assert (held(made), made.secret_source, made.other_secrets_end_at) == (["first"], reference, None)
    before = made.updated_at
    assert save(None, tenant=acme, source=reference).updated_at == before
    mounted.put("ours", "second")
    changed = save(None, tenant=acme, source=reference)
    assert (held(changed), changed.other_secrets_end_at is None) == (["second", "first"], False)
    assert held(save(None, tenant=acme, port=10, source=reference)) == ["second"], "others were meant for another party"
    assert save(None, tenant=acme, port=10).secret_source == reference, "it stays unless secrets are entered"
    with pytest.raises(InvalidRequest, match="not both"):
        save(["typed"], tenant=acme, source=reference)
