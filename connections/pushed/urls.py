"""The addresses to which providers push: each carries the provider app."""

from django.urls import path

from connections.pushed import views

app_name = "pushed"
urlpatterns = [path("<uuid:app_id>", views.push, name="push")]
