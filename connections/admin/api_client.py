"""API clients and their keys. A key is shown once, by the page that answers the click that made it."""

import uuid
from datetime import timedelta
from typing import Annotated, Any, TypedDict

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django_stubs_ext import Annotations

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind, read_at
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import OwnerFilter, SwitchFilter, UsableKeyFilter, id_filter
from connections.admin.proof import MAY_ENTRUST, MAY_ISSUE, prove, with_request
from connections.admin.switch_buttons import suspend_buttons
from connections.database.clock import database_now
from connections.lifecycle.policy.client_rules import check_rules
from connections.lifecycle.provision.api_clients import (
    IssuedKey,
    check_permissions,
    issue_key,
    revoke_key,
    rotate_key,
    save_api_client,
)
from connections.lifecycle.steer.on_demand import Told
from connections.lifecycle.watch.settle import vouch
from connections.models import ApiClient, ApiKey, AuditEvent, ConnectSession, Finding, Permission, Tenant
from connections.refusals import InvalidRequest

_SUSPEND_ASKS = "Every call with a key of this client is refused until it is resumed."
_VOUCH_ASKS = "Its use was suspicious. With your word it works as before, with the keys that it has."
_SHOWN_KEYS = 20
_NOT_ENTRUSTED = (
    "An operator-wide client, one that vends without naming an end user, one that gives access grants, one that makes "
    "provider apps or API clients, and one that may skip the completion check need an operator with the right to "
    "entrust API clients: ask one."
)
_REVOKE_ASKS = "Calls with this key are refused at once, and for good. The client's other keys stay as they are."


