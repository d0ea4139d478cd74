"""The forecast: what will end, when and why. It has no rows of its own, and shows those that the account may see."""

from datetime import timedelta
from functools import partial
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from connections.access.staff import visible
from connections.database.clock import database_now
from connections.lifecycle.forecast.causes import Cause
from connections.lifecycle.forecast.upcoming import Position, upcoming

_DAYS = (7, 14, 30, 90, 365)
_PAGE = 100
_LABELS = {
    Cause.GRANT: "Grant ends",
    Cause.CREDENTIAL: "Credential expires",
    Cause.UNUSED: "Refresh token ends unused",
    Cause.QUARANTINE: "Refresh quarantine",
    Cause.CROWDED: "Too many grants",
    Cause.OLD_KEY: "Key is old",
    Cause.CERTIFICATE: "Our certificate expires",
    Cause.CLIENT_SECRET: "Our client secret expires, and is not renewed",
    Cause.APP_SECRET: "Our client secret expires",
}


@require_safe
def forecast(request: HttpRequest) -> HttpResponse:
    """Show what ends within the chosen days, a page at a time, by date; or what is overdue, or ends at any time.

    The two are apart, since what is overdue may be long, and nobody would see what ends tomorrow behind it. Raises
    ``PermissionDenied``.
    """
    if not request.user.has_perm("connections.view_connection"):
        raise PermissionDenied
    now = database_now()
    days = next((days for days in _DAYS if request.GET.get("days") == str(days)), 30)
    cause = next((cause for cause in Cause if request.GET.get("cause") == cause.value), None)
    is_overdue = "overdue" in request.GET
    found = upcoming(
        see=partial(visible, request.user),
        until=now if is_overdue else now + timedelta(days=days),
        now=now,
        limit=_PAGE + 1,
        after=_after(request.GET.get("after", "")) or (None if is_overdue else Position(now, "", UUID(int=0))),
        causes=tuple(Cause) if cause is None else (cause,),
    )
    shown = found[:_PAGE]
    context = {
        **admin.site.each_context(request),
        "title": "Forecast",
        "endings": [{"of": ending, "label": _LABELS[ending.cause]} for ending in shown],
        "after": str(shown[-1].position) if len(found) > _PAGE else "",
        "days": days,
        "is_overdue": is_overdue,
        "days_choices": _DAYS,
        "cause": "" if cause is None else cause.value,
        "causes": [(cause.value, label) for cause, label in _LABELS.items()],
        "now": now,
    }
    return TemplateResponse(request, "admin/forecast.html", context)


def _after(text: str) -> Position | None:
    try:
        return Position.read(text) if text else None
    except (ValueError, OverflowError):
        return None


forecast_page = admin.site.admin_view(forecast)
