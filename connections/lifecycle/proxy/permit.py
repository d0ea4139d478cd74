"""Who may have a request proxied, and with what it leaves: the decision, its audit row, and the opened credential.

The rules about people, connections and credentials are those of the vend, by the same functions. In addition a proxied
call needs the permission ``proxy``, and a rule of its API client or an access grant that names its method and path.
"""

import uuid
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Subquery

from connections.access.switched_off import switched_off
from connections.access.targets import entry_named, scope_rules_of
from connections.database.pool import hand_back_database
from connections.journal import audit
from connections.lifecycle.credentials.subject_tokens import HeldToken
from connections.lifecycle.policy.approve import BodyUnread
from connections.lifecycle.policy.check import Access, check_use
from connections.lifecycle.policy.client_rules import allows
from connections.lifecycle.policy.decide import Action, UseFacts, UseRequest
from connections.lifecycle.provision.callers import (
    Known,
    check_client,
    check_pace,
    check_permission,
    known_by,
    refuse_key,
    tenant_meant,
)
from connections.lifecycle.proxy.order import ProxyOrder
from connections.lifecycle.proxy.outgoing import Outgoing, open_outgoing
from connections.lifecycle.refresh.claim import Need, RefreshReport
from connections.lifecycle.vend.for_subject import token_for_subject
from connections.lifecycle.vend.opening import row_of_subject
from connections.lifecycle.vend.query import VendRow, note_use, run_vend_statement, vouched
from connections.lifecycle.vend.refusal import refusal_of, refusal_without_refresh, unverified
from connections.lifecycle.vend.rules import (
    DEFAULT_MIN_TTL_SECONDS,
    ExchangeFirst,
    GrantFirst,
    RefreshFirst,
    Refuse,
    Vend,
    VendRequest,
    decide_vend,
)
from connections.models import (
    AccessGrant,
    ApiClient,
    Connection,
    OwnerKind,
    Permission,
)
from connections.refusals import InvalidRequest, NotFound, PolicyDenied, Refusal
from providers.proxying.paths import ENCODED_SLASH

ACTION = "connection.proxy"
LONGEST_NOTED_PATH = 500
# What ``switched_off`` looks at, and whose the connection is: the rest of these rows is not needed.
_OFF = ("suspended_at", "paused_at")
_OF_APP = tuple(f"provider_app__{name}" for name in _OFF)
_SWITCHES = ("tenant", "provider_app", "is_canary", *_OFF, "tenant__suspended_at", *_OF_APP)


@dataclass(frozen=True, slots=True)
class Permit:
    """A proxied call that may leave, as ``outgoing``; its audit row is committed.

    ``access`` is what allows it, as of ``decided_at``; ``any_method`` whether it would be allowed by any method.
    """

    audit_id: int
    client_id: uuid.UUID
    access: Access
    decided_at: datetime
    connection: Connection
    version_id: uuid.UUID | None
    is_refreshable: bool
    places: tuple[Hashable, ...]
    outgoing: Outgoing
    any_method: bool = False


@dataclass(frozen=True, slots=True)
class NeedsRefresh:
    """No valid credential is left: refresh with this ``need``, and ask once more. ``places`` is for the bulkhead."""

    places: tuple[Hashable, ...]
    need: Need


@dataclass(frozen=True, slots=True)
class NeedsBody:
    """The call needs an approval, which is of its body, too: read it, and ask once more with its digest."""


@dataclass(frozen=True, slots=True)
class NeedsExchange:
    """The caller's token of a subject has to be exchanged first: do so, and ask once more."""


def permit(
    order: ProxyOrder,
    report: RefreshReport | None = None,
    repeats: int | None = None,
    held: HeldToken | None = None,
) -> Permit | NeedsRefresh | NeedsBody | NeedsExchange:
    """Decide one proxied call, and open the credential with which it leaves. A few short queries, no HTTP.

    ``report`` says how the refresh ended that the caller has waited for, ``held`` is the token that was exchanged for
    the call: with either the answer is final. ``repeats`` is the audit row of the call that this one repeats. Raises
    the refusals of the vend and ``PolicyDenied``, each with an audit row. Gives the thread's database connection back.
    """
    try:
        return _permit(order, report, repeats, held)
    finally:
        hand_back_database()


def exchange_subject(order: ProxyOrder) -> HeldToken:
    """Return a token that acts for the subject whose token the caller brings. HTTP, if none is kept: blocks for that.

    Ask ``permit`` before, and once more with it. Raises as ``token_for_subject``, with an audit row.
    """
    try:
        return token_for_subject(order.use)
    except Refusal as refusal:
        _record(order, _row(order, is_repeat=True), decision=refusal.code)
        raise
    finally:
        hand_back_database()


