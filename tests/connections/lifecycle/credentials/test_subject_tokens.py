"""Tokens that act for subjects: what is kept is for nobody else, and forgotten with whatever allowed it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.credentials.subject_tokens import claim_exchange, forget_tokens_of_end_user
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.housekeeping import sweep_old
from connections.lifecycle.steer.switches import Suspendable, pause, resume, suspend, unpause
from connections.models import Connection, OwnerKind, SubjectToken, Tenant
from providers.sandbox.client import SandboxProcess
from tests.connections.api.stored import make_app, make_connection
from tests.connections.lifecycle.subjects import EXCHANGE, exchanges, value, vend
from tests.factories import Caller, make_caller, make_sandbox_app
from tests.flows import call


# --- what is kept, and for whom ---------------------------------------------------------------------------------------
def test_the_same_token_is_exchanged_once(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    token = sign_in()
    first = vend(backend, acting, token)
    assert value(vend(backend, acting, token)) == value(first)
    (exchange,) = exchanges(sandbox)
    assert (exchange.username, exchange.outcome) == ("alice", "issued")
    said = first.json()
    assert said["verified_by"] == "exchange"
    assert said["credential"]["expires_at"] is not None
    assert said["credential"]["headers"] == {"Authorization": f"Bearer {value(first)}"}


def test_another_subject_end_user_or_scope_is_another_token(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    token = sign_in()
    answers = [
        vend(backend, acting, token),
        vend(backend, acting, sign_in("bob")),
        vend(backend, acting, sign_in("bob"), end_user="bob"),
        vend(backend, acting, token, end_user="carol"),
        vend(backend, acting, token, scopes=["files.read"]),
    ]
    assert len({value(answer) for answer in answers}) == len(answers) == len(exchanges(sandbox))
    assert [entry.username for entry in exchanges(sandbox)] == ["alice", "bob", "bob", "alice", "alice"]


def test_whoever_leaves_is_asked_about_anew(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess, globex: Tenant
) -> None:
    alices, bobs = sign_in(), sign_in("bob")
    value(vend(backend, acting, alices))
    value(vend(backend, acting, bobs, end_user="bob"))
    assert forget_tokens_of_end_user(globex.id, "alice") == 0, "another tenant's alice is somebody else"
    left = call(backend, "DELETE", "/end-users/alice?shared=hand_over").json()
    assert left["counts"] == {"exchanged_tokens_forgotten": 1}
    value(vend(backend, acting, bobs, end_user="bob"))
    value(vend(backend, acting, alices))
    assert [entry.username for entry in exchanges(sandbox)] == ["alice", "bob", "alice"]


def test_an_end_user_s_name_alone_brings_nobody_s_token(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    value(vend(backend, acting, sign_in("alice")))
    without = vend(backend, acting, None)
    assert (without.status_code, without.json()["code"]) == (422, "subject_token_required")
    with_another = vend(backend, acting, "x" * 40)
    assert (with_another.status_code, with_another.json()["code"]) == (409, "subject_token_refused")
    assert len(exchanges(sandbox, outcome="issued")) == 1


def test_another_tenant_gets_nothing_and_the_provider_is_not_asked(
    backend: Caller,
    acting: Connection,
    sign_in: Callable[..., str],
    sandbox: SandboxProcess,
    globex: Tenant,
) -> None:
    token = sign_in()
    value(vend(backend, acting, token))
    stranger = make_caller(globex)
    foreign = vend(stranger, acting, token)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
    named = call(stranger, "POST", "/credentials", {"end_user": "alice", "provider": "sandbox", "subject_token": token})
    assert (named.status_code, named.json()["code"]) == (404, "not_found")
    assert len(exchanges(sandbox)) == 1


def test_the_same_token_at_another_tenant_is_exchanged_there(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess, globex: Tenant
) -> None:
    theirs = make_connection(
        globex, owner=OwnerKind.TENANT, app=make_sandbox_app(sandbox, tenant=globex, style=EXCHANGE), scopes=()
    )
    token = sign_in()
    ours = value(vend(backend, acting, token))
    assert value(vend(make_caller(globex), theirs, token)) != ours
    assert len({entry.client_id for entry in exchanges(sandbox)}) == 2
    row = SubjectToken.objects.get(connection=theirs)
    SubjectToken.objects.filter(connection=acting).update(secrets=row.secrets, version_id=row.version_id)
    assert value(vend(backend, acting, token)) != ours, "what was moved from another place does not open"
    assert len(exchanges(sandbox)) == 3


def test_it_is_found_by_provider_and_end_user_too(
    backend: Caller, acting: Connection, sign_in: Callable[..., str]
) -> None:
    asked = {"end_user": "alice", "provider": "sandbox"}
    found = call(backend, "POST", "/credentials", {**asked, "subject_token": sign_in()})
    assert (found.status_code, found.json()["connection"]) == (200, str(acting.id))
    assert call(backend, "POST", "/credentials", asked).status_code == 404


def test_a_connection_with_a_credential_of_its_own_takes_no_subject_s_token(
    backend: Caller, acme: Tenant, sign_in: Callable[..., str]
) -> None:
    own = make_connection(acme, app=make_app(acme))
    refused = vend(backend, own, sign_in())
    assert (refused.status_code, refused.json()["field"]) == (422, "subject_token")
    assert vend(backend, own, None).status_code == 200


def test_a_caller_needs_a_user_or_the_permission_to_act_without(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    refused = call(backend, "POST", f"/connections/{acting.id}/credential", {"subject_token": sign_in()})
    assert (refused.status_code, refused.json()["code"]) == (403, "policy_denied")
    assert exchanges(sandbox) == []


def test_a_token_lives_for_as_long_as_was_asked_or_is_refused(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    token = sign_in()
    value(vend(backend, acting, token, min_ttl=30))
    SubjectToken.objects.update(access_expires_at=database_now() + timedelta(seconds=20))
    value(vend(backend, acting, token, min_ttl=15))
    assert len(exchanges(sandbox)) == 1
    SubjectToken.objects.update(obtained_at=database_now() - timedelta(seconds=40))
    value(vend(backend, acting, token, min_ttl=30))
    assert len(exchanges(sandbox)) == 2, "the kept one would not live for so long"
    for _ in range(2):
        short = vend(backend, acting, token, min_ttl=3600)
        assert (short.status_code, short.json()["code"]) == (422, "min_ttl_unavailable")
        assert 0 < short.json()["longest_seconds"] <= 60
    assert len(exchanges(sandbox)) == 2, "another exchange brings no longer life"


def test_a_token_that_outlives_what_is_kept_of_it_is_exchanged_once(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    token = sign_in()
    first = value(vend(backend, acting, token))
    SubjectToken.objects.update(
        access_expires_at=database_now() + timedelta(hours=12), kept_until=database_now() + timedelta(hours=1)
    )
    for min_ttl in (3599, 3600, 7200, 12 * 3600 - 60):
        assert value(vend(backend, acting, token, min_ttl=min_ttl)) == first
    assert len(exchanges(sandbox)) == 1


def test_a_token_whose_end_nobody_names_is_kept_for_a_minute(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("expires_in", endpoint="token")
    answer = vend(backend, acting, sign_in())
    assert answer.json()["credential"]["expires_at"] is None, answer.content
    assert SubjectToken.objects.get().kept_until <= database_now() + timedelta(minutes=1)


def test_scopes_that_the_provider_leaves_out_are_told(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("narrow_scope", endpoint="token", scope="files.read")
    refused = vend(backend, acting, sign_in(), scopes=["files.read", "files.write"])
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert refused.json()["missing_scopes"] == ["files.write"]


# --- what forgets it --------------------------------------------------------------------------------------------------
Pick = Callable[[Connection], Suspendable]
OF: dict[str, Pick] = {
    "connection": lambda acting: acting,
    "tenant": lambda acting: acting.tenant,
    "provider_app": lambda acting: acting.provider_app,
}


@pytest.mark.parametrize("kind", OF)
def test_a_kill_switch_forgets_it_at_once(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess, kind: str
) -> None:
    token = sign_in()
    before = value(vend(backend, acting, token))
    subject = OF[kind](acting)
    suspend(subject, now=database_now(), actor=SYSTEM)
    assert not SubjectToken.objects.exists()
    assert vend(backend, acting, token).json()["code"] == "suspended"
    assert len(exchanges(sandbox)) == 1, "nothing leaves the house"
    resume(subject, actor=SYSTEM)
    assert value(vend(backend, acting, token)) != before


@pytest.mark.parametrize("kind", ["connection", "provider_app"])
def test_a_pause_forgets_it_and_nothing_is_exchanged(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess, kind: str
) -> None:
    token = sign_in()
    value(vend(backend, acting, token))
    subject: Any = OF[kind](acting)
    pause(subject, now=database_now(), actor=SYSTEM)
    assert not SubjectToken.objects.exists()
    assert vend(backend, acting, token).json()["code"] == "paused"
    assert len(exchanges(sandbox)) == 1
    unpause(subject, actor=SYSTEM)
    value(vend(backend, acting, token))


def test_disconnecting_forgets_it(backend: Caller, acting: Connection, sign_in: Callable[..., str]) -> None:
    token = sign_in()
    value(vend(backend, acting, token))
    disconnect(acting.id, now=database_now(), actor=SYSTEM)
    assert not SubjectToken.objects.exists()
    assert vend(backend, acting, token).status_code == 404


def test_another_s_switch_leaves_it(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], globex: Tenant
) -> None:
    value(vend(backend, acting, sign_in()))
    suspend(globex, now=database_now(), actor=SYSTEM)
    suspend(make_caller(acting.tenant, "other").client, now=database_now(), actor=SYSTEM)
    assert SubjectToken.objects.exists()


def test_a_report_of_a_401_forgets_that_one(backend: Caller, acting: Connection, sign_in: Callable[..., str]) -> None:
    token = sign_in()
    seen = vend(backend, acting, token).json()
    value(vend(backend, acting, sign_in("bob")))
    told = call(backend, "POST", f"/connections/{acting.id}/report", {"version": seen["version"], "status": 401})
    assert told.json()["superseded"] is True
    assert SubjectToken.objects.count() == 1
    assert value(vend(backend, acting, token)) != seen["credential"]["value"]


def test_what_was_issued_elsewhere_is_exchanged_anew(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    token = sign_in()
    before = value(vend(backend, acting, token))
    row = SubjectToken.objects.get()
    moved = acting.provider_app
    moved.params = {"issuer": sandbox.url.replace("127.0.0.1", "localhost")}
    moved.save()
    refused = vend(backend, acting, token)
    assert refused.json()["reason"] == "endpoint_moved", "our client secret is for the old one"
    assert before not in refused.content.decode()
    assert SubjectToken.objects.get() == row


def test_housekeeping_deletes_what_serves_nobody_any_more(
    backend: Caller, acting: Connection, sign_in: Callable[..., str]
) -> None:
    tokens = [sign_in() for _ in range(3)]
    for token in tokens:
        value(vend(backend, acting, token))
    long_ago = database_now() - timedelta(seconds=1)
    old, claimed, fresh = SubjectToken.objects.order_by("id")
    SubjectToken.objects.filter(id__in=[old.id, claimed.id]).update(kept_until=long_ago)
    assert claim_exchange(acting.id, bytes(claimed.asked), end_user="alice", now=database_now()) is not None
    assert sweep_old(now=database_now())["subject tokens"] == 1
    assert {*SubjectToken.objects.values_list("id", flat=True)} == {claimed.id, fresh.id}
