"""``manage.py keys`` at the shell: counts, progress and refusals, and never a key."""

import base64
import secrets
from datetime import timedelta

import pytest
from django.conf import settings as project
from django.db.models import Count
from pytest_django import Settings

from connections.access import held_keks
from connections.access.held_keks import new_kek
from connections.access.secrets import current_data_key, keyring
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.keys.rotate import begin_rotation, rotate
from connections.management.doctor import keys
from connections.management.doctor.findings import Level
from connections.models import AuditEvent, CredentialVersion, DataKey, Tenant
from providers.custodians.custody import configure_custody, current_custody
from tests.connections.api.stored import make_connection
from tests.connections.management.conftest import Run
from tests.providers.custodians.stand_ins import Bao, serving


@pytest.fixture
def earlier(acme: Tenant, settings: Settings) -> str:
    """The id of the KEK that has wrapped everything, which is the second one by now."""
    make_connection(acme)
    current_data_key(None)
    kek_id, _, _ = project.KEK_KEYS[0].partition(":")
    settings.FERNET_KEYS = [secrets.token_urlsafe(32), *settings.FERNET_KEYS]
    settings.KEK_KEYS = [f"next:{base64.b64encode(secrets.token_bytes(32)).decode()}", *settings.KEK_KEYS]
    return kek_id


def test_a_rotation_from_its_begin_to_its_end(run: Run, earlier: str) -> None:
    said = run("keys", "status", "--exact", "--json")
    assert said.code == 0
    of = {(use["setting"], use["place"]): use for use in said.data["keys"]}
    assert (of["KEK_KEYS", 1]["rows"], of["KEK_KEYS", 2]["rows"], of["KEK_KEYS", 2]["key"]) == (0, 2, earlier)
    assert of["FERNET_KEYS", 2]["of"]["connections_credentialversion.secrets"] == 1
    refused = run("keys", "retire", earlier)
    assert refused.code == 1
    assert f"KEK_KEYS {earlier} has to stay" in refused.err
    assert "2 data keys are under it" in refused.err

    rewrapped = run("keys", "rewrap", "--rate", "10000")
    assert rewrapped.code == 0, rewrapped.err
    assert rewrapped.out.startswith("All is under the first keys; ")
    assert "[####################] data keys: 2 of 2, 2 changed" in rewrapped.err
    for key in (earlier, of["FERNET_KEYS", 2]["key"]):
        gone = run("keys", "retire", key)
        assert (gone.code, "take it out of the list" in gone.out) == (0, True)
    assert f"KEK_KEYS {earlier} is used by nothing" in run("keys", "status", "--exact").out


def test_no_key_is_ever_shown(run: Run, earlier: str) -> None:
    shown = "".join(
        ran.out + ran.err
        for ran in (
            run("keys", "status"),
            run("keys", "status", "--json"),
            run("keys", "rewrap"),
            run("keys", "retire", "x"),
        )
    )
    assert earlier in shown
    for entry in (*project.FERNET_KEYS, *project.KEK_KEYS, *project.AUDIT_KEYS):
        assert entry.rpartition(":")[2].rstrip("=") not in shown


def test_what_does_not_open_is_told(run: Run, earlier: str, settings: Settings) -> None:
    settings.FERNET_KEYS, settings.KEK_KEYS = settings.FERNET_KEYS[:1], settings.KEK_KEYS[:1]
    said = run("keys", "status").out
    assert f"KEK_KEYS {earlier} is missing: 2 rows need it" in said
    assert "open under no key of FERNET_KEYS" in said
    failed = run("keys", "rewrap", "--json")
    assert failed.code == 1
    assert "data keys: 2 do not open" in failed.err
    assert CredentialVersion.objects.count() == 1


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "many"])
def test_a_rate_is_a_number_above_nothing(run: Run, rate: str) -> None:
    assert run("keys", "rewrap", "--rate", rate).code != 0


def test_an_unknown_key_is_refused(run: Run, earlier: str) -> None:
    assert "No list has that key" in run("keys", "retire", "unheard-of").err


def test_data_keys_rotate(run: Run, earlier: str, acme: Tenant) -> None:
    young = run("keys", "rotate", "--all", "--json")
    assert (young.code, young.data["changed"]) == (0, 0)
    of_one = run("keys", "rotate", "--tenant", acme.slug, "--older-than", "0")
    assert (of_one.code, of_one.out.startswith("All is sealed under current data keys; ")) == (0, True)
    assert sorted(DataKey.objects.filter(tenant=acme).values_list("is_current", flat=True)) == [False, True]
    assert run("keys", "rotate", "--operator", "--older-than", "0").code == 0
    assert DataKey.objects.filter(tenant=None).count() == 2
    assert "2 of them earlier ones" in run("keys", "status").out
    assert "There is no tenant" in run("keys", "rotate", "--tenant", "unheard-of").err
    assert run("keys", "rotate").code != 0


