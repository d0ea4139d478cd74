"""The script with which a product opens the widget over a page of its own, and its types, at an address that stays.

``v1`` is the contract with the pages that load it: what one of them relies on changes only under another name. The file
may be mended meanwhile, so caches ask again after an hour.
"""

import hashlib
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition, require_safe

_TYPES = {"connect.js": "text/javascript; charset=utf-8", "connect.d.ts": "text/plain; charset=utf-8"}


def _etag(request: HttpRequest, name: str) -> str:
    return f'"{hashlib.sha256(_content(name)).hexdigest()[:32]}"'


@require_safe
@gzip_page
@condition(etag_func=_etag)
def script(request: HttpRequest, name: str) -> HttpResponse:
    """Serve ``name`` to the pages of every site. It is the same for all; what it opens checks who frames it."""
    response = HttpResponse(_content(name), content_type=_TYPES[name])
    response["Cache-Control"] = "public, max-age=3600, stale-while-revalidate=86400"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@cache
def _content(name: str) -> bytes:
    return (settings.BASE_DIR / "static" / name).read_bytes()
