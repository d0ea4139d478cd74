"""What an end user reads on the page of their own connections: how one stands, what ending it means, what failed."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from connections.consent.words import WORDS_OF, Text, Words, cause_of
from connections.lifecycle.credentials.scopes import missing_scopes
from connections.models import Connection, Revocation, Status
from connections.models.failures import Failure


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connection stands. ``tone`` is "good", "warn", "bad" or "quiet".

    ``sentence`` says why, "" where nothing needs to be said; ``{provider}`` and ``{tenant}`` are replaced by names.
    ``is_broken``: it works again only once the end user connects it anew.
    """

    label: Text
    tone: str
    sentence: Text = ""
    is_broken: bool = False


_WORKS = Standing(_("Connected"), "good")
_LACKS = Standing(
    _("Partly connected"), "warn", _("{tenant} asked for more than you allowed. What needs that does not work.")
)
_CHECKED = Standing(
    _("Being checked"), "warn", _("{provider} refused it once. It is being checked whether it still works.")
)
_OFF = Standing(_("Switched off"), "quiet", _("The people who run this service have switched it off for now."))
_LEFT = {
    Revocation.PENDING: _("{provider} is being asked to withdraw the permission."),
    Revocation.CONFIRMED: _("{provider} has withdrawn the permission."),
    Revocation.UNCONFIRMED: _(
        "{provider} was asked to withdraw the permission, and has not confirmed it. Have a look in your account there."
    ),
    Revocation.IGNORED: _(
        "{provider} was asked to withdraw the permission, and has not confirmed it. Have a look in your account there."
    ),
    Revocation.UNSUPPORTED: _(
        "{provider} offers no way to withdraw the permission from here. Delete the key or the permission there."
    ),
    Revocation.WITHHELD: _(
        "The permission stays at {provider}, because another connection of the same account needs it."
    ),
}
_FORESEEN = {
    Revocation.PENDING: _("{provider} is asked to withdraw the permission that you gave."),
    Revocation.UNSUPPORTED: _(
        "{tenant} forgets what you gave, but {provider} offers no way to withdraw it from here. Delete it there."
    ),
    Revocation.WITHHELD: _LEFT[Revocation.WITHHELD],
}

WORDS_OF_A_VISIT: dict[Failure, Words] = {
    **WORDS_OF,
    Failure.BROWSER: Words(
        _("This page belongs to another browser"),
        _("To keep your accounts safe, it works only where it was opened. Open it anew where you came from."),
    ),
    Failure.NO_COOKIE: Words(
        _("Your browser did not keep a cookie"),
        _(
            "This page needs one to know that it is you. Allow cookies for this site in the settings of your browser, "
            "or use a normal window instead of a private one. Then open the page anew where you came from."
        ),
    ),
    Failure.SUSPENDED: Words(_("This is switched off"), _("Try again later, or ask the people who sent you here.")),
    Failure.GONE: Words(_("There is no such connection"), _("It was ended or removed meanwhile, or it is not yours.")),
    Failure.BUSY: Words(_("This takes longer than usual"), _("Nothing was changed. Try again in a moment.")),
    Failure.FOREIGN_FORM: Words(
        _("This page was opened by another site"), _("Nothing was changed. Open it anew where you came from.")
    ),
    Failure.MALFORMED: Words(_("This request cannot be read"), _("Nothing was changed. Go back and try again.")),
    Failure.TOO_LARGE: Words(_("This request is too large"), _("Nothing was changed. Go back and try again.")),
    Failure.INTERNAL: Words(_("Something went wrong here"), _("Go back and try again.")),
}

TOLD: dict[str, Text] = {
    "renamed": _("The name is saved."),
    "preferred": _("This account is the default now."),
    "unshared": _("Ended. They can no longer use this account."),
    "allowed": _("Allowed, for one time within 15 minutes."),
    "refused": _("Not allowed. Nothing was done with your account."),
    "answered": _("This was answered already, or it was not answered in time."),
    "disconnected": _("Disconnected. {tenant} can no longer use this account."),
}
LABEL_TAKEN = _("Another of your accounts has this name already.")
LABEL_UNFIT = _("A name is one line of up to 64 characters.")


def standing(connection: Connection) -> Standing:
    """Return how ``connection`` stands. Its tenant, its app and its scopes have to be loaded. No I/O."""
    status = Status(connection.status)
    if status is Status.DISCONNECTED:
        return Standing(_("Disconnected"), "quiet", _LEFT.get(Revocation(connection.revocation), ""))
    if connection.is_suspended:
        return _OFF
    if cause := cause_of(connection):
        return Standing(_("Not working"), "bad", cause, is_broken=True)
    if status is Status.SUSPECT:
        return _CHECKED
    return _LACKS if missing_scopes(connection, connection.scopes.all()) else _WORKS


def foreseen(revocation: Revocation) -> Text:
    """Return what ending a connection does to the permission at the provider, "" for nothing. No I/O."""
    return _FORESEEN.get(revocation, "")
