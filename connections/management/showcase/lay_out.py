"""Lays out the whole showcase, in order and in one transaction: half of one would mislead whoever looks at it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from connections.lifecycle.figures import take_figures
from connections.management.showcase.beside import lay_beside
from connections.management.showcase.chance import Chance
from connections.management.showcase.grants import grant_all
from connections.management.showcase.ground import lay_ground
from connections.management.showcase.history import tell_history
from connections.management.showcase.noticed import notice_all
from connections.management.showcase.visits import invite


@dataclass(frozen=True, slots=True)
class Showcase:
    """What was laid out, in numbers."""

    tenants: int
    provider_apps: int
    connections: int
    events: int


def lay_out(*, seed: int, tenants: int, connections: int, is_paused: bool, now: datetime) -> Showcase:
    """Write the showcase that ``seed`` decides, with histories that end ``now``. One transaction; calls nobody.

    ``is_paused``: its provider apps are paused, so that no worker sends what is made up to a provider.
    """
    chance = Chance(seed, now=now)
    with transaction.atomic():
        ground = lay_ground(chance, tenants=tenants, is_paused=is_paused)
        granted = grant_all(chance, ground, count=connections)
        events = tell_history(chance, ground, granted)
        invite(chance, ground, granted)
        lay_beside(chance, ground, granted, events)
        notice_all(chance, ground, granted)
    take_figures(now=now)
    return Showcase(len(ground.tenants), len(ground.apps), len(granted), len(events))
