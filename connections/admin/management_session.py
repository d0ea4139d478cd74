"""Visits of end users to the page of their own connections: who was invited by whom, and whether it is open.

Tokens and cookies are digests, and not read. An operator may close a visit.
"""

from django.contrib import admin
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind, read_at
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import ChoiceFilter, TenantFilter, id_filter
from connections.database.clock import database_now
from connections.lifecycle.self_service.visit import end_visit
from connections.lifecycle.steer.on_demand import Told
from connections.models import AuditEvent, Connection, ManagementSession

_CLOSE_ASKS = "The page no longer works in the end user's browser, and an unused link opens nothing. They can ask anew."


def _close(request: HttpRequest, row: ManagementSession) -> Told:
    end_visit(row.id, now=database_now(), actor=operator_behind(request))
    return Told(True, "closed", "Closed: the browser that has it can do nothing there any more.")


class _StateFilter(ChoiceFilter):
    """By whether the link or the page still works."""

    title = parameter_name = "state"
    known = {
        "invited": ("Link unused", Q(browser_hash=None, ended_at=None, expires_at__gt=Now())),
        "opened": ("Opened", Q(browser_hash__isnull=False, ended_at=None, ends_at__gt=Now())),
        "ended": ("Ended", Q(ended_at__isnull=False)),
    }


@admin.register(ManagementSession)
class ManagementSessionAdmin(ButtonsAdmin[ManagementSession], ReadOnlyAdmin[ManagementSession]):
    """One visit."""

    list_title = "Visits to own connections"
    buttons = (Button("close", "Close", _close, lambda row: row.ended_at is None, asks=_CLOSE_ASKS, tone="danger"),)
    list_display = ("session", "who", "state", "client", "seen", "created")
    list_filter = (_StateFilter, TenantFilter, id_filter("client", "API client", "api_client_id"))
    list_select_related = ("tenant", "api_client")
    search_fields = ("end_user", "tenant__slug", "api_client__name")
    search_help_text = "An id, an end user, a tenant or an API client"
    id_search_fields = ("id", "tenant_id")
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("id", "state", "related")}),
        ("Who", {"fields": ("tenant", "end_user", "api_client")}),
        ("What may be connected from it", {"fields": ("shown_providers",)}),
        ("Where", {"fields": ("return_url", "origin", "locale")}),
        ("Times", {"fields": ("created_at", "expires_at", "seen_at", "ends_at", "ended_at")}),
    )

    session = columns.short_id("Session")
    shown_providers = columns.codes("providers", "Providers")
    seen = columns.moment("seen_at", "Last used")
    created = columns.moment("created_at", "Made")

    @admin.display(description="End user", ordering="end_user")
    def who(self, row: ManagementSession) -> SafeString:
        return show.join([show.link(row.tenant), "·", row.end_user])

    @admin.display(description="API client", ordering="api_client__name")
    def client(self, row: ManagementSession) -> SafeString | str:
        return show.link(row.api_client)

    @admin.display(description="State")
    def state(self, row: ManagementSession) -> SafeString:
        now = read_at(row)
        if row.ended_at is not None:
            return show.chip("Ended")
        if row.ends_at is None:
            return show.chip("Link unused", "busy") if row.expires_at > now else show.chip("Link expired")
        return show.chip("Closed by itself") if row.is_over(now=now) else show.chip("Open", "good")

    @admin.display(description="See also")
    def related(self, row: ManagementSession) -> SafeString:
        links = [
            show.list_link("Their connections", Connection, q=row.end_user),
            show.list_link("Audit trail", AuditEvent, q=row.end_user),
        ]
        return show.join(links, " · ")
