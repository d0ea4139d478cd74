"""The installation at other addresses than those of the test's settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.test import override_settings

from config.public_urls import PublicUrls, origin_of
from tests.asgi_client import AsgiClient


def at(public: str, *, widget: str = "", admin: str = "", api: str = "", **others: Any) -> override_settings:
    """Return what overrides all settings that follow from the addresses; ``others`` are overridden besides."""
    urls = PublicUrls(public, widget or public, admin or public, api or public)
    return override_settings(
        PUBLIC_URL=urls.public,
        PUBLIC_PATH=urls.path,
        WIDGET_URL=urls.widget,
        ADMIN_URL=urls.admin,
        API_URL=urls.api,
        FORCE_SCRIPT_NAME=urls.path or None,
        STATIC_URL=f"{urls.path}/static/",
        CSRF_TRUSTED_ORIGINS=[origin_of(urls.admin)],
        **{"ALLOWED_HOSTS": [*urls.host_names, *settings.ALLOWED_HOSTS], **others},
    )


@contextmanager
def served_at(public: str, **others: Any) -> Iterator[AsgiClient]:
    """Have the application made anew for other addresses, and give a client of it."""
    from config.web.request import Utf8Handler

    with at(public, **others):
        yield AsgiClient(handler=Utf8Handler())
