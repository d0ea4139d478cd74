"""A tenant moves between two installations: two databases, two sets of keys, one provider whose log is the judge."""

import base64
import json
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
import requests
from django.db import connection as database
from django.db import transaction

from connections.brand.profile import BrandProfile
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.delete_tenant import continue_deletion, order_deletion
from connections.lifecycle.port import receive as receiving
from connections.lifecycle.port.bundle_file import Locks, read_bundle
from connections.lifecycle.port.hand_out import HandedOut, Wishes, hand_out, take_back
from connections.lifecycle.port.receive import receive
from connections.lifecycle.provision.brands import save_brand
from connections.lifecycle.provision.secret_sources import set_source
from connections.lifecycle.steer.describe import describe
from connections.lifecycle.steer.switches import resume
from connections.models import (
    AccessGrant,
    AuditEvent,
    Brand,
    Bundle,
    Connection,
    OutboxEvent,
    ProviderApp,
    Tenant,
)
from connections.models.quarantine import hold_heir
from connections.refusals import BundleRefused, InvalidRequest
from providers.sandbox.client import SandboxProcess
from tests.connected import connect_at
from tests.connections.api.grants import let
from tests.connections.api.stored import make_connection
from tests.connections.lifecycle.port.installations import Elsewhere
from tests.connections.management.conftest import Run, run  # noqa: F401 (a fixture)
from tests.factories import make_caller, make_tenant
from tests.flows import call
from tests.sources import Folder

OURS = pyrage.x25519.Identity.generate()
LOCKS = Locks(recipients=[str(OURS.to_public())])
MOVE = Wishes(is_move=True, with_client_secrets=True, with_audit=True)


@pytest.fixture(scope="module")
def elsewhere(django_db_setup: None, django_db_blocker: Any) -> Iterator[Elsewhere]:
    with django_db_blocker.unblock():
        made = Elsewhere()
        yield made
        made.drop()


@pytest.fixture
def connections(app: ProviderApp, sandbox: SandboxProcess) -> list[Connection]:
    """Three connections of acme's, one with notes of the operator's and a grant on it."""
    made = [connect_at(sandbox, app, end_user=name) for name in ("alice", "bob", "carol")]
    describe(made[0].id, metadata={"plan": "pro"}, label="work", is_default=True, actor=SYSTEM)
    let(made[0])
    sandbox.control.clear_log()
    return made


def bundle(tenant: Tenant, wishes: Wishes = MOVE) -> tuple[HandedOut, dict[str, Any]]:
    told = hand_out(tenant, locks=LOCKS, wishes=wishes, actor=SYSTEM)
    return told, read_bundle(told.content, signers=[told.signer], identities=[str(OURS)])[0]


def vended(tenant: Tenant, connection: Connection) -> Any:
    path = f"/connections/{connection.id}/credential"
    return call(make_caller(tenant), "POST", path, {"end_user": connection.end_user}).json()


