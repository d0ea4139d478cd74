"""Provider apps: our registrations at providers, checked by the lifecycle and sealed by the vault."""

from typing import Annotated, Any, TypedDict

from django import forms
from django.contrib import admin, messages
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_protect
from django_stubs_ext import Annotations

from connections.access.targets import redirect_uri
from connections.admin import app_key_forms, client_secret_forms, columns, push_forms, show, trial
from connections.admin.base import count_up_to, counted, operator_behind, read_at
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import OwnerFilter, ProviderFilter, SwitchFilter
from connections.admin.provider_app_form import ProviderAppForm, form_for, param_fields
from connections.admin.provider_app_page import app_page
from connections.admin.switch_buttons import pause_buttons, suspend_buttons
from connections.admin.widget_preview import preview_widget
from connections.lifecycle.provision.provider_apps import store_provider_app
from connections.lifecycle.provision.register_app import register_itself
from connections.models import (
    AppKey,
    AuditEvent,
    Connection,
    ConnectSession,
    Incident,
    ProviderApp,
    ReceivedPush,
    RegisteredClient,
)
from providers.catalog.cautions import cautions_of
from providers.catalog.loader import listed, load_catalog, meant_by
from providers.catalog.schema import CatalogEntry
from providers.strategies import strategies, strategy_for

_PAUSE_ASKS = "No connection made with this app is refreshed or probed: each stops vending when its credential ends."
_SUSPEND_ASKS = "Every connection made with this app stops vending and refreshing, and no new one can be made with it."


def _has_secrets(row: ProviderApp) -> bool:
    return bool(getattr(row, "has_secrets", False))


def _rotates_here(row: ProviderApp) -> bool:
    return _has_secrets(row) and not row.secret_source


def _is_usable(row: ProviderApp) -> bool:
    return not row.is_draft and row.suspended_at is None


class _StyleFilter(admin.SimpleListFilter):
    """By how end users connect."""

    title = parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(style, strategy.title) for style, strategy in strategies().items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(auth_style=self.value()) if self.value() in strategies() else queryset


class _Counted(TypedDict):
    connections_made: int


_SCOPES = ("scopes", "required_scopes", "allowed_scopes")


