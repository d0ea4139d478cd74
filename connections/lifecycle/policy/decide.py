"""May this request use this connection, and under which access grant: a pure function. No I/O, no clock.

The owner needs no grant, unless the connection is used under grants only. Everybody else needs one that names them:
an end user, a group of the end user's, an agent or an API client. Several grants add up: one of them has to allow the
whole request by itself.

A vend hands the credential over, and who holds it can do all that it can do, for as long as it lives. So a grant that
allows less than the credential can do, or for less time, allows no vend, but only proxied requests, where methods and
paths are looked at one by one. ``allows_vend`` on the grant says that the subject may hold it all the same.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from connections.lifecycle.policy.paths import matches
from connections.models import AccessGrant, OwnerKind, SubjectKind
from providers.catalog.scopes import ScopeRules


class Action(StrEnum):
    """What is done with a connection."""

    VEND = "vend"
    PROXY = "proxy"


class Rule(StrEnum):
    """Why a use is denied; the later a rule stands here, the nearer the request came to being allowed."""

    NO_USER = "no_user"
    OTHER_USER = "other_user"
    GRANT_NEEDED = "grant_needed"
    GRANT_EXPIRED = "grant_expired"
    GRANT_SCOPES = "grant_scopes"
    GRANT_METHOD = "grant_method"
    GRANT_PATH = "grant_path"
    GRANT_SCOPES_UNSEEN = "grant_scopes_unseen"
    PROXY_ONLY = "proxy_only"
    OWN_GRANT = "own_grant"


@dataclass(frozen=True, slots=True)
class UseRequest:
    """Who wants to use a connection, and for what.

    ``end_user`` is None where nobody is named; ``may_act_without_user`` is the client's permission for that. ``groups``
    are those of the end user's, ``agent`` and ``purpose`` are "" for none. ``scopes`` are what the caller asks for.
    ``method`` and ``path`` are those of a proxied request: the method in capitals, the path as it goes to the provider,
    below the base URL and without its ``query``. ``body_sha256`` is the digest of its body in hexadecimal, "" for none,
    and None where the body has not been read. Only an approval looks at query, ``headers`` and body.
    ``encoded_slashes`` as for ``paths.matches``. ``verified`` names who vouches for the ``end_user`` (and the groups)
    and the ``agent``, by these names.
    """

    action: Action
    client_id: uuid.UUID
    end_user: str | None = None
    groups: Collection[str] = ()
    agent: str = ""
    purpose: str = ""
    may_act_without_user: bool = False
    scopes: Sequence[str] = ()
    method: str = ""
    path: str = ""
    query: str = ""
    body_sha256: str | None = ""
    encoded_slashes: bool = False
    headers: Sequence[tuple[str, str]] = ()
    verified: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UseFacts:
    """What the decision has to know of a connection.

    ``carried_scopes`` are those of its credential, empty where they are not known or the credential has none;
    ``expires_at`` is when that ends by itself, None where nobody said.
    """

    owner_kind: OwnerKind
    end_user: str
    grants_only: bool
    carried_scopes: Sequence[str] = ()
    expires_at: datetime | None = None
    scope_rules: ScopeRules = field(default_factory=ScopeRules)


@dataclass(frozen=True, slots=True)
class Allowed:
    """The request is allowed: under the access grant with this id, or as the owner's (None)."""

    grant_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """The request is denied by this rule. ``grant_id``: the grant that came nearest to allowing it, if there is one."""

    rule: Rule
    grant_id: uuid.UUID | None = None


class Owned(Protocol):
    """As much of a connection as says who uses it without an access grant."""

    @property
    def owner_kind(self) -> OwnerKind: ...
    @property
    def end_user(self) -> str: ...
    @property
    def grants_only(self) -> bool: ...


class Asking(Protocol):
    """As much of a request as says who wants to use a connection."""

    @property
    def end_user(self) -> str | None: ...
    @property
    def may_act_without_user(self) -> bool: ...


def needs_grant(facts: Owned, request: Asking) -> Rule | None:
    """Return why the request needs an access grant, or None where it needs none.

    The caller vouches for the end user that it names: end users are the operator's own ids, which Latchkey cannot
    check. It may act without one only with a permission of its own.
    """
    if facts.grants_only:
        return Rule.GRANT_NEEDED
    if request.end_user is None:
        return None if request.may_act_without_user else Rule.NO_USER
    if facts.owner_kind is OwnerKind.TENANT or request.end_user == facts.end_user:
        return None
    return Rule.OTHER_USER


