"""Imports: connections that came from another system, and what came of each row. The API and a command order them."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin
from connections.admin.filters import ChoiceFilter, TenantFilter
from connections.lifecycle.port.report import NEEDS_CARE, WORDS, counts_of
from connections.models import ImportRow, ImportRun


class _CareFilter(ChoiceFilter):
    """By whether somebody has to do something about a row."""

    title = parameter_name = "care"
    known = {
        "needed": ("Needs care", Q(code__in=NEEDS_CARE)),
        "none": ("Needs none", ~Q(code__in=NEEDS_CARE)),
    }


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin[ImportRun]):
    """The imports, the newest first."""

    list_title = "Imports"
    list_display = ("who", "shown_tenant", "shown_state", "lines", "begun")
    list_filter = ("state", TenantFilter)
    list_select_related = ("tenant",)
    search_fields = ("tenant__slug", "operator")
    search_help_text = "A tenant, an operator or an id"
    id_search_fields = ("id", "tenant_id")
    fields = (
        *("who", "shown_tenant", "shown_state", "outcomes", "problem", "shown_ignored", "shown_options"),
        *("lines", "created_at", "finished_at"),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: ImportRun | None = None) -> Any:
        return self.fields

    @admin.display(description="Import")
    def who(self, row: ImportRun) -> SafeString | str:
        return show.code(str(row.id))

    @admin.display(description="State", ordering="state")
    def shown_state(self, row: ImportRun) -> SafeString:
        return show.chip(row.get_state_display(), "busy" if row.finished_at is None else "good")

    @admin.display(description="Tenant", ordering="tenant__slug")
    def shown_tenant(self, row: ImportRun) -> SafeString | str:
        return "By row" if row.tenant is None else show.link(row.tenant)

    @admin.display(description="What came of the rows")
    def outcomes(self, row: ImportRun) -> str:
        return ", ".join(f"{number} {WORDS[code]}" for code, number in counts_of(row).items()) or "No rows yet"

    begun = columns.moment("created_at", "Begun")
    shown_ignored = columns.as_json("ignored_columns", "Columns left out")
    shown_options = columns.as_json("options", "Options")


@admin.register(ImportRow)
class ImportRowAdmin(ReadOnlyAdmin[ImportRow]):
    """The rows of imports: what came of each."""

    list_title = "Rows of imports"
    list_display = ("which", "shown_connection", "provider", "end_user", "outcome")
    list_filter = (_CareFilter, "state")
    list_select_related = ("connection", "run")
    search_fields = ("end_user", "source_id")
    search_help_text = "An end user, an id of the other system, or an id"
    id_search_fields = ("id", "run_id", "connection_id")
    fields = (
        *("which", "shown_run", "shown_connection", "provider", "end_user", "source_id"),
        *("state", "code", "field", "detail", "rotates"),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: ImportRow | None = None) -> Any:
        return self.fields

    @admin.display(description="Outcome", ordering="code")
    def outcome(self, row: ImportRow) -> SafeString:
        return show.two_lines(row.code, row.detail)

    @admin.display(description="Line", ordering="line")
    def which(self, row: ImportRow) -> str:
        return str(row.line)

    @admin.display(description="Import")
    def shown_run(self, row: ImportRow) -> SafeString | str:
        return show.link(row.run)

    @admin.display(description="Connection")
    def shown_connection(self, row: ImportRow) -> SafeString | str:
        return show.link(row.connection)