def may_follow(order: ProxyOrder, permitted: Permit, path: str, *, led_from: str) -> bool:
    """Whether the caller may also be led to ``path``, below the base URL of the connection, and its query.

    If so, an audit row of its own says that the credential goes there, and ``led_from`` where. A few short queries.
    """
    way, _, query = path.partition("?")
    try:
        row = _row(order, is_repeat=True)
        rules, connection = _loaded(row)
        led = replace(order, path=way, query=query)
        access = _check_reach(led, row, rules, connection, is_repeat=True)
        told = {**access.told(), "request": permitted.audit_id, "led_from": f"/{led_from}"[:LONGEST_NOTED_PATH]}
        _record(led, row, decision=audit.ALLOWED, **told)
    except (Refusal, BodyUnread):
        return False
    finally:
        hand_back_database()
    return True


def _permit(
    order: ProxyOrder, report: RefreshReport | None, repeats: int | None, held: HeldToken | None
) -> Permit | NeedsRefresh | NeedsBody | NeedsExchange:
    row = _row(order, is_repeat=report is not None or repeats is not None or held is not None)
    try:
        rules, connection = _loaded(row)
        access = _check_reach(order, row, rules, connection, is_repeat=repeats is not None)
        decision = _decide(order, row)
        if isinstance(decision, RefreshFirst):
            if report is None:
                return NeedsRefresh(row.places, Need(valid_until=row.now + timedelta(seconds=_wanted(order))))
            if not decision.still_valid:
                raise refusal_without_refresh(report, row, is_expired=decision.is_expired)
        if isinstance(decision, ExchangeFirst):
            if held is None:
                return NeedsExchange()
            row = row_of_subject(row, held, scopes=order.use.scopes)
        outgoing = open_outgoing(row, held)
    except BodyUnread:
        return NeedsBody()
    except Refusal as refusal:
        _record(order, row, decision=refusal.code, **_why(refusal))
        raise
    noted: dict[str, Any] = {**access.told()} | ({} if repeats is None else {"repeats": repeats})
    audit_id = _allow(order, row, access, **noted)
    note_use(row)
    return Permit(
        audit_id=audit_id,
        client_id=row.client_id,
        access=access,
        decided_at=row.now,
        connection=connection,
        version_id=row.version_id,
        is_refreshable=bool(row.is_refreshable),
        places=row.places,
        outgoing=outgoing,
        any_method=access.any_method and _rules_allow_any(order, row, rules),
    )


def _allow(order: ProxyOrder, row: VendRow, access: Access, **noted: Any) -> int:
    """Record that the call is allowed, and use up the approval that it took, in one transaction; or refuse it."""
    if access.approval_id is None:
        return _record(order, row, decision=audit.ALLOWED, **noted)
    try:
        with transaction.atomic():
            access.spend(now=row.now)
            return _record(order, row, decision=audit.ALLOWED, **noted)
    except Refusal as refusal:
        _record(order, row, decision=refusal.code, **_why(refusal))
        raise


def _wanted(order: ProxyOrder) -> float:
    wanted = order.use.min_ttl_seconds
    return DEFAULT_MIN_TTL_SECONDS if wanted is None else wanted


def _why(refusal: Refusal) -> dict[str, Any]:
    """Return what an audit row says of a refusal besides its code: the rule, and the grant that came nearest."""
    return {name: refusal.extra[name] for name in ("rule", "grant", "approval") if name in refusal.extra}


def _row(order: ProxyOrder, *, is_repeat: bool) -> VendRow:
    """Return the facts about who asks and for what. Raises where the caller may not even know of the connection."""
    row = run_vend_statement([order.use])[0]
    if row is None:
        refuse_key(order.use.key_hash, address=order.use.address)
    try:
        check_client(is_suspended=row.is_client_suspended, restriction=row.restriction)
        check_permission(row.permissions, may=Permission.PROXY)
        if not is_repeat:
            check_pace(row.client_id, restriction=row.restriction)
        if row.connection_id is None:
            if order.use.tenant is None and (known := _known(order)) is not None:
                tenant_meant(known.client, None)  # a call of an operator-wide client has to name the tenant
            raise NotFound("There is no such connection.")
    except Refusal as refusal:
        _record(order, row, decision=refusal.code)
        raise
    return row


def _known(order: ProxyOrder) -> Known | None:
    return known_by(order.use.key_hash, address=order.use.address)


