"""Received pushes: what providers have told us by themselves, what came of it, and what was refused.

Nothing of a push is kept but the types of its events, so nothing else can be shown.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin
from connections.admin.filters import age_of, id_filter
from connections.admin.long_list import LongListAdmin, in_newest
from connections.models import AuditEvent, PushState, ReceivedPush

_TONES = {PushState.WAITING: "busy", PushState.DONE: "good", PushState.REFUSED: "bad"}
REFUSALS = {
    "no_secret": "No push secret is entered yet.",
    "signature_missing": "It bears no signature.",
    "signature": "It was not signed with the secret that we have.",
    "timestamp": "It does not say when it was signed.",
    "stale": "It was signed too long ago, or the clocks differ.",
    "issuer": "The token is of another issuer.",
    "audience": "The token is meant for another client.",
    "token": "It is no security event token.",
    "keys_unavailable": "The issuer's keys could not be had.",
    "malformed": "It is signed, and is no JSON of one meaning.",
}


@admin.register(ReceivedPush)
class ReceivedPushAdmin(LongListAdmin[ReceivedPush], ReadOnlyAdmin[ReceivedPush]):
    """One row a push; one for many where they were refused."""

    list_title = "Received pushes"
    list_display = ("what", "app", "state_chip", "outcome", "received")
    list_filter = ("state", age_of("received_at"), id_filter("app", "provider app", "provider_app_id"))
    list_select_related = ("provider_app__tenant",)
    search_fields = ("event_types",)
    search_help_text = "The id of a push or of a provider app, or of the newest 100,000 a type"
    id_search_fields = ("id", "provider_app_id")
    fields = ("what", "app", "state_chip", "outcome", "repeats", "is_echo", "received", "done", "related")

    def get_readonly_fields(self, request: HttpRequest, obj: ReceivedPush | None = None) -> Any:
        return self.fields

    def search(self, request: HttpRequest, queryset: QuerySet[ReceivedPush], term: str) -> QuerySet[ReceivedPush]:
        return in_newest(queryset, Q(event_types__contains=[term]))

    received = columns.moment("received_at", "Came")
    done = columns.moment("done_at", "Acted on")

    @admin.display(description="Push")
    def what(self, row: ReceivedPush) -> str:
        return ", ".join(row.event_types[:3]) or ("unread" if row.state == PushState.REFUSED else "nothing")

    @admin.display(description="Provider app")
    def app(self, row: ReceivedPush) -> SafeString | str:
        return show.link(row.provider_app)

    @admin.display(description="State", ordering="state")
    def state_chip(self, row: ReceivedPush) -> SafeString:
        state = PushState(row.state)
        return show.chip(state.label, _TONES[state])

    @admin.display(description="What came of it")
    def outcome(self, row: ReceivedPush) -> str:
        if row.state == PushState.REFUSED:
            times = f" {row.count} times." if row.count > 1 else ""
            return REFUSALS.get(row.why, row.why) + times
        parts = ((row.ended, "ended"), (row.connections - row.ended, "asked about"), (row.forwarded, "passed on"))
        return ", ".join(f"{count} {words}" for count, words in parts if count) or "About nothing that we know."

    @admin.display(description="See also")
    def related(self, row: ReceivedPush) -> SafeString | str:
        return show.list_link("Audit trail", AuditEvent, app=row.provider_app_id)
