"""Latchkey's codes in the words of this product."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connection is doing: ``tone`` is good, warn, bad or quiet."""

    label: str
    tone: str
    sentence: str


_STATUSES = {
    "active": ("Connected", "good"),
    "suspect": ("Being checked", "warn"),
    "needs_reauth": ("Reconnect needed", "bad"),
    "revoked": ("Revoked", "bad"),
    "pending": ("Not finished", "quiet"),
    "disconnected": ("Disconnected", "quiet"),
}
_REASONS = {
    "connected": "Everything works.",
    "reconnected": "Connected anew. Everything works.",
    "recovered": "There was a doubt, and it passed. Everything works.",
    "refresh_refused": "The provider refused to renew the access once. A second refusal, half a minute later, decides.",
    "refresh_failing": "The provider keeps refusing to renew the access. If that does not pass, connect again.",
    "probe_refused": "The provider refused a test call once. A second one, half a minute later, decides.",
    "grant_rejected": "The provider no longer accepts this grant. Most likely somebody revoked it there.",
    "refresh_given_up": "The provider refused to renew the access for so long that it wants you to sign in again.",
    "lost_in_flight": "A renewed token was lost on its way, so the provider wants you to sign in again.",
    "answer_unread": "The provider's last answer could not be understood, so it wants you to sign in again.",
    "credential_dead": "The provider no longer accepts this key.",
    "expired": "The access has run out, and cannot be renewed without you.",
    "revoked_by_operator": "Our support team revoked this access.",
    "awaiting_confirmation": "Connecting was begun, but has not come back here.",
}
_REVOCATIONS = {
    "pending": "The access is being revoked at the provider.",
    "confirmed": "The access was revoked at the provider, and a refused call confirmed it.",
    "ignored": "The provider said that it revoked the access, but it still works: have a look in your account there.",
    "unconfirmed": "We asked the provider to revoke the access, but could not confirm that it did.",
    "withheld": "The access stays at the provider, because another connection of the same account needs it.",
    "unsupported": "This kind of access cannot be revoked from here: delete the key at the provider.",
}
# Codes whose ``detail`` speaks to developers; all others are shown as Latchkey words them.
_PROBLEMS = {
    "completion_mismatch": (
        "This connection was begun by somebody else",
        "It was not you who started it here, so nothing was connected. If somebody sent you a link, ignore it.",
    ),
    "not_begun_here": (
        "This connection was not begun here",
        "Nothing was connected. If somebody sent you a link, ignore it. Otherwise begin again from the home page.",
    ),
    "account_mismatch": (
        "This is another account than before",
        "You signed in to a different account, so nothing was changed. Reconnect, and choose the first one.",
    ),
    "exchange_failed": ("Nothing was connected", "The provider did not accept the answer. Try to connect again."),
    "session_unusable": ("This link no longer works", "It was used or has expired. Start again from the home page."),
    "policy_denied": ("This connection is somebody else's", "Only the person who made a connection can use it."),
    "not_found": ("There is no such connection", "It may have been removed, or it is not yours."),
}
_RETURNED_ERRORS = {
    "access_denied": "You did not allow access, so nothing was connected.",
    "approval_requested": "Your request was sent: an administrator has to approve it. Connect again afterwards.",
    "expired": "The link has expired, so nothing was connected. Try again.",
    "no_cookie": "Your browser did not keep a cookie. Allow cookies for this site, and try again from here.",
    "browser": "Connecting has to end in the browser in which it began. Try again from here.",
}


def standing(connection: dict[str, Any]) -> Standing:
    """Return how ``connection`` is doing, in words."""
    label, tone = _STATUSES[connection["status"]]
    if connection["status"] == "disconnected":
        return Standing(label, tone, _REVOCATIONS.get(connection["revocation"], ""))
    return Standing(label, tone, _REASONS.get(connection["reason"], connection["reason"]))


def problem(code: str, detail: str) -> tuple[str, str]:
    """Return a title and what to do about it."""
    return _PROBLEMS.get(code, ("That did not work", detail))


def returned_error(code: str) -> str:
    """Return why the widget sent the browser back without a connection."""
    return _RETURNED_ERRORS.get(code, "Nothing was connected. Try again.")
