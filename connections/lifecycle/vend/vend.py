"""Vend: hand a caller a credential that works now, or the reason why none does."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any, NoReturn

import structlog
from django.db import InterfaceError, OperationalError

from connections.access.secrets import credential_place, unwrap_columns
from connections.access.targets import check_grantor, entry_named
from connections.database.pool import release_database, replace_broken_connections
from connections.journal import audit
from connections.lifecycle.health.undecryptable import note_undecryptable
from connections.lifecycle.provision.callers import check_client, check_permission, refuse_key
from connections.lifecycle.refresh.claim import Need, Outcome, RefreshReport
from connections.lifecycle.refresh.refresh import refresh_and_wait
from connections.lifecycle.vend.query import VendRow, run_vend_statement
from connections.lifecycle.vend.reconnect_url import connect_url
from connections.lifecycle.vend.rules import (
    DEFAULT_MIN_TTL_SECONDS,
    RefreshFirst,
    Refuse,
    Vend,
    VendRequest,
    decide_vend,
)
from connections.models import AuditEvent, Permission, Reason, Status, Trigger
from connections.models.fields import StoredSecret
from connections.refusals import (
    AnswerUnreadable,
    AppMisconfigured,
    CredentialUnreadable,
    EndpointMoved,
    InsufficientScope,
    MinTtlUnavailable,
    NotFound,
    Paused,
    Pending,
    PolicyDenied,
    ProviderDown,
    ReauthorizationRequired,
    RefreshInProgress,
    Refusal,
    Suspended,
)
from connections.vault.sealing import Unreadable, open_sealed
from providers.catalog.loader import catalog_edition
from providers.catalog.resolve import Target, resolve
from providers.errors import MisconfiguredProvider
from providers.strategies import strategy_for
from providers.values import ClientRegistration, Credential, Presentation

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class VendOrder:
    """One call: which connection, for whom, and for what. ``key_hash`` is the digest of the caller's API key."""

    key_hash: bytes = field(repr=False)
    connection_id: uuid.UUID
    tenant: str | None = None
    end_user: str | None = None
    scopes: Sequence[str] = ()
    min_ttl_seconds: float | None = None
    agent: str = ""
    purpose: str = ""
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Vended:
    """A credential that is handed out, with the facts about it."""

    presentation: Presentation
    row: VendRow


def vend(order: VendOrder) -> Vended:
    """Return the connection's current credential. Its audit row is committed before this returns.

    A valid credential takes one statement. Where none is valid, this refreshes it (HTTP) or waits up to 10 s for the
    refresh that is under way, and decides once more. No transaction may be open. Raises the refusals of the API's vend,
    each with an audit row.
    """
    row = _ask(order)
    if row.audit_id is not None:
        return _open_row(row)
    decision = _decide(order, row)
    if isinstance(decision, RefreshFirst):
        report = refresh_and_wait(order.connection_id, trigger=Trigger.VEND, need=_need(order, row))
        row = _ask(order)
        if row.audit_id is not None:
            return _open_row(row)
        decision = _decide(order, row)
        if isinstance(decision, RefreshFirst):
            if not decision.still_valid:
                _refuse(order, row, _refusal_without_refresh(report, row, is_expired=decision.is_expired))
            decision = Vend()
    if isinstance(decision, Refuse):
        _refuse(order, row, _refusal(decision, row))
    _record(order, row, decision=audit.ALLOWED)
    return _open_row(row)


def _ask(order: VendOrder) -> VendRow:
    try:
        row = _run(order)
    except (OperationalError, InterfaceError):
        # The database was restarted. Try once more on a new connection.
        release_database()
        replace_broken_connections()
        row = _run(order)
    if row is None:
        refuse_key(order.key_hash, address=order.address)
    try:
        check_client(is_suspended=row.is_client_suspended)
        check_permission(row.permissions, may=Permission.VEND)
    except Refusal as refusal:
        _refuse(order, row, refusal)
    if row.connection_id is None:
        _refuse(order, row, NotFound("There is no such connection."))
    return row


