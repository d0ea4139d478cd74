"""The proof of the audit trail: its seals, and the verifications that name what is broken first."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind
from connections.admin.filters import ChoiceFilter
from connections.database.clock import database_now
from connections.journal.verifications import order_verification
from connections.models import AuditEvent, AuditSeal, AuditVerification

_WORDS = {
    "row_changed": "A row was changed",
    "row_deleted": "A row was deleted",
    "row_added": "A row was added later",
    "seal_missing": "A seal is missing",
    "seal_changed": "A seal was changed",
    "signature_wrong": "A seal is not signed",
    "key_unknown": "A key is missing",
    "chain_broken": "The chain is broken",
    "leaves_missing": "A seal was emptied",
}


@admin.register(AuditSeal)
class AuditSealAdmin(ReadOnlyAdmin[AuditSeal]):
    """The seals, the newest first. What they know of their rows is not read here: verifications compare it."""

    list_title = "Seals of the audit trail"
    list_display = ("shown_number", "rows", "covers", "key", "sealed")
    search_fields = ("number",)
    search_help_text = "The number of a seal"
    id_search_fields = ()
    fields = ("number", "rows", "covers", "newest_at", "anchor", "key", "sealed_at")

    sealed = columns.moment("sealed_at", "Sealed")

    @admin.display(description="Seal", ordering="number")
    def shown_number(self, row: AuditSeal) -> str:
        return str(row.number)

    @admin.display(description="Audit rows", ordering="last_id")
    def covers(self, row: AuditSeal) -> str:
        return f"{row.first_id} to {row.last_id}"

    @admin.display(description="Signed by", ordering="key_id")
    def key(self, row: AuditSeal) -> SafeString | str:
        return show.code(row.key_id)

    @admin.display(description="Anchor")
    def anchor(self, row: AuditSeal) -> SafeString:
        return show.copyable(f"{row.number}:{row.hash}")


class _ResultFilter(ChoiceFilter):
    """By the result."""

    title = parameter_name = "result"
    known = {
        "whole": ("Whole", Q(finding={}, finished_at__isnull=False)),
        "broken": ("Broken", ~Q(finding={})),
        "under_way": ("Under way", Q(finished_at=None)),
    }


@admin.register(AuditVerification)
class AuditVerificationAdmin(ReadOnlyAdmin[AuditVerification]):
    """Verifications, the newest first: the workers run one a day, and whichever an operator orders."""

    list_title = "Proof of the audit trail"
    list_display = ("shown_result", "compared", "who", "ordered", "finished")
    list_filter = (_ResultFilter,)
    search_fields = ("operator",)
    search_help_text = "An operator or an id"
    fields = (
        "shown_result",
        "first_broken",
        "compared",
        "shown_unsealed",
        "limits",
        "who",
        "ordered_at",
        "finished_at",
    )

    ordered = columns.moment("ordered_at", "Ordered")
    finished = columns.moment("finished_at", "Finished")

    def get_urls(self) -> list[URLPattern]:
        own = path("order/", self.admin_site.admin_view(self.order_view), name="connections_auditverification_order")
        return [own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        can = {"can_order": self.has_operate_permission(request)}
        return super().changelist_view(request, {**can, **(extra_context or {})})

    def order_view(self, request: HttpRequest) -> HttpResponse:
        """Order a verification, and go to its page."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        run = order_verification(now=database_now(), actor=operator_behind(request))
        if run is None:
            self.message_user(request, "Nothing is sealed yet: the first seal comes within minutes.", messages.WARNING)
            return HttpResponseRedirect(show.list_url(AuditVerification))
        self.message_user(request, "The workers verify all seals. This page says how far they are; load it again.")
        return HttpResponseRedirect(show.page_url(run))

    @admin.display(description="Result")
    def shown_result(self, row: AuditVerification) -> SafeString:
        if row.finished_at is None:
            return show.chip(f"Under way: seal {row.reached} of {row.to_seal}", "busy")
        if row.finding:
            return show.chip(_WORDS.get(row.finding["kind"], "Broken"), "bad")
        return show.chip("Whole", "good")

    @admin.display(description="What is broken first")
    def first_broken(self, row: AuditVerification) -> SafeString | str:
        if not row.finding:
            return "Nothing that was looked at."
        found = row.finding
        links = [
            show.id_link(AuditEvent, found["row"], f"row {found['row']}") if found["row"] else "",
            show.id_link(AuditSeal, found["seal"], f"seal {found['seal']}"),
        ]
        further = [f"{found['further']} further seals are broken"] if found.get("further") else []
        return show.join([found["detail"], *(link for link in links if link), *further])

    @admin.display(description="Compared")
    def compared(self, row: AuditVerification) -> str:
        return f"{row.rows} rows, {row.reached} of {row.to_seal} seals"

    @admin.display(description="Not sealed at its end")
    def shown_unsealed(self, row: AuditVerification) -> str:
        return f"{row.unsealed} rows"

    @admin.display(description="What it cannot tell")
    def limits(self, row: AuditVerification) -> SafeString:
        tail = (
            "Whether the newest seals were removed together with their rows; an anchor from the log or an export tells:"
        )
        before = "Nor what was done to a row before it was sealed."
        return show.join([tail, show.code("manage.py audit verify --anchor"), before])

    @admin.display(description="Ordered by", ordering="operator")
    def who(self, row: AuditVerification) -> str:
        return row.operator or "Latchkey"
