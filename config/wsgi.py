"""The WSGI entry point of the web processes: the pages with all of their middleware, the JSON API with what it needs.

An API call has no session, form, message or page, and a vend is made before every call that an agent makes: what those
middlewares cost it would buy nothing. ``API_MIDDLEWARE`` in the settings is what it keeps.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from config.request import Utf8Request, pages_handler  # noqa: E402 (likewise)
from connections.lifecycle import presence  # noqa: E402 (the apps must be ready)

API_PREFIX = "/api/"


class ApiHandler(WSGIHandler):
    """Django's handler with ``API_MIDDLEWARE`` in place of ``MIDDLEWARE``; none of those hooks into views."""

    request_class = Utf8Request

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain; called once, by the constructor."""
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        handler = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]  # the stubs lack it
        for path in reversed(settings.API_MIDDLEWARE):
            handler = convert_exception_to_response(import_string(path)(handler))
        self._middleware_chain = handler


presence.start()
_pages = pages_handler()
_api = ApiHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request."""
    handler = _api if environ.get("PATH_INFO", "").startswith(API_PREFIX) else _pages
    return handler(environ, start_response)
