"""The frame of the admin around the pages of people's own accounts, which are django-allauth's with our templates."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

from connections.admin.people import sso
from connections.admin.people.factors import lacks_second_factor
from connections.lifecycle.provision.staff import there_are_operators

ACCOUNT = "/admin/account/"
_ENTRANCE = ("/admin/login/", "/admin/logout/", "/admin/first/")


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what the frame of the admin needs, on these pages alone. A few queries where it applies."""
    path = request.path_info
    if not path.startswith((ACCOUNT, *_ENTRANCE)):
        return {}
    context = admin.site.each_context(request)
    if not request.user.is_authenticated or lacks_second_factor(request):
        context |= {"is_nav_sidebar_enabled": False, "has_permission": request.user.is_authenticated}
    return context | {
        "second_factor_required": settings.SECOND_FACTOR_REQUIRED,
        "lacks_second_factor": request.user.is_authenticated and lacks_second_factor(request),
        "sso_name": sso.name(),
        "nobody_yet": path.startswith(_ENTRANCE) and not there_are_operators(),
    }
