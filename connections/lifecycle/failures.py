"""The codes of what may stand against a connect session: stored on it, told to the end user, sent to the return URL.

Owns the closed set. The words that an end user reads are ``connections.consent.words``; a provider's own error code, as
it came with its refusal, is not of this set.
"""

from enum import StrEnum


class Failure(StrEnum):
    """Why a step of the widget was not taken. Values are stable: operators see them too."""

    # The link and the browser
    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    BROWSER = "browser"
    NO_COOKIE = "no_cookie"
    FOREIGN_FORM = "foreign_form"
    FRAMED = "framed"
    # The authorization response
    STATE = "state"
    CALLBACK = "callback"
    ISSUER = "issuer"
    NO_CODE = "no_code"
    # The exchange and what follows
    EXCHANGING = "exchanging"
    NO_CHOICE = "no_choice"
    GONE = "gone"
    EXCHANGE_FAILED = "exchange_failed"
    NO_WORKSPACE = "no_workspace"
    ACCOUNT_NOT_PERMITTED = "account_not_permitted"
    ACCOUNT_MISMATCH = "account_mismatch"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    APP_MISCONFIGURED = "app_misconfigured"
    CREDENTIAL_UNREADABLE = "credential_unreadable"
    # This server
    BUSY = "busy"
    INTERNAL = "internal"
