"""What the end user reads when something fails: a title, and what to do. One place for every failure."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from connections.models import Connection, Reason, Status
from connections.models.failures import Failure
from connections.refusals import ProviderDown, Refusal, SessionUnusable
from providers.strategies import strategy_for

Text = StrOrPromise
Names = Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class Words:
    """One page's words. ``{provider}`` and ``{workspace}`` are replaced by their names."""

    title: Text
    advice: Text


_START_AGAIN = _("Nothing was connected. Go back and start again.")
_TRY_AGAIN = _("Nothing was connected. You can try again, or go back.")
_OPERATORS_MEND = _("The people who run this service have to mend it. Tell them that you saw this page.")
_BACK_AND_START = _("Nothing was connected. Go back to where you came from and start again.")
_LOOK_THERE = _("Go back to where you came from, and look there.")

REFUSED = Words(_("The provider refused"), _TRY_AGAIN)

WORDS_OF: dict[Failure, Words] = {
    Failure.UNKNOWN: Words(_("This link is not valid"), _("Ask for a new link where you got this one.")),
    Failure.USED: Words(
        _("This link was used already"), _("Each link works once. Ask for a new one where you got it.")
    ),
    Failure.EXPIRED: Words(
        _("This link has expired"), _("Links work for a short time only. Ask for a new one where you got it.")
    ),
    Failure.SUSPENDED: Words(
        _("Connecting is switched off"), _("Try again later, or ask the people who sent you here.")
    ),
    Failure.BROWSER: Words(
        _("This step belongs to another browser"),
        _("To keep your account safe, connecting has to end in the browser in which it began. Start again from there."),
    ),
    Failure.NO_COOKIE: Words(
        _("Your browser did not keep a cookie"),
        _(
            "Connecting needs one, so nothing was connected. Allow cookies for this site in the settings of your "
            "browser, or use a normal window instead of a private one. Then start again where you came from. If you "
            "began in another browser or app, go back to that one."
        ),
    ),
    Failure.STATE: Words(
        _("This answer is of no use any more"),
        _("It was used already, or a newer try has taken its place. Go back to where you came from and start again."),
    ),
    Failure.NO_STATE: Words(_("The provider's answer does not say what it belongs to"), _TRY_AGAIN),
    Failure.UNASKED: Words(
        _("Please begin in the product that you want to connect"),
        _(
            "You came here from the provider, but nothing was begun in this browser that this could belong to. Open "
            "the product that you want to connect, and connect the account from there."
        ),
    ),
    Failure.CALLBACK: Words(_("This answer came to the wrong place"), _START_AGAIN),
    Failure.ISSUER: Words(
        _("The answer came from another server"),
        _("It is not the one that you were sent to, so nothing was connected. Go back and start again."),
    ),
    Failure.NO_CODE: Words(_("The provider's answer is incomplete"), _TRY_AGAIN),
    Failure.REPEATED: Words(_("The provider's answer contradicts itself"), _TRY_AGAIN),
    Failure.TOO_LONG: Words(_("The provider's answer is too long"), _TRY_AGAIN),
    Failure.PARAMETER_MISSING: Words(
        _("The provider's answer does not say which account this is about"),
        _(
            "Nothing was connected. Try again and choose a company, shop or site there, if you are asked for one. If "
            "you see this page again, tell the people who run this service."
        ),
    ),
    Failure.PARAMETER_UNKNOWN: Words(
        _("The provider's answer names something that is not known here"),
        _("Nothing was connected. Try again. If you see this page again, tell the people who run this service."),
    ),
    Failure.APPROVAL_REQUESTED: Words(
        _("Your request was sent"),
        _(
            "An administrator of your account at the provider has to approve it, so nothing is connected yet. Come "
            "back afterwards and try again."
        ),
    ),
    Failure.DECLINED: REFUSED,
    Failure.CODE_BURNT: Words(
        _("This answer was opened in another browser before"),
        _("To keep your account safe it is of no use any more, and nothing was connected. Go back and start again."),
    ),
    Failure.CODE_RUN_OUT: Words(
        _("This code has run out"),
        _("Codes work for a few minutes only. Nothing was connected. Try again with a new one."),
    ),
    Failure.NOT_FINISHED: Words(_("This is not finished yet"), _("Go on at the provider, or try again from here.")),
    Failure.EXCHANGING: Words(_("This is being connected already"), _LOOK_THERE),
    Failure.NO_CHOICE: Words(_("There is nothing to choose any more"), _LOOK_THERE),
    Failure.CREDENTIAL_UNREADABLE: Words(_("This does not work at the moment"), _OPERATORS_MEND),
    Failure.FOREIGN_FORM: Words(
        _("This page was opened by another site"), _("Go back to where you came from and start again.")
    ),
    Failure.FRAMED: Words(_("This step needs a window of its own"), _("Open it in a new window.")),
    Failure.CLOSED: Words(
        _("This page is closed"),
        _("It closes by itself after a while, to keep your accounts safe. Open it anew where you came from."),
    ),
    Failure.APP_MISCONFIGURED: Words(_("This connection is not set up properly"), _OPERATORS_MEND),
    Failure.EXCHANGE_FAILED: Words(_("The provider did not accept this"), _START_AGAIN),
    Failure.ANSWER_UNREADABLE: Words(_("The provider's answer cannot be read"), _OPERATORS_MEND),
    Failure.NO_WORKSPACE: Words(
        _("Your account at {provider} has no {workspace} yet"),
        _("There is nothing to connect to, so nothing was connected. Create one at {provider}, then connect again."),
    ),
    Failure.ACCOUNT_NOT_PERMITTED: Words(
        _("Your account at {provider} may not do this"),
        _("Nothing was connected. Ask an administrator of your account there, or connect with another account."),
    ),
    Failure.ACCOUNT_MISMATCH: Words(
        _("This is another account"),
        _("You signed in with another account than before, so nothing was changed. Go back and choose the first one."),
    ),
    Failure.PROVIDER_UNAVAILABLE: Words(
        _("The provider cannot be reached"), _("Nothing was connected. Try again in a few minutes.")
    ),
    Failure.GONE: Words(
        _("This connection no longer exists"), _("It was disconnected meanwhile. Go back and start again.")
    ),
    Failure.CHOICE_DECLINED: Words(_("You chose none of them"), _START_AGAIN),
    Failure.COMPLETION_MISMATCH: Words(
        _("This could not be confirmed"),
        _(
            "Somebody else than the person who began is logged in where you came from, so nothing was connected. Log "
            "in there as yourself, and start again."
        ),
    ),
    Failure.MALFORMED: Words(_("This request cannot be read"), _BACK_AND_START),
    Failure.TOO_LARGE: Words(_("This request is too large"), _BACK_AND_START),
    Failure.BUSY: Words(_("This takes longer than usual"), _("Nothing was connected. Try again in a moment.")),
    Failure.INTERNAL: Words(_("Something went wrong here"), _BACK_AND_START),
}

