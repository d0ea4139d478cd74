"""On behalf of a subject: exchange the token that a caller brings, or take what an earlier exchange of it brought.

One exchange at a time for each subject's token, whatever number of processes are asked: the others wait for its end,
and get what it brought or why it failed. ``credentials.subject_tokens`` keeps the tokens; ``vend`` decides who may ask,
before and after.
"""

import time
import uuid
from typing import NoReturn

from connections.access.switched_off import switched_off
from connections.access.targets import Access, access_of
from connections.database.clock import database_now
from connections.database.pool import release_database
from connections.lifecycle.credentials.subject_tokens import (
    Claim,
    Failed,
    HeldToken,
    asked_of,
    claim_exchange,
    failure_since,
    find_subject_token,
    give_up_exchange,
    is_under_way,
    keep_subject_token,
)
from connections.lifecycle.health.incidents import close_client_incident, note_refusal
from connections.lifecycle.refresh.refresh import SEND_AGAIN_WITHIN_SECONDS, SEND_WITHIN_SECONDS
from connections.lifecycle.throttle import admission
from connections.lifecycle.throttle.bulkhead import bulkhead
from connections.lifecycle.vend.order import VendOrder
from connections.lifecycle.vend.rules import DEFAULT_MIN_TTL_SECONDS
from connections.models import Connection
from connections.refusals import (
    AppMisconfigured,
    InsufficientScope,
    InteractionRequired,
    InvalidRequest,
    MinTtlUnavailable,
    NotFound,
    ProviderDown,
    RefreshInProgress,
    Refusal,
    SubjectTokenRefused,
)
from providers import send_window
from providers.errors import (
    AddressRefused,
    ClientRejected,
    Evidence,
    GrantRejected,
    MisconfiguredProvider,
    ProviderError,
    ProviderUnavailable,
    RequestRejected,
    TargetRefused,
)
from providers.errors import InteractionRequired as AskedToSignIn
from providers.values import Obtained, SubjectGrant

_POLL_SECONDS = 0.1


def token_for_subject(order: VendOrder) -> HeldToken:
    """Return a token that acts for the subject whose token ``order`` brings. The caller has decided that it may.

    HTTP, if none is kept that lives for long enough: blocks for one exchange, or waits as long as ``order`` allows for
    one that is under way. Holds no lock and no database connection meanwhile. Raises ``NotFound``,
    ``SubjectTokenRefused``, ``InteractionRequired``, ``InsufficientScope``, ``MinTtlUnavailable``, ``InvalidRequest``,
    ``AppMisconfigured``, ``ProviderDown``, ``RefreshInProgress``, ``Suspended`` and ``Paused``.
    """
    connection = Connection.objects.select_related("tenant", "provider_app").filter(id=order.connection_id).first()
    if connection is None or order.subject_token is None:
        raise NotFound("There is no such connection.")
    if (off := switched_off(connection)) is not None:
        raise off
    access = access_of(connection)
    asked = asked_of(order.subject_token.get_secret_value(), end_user=order.end_user, scopes=order.scopes)
    held = _held_or_exchanged(connection, access, order, asked)
    return _fitting(held, access, order)


def _held_or_exchanged(connection: Connection, access: Access, order: VendOrder, asked: bytes) -> HeldToken:
    wanted = DEFAULT_MIN_TTL_SECONDS if order.min_ttl_seconds is None else order.min_ttl_seconds
    began, give_up_at = database_now(), time.monotonic() + order.wait_seconds
    while True:
        now = database_now()
        held = find_subject_token(connection, asked, grantor=access.target.grantor, now=now, for_seconds=wanted)
        if held is not None:
            return held
        if (failed := failure_since(connection.id, asked, began)) is not None:
            raise _refusal_of(failed)
        if (claim := claim_exchange(connection.id, asked, end_user=order.end_user, now=now)) is not None:
            return _exchange(connection, access, order, claim)
        while is_under_way(connection.id, asked, now=database_now()):
            release_database()
            if time.monotonic() >= give_up_at:
                raise RefreshInProgress("The token is being exchanged: ask again.", retry_after_seconds=2)
            time.sleep(_POLL_SECONDS)


