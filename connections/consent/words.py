"""What the end user reads when something does not go on: a title, and what to do. One place for every failure."""

from dataclasses import dataclass

from connections.lifecycle.failures import Failure
from connections.lifecycle.outcomes import Refusal, SessionUnusable


@dataclass(frozen=True, slots=True)
class Words:
    """One page's words. ``{provider}`` and ``{workspace}`` are filled in with what they are called."""

    title: str
    advice: str


_START_AGAIN = "Nothing was connected. Go back and start again."
_OPERATORS_MEND = "The people who run this service have to mend it. Tell them that you saw this page."
_LOOK_THERE = "Go back to where you came from, and look there."

WORDS_OF: dict[Failure, Words] = {
    Failure.UNKNOWN: Words("This link is not valid", "Ask for a new link where you got this one."),
    Failure.USED: Words("This link was used already", "Each link works once. Ask for a new one where you got it."),
    Failure.EXPIRED: Words(
        "This link has expired", "Links work for a short time only. Ask for a new one where you got it."
    ),
    Failure.SUSPENDED: Words("Connecting is switched off", "Try again later, or ask the people who sent you here."),
    Failure.BROWSER: Words(
        "This step belongs to another browser",
        "To keep your account safe, connecting has to end in the browser in which it began. Start again from there.",
    ),
    Failure.NO_COOKIE: Words(
        "Your browser did not keep a cookie",
        (
            "Connecting needs one, so nothing was connected. Allow cookies for this site in the settings of your "
            "browser, or use a normal window instead of a private one. Then start again where you came from. If you "
            "began in another browser or app, go back to that one."
        ),
    ),
    Failure.STATE: Words("This answer was used already", "Go back to where you came from and start again."),
    Failure.CALLBACK: Words("This answer came to the wrong place", _START_AGAIN),
    Failure.ISSUER: Words(
        "The answer came from another server",
        "It is not the one that you were sent to, so nothing was connected. Go back and start again.",
    ),
    Failure.NO_CODE: Words("The provider's answer is incomplete", _START_AGAIN),
    Failure.EXCHANGING: Words("This is being connected already", _LOOK_THERE),
    Failure.NO_CHOICE: Words("There is nothing to choose any more", _LOOK_THERE),
    Failure.CREDENTIAL_UNREADABLE: Words("This does not work at the moment", _OPERATORS_MEND),
    Failure.FOREIGN_FORM: Words(
        "This page was opened by another site", "Go back to where you came from and start again."
    ),
    Failure.FRAMED: Words("This step needs a window of its own", "Open it in a new window."),
    Failure.APP_MISCONFIGURED: Words("This connection is not set up properly", _OPERATORS_MEND),
    Failure.EXCHANGE_FAILED: Words("The provider did not accept this", _START_AGAIN),
    Failure.NO_WORKSPACE: Words(
        "Your account at {provider} has no {workspace} yet",
        "There is nothing to connect to, so nothing was connected. Create one at {provider}, then connect again.",
    ),
    Failure.ACCOUNT_NOT_PERMITTED: Words(
        "Your account at {provider} may not do this",
        "Nothing was connected. Ask an administrator of your account there, or connect with another account.",
    ),
    Failure.ACCOUNT_MISMATCH: Words(
        "This is another account",
        "You signed in with another account than before, so nothing was changed. Go back and choose the first one.",
    ),
    Failure.PROVIDER_UNAVAILABLE: Words(
        "The provider cannot be reached", "Nothing was connected. Try again in a few minutes."
    ),
    Failure.GONE: Words("This connection no longer exists", "It was disconnected meanwhile. Go back and start again."),
    Failure.BUSY: Words("This takes longer than usual", "Nothing was connected. Try again in a moment."),
    Failure.INTERNAL: Words(
        "Something went wrong here", "Nothing was connected. Go back to where you came from and start again."
    ),
}

_TRY_LATER = "Nothing was connected. Try again in a few minutes."
_DECLINED: dict[str, Words] = {
    "access_denied": Words("You did not allow access", "Nothing was connected. You can try again, or go back."),
    "temporarily_unavailable": Words("The provider is busy", _TRY_LATER),
    "server_error": Words("The provider had a problem", _TRY_LATER),
    "invalid_scope": Words("The provider does not know this permission", _OPERATORS_MEND),
    "admin_consent_required": Words(
        "An administrator has to approve this first",
        "Ask the administrator of your account to approve the app, then try again.",
    ),
}
_REFUSED = Words("The provider refused", "Nothing was connected. Try again, or go back.")


def failure_named(refusal: Refusal) -> Failure:
    """Return the failure that a refusal is told as; one that no step of the widget expects is a fault of ours."""
    code = refusal.failure if isinstance(refusal, SessionUnusable) else refusal.code
    try:
        return Failure(code)
    except ValueError:
        return Failure.INTERNAL


def declined_words(error: str) -> Words:
    """Return the words for a provider's refusal; ``error`` is its code (RFC 6749 §4.1.2.1), whatever it may be."""
    return _DECLINED.get(error, _REFUSED)
