"""What the pages of the catalogue share: who may see them, and the frame of the admin around them.

The catalogue is about providers, not about tenants: whoever may see, add or change provider apps may read all of it.
Describing providers is a right of its own.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

SEE_APPS, ADD_APPS = "connections.view_providerapp", "connections.add_providerapp"
MAY_DESCRIBE = "connections.describe_provider"
MAY_READ = (SEE_APPS, ADD_APPS, "connections.change_providerapp", MAY_DESCRIBE)

View = Callable[..., HttpResponse]


def catalogue_page(view: View) -> View:
    """Serve ``view`` to operators who may read the catalogue; others log in first, or are refused."""

    @wraps(view)
    def allowed(request: HttpRequest, /, *args: Any, **kwargs: Any) -> HttpResponse:
        if not any(request.user.has_perm(permission) for permission in MAY_READ):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return admin.site.admin_view(allowed)


def page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """Render one page within the frame of the admin."""
    framed = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, f"admin/catalogue/{template}.html", framed)
