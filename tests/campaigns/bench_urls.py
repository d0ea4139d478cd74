"""The product's URLs, and one constant view to measure the server and Django alone by."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.urls import urlpatterns as product


def constant(request: HttpRequest) -> HttpResponse:
    """Answer the same, always."""
    return HttpResponse(b'{"active": true}', content_type="application/json")


urlpatterns = [*product, path("bench/constant", constant)]
