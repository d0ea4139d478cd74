"""Notices: what the operator's people were told by mail, and how far each mail has come."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString, mark_safe

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind
from connections.admin.buttons import Button, ButtonsAdmin
from connections.database.clock import database_now
from connections.lifecycle.notices.order import order_test, send_again
from connections.lifecycle.steer.on_demand import Told
from connections.models import ENDED, Notice, NoticeState
from connections.refusals import InvalidRequest

_TONES = {
    NoticeState.WAITING: "busy",
    NoticeState.HANDING: "busy",
    NoticeState.SENT: "good",
    NoticeState.UNKNOWN: "warn",
    NoticeState.FAILED: "bad",
    NoticeState.OFF: "plain",
}


def _send_again(request: HttpRequest, row: Notice) -> Told:
    send_again(row.id, now=database_now(), actor=operator_behind(request))
    return Told(True, "sent_again", "It is mailed once more, at once.")


@admin.register(Notice)
class NoticeAdmin(ButtonsAdmin[Notice], ReadOnlyAdmin[Notice]):
    """One row for each cause. Latchkey mails none of them twice; an operator may."""

    list_title = "Notices by mail"
    buttons = (
        Button(
            "send-again",
            "Mail once more",
            _send_again,
            lambda row: row.state in ENDED,
            asks="It goes to all addresses of OPERATOR_MAIL. Where it was perhaps sent, it may arrive a second time.",
        ),
    )
    list_display = ("subject", "state_chip", "attempts", "created", "ended", "again")
    list_filter = ("state",)
    search_fields = ("subject", "cause")
    search_help_text = "A subject, a cause or an id"
    fields = ("subject", "state_chip", "text", "cause", "attempts", "error", "created", "ended", "again")

    created = columns.moment("created_at", "Told")
    ended = columns.moment("ended_at", "Ended")
    again = columns.moment("due_at", "Due")

    def get_urls(self) -> list[URLPattern]:
        own = path("test/", self.admin_site.admin_view(self.test_view), name="connections_notice_test")
        return [own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        can = {"can_test": self.has_operate_permission(request)}
        return super().changelist_view(request, {**can, **(extra_context or {})})

    def test_view(self, request: HttpRequest) -> HttpResponse:
        """Order a test mail, and go to its page."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            notice = order_test(now=database_now(), actor=operator_behind(request))
        except InvalidRequest as refusal:
            self.message_user(request, refusal.detail, messages.WARNING)
            return HttpResponseRedirect(show.list_url(Notice))
        self.message_user(request, "A worker mails it now. This page says what came of it; load it again.")
        return HttpResponseRedirect(show.page_url(notice))

    @admin.display(description="State", ordering="state")
    def state_chip(self, row: Notice) -> SafeString:
        state = NoticeState(row.state)
        return show.chip(state.label, _TONES[state])

    @admin.display(description="Text")
    def text(self, row: Notice) -> SafeString:
        return show.join(row.body.splitlines(), mark_safe("<br>"))
