"""The pages of the Django project: django-oauth-toolkit's own, a login, and a resource that its tokens open."""

# django-oauth-toolkit has no types.
# mypy: allow-subclassing-any, disable-error-code="import-untyped"

from typing import Any

from django.contrib.auth.views import LoginView
from django.http import JsonResponse
from django.urls import include, path
from oauth2_provider.urls import metadata_urlpatterns
from oauth2_provider.views import ScopedProtectedResourceView
from oauth2_provider.views.mixins import ProtectedResourceMetadataMixin


class Files(ProtectedResourceMetadataMixin, ScopedProtectedResourceView):
    """Something of the resource owner's: 200 for a token with the scope ``files``, 401 for one that is dead."""

    required_scopes = ["files"]

    def get(self, request: Any) -> JsonResponse:
        """Return whose files these are."""
        return JsonResponse({"owner": request.resource_owner.username, "files": ["report.pdf"]})


# As the toolkit's documentation tells a deployment under a prefix: the RFC 8414 document at the root as well.
urlpatterns = [
    path("", include((metadata_urlpatterns, "oauth2_provider"), namespace="oauth2_metadata")),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("login/", LoginView.as_view()),
    path("files", Files.as_view()),
]
