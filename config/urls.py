"""The URLs: the operators' admin, the hosted widget, the JSON API, what providers fetch, and the root."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

import config.celery  # noqa: F401 (the web sends tasks: import Celery now, while nobody waits)
import connections.admin  # noqa: F401 (registers the pages)
from config.web.pages import root
from connections.admin.forecast import forecast_page
from connections.admin.search import search_page
from connections.admin.searched import found_rows
from connections.api.llms import llms_txt
from connections.api.mcp import resource
from connections.api.urls import api

# The page of that name is never reached, since ours has its address; whoever moves it finds it shut all the same.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # as django-allauth asks
admin.site.site_header = "Latchkey"
admin.site.site_title = "Latchkey"
admin.site.index_title = "Connections"

urlpatterns = [
    path("api/v1/", api.urls),
    path(resource.METADATA_PATH[1:], resource.metadata),
    path("apps/", include("connections.published.urls")),
    path("pushes/", include("connections.pushed.urls")),
    path("connect/", include("connections.consent.urls")),
    path("admin/providers/", include("connections.admin.catalogue.urls")),
    path("admin/forecast/", forecast_page, name="forecast"),
    path("admin/search/", search_page, name="search"),
    path("admin/autocomplete/", admin.site.admin_view(found_rows), name="found_rows"),
    path("admin/", include("connections.admin.people.urls")),
    path("admin/", admin.site.urls),
    path("llms.txt", llms_txt),
    path("", root),
]
handler400 = "config.web.pages.bad_request"
handler403 = "config.web.pages.forbidden"
handler404 = "config.web.pages.not_found"
handler500 = "config.web.pages.server_error"
