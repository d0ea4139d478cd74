"""The ordinary way in place of each detour still works: what it is compared with has to do the same."""

import re

import pytest

from connections import database
from connections.database.clock import database_now
from connections.lifecycle.refresh.claim import Need, Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.lifecycle.sweep import sweep_refreshes
from connections.models import AuditEvent, Connection
from tests.campaigns.ordinary import ON_PROXIED, ON_REFRESHES, ON_VENDS, Ordinary
from tests.connections.lifecycle.clockwork import age
from tests.flows import EndUser


@pytest.fixture
def connection(alice: EndUser) -> Connection:
    return Connection.objects.get(id=alice.connect(scopes=["profile.read"])["id"])


def without(ordinary: Ordinary, monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, attribute, value in ordinary.attributes():
        monkeypatch.setattr(owner, attribute, value)


@pytest.mark.parametrize("name", ON_VENDS)
def test_a_vend_without_the_detour_is_the_same(
    name: str, alice: EndUser, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = alice.vend(str(connection.id), scopes=["profile.read"]).json()
    without(ON_VENDS[name], monkeypatch)
    assert alice.vend(str(connection.id), scopes=["profile.read"]).json() == usual
    refused = alice.vend(str(connection.id), scopes=["admin"])
    assert refused.json()["code"] == "insufficient_scope"
    assert AuditEvent.objects.filter(action="credential.vend", decision="allowed").count() == 2


@pytest.mark.parametrize("name", ON_PROXIED)
def test_a_refusal_without_the_detour_leaves_the_same_row(
    name: str, alice: EndUser, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.vend(str(connection.id), scopes=["admin"], purpose="a try")
    without(ON_PROXIED[name], monkeypatch)
    alice.vend(str(connection.id), scopes=["admin"], purpose="a try")
    told = AuditEvent.objects.filter(action="credential.vend").order_by("id").values()
    usual, ordinary = [{**row, "id": None, "at": None} for row in told]
    assert usual == ordinary


@pytest.mark.parametrize("name", ON_REFRESHES)
def test_a_refresh_without_the_detour_is_the_same(
    name: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(ON_REFRESHES[name], monkeypatch)
    age(connection.id, hours=1)
    assert refresh(connection.id, trigger="sweep", need=Need()).outcome is Outcome.REFRESHED
    age(connection.id, hours=1)
    assert sweep_refreshes(now=database_now()) == 1


def test_each_detour_is_listed_with_its_figure() -> None:
    figures = dict(re.findall(r"^- ``(\w+)`` \((\d+) %", database.__doc__ or "", re.MULTILINE))
    assert list(figures) == [*ON_VENDS, *ON_PROXIED, *ON_REFRESHES]
    assert all(int(figure) > 0 for figure in figures.values())
