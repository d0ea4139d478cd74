"""Kept answers: one call at a time, nothing in the clear, and no key locked for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection as database

from connections.database.clock import database_now
from connections.lifecycle.answers import (
    KEPT,
    LEASE,
    Asked,
    Claim,
    Kept,
    claim_or_recall,
    forget_answers,
    keep_answer,
    let_go,
)
from connections.lifecycle.housekeeping import sweep_old
from connections.models import DataKey, KeptAnswer, Tenant
from connections.models.data_key import SHREDDED
from connections.refusals import IdempotencyKeyInUse, IdempotencyKeyReused, IdempotentAnswerGone
from tests.factories import make_caller, make_tenant

KEY, REQUEST = "8e03978e-40d5-43dd-bc93-6894a57f9324", b"POST /somewhere"


def asked(tenant: Tenant | None, *, key: str = KEY, request: bytes = REQUEST, client: str = "backend") -> Asked:
    client_id = make_caller(tenant, client).client.id
    return Asked(client_id, None if tenant is None else tenant.id, key, request)


def claimed(call: Asked) -> Claim:
    found = claim_or_recall(call, now=database_now())
    assert isinstance(found, Claim)
    return found


def answered(call: Asked, answer: bytes = b"made") -> None:
    keep_answer(claimed(call), client_id=call.client_id, status=201, answer=answer)


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme")


def test_a_repetition_gets_the_answer_of_the_first(acme: Tenant) -> None:
    call = asked(acme)
    answered(call)
    assert claim_or_recall(call, now=database_now()) == Kept(201, b"made")


def test_the_operators_own_answers_are_kept_too(db: None) -> None:
    call = asked(None)
    answered(call)
    assert claim_or_recall(call, now=database_now()) == Kept(201, b"made")


def test_another_request_client_or_key_is_another_call(acme: Tenant) -> None:
    call = asked(acme)
    answered(call)
    with pytest.raises(IdempotencyKeyReused) as refused:
        claim_or_recall(Asked(call.client_id, acme.id, KEY, REQUEST + b"?"), now=database_now())
    assert refused.value.extra == {"field": "Idempotency-Key"}
    claimed(asked(acme, client="other"))
    claimed(Asked(call.client_id, acme.id, KEY + "2", REQUEST))


def test_nothing_of_it_is_stored_in_the_clear(acme: Tenant) -> None:
    call = asked(acme, request=b"POST / secret-in")
    answered(call, b"secret-out")
    with database.cursor() as cursor:
        cursor.execute("SELECT answer, fingerprint, key_hash, kept::text FROM connections_keptanswer AS kept")
        row = b"".join(bytes(value) if not isinstance(value, str) else value.encode() for value in cursor.fetchone())
    for secret in (b"secret-in", b"secret-out", KEY.encode()):
        assert secret not in row
        assert secret.hex().encode() not in row
    assert KEY not in repr(call)
    assert "secret" not in repr(call) + repr(claim_or_recall(call, now=database_now()))


def test_while_the_first_is_under_way_a_repetition_waits(acme: Tenant) -> None:
    call = asked(acme)
    claimed(call)
    with pytest.raises(IdempotencyKeyInUse) as refused:
        claim_or_recall(call, now=database_now())
    assert refused.value.retry_after_seconds


def test_the_key_of_a_call_that_failed_is_free_at_once_for_another_request_too(acme: Tenant) -> None:
    call = asked(acme)
    let_go(claimed(call))
    claimed(Asked(call.client_id, acme.id, KEY, b"mended"))


def test_the_key_of_a_process_that_died_is_free_after_the_lease(acme: Tenant) -> None:
    call, now = asked(acme), database_now()
    dead = claimed(call)
    with pytest.raises(IdempotencyKeyInUse):
        claim_or_recall(call, now=now + LEASE - timedelta(seconds=1))
    later = claim_or_recall(call, now=now + LEASE + timedelta(seconds=1))
    assert isinstance(later, Claim)
    # Should the first live after all, it takes nothing from whoever has the call now.
    let_go(dead)
    keep_answer(dead, client_id=call.client_id, status=201, answer=b"late")
    keep_answer(later, client_id=call.client_id, status=201, answer=b"mine")
    assert claim_or_recall(call, now=database_now()) == Kept(201, b"mine")


def test_after_a_day_the_key_is_free_whether_it_was_swept_or_not(acme: Tenant) -> None:
    call = asked(acme)
    answered(call)
    other = asked(acme, key="young")
    KeptAnswer.objects.update(kept_until=database_now())
    answered(other)
    assert isinstance(claim_or_recall(call, now=database_now()), Claim)
    KeptAnswer.objects.filter(claim_id__isnull=False).update(kept_until=database_now() - timedelta(seconds=1))
    assert timedelta(hours=24) == KEPT
    assert KeptAnswer.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_housekeeping_sweeps_what_is_a_day_old() -> None:
    acme = make_tenant("acme")
    for key in ("old", "young"):
        answered(asked(acme, key=key))
    KeptAnswer.objects.filter(key_hash=asked(acme, key="old").key_hash).update(kept_until=database_now())
    assert sweep_old(now=database_now())["answers"] == 1
    assert KeptAnswer.objects.get().key_hash == asked(acme, key="young").key_hash


def test_what_is_forgotten_is_not_done_again(acme: Tenant) -> None:
    done, under_way = asked(acme), asked(acme, key="under way")
    answered(done)
    claim = claimed(under_way)
    other = asked(make_tenant("globex"))
    answered(other)
    forget_answers(acme.id)
    with pytest.raises(IdempotentAnswerGone):
        claim_or_recall(done, now=database_now())
    keep_answer(claim, client_id=under_way.client_id, status=201, answer=b"about somebody")
    assert not KeptAnswer.objects.filter(tenant=acme, answer__isnull=False).exists()
    assert claim_or_recall(other, now=database_now()) == Kept(201, b"made")


def test_an_answer_whose_data_key_is_destroyed_is_not_kept(acme: Tenant) -> None:
    call = asked(acme)
    claim = claimed(call)
    make_key = asked(acme, key="another")
    answered(make_key)
    DataKey.objects.filter(tenant=acme).update(wrapped=SHREDDED)
    keep_answer(claim, client_id=call.client_id, status=201, answer=b"made")
    with pytest.raises(IdempotentAnswerGone):
        claim_or_recall(call, now=database_now())


def test_they_go_with_the_tenant(acme: Tenant) -> None:
    operator = make_caller(None, "operator").client
    answered(Asked(operator.id, acme.id, KEY, REQUEST))
    answered(asked(acme))
    acme.api_clients.all().delete()
    assert KeptAnswer.objects.count() == 1
    DataKey.objects.filter(tenant=acme).delete()
    assert KeptAnswer.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_many_calls_at_once_one_is_carried_out() -> None:
    call, begin, carried_out = asked(make_tenant("acme")), threading.Barrier(8), []

    def repeat(number: int) -> str:
        begin.wait()
        try:
            found = claim_or_recall(call, now=database_now())
            if isinstance(found, Kept):
                return found.answer.decode()
            carried_out.append(number)
            keep_answer(found, client_id=call.client_id, status=201, answer=b"made")
        except IdempotencyKeyInUse:
            return "in use"
        finally:
            database.close()
        return "made"

    with ThreadPoolExecutor(8) as pool:
        outcomes = set(pool.map(repeat, range(8)))
    assert len(carried_out) == 1
    assert outcomes <= {"made", "in use"}
    assert claim_or_recall(call, now=database_now()) == Kept(201, b"made")


@pytest.mark.django_db(transaction=True)
def test_of_many_that_find_a_dead_call_one_takes_it_over() -> None:
    call, begin = asked(make_tenant("acme")), threading.Barrier(6)
    claimed(call)

    def take_over(number: int) -> bool:
        begin.wait()
        try:
            return isinstance(claim_or_recall(call, now=database_now() + LEASE), Claim)
        except IdempotencyKeyInUse:
            return False
        finally:
            database.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(take_over, range(6))) == 1