def _exchange(connection: Connection, access: Access, order: VendOrder, claim: Claim) -> HeldToken:
    """Ask the provider, as the one who has the claim, and keep the answer. HTTP."""
    scopes = access.target.entry.with_required_scopes(order.scopes or access.target.entry.default_scopes)
    release_database()
    try:
        with bulkhead.place(*access.places(connection.provider_app, tenant_id=connection.tenant_id)):
            obtained = _ask(connection, access, order, scopes)
    except ProviderError as failure:
        _give_up(connection, claim, failure, party=access.party_id)
    now = database_now()
    close_client_incident(connection.provider_app, party=access.party_id, now=now)
    granted = scopes if obtained.scopes is None else obtained.scopes
    return keep_subject_token(connection, claim, obtained, scopes=granted, grantor=access.target.grantor, now=now)


def _ask(connection: Connection, access: Access, order: VendOrder, scopes: tuple[str, ...]) -> Obtained:
    """Send the exchange, if the throttle lets it go, and tell the throttle how it ended. HTTP."""
    party_id, began = access.party_id or connection.provider_app_id, time.monotonic()
    budget = access.target.entry.requests_per_minute
    if (held_seconds := admission.admit(party_id, budget=budget, is_urgent=True)) is not None:
        left_alone = Evidence("The provider wants to be left alone for a while.", sent=False)
        raise ProviderUnavailable(left_alone, retry_after_seconds=held_seconds)
    if order.subject_token is None:
        raise TypeError("There is no token to exchange.")
    failure: ProviderError | None = None
    try:
        with send_window.open_until(began + SEND_WITHIN_SECONDS, others_by=began + SEND_AGAIN_WITHIN_SECONDS):
            return access.strategy.exchange_subject(access.target, SubjectGrant(order.subject_token, scopes))
    except ProviderError as error:
        failure = error
        raise
    finally:
        is_accounts_own = access.asks_accounts_own
        admission.note(party_id, connection_id=connection.id, failure=failure, is_accounts_own=is_accounts_own)


def _give_up(connection: Connection, claim: Claim, failure: ProviderError, *, party: uuid.UUID | None) -> NoReturn:
    """Tell those who wait, the audit trail and the operators, and raise the refusal."""
    evidence, now = failure.evidence, database_now()
    failed = Failed(
        failure.code,
        error=evidence.error,
        claims=failure.claims if isinstance(failure, AskedToSignIn) else "",
        retry_after_seconds=failure.retry_after_seconds,
    )
    note_refusal(connection.provider_app, failure, party=party, now=now, connection=connection)
    give_up_exchange(connection, claim, failed, evidence=evidence.as_dict(), now=now)
    raise _refusal_of(failed) from None


def _refusal_of(failed: Failed) -> Refusal:
    """Return what a caller is told of an exchange that failed, and what to do. No I/O."""
    match failed.code, failed.error:
        case AskedToSignIn.code, reason:
            return InteractionRequired(
                "The provider wants the end user to sign in again: send them to your identity provider, asking for the"
                " claims if there are any, and vend with the new token.",
                reason=reason,
                claims=failed.claims,
            )
        case RequestRejected.code, "invalid_scope":
            return InvalidRequest("The provider does not know these scopes, or grants none of them.", field="scopes")
        case (ClientRejected.code, _) | (RequestRejected.code, "invalid_target"):
            return AppMisconfigured("The provider refuses our client registration: check the provider app.")
        case (GrantRejected.code | RequestRejected.code, reason):
            return SubjectTokenRefused(
                "The provider refuses this token of the end user's: take a fresh one from your identity provider, and"
                " vend with that.",
                reason=reason,
            )
        case (AddressRefused.code, _):
            return AppMisconfigured("The provider takes no calls from our address: list it there.")
        case (MisconfiguredProvider.code | TargetRefused.code, _):
            return AppMisconfigured("The exchange cannot be asked for: check the provider app and its catalogue entry.")
        case _:
            return ProviderDown(
                "The provider cannot exchange the token at the moment.",
                retry_after_seconds=failed.retry_after_seconds or 5,
            )


def _fitting(held: HeldToken, access: Access, order: VendOrder) -> HeldToken:
    """Return ``held`` if it has the scopes and lives for as long as ``order`` asks. Raises the refusal."""
    missing = access.target.entry.scope_rules.missing(order.scopes, granted=held.scopes, asked=order.scopes)
    if missing:
        raise InsufficientScope(
            "The provider did not grant these scopes for this end user.", missing_scopes=list(missing)
        )
    if order.min_ttl_seconds is not None and held.expires_at is not None:
        left = (held.expires_at - database_now()).total_seconds()
        if left <= order.min_ttl_seconds:
            raise MinTtlUnavailable(
                f"No token of this connection lives for so long: ask for a min_ttl of less than {int(left)} s.",
                field="min_ttl",
                longest_seconds=int(left),
            )
    return held
