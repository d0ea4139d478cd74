"""Orderer: a job goes on as long as whoever ordered it may do its act there, and ends when they may not."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission as Right
from django.contrib.auth.models import User

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM, Actor
from connections.lifecycle.steer.bulk import continue_bulk, order_bulk
from connections.lifecycle.steer.orderer import may_order_still
from connections.models import (
    ApiClient,
    AuditEvent,
    BulkAct,
    BulkJob,
    BulkRow,
    Connection,
    Permission,
    Restriction,
    StaffLimit,
    Tenant,
)
from tests.connections.api.stored import make_connection
from tests.factories import make_caller


@pytest.fixture
def otto(transactional_db: None) -> User:
    user = User.objects.create_user("otto", is_staff=True)
    user.user_permissions.set(Right.objects.filter(codename__in=["change_connection", "change_heldconnection"]))
    return user


def order(tenant: Tenant | None, actor: Actor, act: BulkAct = BulkAct.PAUSE) -> BulkJob:
    return order_bulk(act, Connection.objects.all(), tenant_id=tenant and tenant.id, now=database_now(), actor=actor)


def limited(user: User, *tenants: Tenant) -> None:
    limit, _ = StaffLimit.objects.get_or_create(user=user)
    limit.tenants.set(tenants)


LOSSES: dict[str, Callable[[User], object]] = {
    "gone": lambda user: user.delete(),
    "inactive": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "no staff": lambda user: User.objects.filter(pk=user.pk).update(is_staff=False),
    "without the right": lambda user: user.user_permissions.clear(),
    "limited to nothing": limited,
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_job_ends_when_its_operator_may_not_any_more(loss: str, otto: User, acme: Tenant) -> None:
    make_connection(acme)
    job = order(acme, Actor(operator="otto"))
    assert may_order_still(job)
    LOSSES[loss](otto)
    continue_bulk(now=database_now())
    job.refresh_from_db()
    assert job.finished_at is not None and job.cancelled_at is not None
    assert (BulkRow.objects.get().code, Connection.objects.get().paused_at) == ("not_allowed", None)
    told = AuditEvent.objects.get(action="bulk.cancelled")
    assert (told.decision, told.detail) == ("not_allowed", {"job": str(job.id)})


def test_a_limit_ends_what_reaches_beyond_it_alone(otto: User, acme: Tenant, globex: Tenant) -> None:
    jobs = [order(tenant, Actor(operator="otto")) for tenant in (acme, globex, None)]
    limited(otto, acme)
    assert [may_order_still(job) for job in jobs] == [True, False, False]


def test_a_release_is_the_right_of_its_own_page(otto: User, acme: Tenant) -> None:
    jobs = [order(acme, Actor(operator="otto"), act) for act in (BulkAct.PAUSE, BulkAct.RELEASE)]
    otto.user_permissions.remove(Right.objects.get(codename="change_heldconnection"))
    assert [may_order_still(job) for job in jobs] == [True, False]


@pytest.mark.parametrize(
    ("change", "goes_on"),
    [
        ({}, True),
        ({"suspended_at": "2026-01-01T00:00Z"}, False),
        ({"restriction": Restriction.HELD}, False),
        ({"restriction": Restriction.THROTTLED}, True),
        ({"permissions": [Permission.READ]}, False),
    ],
)
def test_a_job_of_a_client_goes_on_while_the_client_may(change: dict[str, object], goes_on: bool, acme: Tenant) -> None:
    client = make_caller(acme, "keeper", [Permission.MANAGE]).client
    job = order(acme, Actor(api_client_id=client.id))
    ApiClient.objects.filter(id=client.id).update(**change)
    assert may_order_still(job) is goes_on
    client.delete()
    assert not may_order_still(job)


def test_a_client_reaches_its_own_tenant_and_an_operators_every_one(acme: Tenant, globex: Tenant) -> None:
    own, wide = (make_caller(tenant, "keeper", [Permission.MANAGE]).client for tenant in (acme, None))
    for client, expected in ((own, [True, False, False]), (wide, [True, True, True])):
        actor = Actor(api_client_id=client.id)
        jobs = [order(acme, actor), order(globex, actor), order(acme, actor, BulkAct.RESUME)]
        assert [may_order_still(job) for job in jobs] == expected


def test_what_latchkey_orders_goes_on(acme: Tenant) -> None:
    assert may_order_still(order(acme, SYSTEM))
