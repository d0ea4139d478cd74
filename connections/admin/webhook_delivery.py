"""Webhook deliveries: how far each event has come on its way to each endpoint."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import age_of, id_filter
from connections.admin.long_list import LongListAdmin, in_newest
from connections.database.clock import database_now
from connections.lifecycle.steer.on_demand import Told
from connections.lifecycle.webhooks.resend import resend_one
from connections.models import Connection, DeliveryState, OutboxEvent, WebhookDelivery, WebhookEndpoint

_TONES = {DeliveryState.PENDING: "busy", DeliveryState.DELIVERED: "good", DeliveryState.FAILED: "bad"}


def _resend(request: HttpRequest, row: WebhookDelivery) -> Told:
    resend_one(row.endpoint_id, row.id, now=database_now(), actor=operator_behind(request))
    return Told(True, "resent", "It is delivered once more, at once.")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(
    LongListAdmin[WebhookDelivery], ButtonsAdmin[WebhookDelivery], ReadOnlyAdmin[WebhookDelivery]
):
    """One row for each event and endpoint. Of answers nothing is kept but their status."""

    list_title = "Webhook deliveries"
    buttons = (Button("resend", "Deliver once more", _resend, tone="primary"),)
    list_display = ("what", "to", "state_chip", "answer", "attempts", "attempted", "again")
    list_display_links = None  # the first column has links of its own
    list_filter = (
        "state",
        age_of("created_at"),
        id_filter("endpoint", "endpoint", "endpoint_id"),
        id_filter("connection", "connection", "event__connection_id"),
    )
    list_select_related = ("event", "endpoint")
    search_fields = ("event__type",)
    search_help_text = (
        "The id of a delivery, an event, an endpoint or a connection, or of the newest 100,000 a type or an address"
    )
    id_search_fields = ("id", "event__event_id", "endpoint_id", "event__connection_id")
    fields = ("what", "event_link", "to", "state_chip", "answer", "attempts", "attempted", "again", "created", "ended")

    def search(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery], term: str) -> QuerySet[WebhookDelivery]:
        return in_newest(queryset, Q(event__type__istartswith=term) | Q(endpoint__url__icontains=term))

    attempted = columns.moment("attempted_at", "Last tried")
    created = columns.moment("created_at", "Made")
    ended = columns.moment("ended_at", "Ended")
    again = columns.moment("next_attempt_at", "Tried again")

    @admin.display(description="Event", ordering="event_id")
    def what(self, row: WebhookDelivery) -> SafeString:
        about = show.id_link(Connection, row.event.connection_id) if row.event.connection_id else ""
        return show.two_lines(show.link(row, row.event.type), about)

    @admin.display(description="Event's page")
    def event_link(self, row: WebhookDelivery) -> SafeString | str:
        return show.id_link(OutboxEvent, row.event_id, row.event.event_id)

    @admin.display(description="Endpoint")
    def to(self, row: WebhookDelivery) -> SafeString | str:
        return show.id_link(WebhookEndpoint, row.endpoint_id, row.endpoint.url)

    @admin.display(description="State", ordering="state")
    def state_chip(self, row: WebhookDelivery) -> SafeString:
        state = DeliveryState(row.state)
        return show.chip(state.label, _TONES[state])

    @admin.display(description="Answer")
    def answer(self, row: WebhookDelivery) -> SafeString | str:
        if row.answer_status is None and not row.error:
            return show.NOTHING
        return show.join([row.answer_status or "", row.error])
