"""Crowd: at a provider with room for five grants of an account, the warning comes before the sixth ends the oldest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.forecast.foretell import foretell
from connections.models import Connection, OutboxEvent, Tenant
from providers.catalog import loader
from providers.sandbox.client import SandboxProcess
from tests.connections.lifecycle.forecast.rows import foreseen
from tests.factories import Caller, make_sandbox_app
from tests.flows import EndUser, call
from tests.person import Person

pytestmark = pytest.mark.django_db(transaction=True)
ENTRY = """
name = "Narrow"
base_url = "{issuer}"

[[params]]
name = "issuer"
label = "Issuer"
scope = "app"
pattern = '^http://[0-9.:]+$'

[[scopes]]
name = "profile.read"
description = "See your name"
default = true

[authorization_code]
issuer = "{issuer}"
authorization_url = "{issuer}/authorize"
token_url = "{issuer}/token"
revocation_url = "{issuer}/revoke"
most_grants_of_account = 5

[probe]
url = "{issuer}/me"
account_id = "/sub"
"""


@pytest.fixture
def narrow(tmp_path: Path, acme: Tenant, sandbox: SandboxProcess) -> Iterator[None]:
    """acme's app at a provider with room for five grants of an account."""
    (tmp_path / "narrow.toml").write_text(ENTRY, encoding="utf-8")
    loader.configure_catalog(tmp_path)
    make_sandbox_app(sandbox, tenant=acme, provider="narrow", client_scopes=["profile.read"])
    sandbox.control.settings(most_grants=5)
    yield
    sandbox.control.settings(most_grants=0)
    loader.configure_catalog(None)


def connected(backend: Caller, number: int) -> str:
    """Have another end user connect the account of alice."""
    user = EndUser(f"user-{number}", backend)
    user.person = Person("alice")
    return str(user.connect(provider="narrow")["id"])


def told() -> list[str]:
    rows = OutboxEvent.objects.filter(type="connection.expiring").order_by("id")
    assert {row.payload["cause"] for row in rows} <= {"too_many_grants"}
    return [str(row.connection_id) for row in rows]


def test_the_oldest_is_warned_of_before_the_next_grant_ends_it(narrow: None, backend: Caller) -> None:
    made = [connected(backend, number) for number in range(4)]
    foretell(now=database_now())
    assert told() == []
    made.append(connected(backend, 4))
    assert [str(found.connection.id) for found in foreseen() if found.connection] == [made[0]]
    for _ in range(2):
        foretell(now=database_now())
    assert told() == [made[0]]
    assert call(backend, "POST", f"/connections/{made[0]}/probe", {}).json()["outcome"] == "alive"

    made.append(connected(backend, 5))
    call(backend, "POST", f"/connections/{made[0]}/probe", {})
    assert Connection.objects.get(id=made[0]).status in ("suspect", "needs_reauth"), "the provider has ended it"
    assert call(backend, "POST", f"/connections/{made[1]}/probe", {}).json()["outcome"] == "alive"
    foretell(now=database_now())
    assert told() == [made[0], made[1]]


def test_a_place_that_becomes_free_ends_the_warning(narrow: None, backend: Caller) -> None:
    made = [connected(backend, number) for number in range(5)]
    disconnect(Connection.objects.get(id=made[3]).id, now=database_now(), actor=SYSTEM)
    foretell(now=database_now())
    assert told() == []
    assert foreseen() == []
    assert not Connection.objects.filter(crowded_at__isnull=False).exists()


def test_other_accounts_and_other_apps_take_no_place(narrow: None, backend: Caller, sandbox: SandboxProcess) -> None:
    for number in range(4):
        connected(backend, number)
    other = EndUser("user-9", backend)
    other.person = Person("bob")
    other.connect(provider="narrow")
    assert foreseen() == []
