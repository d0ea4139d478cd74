"""The end of the widget: the completion code goes to this browser, and from here to the operator's page alone."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from connections.consent.cookies import forget
from connections.consent.pages import failure_named, problem_page, return_address, widget
from connections.entrance import actor_of
from connections.lifecycle.clock import database_now
from connections.lifecycle.complete import complete_unbound
from connections.lifecycle.hold import Held
from connections.lifecycle.outcomes import Refusal
from connections.models import Binding


def finished(request: HttpRequest, held: Held) -> HttpResponse:
    """Return to the operator: by redirect, or by a message to the page that opened this window.

    The message goes to the session's exact origin. Where the opener is severed, the window itself goes to the return
    URL. A session that opted out of the confirmation is exchanged here, and returns with its connection's id.
    """
    session = held.session
    response: HttpResponse
    if session.binding == Binding.NONE:
        try:
            connection = complete_unbound(session.id, now=database_now(), actor=actor_of(request))
        except Refusal as refusal:
            response = problem_page(request, failure=failure_named(refusal), session=session, status=409)
            forget(response, session.id)
            return response
        result = {"connection": str(connection.id)}
    else:
        result = {"completion_code": held.completion_code or ""}
    address = return_address(session, **result)
    if session.origin:
        response = widget(
            request,
            "finished",
            session,
            message={"source": "latchkey", "connect_session": str(session.id), **result},
            address=address,
        )
        response["Cross-Origin-Opener-Policy"] = "unsafe-none"
    else:
        response = HttpResponseRedirect(address)
    forget(response, session.id)
    return response
