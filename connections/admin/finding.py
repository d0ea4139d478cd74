"""Findings: suspicious use of API clients. An operator settles one with a note that says why."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import ChoiceFilter, TenantFilter, id_filter
from connections.database.clock import database_now
from connections.lifecycle.steer.on_demand import Told
from connections.lifecycle.watch.settle import MOST_NOTE, settle
from connections.models import Connection, Finding, Step, Verdict, WatchRule
from connections.refusals import InvalidRequest

_LISTS = ("connections", "asked_for")  # these have rows of their own
_WORDS = {
    "keys": "usable keys",
    "acts": "what it did",
    "got_it": "got the credential",
    "connections_counted": "different connections",
    "asked_for_counted": "different ids that it was denied",
    "highest": "the most on any day before",
    "slept_days": "days unused before",
}
_SAYS = {
    Verdict.EXPECTED: "Settled: what was done about it is undone, and the client is known for it from now on.",
    Verdict.HARMFUL: "Settled: the client is held until its key is rotated, or somebody vouches for it.",
}


class SettleForm(forms.Form):
    """What it was, and why one thinks so."""

    verdict = forms.ChoiceField(
        label="What was it?",
        choices=Verdict.choices,
        widget=forms.RadioSelect,
        help_text="What was expected is not found again. What was not us holds the client until its key is rotated.",
    )
    note = forms.CharField(
        max_length=MOST_NOTE, widget=forms.Textarea(attrs={"rows": 3, "cols": 70}), help_text="How you know."
    )


class _StateFilter(ChoiceFilter):
    """By whether somebody has settled it."""

    title = parameter_name = "state"
    known = {"open": ("Open", Q(resolved_at=None)), "settled": ("Settled", Q(resolved_at__isnull=False))}


class _TenantFilter(TenantFilter):
    lookup = "client__tenant_id"


def _settle(request: HttpRequest, row: Finding) -> HttpResponse | Told:
    form = SettleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        verdict = Verdict(form.cleaned_data["verdict"])
        note, actor = form.cleaned_data["note"], operator_behind(request)
        try:
            settle(row.id, verdict, note=note, now=database_now(), actor=actor)
            return Told(True, "settled", _SAYS[verdict])
        except InvalidRequest as refusal:
            form.add_error("note" if refusal.extra.get("field") == "note" else None, refusal.detail)
    context = {
        **admin.site.each_context(request),
        "title": "Settle",
        "opts": Finding._meta,
        "row": row,
        "form": form,
        "back_url": show.page_url(row),
    }
    return TemplateResponse(request, "admin/connections/form.html", context)


@admin.register(Finding)
class FindingAdmin(ButtonsAdmin[Finding], ReadOnlyAdmin[Finding]):
    """The findings, the newest first. A link to a connection opens for those who may see that one."""

    list_title = "Suspicious use"
    buttons = (
        Button(
            "settle",
            "Settle",
            _settle,
            lambda row: row.resolved_at is None,
            tone="primary",
            has_own_page=True,
            needs_proof=True,
        ),
    )
    list_display = ("what", "shown_client", "shown_tenant", "state", "done", "began", "last_seen")
    list_filter = (_StateFilter, "rule", _TenantFilter, id_filter("client", "API client", "client_id"))
    list_select_related = ("client__tenant",)
    search_fields = ("client__name", "client__tenant__slug", "resolved_by", "note")
    search_help_text = "An API client, a tenant, who settled it, a note or an id"
    id_search_fields = ("id", "client_id")
    date_hierarchy = "opened_at"
    fieldsets = (
        (None, {"fields": ("what", "shown_client", "shown_tenant", "state", "done", "stepped")}),
        (
            "Evidence",
            {"fields": ("began", "last_seen", "noticed", "shown_facts", "shown_connections", "asked_for")},
        ),
        ("What was said of it", {"fields": ("verdict", "note", "resolved_by", "settled")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Finding | None = None) -> Any:
        """Leave out what was said of it until somebody has."""
        return self.fieldsets if obj is None or obj.resolved_at is not None else self.fieldsets[:-1]

    def get_readonly_fields(self, request: HttpRequest, obj: Finding | None = None) -> Any:
        return [name for _, part in self.fieldsets for name in part["fields"]]

    @admin.display(description="What", ordering="rule")
    def what(self, row: Finding) -> str:
        return WatchRule(row.rule).label

    @admin.display(description="API client", ordering="client__name")
    def shown_client(self, row: Finding) -> SafeString | str:
        return show.link(row.client)

    @admin.display(description="Tenant", ordering="client__tenant__slug")
    def shown_tenant(self, row: Finding) -> SafeString | str:
        return show.link(row.client.tenant) if row.client.tenant else "Operator-wide"

    @admin.display(description="State", ordering="resolved_at")
    def state(self, row: Finding) -> SafeString:
        return show.chip("Open", "bad") if row.resolved_at is None else show.chip("Settled", "plain")

    @admin.display(description="Done about it", ordering="step")
    def done(self, row: Finding) -> str:
        return Step(row.step).label

    began = columns.moment("first_at", "Began")
    last_seen = columns.moment("last_at", "Seen last")
    noticed = columns.moment("opened_at", "Noticed")
    stepped = columns.moment("stepped_at", "Since")
    settled = columns.moment("resolved_at", "Settled")

    @admin.display(description="In figures")
    def shown_facts(self, row: Finding) -> SafeString | str:
        said = {_WORDS.get(name, name): value for name, value in row.evidence.items() if name not in _LISTS}
        return show.facts(said)

    @admin.display(description="Connections (the first few)")
    def shown_connections(self, row: Finding) -> SafeString | str:
        return show.join([show.id_link(Connection, one) for one in row.evidence.get("connections", ())]) or show.NOTHING

    @admin.display(description="Ids that it was denied (the first few)")
    def asked_for(self, row: Finding) -> SafeString | str:
        return show.codes(row.evidence.get("asked_for", ()))
