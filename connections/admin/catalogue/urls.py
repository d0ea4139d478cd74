"""The addresses of the catalogue, below ``/admin/providers/``."""

from django.urls import path

from connections.admin.catalogue import browse, entry_page

app_name = "catalogue"
urlpatterns = [
    path("", browse.browse, name="list"),
    path("entry/<slug:slug>/", entry_page.show, name="entry"),
]
