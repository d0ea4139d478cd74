"""Every table of states: which state may follow which, and which reason belongs to which status of a connection.

There are no other such tables. The named mutators of the models obey these, and the database's constraints are built
from them.
"""

from django.db import models


class Status(models.TextChoices):
    """What a caller can expect of a connection."""

    PENDING = "pending", "Pending"
    ACTIVE = "active", "Active"
    SUSPECT = "suspect", "Suspect"
    NEEDS_REAUTH = "needs_reauth", "Needs re-authorization"
    REVOKED = "revoked", "Revoked"
    DISCONNECTED = "disconnected", "Disconnected"


class Reason(models.TextChoices):
    """Why a connection has its status."""

    AWAITING_CONFIRMATION = "awaiting_confirmation", "Waiting for the confirmation of the end user's session"
    CONNECTED = "connected", "Connected"
    RECONNECTED = "reconnected", "Connected anew"
    RECOVERED = "recovered", "Proved to work again"
    REFRESH_REFUSED = "refresh_refused", "One refresh was refused; a second one decides"
    PROBE_REFUSED = "probe_refused", "One probe was refused; a second proof decides"
    REFRESH_FAILING = "refresh_failing", "The provider keeps refusing the refresh, and the access token has run out"
    GRANT_REJECTED = "grant_rejected", "The provider refused the grant twice"
    REFRESH_GIVEN_UP = "refresh_given_up", "The provider refused every refresh for long, though not the grant by name"
    LOST_IN_FLIGHT = "lost_in_flight", "A rotated token was lost between the provider and the store"
    ANSWER_UNREAD = "answer_unread", "Refused, after an answer that could not be read"
    CREDENTIAL_DEAD = "credential_dead", "The provider refused the credential twice"
    EXPIRED = "expired", "The credential expired and cannot be refreshed"
    PROVIDER_NOTIFIED = "provider_notified", "The provider has told us that the grant is gone"
    REVOKED_BY_OPERATOR = "revoked_by_operator", "Revoked by the operator"
    DISCONNECTED_BY_REQUEST = "disconnected_by_request", "Disconnected on request"


REASONS_OF: dict[Status, tuple[Reason, ...]] = {
    Status.PENDING: (Reason.AWAITING_CONFIRMATION,),
    Status.ACTIVE: (Reason.CONNECTED, Reason.RECONNECTED, Reason.RECOVERED),
    Status.SUSPECT: (Reason.REFRESH_REFUSED, Reason.REFRESH_FAILING, Reason.PROBE_REFUSED),
    Status.NEEDS_REAUTH: (
        Reason.GRANT_REJECTED,
        Reason.REFRESH_GIVEN_UP,
        Reason.LOST_IN_FLIGHT,
        Reason.ANSWER_UNREAD,
        Reason.CREDENTIAL_DEAD,
        Reason.EXPIRED,
    ),
    Status.REVOKED: (Reason.PROVIDER_NOTIFIED, Reason.REVOKED_BY_OPERATOR),
    Status.DISCONNECTED: (Reason.DISCONNECTED_BY_REQUEST,),
}

MAY_BECOME: dict[Status, tuple[Status, ...]] = {
    Status.PENDING: (Status.ACTIVE, Status.DISCONNECTED),
    Status.ACTIVE: (Status.ACTIVE, Status.SUSPECT, Status.NEEDS_REAUTH, Status.REVOKED, Status.DISCONNECTED),
    Status.SUSPECT: (Status.ACTIVE, Status.SUSPECT, Status.NEEDS_REAUTH, Status.REVOKED, Status.DISCONNECTED),
    Status.NEEDS_REAUTH: (Status.ACTIVE, Status.NEEDS_REAUTH, Status.REVOKED, Status.DISCONNECTED),
    Status.REVOKED: (Status.ACTIVE, Status.REVOKED, Status.DISCONNECTED),
    Status.DISCONNECTED: (),
}

LIVE = (Status.ACTIVE, Status.SUSPECT, Status.NEEDS_REAUTH, Status.REVOKED)
VENDS = (Status.ACTIVE, Status.SUSPECT)


def status_and_reason_agree() -> models.Q:
    """Return the constraint that a reason belongs to its status."""
    agree = models.Q()
    for status, reasons in REASONS_OF.items():
        agree |= models.Q(status=status, reason__in=list(reasons))
    return agree


class SessionState(models.TextChoices):
    """How far a connect session has come."""

    CREATED = "created", "Created"
    STARTED = "started", "Started: the link was used, in one browser"
    AUTHORIZING = "authorizing", "At the provider"
    HELD = "held", "Held: waiting for the operator's confirmation"
    EXCHANGING = "exchanging", "Confirmed: being exchanged"
    CHOOSING = "choosing", "Confirmed: the end user chooses a workspace"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"


SESSION_MAY_BECOME: dict[SessionState, tuple[SessionState, ...]] = {
    SessionState.CREATED: (SessionState.STARTED, SessionState.FAILED),
    SessionState.STARTED: (SessionState.AUTHORIZING, SessionState.HELD, SessionState.FAILED),
    SessionState.AUTHORIZING: (
        SessionState.AUTHORIZING,
        SessionState.STARTED,
        SessionState.HELD,
        SessionState.FAILED,
    ),
    SessionState.HELD: (SessionState.EXCHANGING, SessionState.FAILED),
    SessionState.EXCHANGING: (
        SessionState.EXCHANGING,
        SessionState.HELD,
        SessionState.CHOOSING,
        SessionState.COMPLETED,
        SessionState.FAILED,
    ),
    SessionState.CHOOSING: (SessionState.EXCHANGING, SessionState.FAILED),
    SessionState.COMPLETED: (),
    SessionState.FAILED: (),
}

# A browser has it, and the end user is to do something there.
IN_BROWSER = (SessionState.STARTED, SessionState.AUTHORIZING)
# The session holds a grant, and waits for the operator's backend or the end user.
AWAITING_WORD = (SessionState.HELD, SessionState.CHOOSING)
# Used in a browser, and neither completed nor failed yet.
UNFINISHED = (*IN_BROWSER, SessionState.HELD, SessionState.EXCHANGING, SessionState.CHOOSING)
# Opened in a browser or not, it may still connect something; and it never will any more.
SESSION_OPEN = (SessionState.CREATED, *UNFINISHED)
SESSION_ENDED = (SessionState.COMPLETED, SessionState.FAILED)
