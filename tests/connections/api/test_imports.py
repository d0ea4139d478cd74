"""Imports over the API: in parts, judged at once, done by the workers, told without a secret."""

from typing import Any

import pytest
from django.http import HttpResponse

from connections.database.clock import database_now
from connections.lifecycle.port.go_on import continue_imports
from connections.models import Connection, ImportRow, ImportRun, Permission, ProviderApp, Tenant
from providers.sandbox.client import SandboxProcess
from tests.connections.lifecycle.port.importing import minted
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import call

PATH = "/connections/import"
OPERATORS_OWN = (Permission.TENANTS, Permission.CATALOGUE)


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    """The tenant of these tests, whose imports call the provider."""
    return make_tenant("acme")


@pytest.fixture
def mover(acme: Tenant) -> Caller:
    """A client that may import, and read what came of it."""
    return make_caller(acme, "mover", [Permission.IMPORT, Permission.READ])


@pytest.fixture
def rows(app: ProviderApp, sandbox: SandboxProcess) -> list[dict[str, Any]]:
    return minted(sandbox, app, 4)


def send(caller: Caller, path: str = PATH, **body: Any) -> HttpResponse:
    return call(caller, "POST", path, body)


def test_parts_become_connections_and_the_report_says_so(mover: Caller, rows: list[dict[str, Any]]) -> None:
    begun = send(mover, rows=rows[:2], complete=False)
    assert (begun.status_code, begun.json()["state"]) == (202, "reading")
    path = f"/imports/{begun.json()['id']}"
    for _ in range(2):
        assert send(mover, f"{path}/rows", rows=rows[2:], part=2, complete=False).json()["rows"] == 4
    ended = send(mover, f"{path}/rows", rows=[{"provider": "nonsense", "end_user": "zoe"}], part=3)
    assert ended.json()["outcomes"] == {"accepted": 4, "unknown_provider": 1}
    assert continue_imports(now=database_now()) == 1
    told = call(mover, "GET", path).json()
    assert (told["state"], told["outcomes"]) == ("done", {"refreshed_and_verified": 4, "unknown_provider": 1})
    page = call(mover, "GET", f"{path}/rows?limit=3").json()
    rest = call(mover, "GET", f"{path}/rows?cursor={page['next']}").json()
    assert [row["line"] for row in page["items"] + rest["items"]] == [1, 2, 3, 4, 5]
    assert rest["next"] is None
    care = call(mover, "GET", f"{path}/rows?needs_care=true").json()["items"]
    assert [(row["code"], row["field"]) for row in care] == [("unknown_provider", "provider")]
    shown = str(told) + str(page) + str(rest)
    assert not any(row["refresh_token"] in shown or row["access_token"] in shown for row in rows)


def test_a_dry_run_is_done_at_once(mover: Caller, rows: list[dict[str, Any]]) -> None:
    told = send(mover, rows=rows, dry_run=True).json()
    assert (told["state"], told["outcomes"], told["rotating"]) == ("done", {"accepted": 4}, 4)
    assert not Connection.objects.exists()


def test_csv_is_read_too(mover: Caller, rows: list[dict[str, Any]]) -> None:
    csv = f"who,renew\nalice,{rows[0]['refresh_token']}\n"
    columns = {"who": "end_user", "renew": "refresh_token"}
    told = send(mover, csv=csv, columns=columns, provider="sandbox", dry_run=True).json()
    assert told["outcomes"] == {"accepted": 1}
    broken = send(mover, csv='who\n"never closed', dry_run=True)
    assert (broken.status_code, broken.json()["field"]) == (422, "csv")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"rows": [], "csv": ""},
        {"rows": [{}] * 1001},
        {"csv": "end_user\n" + "alice\n" * 1001},
        {"rows": [{}], "columns": {"x": "nonsense"}},
        {"rows": ["text"]},
    ],
    ids=",".join,
)
def test_what_makes_no_sense_is_refused_without_an_echo(mover: Caller, body: dict[str, Any]) -> None:
    answer = send(mover, **body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert not ImportRow.objects.exists()


COLUMNS = (
    *("provider", "end_user", "scopes", "access_token", "refresh_token", "expires_at", "label", "metadata", "params"),
    *("param.issuer", "id", "owner", "client_id", "auth_style", "account_id", "x\x00", "\ud800", "x" * 3000),
)
ODD: list[Any] = [
    "\x00",
    "\ud800",
    "\u202e",
    "x" * 3000,
    10**400,
    1e300,
    True,
    None,
    [],
    {},
    [[[]]],
    {"\x00": "\ud800"},
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:12])
def test_whatever_a_row_holds_it_is_judged_or_refused_and_nothing_breaks(
    mover: Caller, app: ProviderApp, odd: Any
) -> None:
    row = {"provider": "sandbox", "end_user": "alice", "access_token": "x", "refresh_token": "y"}
    theirs = {"connection_id": "c", "provider": "sandbox", "end_user": {"id": odd}, "metadata": odd}
    credentials = {"type": "OAUTH2", "access_token": odd, "refresh_token": odd, "raw": odd, "expires_at": odd}
    bodies: list[dict[str, Any]] = [
        {"rows": [row | {column: odd} for column in COLUMNS], "dry_run": True},
        {"rows": [theirs | {"credentials": credentials}, theirs | {"credentials": odd}], "format": "nango"},
        {"rows": [row], "columns": {"end_user": odd, str(odd): "provider"}},
        {"csv": f"provider,end_user,{odd}\nsandbox,alice,{odd}\n{odd}"},
        {"csv": odd},
    ]
    for body in bodies:
        answer = send(mover, **body)
        assert answer.status_code in (202, 422), (body, answer.content)


def test_parts_come_in_their_order_and_end(mover: Caller, rows: list[dict[str, Any]]) -> None:
    begun = send(mover, rows=rows[:1], complete=False).json()
    path = f"/imports/{begun['id']}/rows"
    skipped = send(mover, path, rows=rows[1:], part=3)
    assert (skipped.status_code, skipped.json()["field"]) == (422, "part")
    assert send(mover, path, rows=[], part=2).json()["state"] == "storing"
    assert send(mover, path, rows=rows[1:], part=3).status_code == 422


def test_it_needs_a_permission_of_its_own(acme: Tenant, rows: list[dict[str, Any]]) -> None:
    others = [one for one in Permission if one not in (Permission.IMPORT, *OPERATORS_OWN)]
    assert send(make_caller(acme, "other", others), rows=rows).status_code == 403


def test_an_operators_own_import_is_nobodys_business(mover: Caller, globex: Tenant) -> None:
    for tenant in (None, globex):
        run = ImportRun.objects.create(tenant=tenant, created_at=database_now(), options={"dry_run": True})
        assert call(mover, "GET", f"/imports/{run.id}").status_code == 404
