"""Trusted issuers: whose tokens are believed, for what, and which of them are which API client.

``manage.py issuers`` trusts them. An operator with the right to may end the trust here, and see what it is.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import OwnerFilter
from connections.lifecycle.provision.trusted_issuers import distrust_issuer
from connections.lifecycle.steer.on_demand import Told
from connections.models import CallerRule, TrustedIssuer

MAY_TRUST = "connections.trust_issuer"
_ASKS = (
    "Tokens of this issuer are refused from the next call on, and its rules are deleted. "
    "To trust it again, run `manage.py issuers trust` and add the rules anew."
)


def _distrust(request: HttpRequest, row: TrustedIssuer) -> Told:
    distrust_issuer(row, actor=operator_behind(request))
    return Told(True, "distrusted", "Its tokens are refused from now on.")


@admin.register(TrustedIssuer)
class TrustedIssuerAdmin(ButtonsAdmin[TrustedIssuer], ReadOnlyAdmin[TrustedIssuer]):
    """One issuer, for one use and audience. Ending the trust needs a right of its own."""

    list_title = "Trusted issuers"
    buttons = (Button("distrust", "End the trust", _distrust, asks=_ASKS, tone="danger", needs_proof=True),)
    list_display = ("issuer", "use", "owner", "audience", "rule_count", "created")
    list_filter = ("use", OwnerFilter)
    list_select_related = ("tenant",)
    search_fields = ("issuer", "audience", "tenant__slug")
    search_help_text = "An issuer, an audience, a tenant or an id"
    id_search_fields = ("id", "tenant_id")
    fieldsets = (
        (None, {"fields": ("issuer", "use", "owner", "audience", "created_at")}),
        ("How its tokens are checked", {"fields": ("shown_keys", "shown_algorithms", "longest", "leeway")}),
        ("What they say", {"fields": ("claim", "groups_claim", "tenant_claim", "shown_rules")}),
    )

    owner = columns.owner("The operator")
    shown_algorithms = columns.codes("algorithms", "Algorithms")
    created = columns.moment("created_at", "Trusted")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrustedIssuer]:
        rules = CallerRule.objects.select_related("client__tenant")
        return super().get_queryset(request).prefetch_related(Prefetch("rules", rules))

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(MAY_TRUST))

    @admin.display(description="Keys")
    def shown_keys(self, row: TrustedIssuer) -> SafeString | str:
        if row.keys is not None:
            return f"Given by the operator: {len(row.keys)}"
        return show.code(row.jwks_url) if row.jwks_url else "Where its metadata says"

    @admin.display(description="Longest life of a token")
    def longest(self, row: TrustedIssuer) -> str:
        return f"{row.max_lifetime_seconds} s"

    @admin.display(description="Clocks may differ by")
    def leeway(self, row: TrustedIssuer) -> str:
        return f"{row.leeway_seconds} s"

    @admin.display(description="Rules")
    def rule_count(self, row: TrustedIssuer) -> int | str:
        return len(row.rules.all()) if row.use == "caller" else show.NOTHING

    @admin.display(description="Which API client a token is")
    def shown_rules(self, row: TrustedIssuer) -> SafeString | str:
        lines = [
            format_html("<p>{}: {}</p>", show.link(rule.client), show.join(map(_condition, rule.conditions), " and "))
            for rule in row.rules.all()
        ]
        return show.join(lines) or show.NOTHING


def _condition(condition: dict[str, Any]) -> SafeString:
    verb = "equals" if "equals" in condition else "matches"
    return format_html("{} {} {}", show.code(condition["claim"]), verb, show.code(condition[verb]))
