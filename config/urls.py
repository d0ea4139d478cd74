"""The URLs: the operators' admin, the hosted widget, the JSON API, and what providers fetch."""

from django.contrib import admin
from django.urls import include, path

import config.celery  # noqa: F401 (the web sends tasks: import Celery now, while nobody waits)
import connections.admin  # noqa: F401 (registers the pages)
from connections.api.urls import api

admin.site.site_header = "Latchkey"
admin.site.site_title = "Latchkey"
admin.site.index_title = "Connections"

urlpatterns = [
    path("api/v1/", api.urls),
    path("apps/", include("connections.published.urls")),
    path("connect/", include("connections.consent.urls")),
    path("admin/", admin.site.urls),
]
