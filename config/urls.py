"""The URLs: the operators' admin, the hosted widget and the JSON API."""

from django.contrib import admin
from django.urls import include, path

from connections.api.urls import api

admin.site.site_header = "Latchkey"
admin.site.site_title = "Latchkey"
admin.site.index_title = "Connections"

urlpatterns = [
    path("api/v1/", api.urls),
    path("connect/", include("connections.consent.urls")),
    path("admin/", admin.site.urls),
]
