"""The addresses of what is published: each carries the provider app."""

from django.urls import path

from connections.published import keys

app_name = "published"
urlpatterns = [path("<uuid:app_id>/jwks.json", keys.jwks, name="jwks")]