_TRY_LATER = _("Nothing was connected. Try again in a few minutes.")
_DECLINED: dict[str, Words] = {
    "access_denied": Words(_("You did not allow access"), _TRY_AGAIN),
    "temporarily_unavailable": Words(_("The provider is busy"), _TRY_LATER),
    "server_error": Words(_("The provider had a problem"), _TRY_LATER),
    "invalid_request_uri": Words(_("This step took too long"), _TRY_AGAIN),  # RFC 9101 §7, RFC 9126 §4
    "invalid_scope": Words(_("The provider does not know this permission"), _OPERATORS_MEND),
}


_CONNECT_ANEW = _("Open {tenant}, and connect your {provider} account again there.")
_MENDED_IN = {
    Reason.GRANT_REJECTED: _(
        "{provider} no longer accepts the permission that you gave. Perhaps it was withdrawn there."
    ),
    Reason.REFRESH_GIVEN_UP: _(
        "{provider} has refused to renew the permission for so long that it wants you to sign in."
    ),
    Reason.REFRESH_FAILING: _("{provider} keeps refusing to renew the permission that you gave."),
    Reason.LOST_IN_FLIGHT: _("A renewed permission was lost on its way, so {provider} wants you to sign in again."),
    Reason.ANSWER_UNREAD: _("An answer of {provider} could not be understood, so it wants you to sign in again."),
    Reason.CREDENTIAL_DEAD: _("{provider} no longer accepts the key or password that you gave."),
    Reason.EXPIRED: _("The permission that you gave has run out, and cannot be renewed without you."),
    Reason.PROVIDER_NOTIFIED: _("{provider} has told us that the permission that you gave was withdrawn there."),
    Reason.REVOKED_BY_OPERATOR: _("The people who run this service have withdrawn the permission that you gave."),
}


