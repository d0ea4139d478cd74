"""Exit bundles: which tenants have left for another installation, and which have come from one."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin
from connections.models import Bundle, BundleWay


@admin.register(Bundle)
class BundleAdmin(ReadOnlyAdmin[Bundle]):
    """The bundles, the newest first."""

    list_title = "Exit bundles"
    list_display = ("who", "shown_way", "is_move", "made", "taken_back")
    list_filter = ("way", "is_move")
    search_fields = ("slug", "signer")
    search_help_text = "A tenant, a signer or an id"
    id_search_fields = ("id", "tenant_id")
    fields = ("who", "shown_way", "is_move", "signer", "tenant_id", "made_at", "done_at", "taken_back_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Bundle | None = None) -> Any:
        return self.fields

    @admin.display(description="Tenant", ordering="slug")
    def who(self, row: Bundle) -> SafeString | str:
        return show.code(row.slug)

    @admin.display(description="Way", ordering="way")
    def shown_way(self, row: Bundle) -> str:
        return str(BundleWay(row.way).label)

    made = columns.moment("made_at", "Made")
    taken_back = columns.moment("taken_back_at", "Taken back")
