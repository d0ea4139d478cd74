"""The gate: what stands between a login session and the pages of the admin.

Limited staff open the pages that show the rows of one model by the rules of ``access.staff``, and the few others that
are named here. A new page is shut to them until it is named, and a new model's until it has such rules.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from connections.access.staff import PATHS, is_limited
from connections.admin.base import ChosenRowsAdmin

ADMIN = "/admin/"
# Pages without rows of a tenant's, or with those alone that the account may see.
_OPEN_TO_LIMITED = frozenset(
    {
        *("admin:index", "admin:app_list", "admin:jsi18n", "admin:autocomplete"),
        *("admin:login", "admin:logout", "admin:password_change", "admin:password_change_done"),
        *("catalogue:list", "catalogue:entry"),
    }
)


class StaffGate:
    """Middleware: refuses what a member of staff may not open, whatever the page itself would say."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Refuse a page that a limited account has no rules for. Raises ``PermissionDenied``."""
        if not request.path_info.startswith(ADMIN) or not request.user.is_authenticated:
            return None
        if is_limited(request.user) and not _is_open_to_limited(request, view):
            raise PermissionDenied
        return None


def _is_open_to_limited(request: HttpRequest, view: Any) -> bool:
    """Whether ``view`` is one of Django's own of a model with rules, a button of such a model, or named above."""
    match = request.resolver_match
    if match is None:
        return False
    if match.view_name in _OPEN_TO_LIMITED:
        return True
    page = getattr(view, "model_admin", None)
    while page is None and view is not None and match.view_name.endswith("_press"):
        page, view = getattr(view, "__self__", None), getattr(view, "__wrapped__", None)
    return isinstance(page, ChosenRowsAdmin) and page.model in PATHS