def _loaded(row: VendRow) -> tuple[Sequence[str], Connection]:
    """Return the proxy rules of who asks, and of the connection what switches it off. One query."""
    rules = ApiClient.objects.filter(id=row.client_id).values("proxy_rules")
    loaded = Connection.objects.select_related("tenant", "provider_app").only(*_SWITCHES)
    connections = loaded.annotate(rules=Subquery(rules)).filter(id__in=[row.connection_id], rules__isnull=False)
    for connection in connections:
        return connection.rules, connection  # type: ignore[attr-defined]  # the annotation above
    raise NotFound("There is no such connection.")


def _check_reach(
    order: ProxyOrder, row: VendRow, rules: Sequence[str], connection: Connection, *, is_repeat: bool
) -> Access:
    """Return what allows the request. Raises the refusal; no approval is asked for that could not mend it.

    A client with rules may do what they say and no more, also under a grant. A client without rules may do what a grant
    says that names paths.
    """
    if (off := switched_off(connection)) is not None:
        raise off
    if row.demands_verified and not order.use.is_verified:
        raise unverified()
    path, encoded_slashes = f"/{order.path}", entry_named(row.provider).proxy.encoded_slashes
    if ENCODED_SLASH.search(path) and not encoded_slashes:
        raise InvalidRequest("The path holds an encoded slash, which is not taken for this provider.", field="path")
    by_rules = allows(rules, provider=row.provider, method=order.method, path=path, encoded_slashes=encoded_slashes)
    if rules and not by_rules:
        raise _beyond_rules()
    access = check_use(
        UseFacts(
            owner_kind=OwnerKind(row.owner_kind),
            end_user=row.end_user,
            grants_only=row.grants_only,
            carried_scopes=row.scopes or (),
            expires_at=row.access_expires_at,
            scope_rules=scope_rules_of(row.provider),
        ),
        UseRequest(
            action=Action.PROXY,
            client_id=row.client_id,
            end_user=order.use.end_user,
            groups=order.use.groups,
            agent=order.use.agent,
            purpose=order.use.purpose,
            may_act_without_user=Permission.VEND_WITHOUT_USER in row.permissions,
            scopes=order.use.scopes,
            method=order.method,
            path=path,
            query=order.query,
            body_sha256=order.body_sha256,
            encoded_slashes=encoded_slashes,
            headers=order.headers,
            verified=order.use.vouched_by,
        ),
        tenant_id=row.tenant_id,
        connection_id=connection.id,
        provider=row.provider,
        now=row.now,
        is_repeat=is_repeat,
    )
    grant_id = access.grant_id
    if by_rules or (grant_id and AccessGrant.objects.filter(id=grant_id, paths__isnull=False).exists()):
        return access
    raise _beyond_rules()


def _rules_allow_any(order: ProxyOrder, row: VendRow, rules: Sequence[str]) -> bool:
    """Whether ``rules`` allow every method that changes something; none limit nothing."""
    slashes = entry_named(row.provider).proxy.encoded_slashes
    return not rules or all(
        allows(rules, provider=row.provider, method=method, path=f"/{order.path}", encoded_slashes=slashes)
        for method in ("POST", "PUT", "PATCH", "DELETE")
    )


def _beyond_rules() -> PolicyDenied:
    return PolicyDenied(
        "Neither a proxy rule of this API client nor an access grant allows this method and path.", rule="proxy_rules"
    )


def _decide(order: ProxyOrder, row: VendRow) -> RefreshFirst | ExchangeFirst | Vend:
    """Decide whether there is a credential that may be used. Who may use it is decided already. Raises the refusal."""
    request = VendRequest(
        scopes=order.use.scopes,
        min_ttl_seconds=order.use.min_ttl_seconds,
        for_subject=order.use.subject_token is not None,
        under_grant=True,  # or by the owner: that is decided before
        is_verified=order.use.is_verified,
    )
    decision = decide_vend(row.facts(), request, now=row.now)
    if isinstance(decision, Refuse):
        raise refusal_of(decision, row)
    if isinstance(decision, GrantFirst):
        raise TypeError("The grant of a proxied call is found already.")
    return decision


def _record(order: ProxyOrder, row: VendRow, *, decision: str, **facts: Any) -> int:
    """Write the audit row of a call, and return its id."""
    named: dict[str, Any] = {} if row.connection_id else {"asked_for": str(order.use.connection_id)}
    named |= vouched(order.use, row)
    is_allowed = decision == audit.ALLOWED
    return audit.record(
        ACTION,
        decision=decision,
        actor=order.use.actor(row.client_id),
        tenant_id=row.tenant_id,
        connection_id=row.connection_id,
        version_id=row.version_id if is_allowed else None,
        scopes=order.use.scopes,
        fingerprint=row.fingerprint if is_allowed else None,
        detail={"method": order.method, "path": f"/{order.path}"[:LONGEST_NOTED_PATH], **named, **facts},
    ).id