def words_to_mend(connection: Connection, *, asks_more: bool = False) -> Words:
    """Return what is wrong with ``connection`` and what its end user can do; ``{provider}`` and ``{tenant}`` are names.

    ``asks_more``: the page lists scopes that it lacks. No I/O.
    """
    if connection.status == Status.DISCONNECTED:
        return Words(_("Your {provider} account is no longer connected"), _CONNECT_ANEW)
    if cause := cause_of(connection):
        return Words(_("Your {provider} account has to be connected again"), format_lazy("{} {}", cause, _CONNECT_ANEW))
    if asks_more:
        return Words(
            _("{tenant} asks to do more with your {provider} account"),
            _(
                "It is connected, and lacks what is listed below. Allow that by connecting it again there; what you"
                " have allowed so far stays."
            ),
        )
    return Words(
        _("Your {provider} account is connected"),
        _("Nothing is wrong with it now. If {tenant} asks for more than you allowed so far, connect it again there."),
    )


def words_of_question(state: str) -> Words:
    """Return what is said of an approval in this state to whoever has its link; ``{tenant}`` is a name. No I/O."""
    if state == "pending":
        return Words(
            _("Somebody has to approve this"),
            _("Log in to {tenant}, and open your connections there. What waits for your answer stands among them."),
        )
    if state in ("approved", "used"):
        return Words(_("This was allowed"), _("There is nothing left to do here."))
    return Words(
        _("This can no longer be answered"),
        _("It was refused, or it was not answered in time. Whoever wants it can ask again."),
    )


def cause_of(connection: Connection) -> Text:
    """Return why ``connection`` has to be connected again, "" where it has not; ``{provider}`` is a name. No I/O."""
    return _MENDED_IN.get(Reason(connection.reason), "")


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


def filled_in(text: Text, names: Names) -> Text:
    """Return ``text`` with its names filled in, as late as it is shown, so in the language of the page."""
    return format_lazy(text, **names)


def invitation(auth_style: str, *, provider: str) -> Text:
    """Return how an end user is invited to connect by ``auth_style``."""
    return filled_in(_(strategy_for(auth_style).invitation), {"name": provider})


def workspace_label(label: str) -> Text:
    """Return what a provider calls its workspaces, within a sentence; "" for one that says nothing."""
    return _LABELS.get(label.lower(), label.lower())


def input_fault(refusal: Refusal, *, provider: str, label: str = "") -> Text:
    """Return why what was typed is not taken. ``label`` is the field's at fault, "" for no field.

    The refusal's own words are more precise, and in English.
    """
    if isinstance(refusal, ProviderDown):
        general = filled_in(_("{provider} cannot be reached at the moment. Try again soon."), {"provider": provider})
    elif label:
        general = filled_in(_("Check this field, and try again: {label}"), {"label": label})
    else:
        general = filled_in(_("{provider} does not accept this. Check it and try again."), {"provider": provider})
    return _said(refusal.detail, general)


_LABELS: dict[str, Text] = {
    "": _("workspace"),
    "workspace": _("workspace"),
    "account": _("account"),
    "site": _("site"),
    "company": _("company"),
    "organisation": _("organisation"),
    "team": _("team"),
}


def _in_language(precise: str, general: Text) -> str:
    return precise if get_language() == "en" else str(general)


_said = lazy(_in_language, str)