def accepts(sandbox: SandboxProcess, token: str) -> bool:
    """Whether the provider takes a token."""
    answer = requests.get(f"{sandbox.url}/me", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    return answer.ok


@contextmanager
def emptied(elsewhere: Elsewhere) -> Iterator[None]:
    """Be that installation until the block ends, and leave nothing there."""
    with elsewhere.entered():
        try:
            yield
        finally:
            empty()


def empty() -> None:
    with database.cursor() as cursor:
        cursor.execute("TRUNCATE connections_tenant, connections_bundle, connections_datakey CASCADE")


def test_a_tenant_that_moves_vends_there_and_stands_still_here(
    acme: Tenant,
    connections: list[Connection],
    sandbox: SandboxProcess,
    elsewhere: Elsewhere,
    run: Run,  # noqa: F811
    tmp_path: Path,
) -> None:
    file, identity, trail = tmp_path / "acme.bundle", tmp_path / "identity.txt", tmp_path / "trail.jsonl"
    identity.write_text(f"# created for a test\n{OURS}\n")
    wanted = ["--recipient", str(OURS.to_public()), "--move", "--with-client-secrets", "--with-audit"]
    exported = run("tenants", "export", "acme", file, *wanted, "--json")
    assert exported.code == 0, exported.err
    assert file.stat().st_mode & 0o077 == 0
    key = run("tenants", "signing-key").out.strip()
    assert vended(acme, connections[0])["code"] == "suspended"
    with pytest.raises(InvalidRequest, match="moved"):
        resume(acme, actor=SYSTEM)
    with elsewhere.entered():
        brought = run(
            "tenants", "import", file, "--signer", key, "--identity-file", identity, "--audit-to", trail, "--json"
        )
        assert brought.code == 0, brought.err
        assert brought.data["outcomes"] == {"refreshed_and_verified": 3}
        tenant = Tenant.objects.get()
        assert (tenant.id, tenant.suspended_at, tenant.return_urls) == (acme.id, None, acme.return_urls)
        for before in connections:
            now = Connection.objects.get(id=before.id)
            assert (now.end_user, now.params, now.provider_account_id) == (
                before.end_user, before.params, before.provider_account_id
            )  # fmt: skip
            told = vended(tenant, now)
            assert accepts(sandbox, told["credential"]["value"])
        first = Connection.objects.get(id=connections[0].id)
        assert (first.metadata, first.label, first.is_default) == ({"plan": "pro"}, "work", True)
        assert AccessGrant.objects.get().connection_id == first.id
        grant = str(AccessGrant.objects.get().id)
        given = AuditEvent.objects.filter(action="access_grant.given", connection_id=first.id, detail__grant=grant)
        assert given.filter(detail__imported=True).exists()
        assert OutboxEvent.objects.filter(type="access_grant.given", connection_id=first.id).exists()
        assert any(json.loads(line)["action"] == "tenant.exported" for line in trail.read_text().splitlines())
        assert run("tenants", "import", file, "--signer", key, "--identity-file", identity).code == 1
    log = [entry.refresh_presented for entry in sandbox.control.log(grant_type="refresh_token")]
    assert len(log) == len(set(log)) == 3
    order_deletion(acme.id, now=database_now(), at_once=False, actor=SYSTEM)
    assert continue_deletion(acme.id, now=database_now()).is_done
    assert not sandbox.control.log(endpoint="revoke")
    with elsewhere.entered():
        assert accepts(sandbox, vended(tenant, first)["credential"]["value"])
        empty()


def test_what_waits_in_quarantine_is_left_and_said(acme: Tenant, connections: list[Connection]) -> None:
    """The receiver would refresh at once, with a token that may be used up."""
    version = connections[1].current_version
    assert version is not None
    hold_heir(connections[1], version)
    told, document = bundle(acme)
    assert [(one, "quarantine" in why) for one, why in told.left] == [(str(connections[1].id), True)]
    taken = {str(connection["id"]) for connection in document["connections"]}
    assert taken == {str(connections[0].id), str(connections[2].id)}


@pytest.mark.parametrize("is_new", [True, False])
def test_ends_of_client_secrets_come_with_the_secrets_alone(
    acme: Tenant, connections: list[Connection], elsewhere: Elsewhere, is_new: bool
) -> None:
    ends = {"other_secrets_end_at": database_now() + timedelta(days=3), "secret_expires_at": database_now()}
    ProviderApp.objects.update(**ends)
    _, without = bundle(acme, replace(MOVE, is_move=False, with_client_secrets=False))
    assert without["provider_apps"][0]["secrets_end"] is None
    told, document = bundle(acme)
    if not is_new:  # as earlier versions made it
        del document["provider_apps"][0]["secrets_end"]
    with elsewhere.entered():
        receive(document, signer=told.signer, actor=SYSTEM)
        assert ProviderApp.objects.values(*ends).get() == (ends if is_new else dict.fromkeys(ends))
        empty()


@pytest.mark.parametrize("is_new", [True, False])
def test_an_app_stays_switched_off_where_its_tenant_goes(acme: Tenant, elsewhere: Elsewhere, is_new: bool) -> None:
    off = {"paused_at": database_now() - timedelta(days=1), "suspended_at": database_now()}
    make_connection(acme)
    ProviderApp.objects.update(tenant=acme, **off)
    told, document = bundle(acme)
    if not is_new:  # as earlier versions made it
        for name in off:
            del document["provider_apps"][0][name]
    with emptied(elsewhere):
        receive(document, signer=told.signer, actor=SYSTEM)
        assert ProviderApp.objects.values(*off).get() == (off if is_new else dict.fromkeys(off))


def test_a_client_secret_that_the_operator_keeps_elsewhere_does_not_leave_with_a_tenant(
    acme: Tenant, connections: list[Connection], mounted: Folder
) -> None:
    app = ProviderApp.objects.get()
    set_source(app, mounted.put("ours", "canary-of-the-operator"), actor=SYSTEM)
    told, document = bundle(acme)
    assert (told.kept, document["provider_apps"][0]["client_secrets"]) == ([app.name], None)
    everything = json.dumps(document)
    assert "canary" not in everything
    assert str(mounted.path) not in everything


def test_a_copy_is_paused_there_and_goes_on_here(
    acme: Tenant, connections: list[Connection], sandbox: SandboxProcess, elsewhere: Elsewhere
) -> None:
    told, document = bundle(acme, replace(MOVE, is_move=False, with_client_secrets=False, with_audit=False))
    assert document["audit"] is None
    assert document["provider_apps"][0]["client_secrets"] is None
    assert vended(acme, connections[0])["active"]
    with elsewhere.entered():
        received = receive(document, signer=told.signer, slug="copied", actor=SYSTEM)
        assert received.tenant.slug == "copied"
        assert received.without_secrets == ["Sandbox"]
        assert not Connection.objects.filter(paused_at=None).exists()
        assert Connection.objects.count() == 3
        empty()
    assert not sandbox.control.log(grant_type="refresh_token")


def test_an_import_that_was_killed_goes_on(
    acme: Tenant, connections: list[Connection], elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, document = bundle(acme)
    with elsewhere.entered():
        monkeypatch.setattr(receiving, "SLICE", 1)
        stored = receiving._Store.connection
        calls: list[int] = []

        def dying(self: Any, line: int, one: Any, *, now: Any) -> None:
            calls.append(line)
            if len(calls) == 3:
                raise KeyboardInterrupt
            stored(self, line, one, now=now)

        monkeypatch.setattr(receiving._Store, "connection", dying)
        with pytest.raises(KeyboardInterrupt):
            receive(document, signer=told.signer, actor=SYSTEM)
        assert Connection.objects.count() == 2
        assert Tenant.objects.get().suspended_at is not None
        with transaction.atomic():
            Bundle.objects.update(tenant_id=uuid.uuid4())  # as if its tenant had been deleted
            with pytest.raises(BundleRefused) as refused:
                receive(document, signer=told.signer, actor=SYSTEM)
            transaction.set_rollback(True)
        assert refused.value.extra["reason"] == "tenant_gone"
        assert receive(document, signer=told.signer, actor=SYSTEM).connections == 3
        assert calls == [1, 2, 3, 3]
        assert Tenant.objects.get().suspended_at is None
        empty()


def test_what_does_not_fit_is_told_before_anything_is_stored(
    acme: Tenant, connections: list[Connection], elsewhere: Elsewhere
) -> None:
    told, document = bundle(acme)

    def reason(**changes: Any) -> str:
        with pytest.raises(BundleRefused) as refused:
            receive({**document, **changes}, signer=told.signer, actor=SYSTEM)
        return str(refused.value.extra["reason"])

    assert reason() == "made_here"
    with emptied(elsewhere):
        app = document["provider_apps"][0]
        assert reason(provider_apps=[{**app, "provider": "unheard-of"}]) == "providers"
        assert reason(format="another") == reason(connections=None) == "no_bundle"
        empty()
        moved = [{**document["connections"][0], "params": {}, "credential": '{"granted_by": "another"}'}]
        left = receive({**document, "connections": moved}, signer=told.signer, actor=SYSTEM).left
        assert [one for one, _ in left] == [str(document["connections"][0]["id"])]
        assert reason() == "replayed"
        assert reason(id=str(connections[0].id)) == "tenant"
        assert reason(id=str(connections[0].id), tenant={**document["tenant"], "id": str(connections[1].id)}) == "slug"
        empty()


ODD: list[Any] = [None, [], {}, "", "\x00", "\ud800", "x" * 5000, -1, 1e300, 10**30, True, [[{}]], {"a": {}}]


def places_in(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where something stands in a document: of a list, only in its first member."""
    members = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for name, member in members:
        yield (*place, name)
        yield from places_in(member, (*place, name))


def with_odd(document: dict[str, Any], place: tuple[Any, ...], odd: Any) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(document))
    within: Any = changed
    for name in place[:-1]:
        within = within[name]
    within[place[-1]] = odd
    return changed


def test_whatever_a_signed_bundle_says_it_is_refused_or_stored_and_nothing_breaks(
    acme: Tenant, connections: list[Connection], elsewhere: Elsewhere
) -> None:
    save_brand(acme, BrandProfile(colors={"accent": "#003366"}, support_url="https://acme.example/help"), actor=SYSTEM)
    told, document = bundle(acme)
    document = {**document, "audit": None, "connections": document["connections"][:1]}
    dice = random.Random(7)
    with emptied(elsewhere):
        outcomes: Counter[str] = Counter()
        for place in places_in(document):
            try:
                receive(with_odd(document, place, dice.choice(ODD)), signer=told.signer, actor=SYSTEM)
                outcomes["stored"] += 1
            except (BundleRefused, InvalidRequest) as refused:
                outcomes[refused.code] += 1
                assert not Connection.objects.exclude(tenant__suspended_at__isnull=False).exists()
            empty()
        assert outcomes.total() > 80
        assert min(outcomes["stored"], outcomes["bundle_refused"]) > 10, outcomes


DRAWN = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'
SCRIPT = DRAWN.replace(b"<rect", b"<script>alert(1)</script><rect")


@pytest.mark.parametrize(
    ("changes", "is_left"),
    [
        ({"logo": base64.b64encode(SCRIPT).decode(), "logo_media_type": "text/html"}, True),
        ({"logo": base64.b64encode(DRAWN).decode(), "logo_media_type": "text/html"}, False),
        ({"logo": base64.b64encode(b"<html><script>alert(1)</script>").decode()}, True),
        ({"support_url": "javascript:alert(1)"}, True),
        ({"texts": {"en": {"title": "\u202eevil"}}}, True),
        ({"accent": "#00000g"}, True),
    ],
)
def test_a_brand_from_elsewhere_is_checked_and_drawn_anew_as_any_other(
    changes: dict[str, Any], is_left: bool, acme: Tenant, elsewhere: Elsewhere
) -> None:
    save_brand(acme, BrandProfile(colors={"accent": "#003366"}), actor=SYSTEM)
    told, document = bundle(acme)
    document = {**document, "brand": {**document["brand"], **changes}}
    with emptied(elsewhere):
        left = receive(document, signer=told.signer, actor=SYSTEM).left
        brand = Brand.objects.get(tenant__slug="acme")
        assert ["brand"] * is_left == [one for one, _ in left]
        assert brand.accent == ("" if is_left else "#003366")
        assert brand.logo_media_type in ("", "image/svg+xml")
        assert b"script" not in bytes(brand.logo)
        empty()


def test_a_bundle_takes_nothing_over_that_is_another_tenant_s(
    acme: Tenant, connections: list[Connection], elsewhere: Elsewhere
) -> None:
    told, document = bundle(acme)
    with emptied(elsewhere):
        globex = make_tenant("globex")
        theirs = make_connection(globex)
        known = let(theirs)
        first = {**document["connections"][0], "id": str(theirs.id)}
        client = make_caller(None).client
        grants = [
            {**document["access_grants"][0], "id": str(known.id), "connection_id": document["connections"][1]["id"]},
            {**document["access_grants"][0], "id": str(uuid.uuid4()), "connection_id": str(theirs.id)},
            {
                **document["access_grants"][0],
                "id": str(uuid.uuid4()),
                "subject_kind": "api_client",
                "subject": str(client.id),
                "connection_id": document["connections"][1]["id"],
            },
        ]
        changed = {"connections": [first, *document["connections"][1:]], "access_grants": grants}
        came = receive({**document, **changed}, signer=told.signer, actor=SYSTEM)
        assert (came.connections, str(theirs.id) in dict(came.left)) == (2, True)
        assert Connection.objects.get(id=theirs.id).tenant == globex
        assert [grant.id for grant in AccessGrant.objects.all()] == [known.id]
        empty()


def test_a_tenant_that_never_arrived_is_taken_back(acme: Tenant, connections: list[Connection]) -> None:
    bundle(acme)
    acme.refresh_from_db()
    assert acme.suspended_at is not None
    assert take_back(acme, now=database_now(), actor=SYSTEM) == 1
    assert resume(acme, actor=SYSTEM)
    assert vended(acme, connections[0])["active"]
    assert take_back(acme, now=database_now(), actor=SYSTEM) == 0
