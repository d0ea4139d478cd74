"""An ordinary week, and the weeks before it, cause no finding, not even by a job that comes once a month."""

import random
from datetime import timedelta

import pytest

from connections.models import AuditEvent, ClientUse, Finding, Tenant
from tests.connections.lifecycle.watch.traffic import DAY, HOUR, MONDAY, Installation, Trail
from tests.factories import make_tenant

_DAYS = 31  # the last seven are the week; before, everything is new once


@pytest.mark.parametrize("seed", range(4))
def test_an_ordinary_week_causes_no_finding(acme: Tenant, globex: Tenant, seed: int) -> None:
    trail = Trail()
    installation = Installation(trail, [acme, globex], random.Random(seed))
    for number in range(_DAYS):
        day = MONDAY + number * DAY
        installation.live(day)
        if number == 26:
            installation.onboard(day, make_tenant("initech"))
        if number == 28:
            installation.offboard()
        for hour in range(6, 25, 6):
            trail.watch(day + hour * HOUR)
    trail.watch(MONDAY + _DAYS * DAY + timedelta(hours=2))
    uses, alarms = AuditEvent.objects.filter(action="credential.vend").count(), Finding.objects.count()
    print(f"seed {seed}: {uses} uses by {ClientUse.objects.count()} clients in {_DAYS} days, {alarms} false alarms")
    assert [str(found) for found in Finding.objects.all()] == []
    assert uses > 5_000
    assert ClientUse.objects.count() == 8