class ApiClientForm(forms.ModelForm[ApiClient]):
    """Who may call, and for what. A change that lets a client do more than before needs a proof of who makes it.

    A client that reaches beyond the named end users of one tenant also needs a permission of its own.
    """

    request: HttpRequest

    permissions = forms.MultipleChoiceField(
        choices=Permission.choices, widget=forms.CheckboxSelectMultiple, required=False
    )

    proxy_rules = forms.CharField(
        label="Proxy rules",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 70}),
        help_text="What it may call through the proxy, a rule a line: a provider or *, methods or readonly or *, and a "
        "path with * for a segment and /** at the end for all below. For instance: hubspot readonly /crm/v3/**",
    )

    class Meta:
        model = ApiClient
        fields = ("name", "tenant", "permissions", "proxy_rules", "allows_unbound")
        labels = {"allows_unbound": "May skip the completion check"}
        help_texts = {
            "tenant": "Leave it empty for an operator-wide client, which names the tenant in each call.",
            "allows_unbound": "Lets it make connect sessions that nobody confirms (binding: none). Whoever gets such a "
            "link can be tricked into connecting their account to somebody else's: see the README.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["proxy_rules"] = "\n".join(self.instance.proxy_rules)

    def clean_proxy_rules(self) -> list[str]:
        lines = [line for line in self.cleaned_data["proxy_rules"].splitlines() if line.strip()]
        try:
            return check_rules(lines)
        except InvalidRequest as refusal:
            raise forms.ValidationError(refusal.detail) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        tenant = cleaned.get("tenant") if "tenant" in self.fields else self.instance.tenant
        try:
            check_permissions([Permission(name) for name in cleaned.get("permissions", ())], tenant=tenant)
        except InvalidRequest as refusal:
            self.add_error("permissions", refusal.detail)
        if not self.errors:
            self._check_right(cleaned, tenant)
        return cleaned

    def _check_right(self, cleaned: dict[str, Any], tenant: Tenant | None) -> None:
        """Add an error if the client gains rights that the operator may not grant, or without the right password."""
        before = None if self.instance._state.adding else ApiClient.objects.get(pk=self.instance.pk)
        after = ApiClient(tenant=tenant, permissions=cleaned["permissions"], allows_unbound=cleaned["allows_unbound"])
        known = set() if before is None else {*before.permissions}
        ruled = set() if before is None else {*before.proxy_rules}
        gains = not known.issuperset(after.permissions) or not ruled.issuperset(cleaned["proxy_rules"])
        unbinds = after.allows_unbound and not (before is not None and before.allows_unbound)
        if not gains and not unbinds:
            return
        if after.is_entrusted and not self.request.user.has_perm(MAY_ENTRUST):
            self.add_error(None, _NOT_ENTRUSTED)
            return
        try:
            prove(self.request)
        except forms.ValidationError as error:
            self.add_error(None, error)


class KeyForm(forms.Form):
    """How long a fresh key lives; ``key_id`` makes a repeated click harmless."""

    days = forms.TypedChoiceField(
        label="Lives for",
        coerce=int,
        choices=[(30, "30 days"), (90, "90 days"), (365, "a year"), (1825, "5 years")],
        initial=365,
    )
    key_id = forms.UUIDField(widget=forms.HiddenInput)


class RotationForm(KeyForm):
    """The form for a rotation: the same, and how long the earlier keys go on working."""

    overlap_hours = forms.TypedChoiceField(
        label="Earlier keys end after",
        coerce=int,
        choices=[(0, "no time: at once"), (1, "an hour"), (24, "a day"), (168, "a week")],
        initial=24,
        help_text="Time to give the new key to every process that calls.",
    )


def _key_page(
    request: HttpRequest, client: ApiClient, *, title: str, form: forms.Form, issued: IssuedKey | None = None
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": title,
        "opts": ApiClient._meta,
        "row": client,
        "form": form,
        "issued": issued,
        "back_url": show.page_url(client),
    }
    response = TemplateResponse(request, "admin/connections/api_key.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _issue(request: HttpRequest, client: ApiClient) -> HttpResponse | Told:
    return _answer_with_key(request, client, form_class=KeyForm, title="Issue an API key")


def _rotate(request: HttpRequest, client: ApiClient) -> HttpResponse | Told:
    return _answer_with_key(request, client, form_class=RotationForm, title="Rotate the API keys")


def _answer_with_key(
    request: HttpRequest, client: ApiClient, *, form_class: type[KeyForm], title: str
) -> HttpResponse | Told:
    if client.is_entrusted and not request.user.has_perm(MAY_ENTRUST):
        raise PermissionDenied
    form = form_class(request.POST or None, initial={"key_id": uuid.uuid4()})
    if request.method != "POST" or not form.is_valid():
        return _key_page(request, client, title=title, form=form)
    terms: dict[str, Any] = {
        "now": database_now(),
        "lifetime": timedelta(days=form.cleaned_data["days"]),
        "actor": operator_behind(request),
        "key_id": form.cleaned_data["key_id"],
    }
    try:
        if form_class is RotationForm:
            issued = rotate_key(client, overlap=timedelta(hours=form.cleaned_data["overlap_hours"]), **terms)
        else:
            issued = issue_key(client, **terms)
    except IntegrityError:
        return Told(False, "repeated", "That click has already made a key, which is not shown a second time.")
    return _key_page(request, client, title="The new API key", form=form, issued=issued)


def _vouch(request: HttpRequest, row: ApiClient) -> Told:
    lifted = vouch(row, actor=operator_behind(request))
    return Told(lifted, "vouched", "You vouch for it: it works as before." if lifted else "It was not restricted.")


class _Counted(TypedDict):
    usable_keys: int


@admin.register(ApiClient)
class ApiClientAdmin(ButtonsAdmin[ApiClient]):
    """Made and changed through the lifecycle; the name and the tenant are fixed once it is made."""

    list_title = "API clients"
    form = ApiClientForm
    buttons = (
        Button(
            "issue-key",
            "Issue a key",
            _issue,
            tone="primary",
            has_own_page=True,
            permission=MAY_ISSUE,
            needs_proof=True,
        ),
        Button("rotate-keys", "Rotate keys", _rotate, has_own_page=True, permission=MAY_ISSUE, needs_proof=True),
        Button("vouch", "Vouch for it", _vouch, lambda row: row.restriction != "", asks=_VOUCH_ASKS, needs_proof=True),
        *suspend_buttons(_SUSPEND_ASKS),
    )
    actions = None
    list_display = ("name", "owner", "shown_permissions", "state", "key_count", "created")
    list_filter = (SwitchFilter, OwnerFilter, "allows_unbound")
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__slug", "keys__prefix")
    search_help_text = "A name, a tenant, the beginning of a key (lk_…, 10 characters) or an id"
    id_search_fields = ("id", "tenant_id")
    autocomplete_fields = ("tenant",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiClient]:
        usable = Count("keys", filter=Q(keys__revoked_at=None, keys__expires_at__gt=Now()), distinct=True)
        return super().get_queryset(request).annotate(usable_keys=usable)

    def get_fieldsets(self, request: HttpRequest, obj: ApiClient | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("name", "tenant", "permissions", "proxy_rules", "allows_unbound")}),)
        may_change = self.has_change_permission(request, obj)
        readable = ("shown_permissions", "shown_rules", "allows_unbound")
        writable = ("permissions", "proxy_rules", "allows_unbound")
        return (
            (None, {"fields": ("name", "owner", "state", "related")}),
            (
                "What it may do",
                {"fields": writable if may_change else readable},
            ),
            (
                "How it must prove itself",
                {
                    "fields": ("shown_networks", "demands_verified"),
                    "description": "These are set by `manage.py api_clients restrict`.",
                },
            ),
        )

    def get_form(
        self, request: HttpRequest, obj: ApiClient | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[ApiClient]]:
        return with_request(super().get_form(request, obj, change, **kwargs), request)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiClient | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        shown = ("shown_permissions", "shown_rules", "shown_networks", "demands_verified")
        return ("name", "owner", "state", "related", *shown)

    def furnish(self, request: HttpRequest, context: dict[str, Any], row: ApiClient | None) -> None:
        if row is not None:
            newest = ApiKey.objects.filter(client=row).defer("key_hash").annotate(read_at=Now())[:_SHOWN_KEYS]
            context["keys"] = [(key, _key_state(key)) for key in newest]
            context["now"] = read_at(row)

    def save_model(self, request: HttpRequest, obj: ApiClient, form: Any, change: bool) -> None:
        saved = save_api_client(
            obj.name,
            tenant=obj.tenant,
            permissions=[Permission(name) for name in form.cleaned_data["permissions"]],
            allows_unbound=obj.allows_unbound,
            proxy_rules=form.cleaned_data["proxy_rules"],
            actor=operator_behind(request),
        )
        obj.pk = saved.pk

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: no other rows are saved with a client, because buttons make its keys."""

    owner = columns.owner("Operator-wide")
    shown_permissions = columns.codes("permissions", "Permissions")
    shown_rules = columns.codes("proxy_rules", "Proxy rules")
    shown_networks = columns.codes("networks", "Networks it may call from")

    @admin.display(description="State", ordering="suspended_at")
    def state(self, row: ApiClient) -> SafeString:
        unbound = show.chip("May skip the check", "warn") if row.allows_unbound else ""
        restricted = show.chip(row.get_restriction_display(), "bad") if row.restriction else ""
        return show.join([show.switches(row) or restricted or show.chip("On", "good"), unbound])

    @admin.display(description="Usable keys", ordering="usable_keys")
    def key_count(self, row: Annotated[ApiClient, Annotations[_Counted]]) -> SafeString:
        return show.list_link(row.usable_keys, ApiKey, client=row.id)

    created = columns.moment("created_at", "Made")

    @admin.display(description="See also")
    def related(self, row: ApiClient) -> SafeString:
        return show.join(
            [
                show.list_link("Keys", ApiKey, client=row.id),
                show.list_link("Connect sessions", ConnectSession, client=row.id),
                show.list_link("Suspicious use", Finding, client=row.id),
                show.list_link("Audit trail", AuditEvent, client=row.id),
            ],
            " · ",
        )


def _revoke(request: HttpRequest, row: ApiKey) -> Told:
    revoked = revoke_key(row, now=database_now(), actor=operator_behind(request))
    return Told(revoked, "revoked", "Revoked: calls with it are refused from now on." if revoked else "It was revoked.")


@admin.register(ApiKey)
class ApiKeyAdmin(ButtonsAdmin[ApiKey], ReadOnlyAdmin[ApiKey]):
    """The keys by their visible prefix. They are made on the page of their client, and revoked here."""

    list_title = "API keys"

    buttons = (
        Button(
            "revoke",
            "Revoke",
            _revoke,
            lambda row: row.revoked_at is None,
            asks=_REVOKE_ASKS,
            tone="danger",
            needs_proof=True,
        ),
    )
    list_display = ("prefix", "of", "state", "expires", "created")
    list_filter = (UsableKeyFilter, id_filter("client", "API client", "client_id"))
    list_select_related = ("client__tenant",)
    search_fields = ("prefix", "client__name", "client__tenant__slug")
    search_help_text = "The beginning of a key (lk_…, 10 characters), a client, a tenant or an id"
    id_search_fields = ("id", "client_id")
    date_hierarchy = "expires_at"
    fields = ("prefix", "of", "state", "created_at", "expires_at", "revoked_at")

    @admin.display(description="API client", ordering="client__name")
    def of(self, row: ApiKey) -> SafeString | str:
        tenant = row.client.tenant.slug if row.client.tenant else "operator-wide"
        return show.join([show.link(row.client), f"({tenant})"])

    @admin.display(description="State")
    def state(self, row: ApiKey) -> SafeString:
        return _key_state(row)

    expires = columns.moment("expires_at", "Expires")
    created = columns.moment("created_at", "Issued")


def _key_state(row: ApiKey) -> SafeString:
    if row.revoked_at is not None:
        return show.chip("Revoked", "bad")
    return show.chip("Expired", "warn") if row.expires_at <= read_at(row) else show.chip("Usable", "good")
