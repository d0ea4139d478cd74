"""What a client is known for: rows that grow with each part of the trail, and what a finding may not teach them."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from connections.lifecycle.watch.rules import Usual, has_slept, is_known
from connections.lifecycle.watch.use import DayOfUse
from connections.models import ApiClient, ClientUse, Finding, KnownNetwork, WatchRule


def row_of(client: ApiClient, seen: DayOfUse, *, began_at: datetime) -> ClientUse:
    """Return the row of ``client``, in which ``seen`` has begun; a new one where it was never seen. A query or two.

    A client that was never seen has slept since it was made, as far as anybody has watched (``began_at``).
    """
    at, day = seen.span.first_at, seen.day
    row = ClientUse.objects.filter(client=client).first()
    if row is None:
        row = ClientUse(client=client, first_at=at, last_at=max(client.created_at, began_at), day=day)
    if has_slept(last_at=row.last_at, at=at, usual_sleep_days=row.usual_sleep_days):
        row.woke_at, row.slept_days = at, (at - row.last_at).days
    if day > row.day:
        _close_day(row)
        row.day = day
    row.last_at = max(row.last_at, seen.span.last_at)
    return row


def _close_day(row: ClientUse) -> None:
    """Let the day that is over teach what is usual, unless what was done on it is suspicious."""
    opened = set(Finding.objects.filter(client=row.client_id, resolved_at=None).values_list("rule", flat=True))
    if opened.isdisjoint((WatchRule.WIDE_USE, WatchRule.AWAKENED)):
        row.learn(row.today - row.forgiven, day=row.day)
    if WatchRule.MANY_DENIALS not in opened:
        row.highest_denied = max(row.highest_denied, row.denied_today - row.forgiven_denied)
    row.today = row.denied_today = row.forgiven = row.forgiven_denied = 0


def usual_of(row: ClientUse, client: ApiClient) -> Usual:
    """Return what the rules are to know. One query."""
    networks = frozenset(KnownNetwork.objects.filter(client=client).values_list("network", flat=True))
    columns: dict[str, Any] = {
        name: getattr(row, name)
        for name in (
            *("first_at", "today", "highest", "forgiven", "denied_today", "highest_denied", "forgiven_denied"),
            *("woke_at", "slept_days"),
        )
    }
    since = 0 if row.highest_day is None else (row.day - row.highest_day).days
    return Usual(networks=networks, allowed_networks=client.networks, days_since_highest=since, **columns)


def learn_networks(client: ApiClient, seen: DayOfUse, usual: Usual) -> list[str]:
    """Keep the networks that are usual, and return the others. One statement, where there is anything to keep."""
    known = {name: span for name, span in seen.networks.items() if is_known(name, usual, at=span.last_at)}
    fresh = {name: span.first_at for name, span in known.items() if name not in usual.networks}
    keep_networks(client.id, fresh.keys(), at=min(fresh.values(), default=seen.span.first_at))
    return sorted(seen.networks.keys() - known.keys())


def keep_networks(client_id: uuid.UUID, networks: Collection[str], *, at: datetime) -> None:
    """Know these networks of the client from now on. One statement."""
    rows = [KnownNetwork(client_id=client_id, network=name, first_at=at) for name in networks]
    if rows:
        KnownNetwork.objects.bulk_create(rows, ignore_conflicts=True)
