"""The icons of providers by address. An address says what the icon looks like, and not which provider it is for."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from connections.monogram import COLOUR, is_monogram, monogram

_KEPT_SECONDS = 30 * 24 * 3600


@require_safe
def icon(request: HttpRequest, colour: str, letters: str) -> HttpResponse:
    """Serve one icon, to be kept by anybody. No I/O."""
    if not COLOUR.fullmatch(f"#{colour}") or not is_monogram(letters):
        raise Http404
    response = HttpResponse(monogram(letters, f"#{colour}"), content_type="image/svg+xml; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={_KEPT_SECONDS}"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
