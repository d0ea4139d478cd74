"""Reach: an API client that makes other clients gives none of them more than it has itself.

Otherwise whoever has its key could make a client that may do everything. So a client that is to hand out ``vend`` has
it, and one that may be called from one network makes no client that may be called from anywhere. An operator at the
admin or a command is bound by no client's reach.

For the same reason a client that may have a key of another is that other, where two have to agree.
"""

import ipaddress
import uuid
from collections.abc import Sequence

from django.db.models import Q

from connections.lifecycle.policy.client_rules import covers
from connections.models import ApiClient, Permission
from connections.refusals import PermissionDenied


def check_reach(wanted: ApiClient, *, within: ApiClient | None) -> None:
    """Raise ``PermissionDenied`` where ``wanted`` may do something that ``within`` may not. No I/O.

    ``wanted`` is a client as it is or would be; None bounds nothing. The detail names each thing that goes too far.
    """
    if within is None:
        return
    beyond = list(_beyond(wanted, within))
    if beyond:
        raise PermissionDenied(f"An API client gives no other more than it has itself: {'; '.join(beyond)}.")


def who_could_be(client: ApiClient) -> set[uuid.UUID]:
    """Return the ids of who could call as ``client``: itself, and the clients that may issue a key of it. One query."""
    issuers = ApiClient.objects.filter(
        Q(tenant=client.tenant_id) | Q(tenant=None), permissions__contains=[Permission.CALLERS.value]
    )
    return {client.id, *(one.id for one in issuers if not _beyond(client, one))}


def _beyond(wanted: ApiClient, within: ApiClient) -> Sequence[str]:
    found = []
    if within.tenant_id is not None and wanted.tenant_id != within.tenant_id:
        found.append("the client is not of its tenant")
    if lacking := sorted(set(wanted.permissions) - set(within.permissions)):
        found.append(f"it lacks {', '.join(lacking)}")
    if wanted.allows_unbound and not within.allows_unbound:
        found.append("it may not skip the completion check")
    if within.demands_verified and not wanted.demands_verified:
        found.append("it has to prove for whom it calls")
    if within.networks and not _is_inside(wanted.networks, within.networks):
        found.append("it may be called from some networks only")
    if Permission.PROXY in wanted.permissions and not covers(within.proxy_rules, wanted.proxy_rules):
        found.append("its own proxy rules allow less")
    return found


def _is_inside(networks: Sequence[str], bounds: Sequence[str]) -> bool:
    """Whether there are ``networks``, and each lies in one of ``bounds``."""
    known = [ipaddress.ip_network(bound, strict=False) for bound in bounds]
    wanted = [ipaddress.ip_network(network, strict=False) for network in networks]
    return bool(wanted) and all(any(_lies_in(one, bound) for bound in known) for one in wanted)


def _lies_in(one: ipaddress.IPv4Network | ipaddress.IPv6Network, other: object) -> bool:
    if isinstance(one, ipaddress.IPv4Network):
        return isinstance(other, ipaddress.IPv4Network) and one.subnet_of(other)
    return isinstance(other, ipaddress.IPv6Network) and one.subnet_of(other)
