"""Incidents: what is wrong with a provider app rather than with one connection."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import OpenFilter, ProviderFilter, id_filter
from connections.database.clock import database_now
from connections.lifecycle.health.incidents import close_incident
from connections.lifecycle.health.telling import explanation
from connections.lifecycle.steer.on_demand import Told
from connections.models import Incident


def _close(request: HttpRequest, row: Incident) -> Told:
    closed = close_incident(row, now=database_now(), actor=operator_behind(request))
    return Told(closed, "closed", "Closed. It opens anew if the fault is still there." if closed else "It was closed.")


class _Provider(ProviderFilter):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(provider_app__provider=self.value()) if self.value() else queryset


@admin.register(Incident)
class IncidentAdmin(ButtonsAdmin[Incident], ReadOnlyAdmin[Incident]):
    """The lifecycle opens incidents and closes most of them. An operator who has mended the fault may close one."""

    buttons = (
        Button(
            "close",
            "Close",
            _close,
            lambda row: row.closed_at is None,
            asks="Close it once the fault is mended: from then on, what is refused is held against a connection again.",
        ),
    )
    list_display = ("listed", "app", "state", "spared", "opened", "last_seen")
    list_filter = (OpenFilter, "kind", "cause", _Provider, id_filter("app", "provider app", "provider_app_id"))
    list_select_related = ("provider_app__tenant",)
    search_fields = ("at", "provider_app__name", "provider_app__provider", "provider_app__tenant__slug")
    search_help_text = "A host, a provider app, a provider, a tenant or an id"
    id_search_fields = ("id", "provider_app_id")
    date_hierarchy = "opened_at"
    fieldsets = (
        (None, {"fields": ("what", "app", "state", "told", "means", "to_do")}),
        ("What was seen", {"fields": ("not_downgraded", "counts", "answers", "shown_evidence")}),
        ("When", {"fields": ("opened", "last_seen", "closed", "steps")}),
    )

    @admin.display(description="Incident", ordering="kind")
    def listed(self, row: Incident) -> SafeString:
        kind = row.get_kind_display()
        return show.two_lines(row.get_cause_display(), kind) if row.cause else show.two_lines(kind, "")

    @admin.display(description="Incident")
    def what(self, row: Incident) -> str:
        return f"{row.get_cause_display()}: {row.get_kind_display()}" if row.cause else row.get_kind_display()

    @admin.display(description="Not downgraded for it")
    def not_downgraded(self, row: Incident) -> str:
        return f"{row.spared:,} connection{'' if row.spared == 1 else 's'}"

    @admin.display(description="What is so")
    def told(self, row: Incident) -> str:
        return explanation(row).what

    @admin.display(description="What it means")
    def means(self, row: Incident) -> str:
        return explanation(row).means

    @admin.display(description="What to do")
    def to_do(self, row: Incident) -> str:
        return explanation(row).to_do

    @admin.display(description="Connections")
    def counts(self, row: Incident) -> str:
        counted = row.facts
        if not counted:
            return show.NOTHING
        return f"{counted['failing']} of {counted['live']} fail; {counted['succeeded']} proved to work meanwhile"

    @admin.display(description="Answers of the last ten minutes")
    def answers(self, row: Incident) -> SafeString | str:
        said = row.facts.get("answers", ())
        return show.join(said, ", ") if said else show.NOTHING

    @admin.display(description="Timeline")
    def steps(self, row: Incident) -> SafeString | str:
        steps = [f"{datetime.fromisoformat(step['at']):%Y-%m-%d %H:%M:%S} {step['what']}" for step in row.timeline]
        return show.join(steps, mark_safe("<br>")) if steps else show.NOTHING

    @admin.display(description="Provider app", ordering="provider_app__name")
    def app(self, row: Incident) -> SafeString | str:
        return format_html("{} at {}", show.link(row.provider_app), row.at) if row.at else show.link(row.provider_app)

    @admin.display(description="State", ordering="closed_at")
    def state(self, row: Incident) -> SafeString:
        return show.chip("Open", "bad") if row.closed_at is None else show.chip("Closed", "plain")

    opened = columns.moment("opened_at", "Opened")
    last_seen = columns.moment("last_seen_at", "Last seen")
    closed = columns.moment("closed_at", "Closed")

    @admin.display(description="Evidence")
    def shown_evidence(self, row: Incident) -> SafeString | str:
        return show.facts(row.evidence)