def decide_use(
    facts: UseFacts,
    request: UseRequest,
    grants: Iterable[AccessGrant],
    *,
    own: Collection[uuid.UUID] = (),
    now: datetime,
) -> Allowed | Denied:
    """Decide one use of a connection, given the grants on it that nobody has revoked, the best first.

    ``own`` are the ids of those that the client could have given to itself, directly or by another that it could be.
    Under such a grant it does no more than it could without: where it names an end user, it vouches for that name as it
    would for the owner's. So it opens nothing that is used under grants only, takes the place of no permission to act
    without a user, and passes by no grant that needs an approval.
    """
    needed = needs_grant(facts, request)
    if needed is None:
        return Allowed()
    nearest = Denied(needed)
    allowing = []
    for grant in grants:
        if not _is_for(grant, request):
            continue
        against = _against(grant, facts, request, now=now)
        if against is None:
            allowing.append(grant)
        elif _NEARNESS[against] > _NEARNESS[nearest.rule]:
            nearest = Denied(against, grant.id)
    if not allowing:
        return nearest
    if needed is Rule.OTHER_USER and not any(grant.needs_approval for grant in allowing):
        return Allowed(allowing[0].id)
    by_others = next((grant for grant in allowing if grant.id not in own or grant.needs_approval), None)
    return Denied(Rule.OWN_GRANT, allowing[0].id) if by_others is None else Allowed(by_others.id)


def is_proven(grant: AccessGrant, request: UseRequest) -> bool:
    """Whether a token that was verified says that ``request`` is for the subject of ``grant``. No I/O."""
    kind = SubjectKind(grant.subject_kind)
    if kind is SubjectKind.API_CLIENT:
        return False
    return bool(request.verified.get("agent" if kind is SubjectKind.AGENT else "end_user"))


def lets_proxy(grant: AccessGrant, facts: UseFacts, request: UseRequest, *, now: datetime) -> bool:
    """Whether ``grant`` lets whoever ``request`` names have anything proxied; its method and path are not looked at."""
    if not _is_for(grant, request) or grant.is_expired(now=now) or grant.methods == [] or grant.paths == []:
        return False
    return grant.paths is not None or not _carries_more(grant, facts)


_NEARNESS = {rule: number for number, rule in enumerate(Rule)}


def _is_for(grant: AccessGrant, request: UseRequest) -> bool:
    match SubjectKind(grant.subject_kind):
        case SubjectKind.END_USER:
            return request.end_user == grant.subject
        case SubjectKind.GROUP:
            return request.end_user is not None and grant.subject in request.groups
        case SubjectKind.AGENT:
            return request.agent == grant.subject
        case SubjectKind.API_CLIENT:
            return str(request.client_id) == grant.subject


def _against(grant: AccessGrant, facts: UseFacts, request: UseRequest, *, now: datetime) -> Rule | None:
    """Return what stands against the request under ``grant``, which names its subject, or None."""
    if grant.is_expired(now=now):
        return Rule.GRANT_EXPIRED
    if grant.scopes is not None and facts.scope_rules.missing(request.scopes, granted=grant.scopes, asked=()):
        return Rule.GRANT_SCOPES
    if request.action is Action.VEND:
        return None if grant.allows_vend or not _can_do_more(grant, facts) else Rule.PROXY_ONLY
    if grant.methods is not None and request.method not in grant.methods:
        return Rule.GRANT_METHOD
    if grant.paths is not None and not _means(grant.paths, request):
        return Rule.GRANT_PATH
    # Nobody sees from a request which scope it uses. So paths have to say what a narrower scope would allow.
    if grant.paths is None and _carries_more(grant, facts):
        return Rule.GRANT_SCOPES_UNSEEN
    return None


def _means(patterns: Iterable[str], request: UseRequest) -> bool:
    return any(matches(pattern, request.path, encoded_slashes=request.encoded_slashes) for pattern in patterns)


def _can_do_more(grant: AccessGrant, facts: UseFacts) -> bool:
    """Whether who holds the credential could do what ``grant`` does not allow, or after its end."""
    if grant.methods is not None or grant.paths is not None or _carries_more(grant, facts):
        return True
    return grant.expires_at is not None and (facts.expires_at is None or facts.expires_at > grant.expires_at)


def _carries_more(grant: AccessGrant, facts: UseFacts) -> bool:
    """Whether the credential carries a scope beyond those of ``grant``. One of unknown scopes may carry any."""
    if grant.scopes is None:
        return False
    if not facts.carried_scopes:
        return True
    return bool(facts.scope_rules.missing(facts.carried_scopes, granted=grant.scopes, asked=()))
