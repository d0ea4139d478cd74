"""Steps of the widget that only some flows take."""

from django.http import HttpResponse

from tests.flows import SAME_ORIGIN, EndUser, provider_link


def submit(user: EndUser, path: str, **typed: str) -> HttpResponse:
    """Send the form of one method, as our own page does."""
    return user.browser.post(path, typed, headers=SAME_ORIGIN)


def leave_again(user: EndUser, path: str, **typed: str) -> str:
    """Send the form of one method and return the authorization request."""
    return provider_link(submit(user, path, **typed))
