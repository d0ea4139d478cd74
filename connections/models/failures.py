"""The codes of why a connect session fails: stored on the session, shown to the end user, sent to the return URL.

A visit to the page of one's own connections is refused by the same ones; "closed" is about that alone.

Owns the closed set. ``connections.consent.words`` has the words that an end user reads. A provider's own error code is
not in this set.
"""

from enum import StrEnum


class Failure(StrEnum):
    """Why a step of the widget was not taken. Values are stable: operators see them too."""

    @classmethod
    def named(cls, code: str) -> "Failure | None":
        """Return the failure with this code, or None for a code that is not ours."""
        try:
            return cls(code)
        except ValueError:
            return None

    # The link and the browser
    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    BROWSER = "browser"
    NO_COOKIE = "no_cookie"
    FOREIGN_FORM = "foreign_form"
    FRAMED = "framed"
    CLOSED = "closed"
    # The authorization response
    STATE = "state"
    CALLBACK = "callback"
    ISSUER = "issuer"
    NO_CODE = "no_code"
    NO_STATE = "no_state"
    UNASKED = "unasked"
    REPEATED = "repeated_parameter"
    TOO_LONG = "too_long"
    PARAMETER_MISSING = "parameter_missing"
    PARAMETER_UNKNOWN = "parameter_unknown"
    APPROVAL_REQUESTED = "approval_requested"
    DECLINED = "declined"
    CODE_BURNT = "code_burnt"
    CODE_RUN_OUT = "code_run_out"
    NOT_FINISHED = "not_finished"
    # The exchange and what follows
    EXCHANGING = "exchanging"
    NO_CHOICE = "no_choice"
    GONE = "gone"
    CHOICE_DECLINED = "choice_declined"
    COMPLETION_MISMATCH = "completion_mismatch"
    EXCHANGE_FAILED = "exchange_failed"
    ANSWER_UNREADABLE = "answer_unreadable"
    NO_WORKSPACE = "no_workspace"
    ACCOUNT_NOT_PERMITTED = "account_not_permitted"
    ACCOUNT_MISMATCH = "account_mismatch"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    APP_MISCONFIGURED = "app_misconfigured"
    CREDENTIAL_UNREADABLE = "credential_unreadable"
    # This server
    MALFORMED = "malformed_request"
    TOO_LARGE = "request_too_large"
    BUSY = "busy"
    INTERNAL = "internal"
