"""Vend: hand a caller a credential that works now, or the reason why none does."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NoReturn

from django.db import InterfaceError, OperationalError, transaction

from connections.database.pool import release_database, replace_broken_connections
from connections.journal import audit
from connections.lifecycle.credentials.subject_tokens import HeldToken
from connections.lifecycle.provision.callers import (
    check_client,
    check_pace,
    check_permission,
    known_by,
    refuse_key,
    tenant_meant,
)
from connections.lifecycle.refresh.claim import Need, RefreshReport
from connections.lifecycle.refresh.refresh import refresh_and_wait
from connections.lifecycle.vend.for_subject import token_for_subject
from connections.lifecycle.vend.opening import Openings, Vended, open_held, row_of_subject
from connections.lifecycle.vend.order import VendOrder
from connections.lifecycle.vend.query import VendRow, run_vend_statement, vouched
from connections.lifecycle.vend.refusal import refusal_of, refusal_without_refresh
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
from connections.lifecycle.vend.under_grant import access_for
from connections.models import Permission, Trigger
from connections.refusals import NotFound, Refusal

_WHY = ("rule", "grant", "approval")  # members of a refusal that its audit row has too


@dataclass(frozen=True, slots=True)
class Asked:
    """An order as it is asked. ``report`` says how the refresh ended that the caller has waited for, if there was one.

    ``held`` is the token that was exchanged for the order. With either the answer is final.
    """

    order: VendOrder
    report: RefreshReport | None = None
    held: HeldToken | None = None

    @property
    def is_repeat(self) -> bool:
        """Whether the order was asked before, and so has been counted."""
        return self.report is not None or self.held is not None


@dataclass(frozen=True, slots=True)
class RefreshNeeded:
    """The answer to an order for which no valid credential is left: refresh with this ``need``, and ask once more.

    ``places`` says by whom the refresh counts in the bulkhead.
    """

    order: VendOrder
    places: tuple[Hashable, ...]
    need: Need


@dataclass(frozen=True, slots=True)
class ExchangeNeeded:
    """The answer to an order that brings a subject's token: exchange that, and ask once more. ``row`` is who asks."""

    order: VendOrder
    row: VendRow


Answer = Vended | RefreshNeeded | ExchangeNeeded | Exception


def vend(order: VendOrder) -> Vended:
    """Return the connection's current credential. Its audit row is committed before this returns.

    Where the order brings a subject's token, this exchanges that (HTTP). Where no credential is valid, it refreshes it
    (HTTP), or waits as long as the order allows for the refresh that is under way, in this thread, and decides once
    more. No transaction may be open. Raises the refusals of the API's vend, each with an audit row.
    """
    (answer,) = vend_all([Asked(order)])
    if isinstance(answer, RefreshNeeded):
        report = refresh_and_wait(
            order.connection_id, trigger=Trigger.VEND, need=answer.need, wait_seconds=order.wait_seconds
        )
        (answer,) = vend_all([Asked(order, report)])
    elif isinstance(answer, ExchangeNeeded):
        try:
            held = token_for_subject(order)
        except Refusal as refusal:
            _refuse(order, answer.row, refusal)
        (answer,) = vend_all([Asked(order, held=held)])  # what was allowed before may be switched off by now
    if isinstance(answer, Exception):
        raise answer
    if not isinstance(answer, Vended):
        raise TypeError("An order that is asked again has a final answer.")
    return answer


def vend_all(asked: Sequence[Asked]) -> list[Answer]:
    """Answer each of these orders, in their order, with one statement and one commit for all that are plain.

    An answer is the credential, with its audit row committed; or that a refresh or an exchange must come first; or the
    refusal, with its audit row; or whatever other error this one order met. One order's failure is never another's,
    unless the database cannot be asked at all. Calls no provider and waits for none.
    """
    rows = _rows([one.order for one in asked])
    openings = Openings()
    return [_answer(one, row, openings) for one, row in zip(asked, rows, strict=True)]


def _rows(orders: Sequence[VendOrder]) -> list[VendRow | Exception | None]:
    try:
        return [*_run(orders)]
    except (OperationalError, InterfaceError) as error:
        return [error] * len(orders)
    except Exception as error:  # noqa: BLE001 (the caller of the order that it comes from gets it)
        if len(orders) == 1:
            return [error]
        # One of them cannot be asked. The others do not suffer for it.
        return [row for order in orders for row in _rows([order])]


def _run(orders: Sequence[VendOrder]) -> list[VendRow | None]:
    try:
        return run_vend_statement(orders)
    except (OperationalError, InterfaceError):
        # The database was restarted. Try once more on a new connection.
        release_database()
        replace_broken_connections()
        return run_vend_statement(orders)


