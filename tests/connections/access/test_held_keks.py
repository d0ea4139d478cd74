"""Keys that a service has wrapped are held in memory: its outage stops nothing, its decision does."""

import base64
import os
import secrets
import signal
import threading
import uuid
from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from connections.access import held_keks
from connections.access.held_keks import HeldKeks, check_service, new_kek
from connections.access.secrets import current_data_key, hold_keks, keyring, open_credential, unwrap
from connections.lifecycle.keys.rewrap import rewrap
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection, DataKey, OutboxEvent, Tenant
from connections.vault.keyring import KeyringError, WrappedKek, parse_keyring
from connections.vault.sealing import Unreadable
from providers.custodians import openbao
from providers.custodians.asking import CustodianAway, CustodianRefuses
from providers.custodians.custody import configure_custody, current_custody
from providers.sandbox.waiting import NotInTime, until
from tests.connections.api.stored import expire_in, make_connection
from tests.factories import make_caller
from tests.flows import EndUser
from tests.providers.custodians.stand_ins import Bao, serving

UseKek = Callable[[], WrappedKek]


@pytest.fixture
def bao() -> Iterator[Bao]:
    before = current_custody()
    with serving(Bao()) as running:
        configure_custody(running.custody())
        yield running
    configure_custody(before)
    openbao._tokens.forget()


@pytest.fixture
def kek(bao: Bao) -> WrappedKek:
    return new_kek(f"vault-{secrets.token_hex(3)}", service="vault-transit", name=Bao.NAME)


def asked(bao: Bao) -> int:
    return sum("decrypt" in call.path for call in bao.calls)


def test_an_entry_of_the_list_says_all_of_it_and_opens_nothing(kek: WrappedKek) -> None:
    ring = parse_keyring([kek.entry()])
    assert ring.wrapped() == [kek]
    assert ring.materials() == []
    with pytest.raises(KeyringError, match="which nothing here asks"):
        ring.unwrap(key_id=uuid.uuid4(), kek_id=kek.id, wrapped=b"x" * 60, binding=b"")


def test_it_is_asked_once_however_many_need_it(bao: Bao, kek: WrappedKek) -> None:
    keks, before = HeldKeks(), asked(bao)
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(keks.open_kek(kek))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found)), asked(bao) - before) == (8, 1, 1)


def test_a_service_that_is_away_takes_nothing_from_who_has_it(bao: Bao, kek: WrappedKek) -> None:
    keks = HeldKeks()
    material = keks.open_kek(kek)
    bao.is_cut = True
    keks.ask_again([kek])
    assert keks.open_kek(kek) == material


def test_after_a_day_without_an_answer_it_is_dropped(bao: Bao, kek: WrappedKek) -> None:
    keks = HeldKeks(holds_seconds=0)
    keks.open_kek(kek)
    bao.is_cut = True
    keks.ask_again([kek])
    with pytest.raises(KeyringError, match="could not be asked"):
        keks.open_kek(kek)


def test_a_key_that_was_disabled_is_dropped_at_once_and_comes_back(bao: Bao, kek: WrappedKek) -> None:
    keks = HeldKeks()
    material = keks.open_kek(kek)
    bao.disabled = True
    keks.ask_again([kek])
    with pytest.raises(KeyringError, match=f"The KEK '{kek.id}' does not come from vault-transit"):
        keks.open_kek(kek)
    bao.disabled = False
    keks.ask_again([kek])
    assert keks.open_kek(kek) == material


def test_a_key_that_left_the_list_is_forgotten(bao: Bao, kek: WrappedKek) -> None:
    keks = HeldKeks()
    keks.open_kek(kek)
    keks.ask_again([])
    assert not keks.holds(kek)


def test_after_a_failure_the_others_do_not_wait(bao: Bao, kek: WrappedKek) -> None:
    keks = HeldKeks()
    bao.disabled = True
    before = asked(bao)
    for _ in range(5):
        assert isinstance(keks.fault_of(kek), CustodianRefuses)
    assert asked(bao) - before == 1


def test_a_key_that_is_not_to_be_read_keeps_no_other_from_being_asked_about(bao: Bao, kek: WrappedKek) -> None:
    keks = HeldKeks()
    broken = WrappedKek("broken", kek.service, kek.name, b"\xff")
    keks.ask_again([broken, kek])
    assert keks.holds(kek)
    with pytest.raises(KeyringError, match="UnicodeDecodeError"):
        keks.open_kek(broken)


def test_who_may_not_wait_is_refused_while_one_thread_asks(bao: Bao, kek: WrappedKek) -> None:
    keks, before = HeldKeks(), asked(bao)
    bao.is_quick.clear()
    for _ in range(5):
        with pytest.raises(KeyringError, match="it is being asked for"):
            keks.open_kek(kek, may_wait=False)
    bao.is_quick.set()
    until(lambda: keks.holds(kek), "the key")
    assert len(keks.open_kek(kek, may_wait=False)) == 32
    assert asked(bao) - before == 1


def test_who_may_not_wait_asks_for_nothing_that_has_just_failed(bao: Bao, kek: WrappedKek) -> None:
    keks = HeldKeks()
    bao.disabled = True
    keks.fault_of(kek)
    before = asked(bao)
    with pytest.raises(KeyringError, match="HTTP 400"):
        keks.open_kek(kek, may_wait=False)
    assert asked(bao) == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("use", ["refresh", "vend", "probe"])
