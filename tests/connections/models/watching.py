"""The constraints on what watching use keeps, and on canaries: what breaks each, and what comes close."""

from typing import Any

from django.utils import timezone

from connections.models import ApiClient, Finding, KnownNetwork, WatchPosition
from tests.connections.models.issuers import Act
from tests.factories import make_caller


def client(cast: Any, name: str = "watched") -> ApiClient:
    return make_caller(cast.acme, name).client


def finding(of: ApiClient, rule: str = "new_network", **values: Any) -> Finding:
    now = timezone.now()
    return Finding.objects.create(client=of, rule=rule, opened_at=now, first_at=now, last_at=now, **values)


def settled(of: ApiClient) -> Finding:
    return finding(of, resolved_at=timezone.now(), verdict="expected")


def found_twice(cast: Any) -> None:
    one = client(cast)
    finding(one)
    finding(one)


def found_apart(cast: Any) -> None:
    one = client(cast)
    for make in (finding, settled, settled):
        make(one)
    finding(one, "wide_use")
    finding(client(cast, "other"))


def known(*of: tuple[ApiClient, str]) -> None:
    for one, network in of:
        KnownNetwork.objects.create(client=one, network=network, first_at=timezone.now())


def known_twice(cast: Any) -> None:
    one = client(cast)
    known((one, "10.0.0.0/24"), (one, "10.0.0.0/24"))


def known_apart(cast: Any) -> None:
    one = client(cast)
    known((one, "10.0.0.0/24"), (one, "10.0.1.0/24"), (client(cast, "other"), "10.0.0.0/24"))


def position(key: int) -> WatchPosition:
    return WatchPosition.objects.create(id=key, began_at=timezone.now(), audit_id=0, canary_id=0)


WATCHING: dict[str, tuple[list[Act], list[Act]]] = {
    "one_open_finding_a_client_and_rule": ([found_twice], [found_apart]),
    "finding_is_settled_with_a_verdict": (
        [
            lambda cast: finding(client(cast), verdict="expected"),
            lambda cast: finding(client(cast), resolved_at=timezone.now()),
        ],
        [lambda cast: settled(client(cast))],
    ),
    "network_known_once_a_client": ([known_twice], [known_apart]),
    "there_is_one_watch_position": ([lambda _: position(2)], [lambda _: position(1)]),
    "canary_is_never_refreshed": (
        [
            lambda cast: cast.change(is_canary=True, paused_at=None),
        ],
        [
            lambda cast: cast.change(is_canary=True, paused_at=timezone.now()),
            lambda cast: cast.change(is_canary=False, paused_at=None),
        ],
    ),
}
