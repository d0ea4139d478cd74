"""Reach: an API client that makes other clients gives none of them more than it has itself.

Otherwise whoever has its key could make a client that may do everything. So a client that is to hand out ``vend`` has
it, and one that may be called from one network makes no client that may be called from anywhere. An operator at the
admin or a command is bound by no client's reach.

For the same reason clients of one hand are one, where two have to agree: who asks and who approves, and, on what is
used under grants only, who gives a grant and who uses it.
"""

import ipaddress
import uuid
from collections.abc import Collection, Mapping, Sequence

from django.db.models import F, Func, Value

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


def note_hand(client: ApiClient, *, within: ApiClient | None) -> None:
    """Note that the API client ``within`` made or changed ``client``, or issued a key of it. One statement at most.

    Whoever did so may still be able to call as ``client`` when it may do less itself. None is an operator.
    """
    if within is None or within.id == client.id or within.id in client.handled_by:
        return
    ApiClient.objects.filter(id=client.id).exclude(handled_by__contains=[within.id]).update(
        handled_by=Func(F("handled_by"), Value(within.id), function="array_append")
    )
    client.handled_by = [*client.handled_by, within.id]


def of_one_hand(client: ApiClient, others: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return which of ``others`` (ids of API clients) the same caller could have the keys of as those of ``client``.

    These are ``client`` itself; a client that may issue keys of ``client``, or whose keys ``client`` may issue; one
    that has issued keys of the other or has changed it; and one with which a third client, of a tenant, has done so as
    with ``client``. An operator-wide client is no such third one: it makes clients in the operator's name. A few
    queries.
    """
    found = {client.id} & set(others)
    loaded = list(ApiClient.objects.filter(id__in=set(others) - found))
    known = _with_handlers([client, *loaded])
    theirs = _handlers(client, known)
    for other in loaded:
        also = _handlers(other, known)
        common = {hand for hand in theirs & also if known[hand].tenant_id is not None}
        may_be_it = client.tenant_id is not None and _may_be(other, client)
        if other.id in theirs or client.id in also or common or _may_be(client, other) or may_be_it:
            found.add(other.id)
    return found


def may_use_by_itself(client: ApiClient) -> bool:
    """Whether ``client``, or a tenant's client that had a hand in it, uses connections for whomever it names."""
    known = _with_handlers([client])
    hands = [one for one in known.values() if one.id == client.id or one.tenant_id is not None]
    uses = {Permission.VEND.value, Permission.PROXY.value}
    return any(not one.demands_verified and not uses.isdisjoint(one.permissions) for one in hands)


def _with_handlers(clients: Sequence[ApiClient]) -> dict[uuid.UUID, ApiClient]:
    """Return ``clients`` and whoever had a hand in one of them, directly or not, by their ids. A query or a few."""
    known = {one.id: one for one in clients}
    while missing := {hand for one in known.values() for hand in one.handled_by} - set(known):
        known |= {id_: ApiClient(id=id_) for id_ in missing}  # one that is gone does nothing any more
        known |= {one.id: one for one in ApiClient.objects.filter(id__in=missing)}
    return known


def _handlers(client: ApiClient, known: Mapping[uuid.UUID, ApiClient]) -> set[uuid.UUID]:
    """Return who had a hand in ``client``, or in who had, by the clients that are ``known``. No I/O."""
    found: set[uuid.UUID] = set()
    further = set(client.handled_by)
    while further:
        found |= further
        further = {hand for one in further for hand in known[one].handled_by} - found
    return found


def _may_be(wanted: ApiClient, within: ApiClient) -> bool:
    """Whether ``within`` may issue a key of ``wanted``."""
    return Permission.CALLERS in within.permissions and not _beyond(wanted, within)


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
