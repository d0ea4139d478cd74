"""Django's WSGI handler, set up. The web processes serve ``config.asgi``, which calls it in threads."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from config.web.request import Utf8Handler  # noqa: E402 (the apps must be ready)
from connections.access.secrets import hold_keks  # noqa: E402 (likewise)
from connections.lifecycle.refresh import presence  # noqa: E402 (likewise)

hold_keks(waits_seconds=30)
presence.start()
application = Utf8Handler()
