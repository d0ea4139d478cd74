"""Brands: how the pages of tenants look, and the operator's own; each with its form beside the pages themselves."""

from typing import Any

from csp.constants import SELF
from django.conf import settings
from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from connections.access.staff import is_limited
from connections.admin import columns, show
from connections.admin.base import operator_behind
from connections.admin.buttons import ButtonsAdmin
from connections.brand.form import BrandForm
from connections.lifecycle.provision.brands import prepare_brand, store_brand
from connections.models import Brand
from connections.refusals import InvalidRequest

_OPERATORS = "The operator: for pages without a tenant, and where a tenant says nothing"


class CheckedBrandForm(BrandForm):
    """The fields of a brand. The lifecycle decides whether it is valid."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.prepared: Brand | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.prepared = prepare_brand(self.instance.tenant, self.profile())
            except InvalidRequest as refusal:
                self.add_error(self.field_at_fault(refusal.extra["field"]), refusal.detail)
        return cleaned


@admin.register(Brand)
class BrandAdmin(ButtonsAdmin[Brand]):
    """Changed through the lifecycle, which audits it. A tenant's row comes with the tenant; the operator's is added."""

    form = CheckedBrandForm
    actions = None
    list_display = ("named", "swatches", "language", "changed")
    list_select_related = ("tenant",)
    search_fields = ("tenant__slug", "tenant__name")
    search_help_text = "A tenant's slug or name, or an id"
    ordering = (F("tenant__slug").asc(nulls_first=True),)
    readonly_fields = ("whose",)
    fieldsets = (
        (None, {"fields": ("whose", "name", "logo_file", "remove_logo", "favicon_file", "remove_favicon")}),
        ("Light colours", {"fields": (("accent", "background", "surface", "text"),)}),
        ("Dark colours", {"fields": (("dark_accent", "dark_background", "dark_surface", "dark_text"),)}),
        ("Shape and words", {"fields": (("radius", "font", "locale"), "own_texts")}),
        ("Links", {"fields": ("support_url", "privacy_url")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Brand]:
        return super().get_queryset(request).select_related("tenant")

    def get_fieldsets(self, request: HttpRequest, obj: Brand | None = None) -> Any:
        left_out = {"name"} if obj is not None and obj.tenant_id is not None else set()
        left_out |= {"whose"} if obj is None else set()
        return [(title, {"fields": _without(options["fields"], left_out)}) for title, options in self.fieldsets]

    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form; let the page frame the preview, which is a page of the widget."""
        response = super().changeform_view(*args, **kwargs)
        setattr(response, "_csp_update", {"frame-src": [SELF]})  # noqa: B010 (the attribute that django-csp reads)
        return response

    def furnish(self, request: HttpRequest, context: dict[str, Any], row: Brand | None) -> None:
        screens = {"landing": "First page", "choose": "Choice", "fields": "Form", "problem": "Error", "finished": "End"}
        context |= {"screens": screens, "languages": settings.LANGUAGES, "preview_brand": row.pk if row else ""}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The operator's own brand, which alone is added, belongs to no tenant."""
        return not is_limited(request.user) and super().has_add_permission(request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Add the operator's brand; once it is there, go to its page."""
        there = Brand.objects.filter(tenant=None).only("id").first()
        if there is not None and self.has_add_permission(request):
            return HttpResponseRedirect(show.page_url(there))
        return super().add_view(request, form_url, {"title": "The operator's brand", **(extra_context or {})})

    def page_title(self, row: Brand) -> str:
        return f"The brand of {row.tenant.name}" if row.tenant is not None else "The operator's brand"

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Brand:
        prepared: Brand = form.prepared
        return prepared

    def save_model(self, request: HttpRequest, obj: Brand, form: Any, change: bool) -> None:
        store_brand(obj, actor=operator_behind(request))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: no other rows are saved with a brand."""

    @admin.display(description="Whose", ordering="tenant__slug")
    def named(self, row: Brand) -> str:
        return _OPERATORS if row.tenant is None else row.tenant.name

    @admin.display(description="Whose")
    def whose(self, row: Brand) -> SafeString | str:
        return _OPERATORS if row.tenant is None else show.link(row.tenant, row.tenant.name)

    @admin.display(description="Colours")
    def swatches(self, row: Brand) -> SafeString | str:
        colors = [color for is_dark in (False, True) for color in row.colors(is_dark=is_dark).values() if color]
        return show.join(show.swatch(color) for color in colors) or show.NOTHING

    @admin.display(description="Language")
    def language(self, row: Brand) -> str:
        return row.locale or "As the browser asks"

    changed = columns.moment("updated_at", "Changed")


def _without(fields: Any, left_out: set[str]) -> tuple[Any, ...]:
    return tuple(field for field in fields if isinstance(field, tuple) or field not in left_out)
