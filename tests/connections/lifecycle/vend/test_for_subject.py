"""On behalf of subjects: one exchange for each subject's token, whose failure says what to do."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import connections as databases
from django.http import HttpResponse

from connections.access.secrets import digest
from connections.api.vend_calls import read_call
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.credentials.subject_tokens import asked_of, claim_exchange
from connections.lifecycle.steer.switches import suspend
from connections.models import AuditEvent, Connection, Incident, SubjectToken
from providers.sandbox.client import SandboxProcess
from providers.sandbox.subject_tokens import CLAIMS
from providers.sandbox.waiting import until
from tests.connections.lifecycle.subjects import exchanges, value, vend
from tests.factories import Caller

# --- one exchange at a time -------------------------------------------------------------------------------------------
VENDING = """
import json, sys
import django
django.setup()
from pydantic import SecretStr
from connections.lifecycle.vend.order import VendOrder
from connections.lifecycle.vend.vend import vend
asked = json.loads(sys.stdin.readline())
order = VendOrder(bytes.fromhex(asked["key_hash"]), asked["connection"], end_user="alice",
                  subject_token=SecretStr(asked["subject_token"]))
print("ready", flush=True)
sys.stdin.readline()
print(vend(order).presentation.value.get_secret_value(), flush=True)
"""


@contextmanager
def vending(asked: dict[str, Any]) -> Iterator["subprocess.Popen[str]"]:
    """Run a process that vends as soon as it gets a line."""
    server = settings.DATABASES["default"]
    url = f"postgresql://{server['USER']}:{server['PASSWORD']}@{server['HOST']}:{server['PORT']}/{server['NAME']}"
    process = subprocess.Popen(
        [sys.executable, "-c", VENDING],
        env=os.environ | {"DATABASE_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_two_processes_make_one_request(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    sandbox.control.settings(delay_seconds={"token": 1.0})
    token = sign_in()
    asked = {"key_hash": digest(backend.key).hex(), "connection": str(acting.id), "subject_token": token}
    with vending(asked) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        other.stdin.write("now\n")
        other.stdin.flush()
        here = value(vend(backend, acting, token))
        there = other.stdout.readline().strip()
    assert here == there
    assert len(exchanges(sandbox)) == 1


def together(*asks: Callable[[], HttpResponse]) -> list[HttpResponse]:
    """Return the answers of calls that are made at the same time."""
    gate = threading.Barrier(len(asks))

    def ask(one: Callable[[], HttpResponse]) -> HttpResponse:
        gate.wait()
        try:
            return one()
        finally:
            databases.close_all()

    with ThreadPoolExecutor(len(asks)) as pool:
        return list(pool.map(ask, asks))


def test_those_who_wait_are_told_why_it_failed_and_do_not_ask_again(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    sandbox.control.settings(delay_seconds={"token": 0.6}, locked=["alice"])
    token = sign_in()
    answers = together(*[lambda: vend(backend, acting, token)] * 4)
    assert {answer.json()["code"] for answer in answers} == {"interaction_required"}
    assert len(exchanges(sandbox)) == 1
    sandbox.control.settings(delay_seconds=0, locked=[])
    value(vend(backend, acting, token))


def test_other_subjects_do_not_wait(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    alice = sign_in()
    claim = claim_exchange(
        acting.id, asked_of(alice, end_user="alice", scopes=()), end_user="alice", now=database_now()
    )
    assert claim is not None
    waited = vend(backend, acting, alice, wait=0)
    assert (waited.status_code, waited.json()["code"]) == (503, "refresh_in_progress")
    value(vend(backend, acting, sign_in("bob"), wait=0))


def test_the_claim_of_a_process_that_died_ends(
    backend: Caller, acting: Connection, sign_in: Callable[..., str]
) -> None:
    token = sign_in()
    claim_exchange(acting.id, asked_of(token, end_user="alice", scopes=()), end_user="alice", now=database_now())
    SubjectToken.objects.update(claimed_until=database_now())
    value(vend(backend, acting, token))


def test_a_switch_that_is_thrown_meanwhile_keeps_and_hands_out_nothing(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    sandbox.control.settings(delay_seconds={"token": 1.0})
    token = sign_in()

    def throw() -> HttpResponse:
        until(lambda: exchanges(sandbox), "an exchange under way")
        suspend(acting, now=database_now(), actor=SYSTEM)
        return HttpResponse()

    answer, _ = together(lambda: vend(backend, acting, token), throw)
    assert answer.json()["code"] == "suspended"
    assert not SubjectToken.objects.exists()


# --- refusals ---------------------------------------------------------------------------------------------------------
def test_a_subject_who_has_to_sign_in_is_told_so_with_the_claims(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    sandbox.control.settings(locked=["alice"])
    refused = vend(backend, acting, sign_in()).json()
    assert (refused["status"], refused["code"]) == (409, "interaction_required")
    assert refused["claims"] == CLAIMS
    assert Connection.objects.get(id=acting.id).status == "active"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ("invalid_grant", 409, "subject_token_refused"),
        ("access_denied", 409, "subject_token_refused"),
        ("invalid_scope", 422, "invalid_request"),
        ("invalid_target", 502, "app_misconfigured"),
        ("invalid_client", 502, "app_misconfigured"),
        ("temporarily_unavailable", 503, "provider_unavailable"),
    ],
)
def test_each_refusal_says_whose_it_is_to_mend(
    backend: Caller,
    acting: Connection,
    sign_in: Callable[..., str],
    sandbox: SandboxProcess,
    error: str,
    status: int,
    code: str,
) -> None:
    sandbox.control.fault("error", endpoint="token", error=error)
    token = sign_in()
    refused = vend(backend, acting, token)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert Incident.objects.exists() is (error == "invalid_client")
    written = AuditEvent.objects.filter(action__in=["credential.vend", "credential.exchange"]).order_by("id")
    assert [event.decision for event in written][1:] == [code]
    value(vend(backend, acting, token))
    assert not Incident.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize("token", ["short", "with white space in it", "x" * 16385, "ünïcödé-is-no-token", ""])
def test_what_can_be_no_token_is_refused_and_not_repeated(
    backend: Caller, acting: Connection, sandbox: SandboxProcess, token: str
) -> None:
    refused = vend(backend, acting, token)
    assert (refused.status_code, refused.json()["field"]) == (422, "subject_token")
    assert not token or token not in refused.content.decode()
    assert exchanges(sandbox) == []


# --- what may be seen -------------------------------------------------------------------------------------------------
def test_it_never_goes_the_short_way() -> None:
    headers = [(b"authorization", b"Bearer lk_x"), (b"host", b"testserver")]
    path = "/api/v1/connections/0b8f4b3e-1111-4222-8333-444455556666/credential"
    plain, with_token = b'{"end_user": "alice"}', b'{"end_user": "alice", "subject_token": "0123456789abcdef"}'
    assert read_call(path, headers, plain, peer="127.0.0.1", scheme="http") is not None
    assert read_call(path, headers, with_token, peer="127.0.0.1", scheme="http") is None


def test_each_vend_is_audited_and_holds_no_token(
    backend: Caller, acting: Connection, sign_in: Callable[..., str], sandbox: SandboxProcess
) -> None:
    token = sign_in()
    handed_out = value(vend(backend, acting, token, purpose="invoices"))
    value(vend(backend, acting, token))
    sandbox.control.settings(locked=["alice"])
    vend(backend, acting, sign_in())
    rows = AuditEvent.objects.filter(connection_id=acting.id).order_by("id")
    told = [(row.action, row.decision, row.subject) for row in rows]
    assert told == [
        ("credential.exchange", "allowed", ""),
        ("credential.vend", "allowed", "alice"),
        ("credential.vend", "allowed", "alice"),
        ("credential.exchange", "interaction_required", ""),
        ("credential.vend", "interaction_required", "alice"),
    ]
    assert rows[1].credential_version_id == SubjectToken.objects.exclude(version_id=None).get().version_id
    assert rows[1].fingerprint == rows[2].fingerprint is not None
    stored = repr([*AuditEvent.objects.values_list(), *SubjectToken.objects.values_list()])
    assert not any(secret in stored for secret in (token, handed_out))
