"""Reachable: the connections of a tenant that somebody may have requests proxied to, and what each way in allows.

A list for people and agents who ask what there is. ``permit`` decides each call anew, and by more: what is listed may
still be refused, but what is left out here would be.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from connections.access.targets import scope_rules_of
from connections.lifecycle.policy.client_rules import METHODS, ways_of
from connections.lifecycle.policy.decide import UseFacts, UseRequest, lets_proxy, needs_grant
from connections.lifecycle.policy.paths import narrowed
from connections.models import AccessGrant, Connection, OwnerKind, Status, SubjectKind

MOST_GRANTS = 1000


@dataclass(frozen=True, slots=True)
class Way:
    """Methods and a path pattern that may be used, until a moment, if that is limited."""

    methods: Sequence[str]
    path: str
    needs_approval: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """One connection, and the ways that lead to it. ``is_own``: no access grant is needed."""

    connection: Connection
    is_own: bool
    ways: Sequence[Way]


def grants_naming(asker: UseRequest, *, tenant_id: uuid.UUID, now: datetime) -> list[AccessGrant]:
    """Return the access grants of the tenant that name ``asker`` and can be used now. One query."""
    named = Q(subject_kind=SubjectKind.API_CLIENT, subject=str(asker.client_id))
    if asker.agent:
        named |= Q(subject_kind=SubjectKind.AGENT, subject=asker.agent)
    if asker.end_user is not None:
        named |= Q(subject_kind=SubjectKind.END_USER, subject=asker.end_user)
        named |= Q(subject_kind=SubjectKind.GROUP, subject__in=list(asker.groups))
    standing = AccessGrant.objects.for_tenant(tenant_id).standing().exclude(expires_at__lte=now)
    return list(standing.filter(named)[:MOST_GRANTS])


def within_sight(asker: UseRequest, grants: Sequence[AccessGrant], *, tenant_id: uuid.UUID) -> QuerySet[Connection]:
    """Return the connections that ``asker`` may use as an owner does, or that one of ``grants`` is on. Runs no query.

    Neither what is disconnected nor what nobody has confirmed is among them.
    """
    seen = Q(id__in=[grant.connection_id for grant in grants if grant.connection_id is not None])
    seen |= Q(provider__in=[grant.provider for grant in grants if grant.connection_id is None])
    if asker.end_user is not None:
        theirs = Q(owner_kind=OwnerKind.TENANT) | Q(owner_kind=OwnerKind.END_USER, end_user=asker.end_user)
        seen |= Q(grants_only=False) & theirs
    elif asker.may_act_without_user:
        seen |= Q(grants_only=False)
    found = Connection.objects.for_callers_of(tenant_id).filter(seen)
    found = found.exclude(status__in=[Status.PENDING, Status.DISCONNECTED])
    return found.select_related("tenant", "provider_app").prefetch_related("scopes")


def reach_of(
    connection: Connection, asker: UseRequest, grants: Sequence[AccessGrant], *, rules: Sequence[str], now: datetime
) -> Reach | None:
    """Return how ``asker``, whose API client has these proxy ``rules``, reaches ``connection``, or None.

    No I/O where the connection's scopes are prefetched.
    """
    facts = UseFacts(
        owner_kind=OwnerKind(connection.owner_kind),
        end_user=connection.end_user,
        grants_only=connection.grants_only,
        carried_scopes=[scope.name for scope in connection.scopes.all() if scope.is_granted],
        expires_at=connection.access_expires_at,
        scope_rules=scope_rules_of(connection.provider),
    )
    allowed = [(methods, path) for methods, path in ways_of(rules, provider=connection.provider)]
    if needs_grant(facts, asker) is None and allowed:
        return Reach(connection, is_own=True, ways=[Way(methods, path) for methods, path in allowed])
    ways = [
        way
        for grant in grants
        if connection.id == grant.connection_id or connection.provider == grant.provider
        if lets_proxy(grant, facts, asker, now=now)
        for way in _under(grant, allowed, has_rules=bool(rules))
    ]
    return Reach(connection, is_own=False, ways=ways) if ways else None


def _under(grant: AccessGrant, allowed: Sequence[tuple[Sequence[str], str]], *, has_rules: bool) -> Iterator[Way]:
    """Yield what ``grant`` allows within what the API client's rules allow, if it has any."""
    granted = METHODS if grant.methods is None else grant.methods
    if not has_rules:
        for path in grant.paths or ():
            yield Way(granted, path, grant.needs_approval, grant.expires_at)
        return
    for methods, pattern in allowed:
        both = [method for method in methods if method in granted]
        for path in [pattern] if grant.paths is None else grant.paths:
            if both and (common := narrowed(pattern, path)) is not None:
                yield Way(both, common, grant.needs_approval, grant.expires_at)