@admin.register(ProviderApp)
class ProviderAppAdmin(ButtonsAdmin[ProviderApp]):
    """Our apps at providers. Owner, provider and style are fixed once made: the redirect URI depends on them."""

    form = ProviderAppForm
    buttons = (
        Button("try", "Try it", trial.try_app, _is_usable, tone="primary", has_own_page=True),
        Button("preview", "Preview the widget", preview_widget, has_own_page=True),
        Button(
            "rotate-secret",
            "Rotate the secret",
            client_secret_forms.rotate,
            _rotates_here,
            has_own_page=True,
            needs_proof=True,
        ),
        Button(
            "end-secrets",
            "Say when secrets end",
            client_secret_forms.end_earlier,
            _has_secrets,
            has_own_page=True,
            needs_proof=True,
        ),
        Button(
            "refer-secret",
            "Read the secret from elsewhere",
            client_secret_forms.refer,
            lambda row: not row.registers_itself,
            has_own_page=True,
            needs_proof=True,
            permission="connections.refer_secret",
            concerns_all=True,
        ),
        Button(
            "read-secret",
            "Read the secret now",
            client_secret_forms.read_now,
            lambda row: bool(row.secret_source),
            concerns_all=True,
        ),
        Button("make-key", "Make a key", app_key_forms.make, has_own_page=True),
        Button("bring-key", "Bring a key", app_key_forms.bring, has_own_page=True, needs_proof=True),
        Button(
            "push-secret",
            "Enter push secret",
            push_forms.enter,
            push_forms.takes_push_secret,
            has_own_page=True,
            needs_proof=True,
        ),
        Button(
            "retire-push-secret",
            "Retire earlier push secret",
            push_forms.retire,
            push_forms.takes_push_secret,
            asks="What the provider still signs with it is refused from now on.",
            needs_proof=True,
        ),
        *pause_buttons(_PAUSE_ASKS),
        *suspend_buttons(_SUSPEND_ASKS),
    )
    actions = None
    list_display = ("what", "owner", "style", "state", "secrets_state", "connection_count")
    list_filter = (ProviderFilter, _StyleFilter, SwitchFilter, OwnerFilter)
    list_select_related = ("tenant",)
    search_fields = ("name", "provider", "tenant__slug", "client_id")
    search_help_text = "A name, a provider, a tenant, a client ID or an id"
    id_search_fields = ("id", "tenant_id")
    autocomplete_fields = ("tenant",)

    def choice_label(self, row: ProviderApp) -> str:
        owner = "shared by all" if row.tenant is None else row.tenant.slug
        return f"{row.name} · {row.provider}, {owner}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderApp]:
        is_set = ExpressionWrapper(Q(secrets__isnull=False), output_field=BooleanField())
        made = count_up_to(Connection.objects.all(), "provider_app")
        pushes = ExpressionWrapper(Q(push_secrets__isnull=False), output_field=BooleanField())
        rows = super().get_queryset(request)
        return rows.annotate(has_secrets=is_set, has_push_secret=pushes, connections_made=made)

    # --- the form -----------------------------------------------------------------------------------------------------
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.has_add_permission(request) and _chosen(request) is None:
            return HttpResponseRedirect(reverse("catalogue:list"))
        return super().add_view(request, form_url, extra_context)

    @method_decorator(csrf_protect)
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Serve the form without Django's transaction around it: checking the form may call the provider."""
        return self._changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: ProviderApp | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[ProviderApp]]:
        known = _kind(request, obj)
        if known is None or not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            kwargs["form"] = forms.ModelForm
            return super().get_form(request, obj, change, **kwargs)
        entry, style = known
        has_secrets = obj is not None and _has_secrets(obj)
        kwargs["form"] = form_for(request, entry, style, has_secrets=has_secrets)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: ProviderApp | None = None) -> Any:
        shown = () if obj is None else ("state", "redirect", "related")
        owner = "tenant" if obj is None else "owner"
        known = _kind(request, obj)
        writable = known is not None and (obj is None or self.has_change_permission(request, obj))
        if not writable or known is None:
            facts = ("name", "shown_provider", "style", "owner", "client_id", "secrets_state", "shown_params", *_SCOPES)
            return ((None, {"fields": facts}), ("Where it stands", {"fields": shown}))
        entry, style = known
        caution = ("caution",) if cautions_of(entry, style) else ()
        if entry.methods[style].is_legacy:
            caution = (*caution, "allows_legacy")
        parts: list[Any] = [(None, {"fields": ("shown_provider", "style", *caution, owner, "name")})]
        if shown:
            parts.append(("Where it stands", {"fields": shown}))
        method = entry.methods[style]
        if method.registers_client:
            has_secrets = obj is not None and _has_secrets(obj)
            secret_fields = ("client_secrets", "remove_secrets") if has_secrets else ("client_secrets",)
            parts.append(("Registration at the provider", {"fields": ("client_id", *secret_fields)}))
        if names := param_fields(entry):
            parts.append(("Parameters", {"fields": names}))
        if method.takes_scopes:
            parts.append(("Consent", {"fields": ("scopes", "required_scopes", "limits_scopes", "allowed_scopes")}))
        if obj is not None and obj.discovered:
            parts.append(("Discovered", {"classes": ["collapse"], "fields": ("shown_discovered",)}))
        return tuple(parts)

    def get_readonly_fields(self, request: HttpRequest, obj: ProviderApp | None = None) -> tuple[str, ...]:
        fixed = ("shown_provider", "style", "caution")
        if obj is None:
            return fixed
        return (*fixed, "owner", "state", "redirect", "related", "secrets_state", "shown_discovered", "shown_params")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def furnish(self, request: HttpRequest, context: dict[str, Any], row: ProviderApp | None) -> None:
        if row is not None:
            has_secrets = _has_secrets(row)
            context["app_page"] = app_page(
                row,
                has_secrets=has_secrets,
                has_push_secret=bool(getattr(row, "has_push_secret", False)),
                user=request.user,
                now=read_at(row),
            )
        if row is None and (chosen := _chosen(request)) is not None:
            entry, style = chosen
            shown = context["adminform"].form.instance
            shown.provider, shown.auth_style = entry.slug, style
            context["title"] = f"Add a provider app for {entry.name}"

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> ProviderApp:
        app: ProviderApp = form.prepared.app
        return app

    def save_model(self, request: HttpRequest, obj: ProviderApp, form: Any, change: bool) -> None:
        actor = operator_behind(request)
        done = register_itself(store_provider_app(form.prepared, actor=actor), actor=actor)
        if done.client is not None:
            told = f"Registered by {done.client.get_way_display()}, as the authorization server offers."
        elif not done.by_hand:
            told = f"The app is registered without hands. {done.told}"
        elif (done.told or not change) and obj.redirects:
            told = f"{done.told} Register this redirect URI at the provider: {redirect_uri(obj.id)}".strip()
        else:
            return
        self.message_user(request, told, messages.INFO)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: no other rows are saved with an app."""

    # --- columns ------------------------------------------------------------------------------------------------------
    @admin.display(description="Provider app", ordering="name")
    def what(self, row: ProviderApp) -> SafeString:
        return show.provider(listed().get(row.provider), row.name, row.provider)

    @admin.display(description="Provider", ordering="provider")
    def shown_provider(self, row: ProviderApp) -> SafeString | str:
        entry = load_catalog().get(row.provider)
        if entry is None:
            return f"{row.provider} (no longer in the catalogue)"
        url = reverse("catalogue:entry", args=[entry.slug])
        return format_html('<a href="{}">{}: what to do at the provider first</a>', url, entry.name)

    owner = columns.owner("Shared by all")

    @admin.display(description="Connects by", ordering="auth_style")
    def style(self, row: ProviderApp) -> str:
        return strategy_for(row.auth_style).title if row.auth_style else show.NOTHING

    @admin.display(description="Caution")
    def caution(self, row: ProviderApp) -> SafeString:
        entry = load_catalog().get(row.provider)
        told = () if entry is None else cautions_of(entry, row.auth_style)
        return show.join([format_html('<p class="caution">{}</p>', sentence) for sentence in told])

    @admin.display(description="State", ordering="suspended_at")
    def state(self, row: ProviderApp) -> SafeString:
        if row.is_draft:
            return show.join([show.chip("Draft: no client ID", "busy"), show.switches(row)])
        return show.switches(row) or show.chip("Registers itself" if row.registers_itself else "Ready", "good")

    @admin.display(description="Client secrets")
    def secrets_state(self, row: ProviderApp) -> str:
        entry = load_catalog().get(row.provider)
        method = None if entry is None else entry.methods.get(row.auth_style)
        if method is not None and not method.registers_client:
            return show.NOTHING
        if not _has_secrets(row):
            return "not set"
        return client_secret_forms.told_of_secrets(row, in_full=False)

    @admin.display(description="Connections")
    def connection_count(self, row: Annotated[ProviderApp, Annotations[_Counted]]) -> SafeString:
        return show.list_link(counted(row.connections_made), Connection, app=row.id)

    @admin.display(description="Redirect URI")
    def redirect(self, row: ProviderApp) -> SafeString | str:
        if not row.redirects:
            return "not needed"
        if row.registers_itself:
            return show.list_link("one for each registered client", RegisteredClient, app=row.id)
        return show.copyable(redirect_uri(row.id))

    shown_params = columns.as_json("params", "Parameters")
    shown_discovered = columns.as_json("discovered", "The issuer's metadata")

    @admin.display(description="See also")
    def related(self, row: ProviderApp) -> SafeString:
        return show.join(
            [
                show.list_link("Connections", Connection, app=row.id),
                show.list_link("Connect sessions", ConnectSession, app=row.id),
                show.list_link("Incidents", Incident, app=row.id),
                show.list_link("Keys", AppKey, app=row.id),
                show.list_link("Registered clients", RegisteredClient, app=row.id),
                show.list_link("Received pushes", ReceivedPush, app=row.id),
                show.list_link("Audit trail", AuditEvent, app=row.id),
            ],
            " · ",
        )


def _chosen(request: HttpRequest) -> tuple[CatalogEntry, str] | None:
    """Return the catalogue entry and style that the form's address names, or None if they do not exist."""
    slug = request.GET.get("provider", "")
    entry = load_catalog().get(slug)
    if entry is None:
        return None
    wanted = request.GET.get("auth_style") or meant_by(slug)[1] or entry.auth_styles[0]
    return next(((entry, style) for style in entry.auth_styles if style == wanted), None)


def _kind(request: HttpRequest, obj: ProviderApp | None) -> tuple[CatalogEntry, str] | None:
    if obj is None:
        return _chosen(request)
    entry = load_catalog().get(obj.provider)
    is_described = entry is not None and obj.auth_style in entry.methods
    return (entry, obj.auth_style) if entry is not None and is_described else None
