"""Domains of tenants: which hosts their pages vouch for, and by which file."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import OperatorAdmin, operator_behind, read_at
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import id_filter
from connections.database.clock import database_now
from connections.lifecycle.provision.domains import add_domain, check_host, file_of, look_at_domain, remove_domain
from connections.lifecycle.steer.on_demand import Told
from connections.models import TenantDomain
from connections.refusals import InvalidRequest

_REMOVE_ASKS = "Pages no longer vouch for this host, from the next one on. To verify it anew later takes another line."


def _look(request: HttpRequest, row: TenantDomain) -> Told:
    now = database_now()
    seen = look_at_domain(row, now=now, actor=operator_behind(request))
    if seen.failure:
        return Told(False, "unverified", seen.failure)
    return Told(True, "verified", "The file is there: pages vouch for this host.")


def _remove(request: HttpRequest, row: TenantDomain) -> HttpResponse:
    remove_domain(row.tenant, row.host, actor=operator_behind(request))
    messages.success(request, f"{row.host} is removed: pages of {row.tenant.name} do not vouch for it.")
    return HttpResponseRedirect(show.list_url(TenantDomain))


class DomainForm(forms.ModelForm[TenantDomain]):
    """Whose host it is. The lifecycle decides whether it can be one."""

    class Meta:
        model = TenantDomain
        fields = ("tenant", "host")
        help_texts = {
            "host": "As in the tenant's return URLs, without https:// and without a path: app.example.com. The next "
            "page says which file to put there.",
        }

    def clean_host(self) -> str:
        host: str = self.cleaned_data["host"].strip().lower()
        try:
            check_host(host)
        except InvalidRequest as refusal:
            raise forms.ValidationError(refusal.detail) from refusal
        return host


@admin.register(TenantDomain)
class TenantDomainAdmin(ButtonsAdmin[TenantDomain], OperatorAdmin[TenantDomain]):
    """The domains. They are added and removed, and never changed."""

    form = DomainForm
    actions = None
    buttons = (
        Button("look", "Verify now", _look, tone="primary"),
        Button("remove", "Remove", _remove, asks=_REMOVE_ASKS, tone="danger"),
    )
    list_display = ("host", "shown_tenant", "state", "looked")
    list_filter = (id_filter("tenant", "tenant", "tenant_id"),)
    list_select_related = ("tenant",)
    search_fields = ("host", "tenant__slug")
    search_help_text = "A host, a tenant or an id"
    autocomplete_fields = ("tenant",)
    fieldsets = (
        (None, {"fields": ("host", "shown_tenant", "state", "failure", "verified_until", "looked")}),
        ("What to publish", {"fields": ("shown_file", "shown_line", "to_do")}),
    )

    def has_change_permission(self, request: HttpRequest, obj: TenantDomain | None = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: TenantDomain | None = None) -> Any:
        return self.fieldsets if obj is not None else ((None, {"fields": ("tenant", "host")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: TenantDomain | None = None) -> Any:
        return () if obj is None else tuple(name for _, part in self.fieldsets for name in part["fields"])

    def save_model(self, request: HttpRequest, obj: TenantDomain, form: Any, change: bool) -> None:
        obj.pk = add_domain(obj.tenant, obj.host, actor=operator_behind(request)).pk

    def response_add(
        self, request: HttpRequest, obj: TenantDomain, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go to the page that says which file to publish."""
        messages.success(request, f"{obj.host} is added. Publish the file, then press “Verify now”.")
        return HttpResponseRedirect(show.page_url(obj))

    @admin.display(description="Tenant", ordering="tenant__slug")
    def shown_tenant(self, row: TenantDomain) -> SafeString | str:
        return show.link(row.tenant)

    @admin.display(description="State", ordering="verified_until")
    def state(self, row: TenantDomain) -> SafeString:
        return show.chip("Verified", "good") if row.is_verified(now=read_at(row)) else show.chip("Not verified", "warn")

    looked = columns.moment("looked_at", "Looked at")

    @admin.display(description="At this address")
    def shown_file(self, row: TenantDomain) -> SafeString:
        return show.copyable(file_of(row)[0])

    @admin.display(description="A text file with this line")
    def shown_line(self, row: TenantDomain) -> SafeString:
        return show.copyable(file_of(row)[1])

    @admin.display(description="Then")
    def to_do(self, row: TenantDomain) -> str:
        if row.is_verified(now=read_at(row)):
            return "Leave the file there: it is looked for every day, and pages stop vouching once it is gone."
        return "Press “Verify now”. Until the file is found, the widget says that nobody has verified this host."
