"""What the end user reads when something fails: a title, and what to do. One place for every failure."""

from dataclasses import dataclass

from connections.models import Connection, Reason, Status
from connections.models.failures import Failure
from connections.refusals import Refusal, SessionUnusable


@dataclass(frozen=True, slots=True)
class Words:
    """One page's words. ``{provider}`` and ``{workspace}`` are replaced by their names."""

    title: str
    advice: str


_START_AGAIN = "Nothing was connected. Go back and start again."
_TRY_AGAIN = "Nothing was connected. You can try again, or go back."
_OPERATORS_MEND = "The people who run this service have to mend it. Tell them that you saw this page."
_BACK_AND_START = "Nothing was connected. Go back to where you came from and start again."
_LOOK_THERE = "Go back to where you came from, and look there."

REFUSED = Words("The provider refused", _TRY_AGAIN)

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
    Failure.STATE: Words(
        "This answer is of no use any more",
        "It was used already, or a newer try has taken its place. Go back to where you came from and start again.",
    ),
    Failure.NO_STATE: Words("The provider's answer does not say what it belongs to", _TRY_AGAIN),
    Failure.UNASKED: Words(
        "Please begin in the product that you want to connect",
        (
            "You came here from the provider, but nothing was begun in this browser that this could belong to. Open "
            "the product that you want to connect, and connect the account from there."
        ),
    ),
    Failure.CALLBACK: Words("This answer came to the wrong place", _START_AGAIN),
    Failure.ISSUER: Words(
        "The answer came from another server",
        "It is not the one that you were sent to, so nothing was connected. Go back and start again.",
    ),
    Failure.NO_CODE: Words("The provider's answer is incomplete", _TRY_AGAIN),
    Failure.REPEATED: Words("The provider's answer contradicts itself", _TRY_AGAIN),
    Failure.TOO_LONG: Words("The provider's answer is too long", _TRY_AGAIN),
    Failure.PARAMETER_MISSING: Words(
        "The provider's answer does not say which account this is about",
        (
            "Nothing was connected. Try again and choose a company, shop or site there, if you are asked for one. If "
            "you see this page again, tell the people who run this service."
        ),
    ),
    Failure.PARAMETER_UNKNOWN: Words(
        "The provider's answer names something that is not known here",
        "Nothing was connected. Try again. If you see this page again, tell the people who run this service.",
    ),
    Failure.APPROVAL_REQUESTED: Words(
        "Your request was sent",
        (
            "An administrator of your account at the provider has to approve it, so nothing is connected yet. Come "
            "back afterwards and try again."
        ),
    ),
    Failure.DECLINED: REFUSED,
    Failure.CODE_BURNT: Words(
        "This answer was opened in another browser before",
        "To keep your account safe it is of no use any more, and nothing was connected. Go back and start again.",
    ),
    Failure.CODE_RUN_OUT: Words(
        "This code has run out", "Codes work for a few minutes only. Nothing was connected. Try again with a new one."
    ),
    Failure.NOT_FINISHED: Words("This is not finished yet", "Go on at the provider, or try again from here."),
    Failure.EXCHANGING: Words("This is being connected already", _LOOK_THERE),
    Failure.NO_CHOICE: Words("There is nothing to choose any more", _LOOK_THERE),
    Failure.CREDENTIAL_UNREADABLE: Words("This does not work at the moment", _OPERATORS_MEND),
    Failure.FOREIGN_FORM: Words(
        "This page was opened by another site", "Go back to where you came from and start again."
    ),
    Failure.FRAMED: Words("This step needs a window of its own", "Open it in a new window."),
    Failure.APP_MISCONFIGURED: Words("This connection is not set up properly", _OPERATORS_MEND),
    Failure.EXCHANGE_FAILED: Words("The provider did not accept this", _START_AGAIN),
    Failure.ANSWER_UNREADABLE: Words("The provider's answer cannot be read", _OPERATORS_MEND),
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
    Failure.CHOICE_DECLINED: Words("You chose none of them", _START_AGAIN),
    Failure.COMPLETION_MISMATCH: Words(
        "This could not be confirmed",
        (
            "Somebody else than the person who began is logged in where you came from, so nothing was connected. Log "
            "in there as yourself, and start again."
        ),
    ),
    Failure.MALFORMED: Words("This request cannot be read", _BACK_AND_START),
    Failure.TOO_LARGE: Words("This request is too large", _BACK_AND_START),
    Failure.BUSY: Words("This takes longer than usual", "Nothing was connected. Try again in a moment."),
    Failure.INTERNAL: Words("Something went wrong here", _BACK_AND_START),
}

_TRY_LATER = "Nothing was connected. Try again in a few minutes."
_DECLINED: dict[str, Words] = {
    "access_denied": Words("You did not allow access", _TRY_AGAIN),
    "temporarily_unavailable": Words("The provider is busy", _TRY_LATER),
    "server_error": Words("The provider had a problem", _TRY_LATER),
    "invalid_request_uri": Words("This step took too long", _TRY_AGAIN),  # RFC 9101 §7, RFC 9126 §4
    "invalid_scope": Words("The provider does not know this permission", _OPERATORS_MEND),
}


_CONNECT_ANEW = "Open {tenant}, and connect your {provider} account again there."
_MENDED_IN = {
    Reason.GRANT_REJECTED: "{provider} no longer accepts the permission that you gave. Perhaps it was withdrawn there.",
    Reason.REFRESH_GIVEN_UP: "{provider} has refused to renew the permission for so long that it wants you to sign in.",
    Reason.REFRESH_FAILING: "{provider} keeps refusing to renew the permission that you gave.",
    Reason.LOST_IN_FLIGHT: "A renewed permission was lost on its way, so {provider} wants you to sign in again.",
    Reason.ANSWER_UNREAD: "An answer of {provider} could not be understood, so it wants you to sign in again.",
    Reason.CREDENTIAL_DEAD: "{provider} no longer accepts the key or password that you gave.",
    Reason.EXPIRED: "The permission that you gave has run out, and cannot be renewed without you.",
    Reason.REVOKED_BY_OPERATOR: "The people who run this service have withdrawn the permission that you gave.",
}


def words_to_mend(connection: Connection) -> Words:
    """Return what is wrong with ``connection`` and what its end user can do; ``{provider}`` and ``{tenant}`` are names.

    No I/O.
    """
    if connection.status == Status.DISCONNECTED:
        return Words("Your {provider} account is no longer connected", _CONNECT_ANEW)
    if cause := _MENDED_IN.get(Reason(connection.reason)):
        return Words("Your {provider} account has to be connected again", f"{cause} {_CONNECT_ANEW}")
    return Words(
        "Your {provider} account is connected",
        "Nothing is wrong with it now. If {tenant} asks for more than you allowed so far, connect it again there.",
    )


def failure_named(refusal: Refusal) -> Failure:
    """Return the failure whose words explain ``refusal``. A refusal that no step expects counts as a fault of ours."""
    code = refusal.failure if isinstance(refusal, SessionUnusable) else refusal.code
    return Failure.named(code) or Failure.INTERNAL


def words_for(failure: str) -> Words:
    """Return the words for the failure that a session keeps: a ``Failure``, or the provider's own error code.

    A provider's error code (RFC 6749 §4.1.2.1) may be any word at all.
    """
    if failure in _DECLINED:
        return _DECLINED[failure]
    ours = Failure.named(failure)
    return REFUSED if ours is None else WORDS_OF[ours]
