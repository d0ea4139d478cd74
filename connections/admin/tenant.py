"""Tenants: who they are, where the widget may be embedded, and their kill switch. ``brand`` has how it looks."""

from typing import Annotated, Any, TypedDict

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django_stubs_ext import Annotations

from connections.access.staff import is_limited
from connections.admin import columns, show
from connections.admin.base import count_up_to, counted, operator_behind
from connections.admin.buttons import ButtonsAdmin
from connections.admin.fields import LinesField
from connections.admin.filters import SwitchFilter
from connections.admin.proof import prove, with_request
from connections.admin.switch_buttons import suspend_buttons
from connections.admin.tenant_deletion import DELETE_BUTTON
from connections.lifecycle.provision.tenants import Prepared, TenantProfile, prepare_tenant, store_tenant
from connections.models import (
    ApiClient,
    AuditEvent,
    Brand,
    Connection,
    ConnectSession,
    ProviderApp,
    Tenant,
    TenantDomain,
)
from connections.refusals import InvalidRequest

_SUSPEND_ASKS = (
    "Every connection of this tenant stops vending and refreshing, and no new one can be made, until it is resumed."
)


_ADDRESSES = ("allowed_origins", "return_urls", "reconnect_url")


class TenantForm(forms.ModelForm[Tenant]):
    """A tenant's profile. The lifecycle decides whether it is valid. New addresses need a proof of who enters them."""

    request: HttpRequest

    allowed_origins = LinesField(
        label="Allowed origins", help_text="Pages that may embed the widget, one a line, like https://app.example.com"
    )
    return_urls = LinesField(
        label="Return URLs", help_text="Where a browser may be sent back to, one a line. They have to match exactly."
    )

    class Meta:
        model = Tenant
        fields = ("slug", "name", "reconnect_url")
        labels = {"reconnect_url": "Reconnect page"}
        help_texts = {
            "slug": "Lower-case letters, digits and hyphens. It is fixed once the tenant is made.",
            "reconnect_url": "Your own page that starts a reconnection: {connection}, {provider}, {end_user}, {scopes}"
            " are filled in. Without it, vends that fail point to a page of ours that leads to the tenant's product.",
        }
        widgets = {
            "reconnect_url": forms.TextInput(attrs={"class": "vLargeTextField"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.prepared: Prepared | None = None
        if not self.instance._state.adding:
            self.initial["allowed_origins"] = self.instance.allowed_origins
            self.initial["return_urls"] = self.instance.return_urls

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        profile = TenantProfile(
            name=cleaned["name"],
            allowed_origins=cleaned["allowed_origins"],
            return_urls=cleaned["return_urls"],
            reconnect_url=cleaned["reconnect_url"],
        )
        slug = cleaned["slug"] if self.instance._state.adding else self.instance.slug
        try:
            self.prepared = prepare_tenant(slug, profile)
        except InvalidRequest as refusal:
            field = refusal.extra["field"]
            self.add_error(field if field in self.fields else None, refusal.detail)
            return cleaned
        if not self.instance._state.adding and not {*_ADDRESSES}.isdisjoint(self.changed_data):
            prove(self.request)  # browsers are sent there, with what completes a connection
        return cleaned


class _Counted(TypedDict):
    connections_made: int


@admin.register(Tenant)
class TenantAdmin(ButtonsAdmin[Tenant]):
    """Made and changed through the lifecycle, which audits it."""

    form = TenantForm
    buttons = (*suspend_buttons(_SUSPEND_ASKS), DELETE_BUTTON)
    actions = None
    list_display = ("slug", "name", "state", "connection_count", "created")
    list_filter = (SwitchFilter,)
    search_fields = ("slug", "name")
    search_help_text = "A slug, a name or an id"
    fieldsets = (
        (None, {"fields": ("slug", "name", "state", "related")}),
        ("Addresses", {"fields": _ADDRESSES}),
    )
    add_fieldsets = (
        (None, {"fields": ("slug", "name")}),
        ("Addresses", {"fields": _ADDRESSES}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody who sees some tenants only makes another one: it would be out of sight at once."""
        return not is_limited(request.user) and super().has_add_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        return super().get_queryset(request).annotate(connections_made=count_up_to(Connection.objects.all(), "tenant"))

    def get_fieldsets(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        return self.add_fieldsets if obj is None else self.fieldsets

    def get_form(
        self, request: HttpRequest, obj: Tenant | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Tenant]]:
        return with_request(super().get_form(request, obj, change, **kwargs), request)

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> tuple[str, ...]:
        return () if obj is None else ("slug", "state", "related")

    def page_title(self, row: Tenant) -> str:
        return row.name

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Tenant:
        prepared: Prepared = form.prepared
        return prepared.tenant

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        store_tenant(form.prepared, actor=operator_behind(request))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: no other rows are saved with a tenant."""

    @admin.display(description="State", ordering="suspended_at")
    def state(self, row: Tenant) -> SafeString:
        if row.shred_at is not None:
            return show.chip("Being deleted", "bad")
        return show.switches(row) or show.chip("On", "good")

    @admin.display(description="Connections")
    def connection_count(self, row: Annotated[Tenant, Annotations[_Counted]]) -> SafeString:
        return show.list_link(counted(row.connections_made), Connection, tenant=row.slug)

    created = columns.moment("created_at", "Made")

    @admin.display(description="See also")
    def related(self, row: Tenant) -> SafeString:
        return show.join(
            [
                show.link(Brand.objects.filter(tenant=row).only("id").first(), "Brand"),
                show.list_link("Domains", TenantDomain, tenant=row.slug),
                show.list_link("Connections", Connection, tenant=row.slug),
                show.list_link("Connect sessions", ConnectSession, tenant=row.slug),
                show.list_link("Provider apps", ProviderApp, tenant=row.slug),
                show.list_link("API clients", ApiClient, tenant=row.slug),
                show.list_link("Audit trail", AuditEvent, tenant=row.id),
            ],
            " · ",
        )
