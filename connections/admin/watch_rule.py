"""The rules of watching use: what each looks for, and what is done about what it finds."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from connections.admin import show
from connections.admin.base import ReadOnlyAdmin, operator_behind
from connections.admin.buttons import Button, ButtonsAdmin
from connections.lifecycle.steer.on_demand import Told
from connections.lifecycle.watch.settings import change_setting, watch_settings
from connections.models import Finding, WatchRule, WatchSetting


class RuleForm(forms.ModelForm[WatchSetting]):
    """How a rule is set."""

    class Meta:
        model = WatchSetting
        fields = ("is_on", "least", "throttle_after", "hold_after", "kill_after")


def _change(request: HttpRequest, row: WatchSetting) -> HttpResponse | Told:
    form = RuleForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        change_setting(form.instance, actor=operator_behind(request))
        return Told(True, "changed", "Changed: it holds for what is watched from now on, and for open findings.")
    context = {
        **admin.site.each_context(request),
        "title": "Change the rule",
        "opts": WatchSetting._meta,
        "row": row,
        "form": form,
        "back_url": show.page_url(row),
    }
    return TemplateResponse(request, "admin/connections/form.html", context)


@admin.register(WatchSetting)
class WatchRuleAdmin(ButtonsAdmin[WatchSetting], ReadOnlyAdmin[WatchSetting]):
    """There is a row for each rule. At first each tells of what it finds, and nothing else is done."""

    list_title = "Watch rules"
    buttons = (Button("change", "Change", _change, tone="primary", has_own_page=True, needs_proof=True),)
    list_display = ("what", "state", "least", "throttle_after", "hold_after", "kill_after")
    id_search_fields = ()
    fields = ("what", "state", "least", "throttle_after", "hold_after", "kill_after", "findings")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WatchSetting]:
        watch_settings()  # makes the rows before the first beat
        return super().get_queryset(request)

    def get_readonly_fields(self, request: HttpRequest, obj: WatchSetting | None = None) -> Any:
        return self.fields

    @admin.display(description="What it looks for", ordering="rule")
    def what(self, row: WatchSetting) -> str:
        return WatchRule(row.rule).label

    @admin.display(description="State", ordering="is_on")
    def state(self, row: WatchSetting) -> SafeString:
        return show.chip("On", "good") if row.is_on else show.chip("Off", "warn")

    @admin.display(description="See also")
    def findings(self, row: WatchSetting) -> SafeString:
        return show.list_link("Findings", Finding, rule__exact=row.rule)
