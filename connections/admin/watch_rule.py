"""The rules of watching use: what each looks for, and what is done about what it finds."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from connections.admin import show
from connections.admin.base import ReadOnlyAdmin, hidden_columns, label_of, operator_behind
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.searched import SearchedField
from connections.database.clock import database_now
from connections.lifecycle.steer.on_demand import Told
from connections.lifecycle.watch.lay import Canary, lay_canary
from connections.lifecycle.watch.settings import change_setting, watch_settings
from connections.models import LIVE, Connection, Finding, ProviderApp, Tenant, WatchRule, WatchSetting
from connections.refusals import InvalidRequest, NotFound

_SHOWN = 50
_FIELDS = ("what", "state", "least", "slows_down", "holds", "suspends", "findings")


class RuleForm(forms.ModelForm[WatchSetting]):
    """How a rule is set."""

    class Meta:
        model = WatchSetting
        fields = ("is_on", "least", "throttle_after", "hold_after", "kill_after")
        help_texts = dict.fromkeys(("hold_after", "kill_after"), "Minutes, as above.")


class CanaryForm(forms.Form):
    """What a canary is to look like."""

    tenant = SearchedField(
        Tenant.objects.all(),
        like=Connection._meta.get_field("tenant"),
        help_text="Among whose connections it is laid.",
    )
    provider_app = SearchedField(
        ProviderApp.objects.defer(*hidden_columns(ProviderApp)).select_related("tenant"),
        like=Connection._meta.get_field("provider_app"),
        help_text="Where it seems to lead: an app of the tenant's, or a shared one.",
    )
    end_user = forms.CharField(
        max_length=255, required=False, help_text="One whom your product never serves. Empty: the whole tenant's."
    )
    label = forms.CharField(max_length=64, required=False)
    account = forms.CharField(
        max_length=255, required=False, help_text="The name of the account at the provider, as it is shown."
    )


def _page(request: HttpRequest, row: WatchSetting, form: forms.BaseForm, *, title: str) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": title,
        "opts": WatchSetting._meta,
        "row": row,
        "form": form,
        "back_url": show.page_url(row),
    }
    return TemplateResponse(request, "admin/connections/form.html", context)


def _lay(request: HttpRequest, row: WatchSetting) -> HttpResponse | Told:
    form = CanaryForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        canary = Canary(end_user=given["end_user"], label=given["label"], account=given["account"])
        at = {"tenant": given["tenant"], "app": given["provider_app"]}
        try:
            laid = lay_canary(canary, **at, now=database_now(), actor=operator_behind(request))
            return Told(True, "laid", f"Laid: {laid.id}. Whoever touches it is found out.")
        except (InvalidRequest, NotFound) as refusal:
            field = refusal.extra.get("field", "provider_app")
            form.add_error(field if field in form.fields else None, refusal.detail)
    return _page(request, row, form, title="Lay a canary")


def _change(request: HttpRequest, row: WatchSetting) -> HttpResponse | Told:
    form = RuleForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        change_setting(form.instance, actor=operator_behind(request))
        return Told(True, "changed", "Changed: it holds for what is watched from now on, and for open findings.")
    return _page(request, row, form, title="Change the rule")


def _sees_connections(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("connections.view_connection"))


def _after(column: str, description: str) -> Callable[[Any, WatchSetting], str]:
    """Return a column that says when a step is taken."""

    @admin.display(description=description, ordering=column)
    def said(page: Any, row: WatchSetting) -> str:
        minutes = getattr(row, column)
        return "never" if minutes is None else f"after {minutes} minutes" if minutes else "at once"

    return said


@admin.register(WatchSetting)
class WatchRuleAdmin(ButtonsAdmin[WatchSetting], ReadOnlyAdmin[WatchSetting]):
    """There is a row for each rule. At first each tells of what it finds, and nothing else is done."""

    list_title = "Watch rules"
    buttons = (
        Button("change", "Change", _change, tone="primary", has_own_page=True, needs_proof=True),
        Button(
            "lay",
            "Lay a canary",
            _lay,
            lambda row: row.rule == WatchRule.CANARY_USED,
            has_own_page=True,
            needs_proof=True,
        ),
    )
    list_display = ("what", "state", "least", "slows_down", "holds", "suspends")
    id_search_fields = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[WatchSetting]:
        watch_settings()  # makes the rows before the first beat
        return super().get_queryset(request)

    def get_fields(self, request: HttpRequest, obj: WatchSetting | None = None) -> tuple[str, ...]:
        """Show the canaries to whoever may see connections, with the rule that watches them."""
        is_theirs = obj is not None and obj.rule == WatchRule.CANARY_USED
        return (*_FIELDS, "canaries") if is_theirs and _sees_connections(request) else _FIELDS

    def get_readonly_fields(self, request: HttpRequest, obj: WatchSetting | None = None) -> Any:
        return (*_FIELDS, "canaries")

    @admin.display(description="What it looks for", ordering="rule")
    def what(self, row: WatchSetting) -> str:
        return WatchRule(row.rule).label

    @admin.display(description="State", ordering="is_on")
    def state(self, row: WatchSetting) -> SafeString:
        return show.chip("On", "good") if row.is_on else show.chip("Off", "warn")

    slows_down = _after("throttle_after", "Slow down")
    holds = _after("hold_after", "Hold")
    suspends = _after("kill_after", "Suspend")

    @admin.display(description="See also")
    def findings(self, row: WatchSetting) -> SafeString:
        return show.list_link("Findings", Finding, rule__exact=row.rule)

    @admin.display(description="Canaries (the newest)")
    def canaries(self, row: WatchSetting) -> SafeString | str:
        rows = Connection.objects.filter(is_canary=True, status__in=LIVE).select_related("tenant")
        laid = rows.order_by("-created_at")[:_SHOWN]
        return show.join([show.link(one, label_of(one)) for one in laid], " · ") or "None is laid yet."
