"""The WSGI entry point of the web processes, for pages and API alike. The tests of both call it like a server."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from config.request import Utf8Handler  # noqa: E402 (the apps must be ready)
from connections.lifecycle.refresh import presence  # noqa: E402 (likewise)

presence.start()
application = Utf8Handler()