@pytest.mark.parametrize(("days", "says"), [(10, "in 79 days"), (100, "10 days ago")])
def test_it_says_when_a_newer_key_is_due(run: Run, acme: Tenant, days: int, says: str) -> None:
    current_data_key(acme.id)
    DataKey.objects.update(created_at=database_now() - timedelta(days=days), wrapped_at=None)
    assert says in run("keys", "status").out
    (kek,) = [use for use in run("keys", "status", "--json").data["keys"] if use["setting"] == "KEK_KEYS"]
    assert (kek["is_old"], kek["due_at"] is None) == (days > 90, False)


def test_after_a_leak_the_same_command_goes_on_after_a_kill(run: Run, acme: Tenant, globex: Tenant) -> None:
    for tenant in (None, acme, globex):
        current_data_key(tenant and tenant.id)
    rotation = begin_rotation("all", older_than=timedelta(0), actor=SYSTEM, now=database_now())
    killed = rotate([None, acme.id, globex.id], made_until=rotation.made_until, actor=SYSTEM)
    assert [next(killed).changed for _ in range(2)] == [1, 2]
    killed.close()
    again = run("keys", "rotate", "--all", "--older-than", "0")
    assert (again.code, "goes on with the rotation of" in again.err) == (0, True)
    assert counts() == [2, 2, 2]
    later = run("keys", "rotate", "--all", "--older-than", "0")
    assert (later.code, "goes on" in later.err, counts()) == (0, False, [3, 3, 3])


def test_keys_that_were_made_since_a_rotation_was_killed_give_way_anew(run: Run, acme: Tenant) -> None:
    current_data_key(acme.id)
    rotation = begin_rotation(f"tenant {acme.id}", older_than=timedelta(0), actor=SYSTEM, now=database_now())
    next(rotate([acme.id], made_until=rotation.made_until, actor=SYSTEM))
    assert run("keys", "rotate", "--tenant", acme.slug, "--older-than", "0", "--anew").code == 0
    assert counts() == [3]


def counts() -> list[int]:
    """How many data keys each owner has."""
    owners = DataKey.objects.order_by().values("tenant").annotate(rows=Count("id"))
    return [one["rows"] for one in owners]


@pytest.mark.parametrize("command", [("rewrap",), ("rotate", "--all", "--older-than", "0")])
def test_without_the_first_key_s_service_nothing_is_begun(
    run: Run, settings: Settings, acme: Tenant, command: tuple[str, ...]
) -> None:
    """Nor is there a traceback."""
    current_data_key(acme.id)
    before, there = current_custody(), list(DataKey.objects.values())
    with serving(Bao()) as bao:
        configure_custody(bao.custody())
        fresh = new_kek("away", service="vault-transit", name=Bao.NAME)
        held_keks.ask_again([])
        settings.KEK_KEYS = [fresh.entry(), *settings.KEK_KEYS]
        bao.is_cut = True
        ran = run("keys", *command)
    configure_custody(before)
    assert (ran.code, "'away' does not come from vault-transit" in ran.err) == (1, True), ran.err
    assert list(DataKey.objects.values()) == there
    assert not AuditEvent.objects.filter(action__startswith="data_key").exists()


def test_a_key_service_wraps_a_new_key(run: Run, settings: Settings) -> None:
    before = current_custody()
    current_data_key(None)
    with serving(Bao()) as bao:
        configure_custody(bao.custody())
        made = run("keys", "new", "in-vault", "--by", "vault-transit", "--key", Bao.NAME)
        assert made.code == 0, made.err
        settings.KEK_KEYS = [made.out.strip(), *settings.KEK_KEYS]
        kept = {use["key"]: use["kept_by"] for use in run("keys", "status", "--json").data["keys"]}
        assert kept["in-vault"] == f"vault-transit {Bao.NAME}, version v1"
        held_keks.ask_again([])
        rewrapped = run("keys", "rewrap")
        assert (rewrapped.code, held_keks.holds(keyring().wrapped()[0])) == (0, True), rewrapped.err
        assert DataKey.objects.get().kek_id == "in-vault"
        assert "give the new one another id" in run("keys", "new", "in-vault", "--by", "aws-kms", "--key", "x").err
        refused = run("keys", "new", "2", "--by", "vault-transit", "--key", "transit/other")
        assert (refused.code, "Vault answered HTTP 404" in refused.err) == (1, True)
        assert [found.level for found in keys.key_services()] == [Level.FINE] * 2, "its token is well, too"
        bao.disabled = True
        assert [found.level for found in keys.key_services()] == [Level.FAULT]
        bao.is_cut = True
        assert ["cannot be asked" in found.says for found in keys.key_services()] == [True]
    configure_custody(before)