def test_nobody_waits_for_a_service_that_is_away_and_nothing_is_marked_for_it(
    bao: Bao, kek: WrappedKek, settings: Settings, acme: Tenant, use: str
) -> None:
    connection = make_connection(acme)
    expire_in(connection, 3600 if use == "vend" else -1)
    settings.KEK_KEYS = [kek.entry(), *settings.KEK_KEYS]
    hold_keks(waits_seconds=0)
    list(rewrap())
    held_keks.ask_again([])
    bao.is_quick.clear()
    match use:
        case "refresh":
            report = refresh(connection.id, trigger="sweep")
            assert (report.outcome, report.retry_after_seconds) == (Outcome.UNREADABLE, held_keks.TRIES_AGAIN_SECONDS)
        case "probe":
            assert "does not answer" in probe(connection.id, trigger="sweep").detail
        case "vend":
            answer = EndUser("alice", make_caller(acme)).vend(str(connection.id))
            assert (answer.status_code, answer.json()["code"]) == (503, "busy")
            assert answer["Retry-After"] == "30"
    assert not held_keks.holds(kek)
    bao.is_quick.set()
    until(lambda: held_keks.holds(kek), "the key")
    assert Connection.objects.get(id=connection.id).undecryptable_at is None
    assert not OutboxEvent.objects.filter(type="connection.credential_undecryptable").exists()


def test_a_check_tells_a_service_that_is_away_from_one_that_refuses(bao: Bao, kek: WrappedKek) -> None:
    check_service(kek)
    bao.disabled = True
    with pytest.raises(CustodianRefuses):
        check_service(kek)
    bao.is_cut = True
    with pytest.raises(CustodianAway):
        check_service(kek)


def test_what_it_unwraps_has_to_be_a_key(bao: Bao, kek: WrappedKek) -> None:
    from providers.custodians.wrapping import KEY_SERVICES

    short = KEY_SERVICES["vault-transit"].wrap(Bao.NAME, b"short", binding=kek.id)
    with pytest.raises(CustodianRefuses, match="5 bytes"):
        held_keks.unwrap(WrappedKek(kek.id, kek.service, kek.name, short.ciphertext))


@pytest.mark.django_db
def test_from_the_environment_to_a_service_and_through_its_outage(
    bao: Bao, kek: WrappedKek, settings: Settings, acme: Tenant, globex: Tenant
) -> None:
    connection = Connection.objects.get(id=make_connection(acme).id)
    version = connection.current_version
    assert version is not None
    before = open_credential(connection, version).main_secret()
    earlier = keyring().primary_id
    settings.KEK_KEYS = [kek.entry(), *settings.KEK_KEYS]
    hold_keks(waits_seconds=0)
    assert [step.unreadable for step in rewrap() if step.of == "data keys"][-1] == 0
    assert set(DataKey.objects.values_list("kek_id", flat=True)) == {kek.id} != {earlier}

    bao.is_cut = True
    calls = len(bao.calls)
    settings.KEK_KEYS = settings.KEK_KEYS[:1]
    held_keks.ask_again(keyring().wrapped())
    assert open_credential(connection, version).main_secret() == before
    assert current_data_key(globex.id).material, "nor does a new tenant wait for it"
    assert len(bao.calls) == calls


@pytest.mark.django_db
def test_a_key_that_the_operator_disables_there_closes_what_it_opens(
    bao: Bao, kek: WrappedKek, settings: Settings, acme: Tenant, globex: Tenant
) -> None:
    settings.KEK_KEYS = [kek.entry(), *settings.KEK_KEYS]
    hold_keks(waits_seconds=0)
    current_data_key(acme.id)
    bao.disabled = True
    held_keks.ask_again(keyring().wrapped())
    with pytest.raises(Unreadable, match="does not come from vault-transit"):
        unwrap(DataKey.objects.get(tenant=acme))
    with pytest.raises(Unreadable):
        current_data_key(globex.id)


def test_a_process_begins_without_its_other_keys_and_asks_for_them(
    bao: Bao, kek: WrappedKek, settings: Settings
) -> None:
    plain = f"plain-{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    settings.KEK_KEYS = [plain, kek.entry()]
    before = asked(bao)
    bao.before = (503, {"errors": ["Vault is sealed"]})
    hold_keks(waits_seconds=30)
    until(lambda: asked(bao) - before == 1, "a thread that asks")
    bao.before = None
    until(lambda: hold_keks(waits_seconds=30) or held_keks.holds(kek), "the key")


def test_a_process_does_not_begin_without_its_first_key(bao: Bao, kek: WrappedKek, settings: Settings) -> None:
    from django.core.exceptions import ImproperlyConfigured

    bao.is_cut = True
    plain = f"plain-{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    settings.KEK_KEYS = [plain, kek.entry()]
    hold_keks(waits_seconds=0)
    settings.KEK_KEYS = [kek.entry(), plain]
    with pytest.raises(ImproperlyConfigured, match="could not be asked"):
        hold_keks(waits_seconds=0)


def test_a_forked_child_asks_for_its_keys_itself(bao: Bao, kek: WrappedKek) -> None:
    """The thread that was asking as it was forked does not come along."""
    before = asked(bao)
    bao.is_quick.clear()
    held_keks.fetch_soon([kek])
    until(lambda: asked(bao) > before, "the thread that asks")
    child = os.fork()
    if child == 0:
        os._exit(0 if held_keks.fault_of(kek) is None and held_keks.holds(kek) else 1)
    bao.is_quick.set()

    def ended() -> tuple[int] | None:
        pid, status = os.waitpid(child, os.WNOHANG)
        return (os.waitstatus_to_exitcode(status),) if pid else None

    try:
        assert until(ended, "the end of the child") == (0,)
    except NotInTime:
        os.kill(child, signal.SIGKILL)
        raise
