"""Why a vend is refused, in words that a caller can act on. The decisions themselves are in ``rules``. No I/O."""

from collections.abc import Sequence
from typing import Any

from connections.lifecycle.refresh.claim import Outcome, RefreshReport
from connections.lifecycle.vend.query import VendRow
from connections.lifecycle.vend.reconnect_url import connect_url
from connections.lifecycle.vend.rules import Refuse
from connections.models import Reason, Status
from connections.refusals import (
    AnswerUnreadable,
    AppMisconfigured,
    Busy,
    CredentialUnreadable,
    EndpointMoved,
    InsufficientScope,
    InvalidRequest,
    MinTtlUnavailable,
    NotFound,
    Paused,
    Pending,
    PolicyDenied,
    ProviderDown,
    Quarantined,
    ReauthorizationRequired,
    RefreshInProgress,
    Refusal,
    SubjectTokenRequired,
    Suspended,
)


def refusal_of(decision: Refuse, row: VendRow) -> Refusal:
    """Return the refusal that says ``decision``. No I/O."""
    match decision.code:
        case "not_found":
            return NotFound("There is no such connection.")
        case "unverified":
            return unverified()
        case "pending":
            return Pending("The connection waits for the confirmation of the end user's session.")
        case "suspended":
            return Suspended("An operator has switched this off.")
        case "insufficient_scope":
            return InsufficientScope(
                "The connection does not have these scopes: make a connect session that adds them (`add_scopes`), and"
                " let its end user allow them. What it has stays.",
                missing_scopes=list(decision.missing_scopes),
                **_mend(row, scopes=decision.missing_scopes),
            )
        case "min_ttl_unavailable":
            return _too_short(row)
        case "subject_token_required":
            return SubjectTokenRequired(
                "This connection acts for whoever you serve: vend with a subject_token of theirs.",
                field="subject_token",
            )
        case "subject_token_unwanted":
            return InvalidRequest(
                "This connection has a credential of its own: vend without subject_token.", field="subject_token"
            )
        case "reauthorization_required":
            return ReauthorizationRequired(
                "The grant no longer works: let its end user connect again.",
                reason=row.reason if row.status in (Status.NEEDS_REAUTH, Status.REVOKED) else "expired",
                **_mend(row),
            )


def unverified() -> PolicyDenied:
    """Return the refusal of a client that has to prove for whom it calls, and does not."""
    return PolicyDenied(
        "This API client has to prove for whom it calls: send end_user_token, and agent_token if it names an agent."
        " What it says itself is not enough.",
        rule="unverified",
    )


def _mend(row: VendRow, *, scopes: Sequence[str] = ()) -> dict[str, Any]:
    url = connect_url(
        row.reconnect_url,
        connection_id=row.connection_id,
        provider=row.provider,
        end_user=row.end_user,
        scopes=scopes,
    )
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


def refusal_without_refresh(report: RefreshReport, row: VendRow, *, is_expired: bool) -> Refusal:
    """Return the refusal of a vend whose refresh ended with ``report`` and left no credential that fits. No I/O.

    ``is_expired``: the stored credential is useless; otherwise it only lives for less time than was asked.
    """
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
        case Outcome.QUARANTINED:
            return Quarantined(
                f"The credential {state}, and refresh quarantine holds its refresh: Latchkey's database was put back to"
                " an earlier moment, and to send the refresh token that it holds could end the grant. An operator"
                " releases it, or its end user connects again: ask again after Retry-After.",
                retry_after_seconds=report.retry_after_seconds,
                **_mend(row),
            )
        case Outcome.UNREADABLE:
            if report.retry_after_seconds is not None:
                return Busy(
                    f"The credential {state}, and does not open now: the service of its key does not answer.",
                    retry_after_seconds=report.retry_after_seconds,
                )
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
