"""The end of the widget: hands the completion code to this browser, which takes it to the operator's page alone."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from connections.consent.cookies import browser_secret
from connections.consent.pages import manage_address, problem_page, return_address, way_back, widget
from connections.consent.sender import form_proof
from connections.consent.words import failure_named
from connections.entrance import actor_of
from connections.lifecycle.connect.complete import complete_unbound
from connections.lifecycle.connect.exchange import ChoiceDue
from connections.lifecycle.connect.hold import Held
from connections.lifecycle.connect.session import find_session
from connections.models import UNFINISHED, Binding, ConnectSession
from connections.models.failures import Failure
from connections.refusals import Refusal


def finish(request: HttpRequest, held: Held) -> HttpResponse:
    """Return to the operator with a completion code.

    If the session opted out of the confirmation, this exchanges its code and returns the connection's id instead.
    """
    session = held.session
    if session.binding == Binding.NONE:
        return finish_unbound(request, session)
    return return_to_operator(request, session, may_continue=held.may_continue, completion_code=held.completion_code)


def finish_unbound(request: HttpRequest, session: ConnectSession) -> HttpResponse:
    """Exchange the code of a session that opted out of the confirmation; offer a retry if one is possible.

    Calls the provider.
    """
    secret = browser_secret(request, session.id)
    try:
        outcome = complete_unbound(session.id, browser_secret=secret, actor=actor_of(request))
    except Refusal as refusal:
        failure, left = failure_named(refusal), find_session(session.id)
        if left is None or left.state not in UNFINISHED:
            return tell_end(request, session, failure=failure)
        return problem_page(request, failure=failure, session=left, status=409, retry=form_proof(session.id, secret))
    if isinstance(outcome, ChoiceDue):
        return HttpResponseRedirect(outcome.continue_url, status=303)
    return return_to_operator(request, session, connection=str(outcome.id))


def return_to_operator(
    request: HttpRequest, session: ConnectSession, *, may_continue: bool = False, **result: str
) -> HttpResponse:
    """Return to the operator with ``result``: by a message to the page that opened this window, or to the return URL.

    The message goes to the session's exact origin. If the browser has severed the window from its opener, or nobody
    there answers, the window itself goes to the return URL. With ``may_continue`` it stays open until the opener says
    that it is done with it. An error of what was begun on the page of one's own connections is not the product's: that
    page follows.
    """
    if "error" in result and (manage := manage_address(session)):
        return HttpResponseRedirect(manage, status=303)
    if session.origin:
        return widget(request, "finished", session, waits=may_continue, at_once=True, **way_back(session, **result))
    address = return_address(session, **result)
    if request.method == "POST":
        # Browsers check a redirect against ``form-action`` too, which allows our forms to lead to us alone.
        return widget(request, "returning", session, address=address)
    return HttpResponseRedirect(address)


def tell_end(request: HttpRequest, session: ConnectSession, *, failure: Failure, status: int = 409) -> HttpResponse:
    """Render the page that says that the session has failed, with the way back."""
    return problem_page(request, failure=failure, session=session, status=status)
