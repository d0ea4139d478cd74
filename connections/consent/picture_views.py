"""The logo and the favicon of the pages: a session's are its tenant's, or the operator's where that has none."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from connections.brand.look import picture_shown
from connections.entrance import picture_answer
from connections.lifecycle.connect.session import find_session
from connections.models import Tenant

_CACHED_SECONDS = 600


class PictureConverter:
    """The names of pictures in addresses."""

    regex = "logo|favicon"

    def to_python(self, value: str) -> str:
        """Return the name."""
        return value

    def to_url(self, value: str) -> str:
        """Return the name."""
        return value


@require_safe
def picture(request: HttpRequest, session_id: uuid.UUID, name: str) -> HttpResponse:
    """Serve a picture of the session's pages. Two queries."""
    session = find_session(session_id)
    if session is None:
        raise Http404
    return picture_of(session.tenant, name)


@require_safe
def operators_picture(request: HttpRequest, name: str) -> HttpResponse:
    """Serve a picture of the operator's, for pages that belong to no session. One query."""
    return picture_of(None, name)


def picture_of(tenant: Tenant | None, name: str) -> HttpResponse:
    """Return the picture that the pages of ``tenant`` show, or the operator's for None. Raises ``Http404``."""
    found = picture_shown(tenant, is_favicon=name == "favicon")
    if found is None:
        raise Http404
    response = picture_answer(*found)
    response["Cache-Control"] = f"{'private' if tenant is not None else 'public'}, max-age={_CACHED_SECONDS}"
    return response
