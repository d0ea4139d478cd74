"""Offboardings: the receipts of end users who left. The API orders them."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin
from connections.admin.filters import ChoiceFilter, TenantFilter
from connections.models import Offboarding, OffboardingMode


class _StateFilter(ChoiceFilter):
    """By whether something is still pending."""

    title = parameter_name = "state"
    known = {"under_way": ("Under way", Q(done_at=None)), "done": ("Done", Q(done_at__isnull=False))}


@admin.register(Offboarding)
class OffboardingAdmin(ReadOnlyAdmin[Offboarding]):
    """The offboardings, the newest first."""

    list_title = "Offboardings"
    list_display = ("who", "shown_mode", "state", "shown_tenant", "ordered")
    list_filter = (_StateFilter, "mode", TenantFilter)
    list_select_related = ("tenant",)
    search_fields = ("end_user", "hand_over_to", "tenant__slug")
    search_help_text = "An end user, a tenant or an id"
    id_search_fields = ("id", "tenant_id")
    fields = (
        *("who", "shown_tenant", "shown_mode", "state", "shared", "hand_over_to", "shown_connections", "shown_grants"),
        *("shown_counts", "ordered_at", "done_at"),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Offboarding | None = None) -> Any:
        return self.fields

    @admin.display(description="End user", ordering="end_user")
    def who(self, row: Offboarding) -> SafeString | str:
        return show.code(row.end_user)

    @admin.display(description="Mode", ordering="mode")
    def shown_mode(self, row: Offboarding) -> str:
        return str(OffboardingMode(row.mode).label)

    @admin.display(description="State", ordering="done_at")
    def state(self, row: Offboarding) -> SafeString:
        return show.chip("Under way", "busy") if row.done_at is None else show.chip("Done", "good")

    @admin.display(description="Tenant", ordering="tenant__slug")
    def shown_tenant(self, row: Offboarding) -> SafeString | str:
        return show.link(row.tenant)

    ordered = columns.moment("ordered_at", "Ordered")
    shown_connections = columns.as_json("connections", "Connections")
    shown_grants = columns.as_json("grants", "Access grants revoked")
    shown_counts = columns.as_json("counts", "What else ended, was deleted or renamed")