def _answer(asked: Asked, row: VendRow | Exception | None, openings: Openings) -> Answer:
    try:
        if isinstance(row, Exception):
            raise row
        return _answer_row(asked, _checked(asked.order, row, is_repeat=asked.is_repeat), openings)
    except Exception as error:  # noqa: BLE001 (the caller of this one order gets it)
        return error


def _answer_row(asked: Asked, row: VendRow, openings: Openings) -> Vended | RefreshNeeded | ExchangeNeeded:
    if row.audit_id is not None:
        return openings.open_row(row)
    order, report, held = asked.order, asked.report, asked.held
    decision = _decide(order, row)
    if isinstance(decision, GrantFirst):
        row = _under_grant(order, row, held)
        decision = _decide(order, row)
    if isinstance(decision, ExchangeFirst):
        if held is None:
            return ExchangeNeeded(order, row)
        row = row_of_subject(row, held, scopes=order.scopes)
        _allow(order, row)
        return open_held(row, held)
    if isinstance(decision, RefreshFirst):
        if report is None:
            return RefreshNeeded(order, row.places, _need(order, row))
        if not decision.still_valid:
            _refuse(order, row, refusal_without_refresh(report, row, is_expired=decision.is_expired))
    if isinstance(decision, GrantFirst):
        raise TypeError("Under an access grant no other one is needed.")
    if isinstance(decision, Refuse):
        _refuse(order, row, refusal_of(decision, row))
    _allow(order, row)
    return openings.open_row(row)


def _checked(order: VendOrder, row: VendRow | None, *, is_repeat: bool) -> VendRow:
    if row is None:
        refuse_key(order.key_hash, address=order.address)
    try:
        check_client(is_suspended=row.is_client_suspended, restriction=row.restriction)
        check_permission(row.permissions, may=Permission.VEND)
        if not is_repeat:
            check_pace(row.client_id, restriction=row.restriction)
    except Refusal as refusal:
        _refuse(order, row, refusal)
    if row.connection_id is None:
        _record(order, row, decision=NotFound.code)
        if order.tenant is None and (known := known_by(order.key_hash, address=order.address)) is not None:
            tenant_meant(known.client, None)  # a call of an operator-wide client has to name the tenant
        raise NotFound("There is no such connection.")
    return row


def _under_grant(order: VendOrder, row: VendRow, held: HeldToken | None) -> VendRow:
    """Return ``row`` with the access grant that allows the order, or refuse it. A query or a few."""
    try:
        return replace(row, access=access_for(order, row, held))
    except Refusal as refusal:
        _refuse(order, row, refusal)


def _decide(order: VendOrder, row: VendRow) -> Vend | RefreshFirst | ExchangeFirst | GrantFirst | Refuse:
    request = VendRequest(
        end_user=order.end_user,
        scopes=order.scopes,
        min_ttl_seconds=order.min_ttl_seconds,
        may_act_without_user=Permission.VEND_WITHOUT_USER in row.permissions,
        for_subject=order.subject_token is not None,
        under_grant=row.access.grant_id is not None,
        is_verified=order.is_verified,
    )
    return decide_vend(row.facts(), request, now=row.now)


def _need(order: VendOrder, row: VendRow) -> Need:
    seconds = DEFAULT_MIN_TTL_SECONDS if order.min_ttl_seconds is None else order.min_ttl_seconds
    return Need(valid_until=row.now + timedelta(seconds=seconds))


def _allow(order: VendOrder, row: VendRow) -> None:
    """Record that the order is allowed, and use up the approval that it took, in one transaction; or refuse it."""
    if row.access.approval_id is None:
        _record(order, row, decision=audit.ALLOWED)
        return
    try:
        with transaction.atomic():
            row.access.spend(now=row.now)
            _record(order, row, decision=audit.ALLOWED)
    except Refusal as refusal:
        _refuse(order, row, refusal)


def _refuse(order: VendOrder, row: VendRow, refusal: Refusal) -> NoReturn:
    told: dict[str, str] = {name: refusal.extra[name] for name in _WHY if name in refusal.extra}
    _record(order, row, decision=refusal.code, detail=told)
    raise refusal


def _record(order: VendOrder, row: VendRow, *, decision: str, detail: dict[str, str] | None = None) -> None:
    told: dict[str, Any] = dict(detail or {})
    if row.connection_id is None:
        told["asked_for"] = str(order.connection_id)
    told |= vouched(order, row) | row.access.told()
    is_allowed = decision == audit.ALLOWED
    audit.record(
        "credential.vend",
        decision=decision,
        actor=order.actor(row.client_id),
        tenant_id=row.tenant_id,
        connection_id=row.connection_id,
        version_id=row.version_id if is_allowed else None,
        scopes=order.scopes,
        fingerprint=row.fingerprint if is_allowed else None,
        detail=told,
    )