def _run(order: VendOrder) -> VendRow | None:
    return run_vend_statement(
        key_hash=order.key_hash,
        connection_id=order.connection_id,
        tenant=order.tenant,
        end_user=order.end_user,
        scopes=order.scopes,
        min_ttl_seconds=order.min_ttl_seconds,
        agent=order.agent,
        purpose=order.purpose,
        address=order.address,
    )


def _decide(order: VendOrder, row: VendRow) -> Vend | RefreshFirst | Refuse:
    request = VendRequest(
        end_user=order.end_user,
        scopes=order.scopes,
        min_ttl_seconds=order.min_ttl_seconds,
        may_act_without_user=Permission.VEND_WITHOUT_USER in row.permissions,
    )
    return decide_vend(row.facts(), request, now=row.now)


def _need(order: VendOrder, row: VendRow) -> Need:
    seconds = DEFAULT_MIN_TTL_SECONDS if order.min_ttl_seconds is None else order.min_ttl_seconds
    return Need(valid_until=row.now + timedelta(seconds=seconds))


def _refusal(decision: Refuse, row: VendRow) -> Refusal:
    match decision.code:
        case "not_found":
            return NotFound("There is no such connection.")
        case "pending":
            return Pending("The connection waits for the confirmation of the end user's session.")
        case "suspended":
            return Suspended("An operator has switched this off.")
        case "policy_denied":
            return PolicyDenied("This connection belongs to another end user, or none was named.")
        case "insufficient_scope":
            return InsufficientScope(
                "The connection was not granted these scopes: let its end user connect again and allow them.",
                missing_scopes=list(decision.missing_scopes),
                **_mend(row),
            )
        case "min_ttl_unavailable":
            return _too_short(row)
        case "reauthorization_required":
            return ReauthorizationRequired(
                "The grant no longer works: let its end user connect again.",
                reason=row.reason if row.status in (Status.NEEDS_REAUTH, Status.REVOKED) else "expired",
                **_mend(row),
            )


def _mend(row: VendRow) -> dict[str, Any]:
    url = connect_url(row.reconnect_url, connection_id=row.connection_id, provider=row.provider, end_user=row.end_user)
    return {"connect_url": url} if url else {}


def _too_short(row: VendRow) -> MinTtlUnavailable:
    left = 0.0 if row.access_expires_at is None else (row.access_expires_at - row.now).total_seconds()
    fresh = row.lifetime_seconds if row.is_refreshable and row.lifetime_seconds is not None else 0
    longest = int(max(left, fresh, 0))
    return MinTtlUnavailable(
        f"No credential of this connection lives for so long: ask for a min_ttl of less than {longest} s.",
        field="min_ttl",
        longest_seconds=longest,
    )


def _refusal_without_refresh(report: RefreshReport, row: VendRow, *, is_expired: bool) -> Refusal:
    if report.outcome in (Outcome.REFRESHED, Outcome.FRESH) and not is_expired:
        return _too_short(row)
    state = "has expired" if is_expired else "does not live for as long as was asked"
    match report.outcome:
        case Outcome.CLIENT_REJECTED:
            return AppMisconfigured("The provider refuses our client registration: check the provider app.")
        case Outcome.MOVED:
            return EndpointMoved(
                f"The credential {state}, and the provider app's endpoints are not those that gave it. Put them back, "
                "or let the end user connect again."
            )
        case Outcome.IN_FLIGHT:
            return RefreshInProgress(
                "The credential is being refreshed: ask again.", retry_after_seconds=report.retry_after_seconds or 2
            )
        case Outcome.SWITCHED_OFF:
            return Paused(f"The credential {state}, and an operator has paused its refreshes.")
        case Outcome.UNREADABLE:
            return CredentialUnreadable("The stored credential does not open: its key may be missing.")
        case Outcome.ANSWER_UNREAD:
            return AnswerUnreadable(
                "The credential has expired. The provider answered its refresh in a form that could not be read. The"
                " answer is kept: mend the catalogue entry, and it is read.",
                reason="answer_unread",
            )
        case _ if row.reason == Reason.REFRESH_FAILING:
            return ReauthorizationRequired(
                "The credential has expired and the provider keeps refusing to refresh it: let its end user connect"
                " again, if that does not pass.",
                reason=row.reason,
                **_mend(row),
            )
        case _:
            return ProviderDown(
                f"The credential {state}, and the provider cannot refresh it at the moment.",
                retry_after_seconds=report.retry_after_seconds or 5,
            )


