"""The page behind ``approve_url``: that somebody has to approve something, and where that is done.

Whoever has the link may see it, so it tells neither what is asked nor of whom, and nothing is answered on it: the
person does so among their own connections (``manage_views``), having logged in to the tenant's product.
"""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections.consent.decorators import widget_page
from connections.consent.mend_views import entry_or_none, product_of
from connections.consent.pages import PICTURES, branded
from connections.consent.picture_views import picture_of
from connections.consent.words import filled_in, words_of_question
from connections.database.clock import database_now
from connections.lifecycle.policy.approve_link import is_link_to
from connections.models import Approval

_SIGNS = {"pending": "wait", "approved": "good", "used": "good"}


@widget_page
@require_safe
def asked(request: HttpRequest, approval_id: uuid.UUID, proof: str) -> HttpResponse:
    """Say where what waits is answered. Raises ``Http404`` for every link that we did not give out."""
    approval = _linked(approval_id, proof)
    connection, state = approval.connection, approval.state(now=database_now())
    words, names = words_of_question(state), {"tenant": connection.tenant.name}
    return branded(
        request,
        "mend",
        connection.tenant,
        pictures={name: reverse("connect:asked-picture", args=[approval_id, proof, name]) for name in PICTURES},
        entry=entry_or_none(connection),
        title=filled_in(words.title, names),
        advice=filled_in(words.advice, names),
        status=state,
        sign=_SIGNS.get(state, ""),
        product_url=product_of(connection),
    )


@require_safe
def picture(request: HttpRequest, approval_id: uuid.UUID, proof: str, name: str) -> HttpResponse:
    """Serve a picture of the connection's tenant."""
    return picture_of(_linked(approval_id, proof).connection.tenant, name)


def _linked(approval_id: uuid.UUID, proof: str) -> Approval:
    if not is_link_to(approval_id, proof):
        raise Http404
    found = Approval.objects.select_related("connection__tenant", "connection__provider_app").filter(id=approval_id)
    if (approval := found.first()) is None:
        raise Http404
    return approval
