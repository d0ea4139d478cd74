"""The addresses of the catalogue, below ``/admin/providers/``."""

from django.urls import path

from connections.admin.catalogue import addresses, browse, entry_page, own_pages

app_name = "catalogue"
urlpatterns = [
    path("", browse.browse, name="list"),
    path("entry/<slug:slug>/", entry_page.show, name="entry"),
    path("addresses/", addresses.show, name="addresses"),
    path("own/", own_pages.edit, name="describe"),
    path("own/<slug:slug>/", own_pages.edit, name="own"),
    path("own/<slug:slug>/remove/", own_pages.remove, name="remove"),
]