def _refuse(order: VendOrder, row: VendRow, refusal: Refusal) -> NoReturn:
    _record(order, row, decision=refusal.code)
    raise refusal


def _record(order: VendOrder, row: VendRow, *, decision: str) -> None:
    AuditEvent.objects.create(
        action="credential.vend",
        decision=decision,
        tenant_id=row.tenant_id,
        connection_id=row.connection_id,
        credential_version_id=row.version_id if decision == audit.ALLOWED else None,
        api_client_id=row.client_id,
        subject=order.end_user or "",
        agent=order.agent,
        purpose=order.purpose,
        scopes=list(order.scopes),
        address=order.address,
        fingerprint=row.fingerprint if decision == audit.ALLOWED else None,
        detail={} if row.connection_id else {"asked_for": str(order.connection_id)},
    )


def _open_row(row: VendRow) -> Vended:
    try:
        credential = _open(row)
    except Unreadable:
        _note_unopened(row, decision=CredentialUnreadable.code)
        if row.connection_id is not None and row.version_id is not None:
            note_undecryptable(row.connection_id, row.version_id)
        raise CredentialUnreadable("The stored credential does not open: its key may be missing.") from None
    try:
        target = _target(catalog_edition(), row.provider, row.auth_style, row.app_params, row.discovered, row.params)
        check_grantor(target, credential.granted_by)
        return Vended(strategy_for(target.style).present(target, credential), row)
    except MisconfiguredProvider as error:
        raise AppMisconfigured(error.evidence.detail) from None
    except EndpointMoved as moved:
        _note_unopened(row, decision=moved.code)
        logger.error("endpoint_moved", connection=str(row.connection_id), version=str(row.version_id))
        raise


def _note_unopened(row: VendRow, *, decision: str) -> None:
    """Record that the credential which the vend's audit row allowed was not handed out after all."""
    AuditEvent.objects.create(
        action="credential.open",
        decision=decision,
        tenant_id=row.tenant_id,
        connection_id=row.connection_id,
        credential_version_id=row.version_id,
        api_client_id=row.client_id,
    )


def _open(row: VendRow) -> Credential:
    if row.secrets is None or row.connection_id is None or row.version_id is None or row.data_key_id is None:
        raise Unreadable("The connection has no stored credential.")
    key = unwrap_columns(key_id=row.data_key_id, tenant_id=row.tenant_id, kek_id=row.kek_id, wrapped=bytes(row.wrapped))
    place = credential_place(tenant_id=row.tenant_id, connection_id=row.connection_id, version_id=row.version_id)
    sealed = StoredSecret(bytes(row.secrets)).open_outer()
    return Credential.from_bytes(open_sealed(sealed, key=key, place=place))


@lru_cache(maxsize=2048)
def _target(edition: int, provider: str, auth_style: str, app_params: str, discovered: str, params: str) -> Target:
    """Return the target from which to present a credential. Opens no client secret; ``app_params``… are JSON texts.

    Cached. ``edition`` is that of the catalogue, so that an edited entry is in force from the next vend on.
    """
    return resolve(
        entry=entry_named(provider),
        style=auth_style,
        registration=ClientRegistration(client_id="", params=json.loads(app_params)),
        discovered=json.loads(discovered),
        params=json.loads(params),
    )
