"""The addresses of what is published: each carries the provider app."""

from django.urls import path

from connections.published import clients, keys

app_name = "published"
urlpatterns = [
    path("<uuid:app_id>/jwks.json", keys.jwks, name="jwks"),
    path("<uuid:app_id>/clients/<uuid:client_id>.json", clients.document, name="client"),
    path("<uuid:app_id>/clients/<uuid:client_id>/logo", clients.logo, name="logo"),
]
