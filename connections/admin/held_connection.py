"""Held connections: whose refreshes wait because the database was put back to an earlier moment, and their release."""

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind, read_at
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import ChoiceFilter, TenantFilter, id_filter
from connections.admin.many import are_many, ask_about_many, confirmed, order_act
from connections.admin.proof import is_proven, page_that_proves
from connections.database.clock import database_now
from connections.lifecycle.quarantine.release import Unsorted, release
from connections.lifecycle.steer.on_demand import Told, release_on_demand
from connections.models import BulkAct, Connection, HeldConnection, TokenVerdict
from connections.models.quarantine import held

_RELEASE_ASKS = (
    "They refresh again with the refresh tokens that they have. If the provider has replaced one since the moment to"
    " which the database was put back, and detects reuse, that ends its grant. Those whose token is known to be used"
    " are left alone."
)
_USED_ASKS = (
    "It refreshes again with a refresh token that is known to be used. Where the provider detects reuse, that ends the"
    " grant: its end user then has to connect again, as without it."
)


def _release(request: HttpRequest, row: HeldConnection) -> Told | HttpResponse:
    return _let_go(request, row, with_used=False)


def _release_used(request: HttpRequest, row: HeldConnection) -> Told | HttpResponse:
    return _let_go(request, row, with_used=True)


def _let_go(request: HttpRequest, row: HeldConnection, *, with_used: bool) -> Told | HttpResponse:
    """Release ``row``, and go on to the page of its connection: its own is gone then."""
    actor = operator_behind(request)
    told = release_on_demand(row.connection_id, with_used=with_used, now=database_now(), actor=actor)
    if not told.is_success:
        return told
    messages.success(request, told.detail)
    return HttpResponseRedirect(show.page_url(row.connection))


class _TenantFilter(TenantFilter):
    lookup = "connection__tenant_id"


class _VendsFilter(ChoiceFilter):
    """By whether there is a credential left to vend."""

    title = "vends"
    parameter_name = "vends"
    _valid = Q(connection__access_expires_at=None) | Q(connection__access_expires_at__gt=Now())
    known = {"yes": ("Vends still", _valid), "no": ("Vends nothing", ~_valid)}


@admin.register(HeldConnection)
class HeldConnectionAdmin(ButtonsAdmin[HeldConnection], ReadOnlyAdmin[HeldConnection]):
    """Those that wait, whose access token ends next first. What a newer credential has freed is not among them."""

    list_title = "Refresh quarantine"
    buttons = (
        Button(
            "release",
            "Release",
            _release,
            lambda row: row.verdict != TokenVerdict.USED,
            asks=_RELEASE_ASKS,
            tone="danger",
            needs_proof=True,
        ),
        Button(
            "release-used",
            "Release all the same",
            _release_used,
            lambda row: row.verdict == TokenVerdict.USED,
            asks=_USED_ASKS,
            tone="danger",
            needs_proof=True,
        ),
    )
    actions = ("release",)
    list_display = ("about", "owner", "token", "vends_until", "since")
    list_display_links = ("token",)  # the first column leads to the connection
    list_filter = (_TenantFilter, "verdict", _VendsFilter, id_filter("connection", "connection", "connection_id"))
    list_select_related = ("connection__tenant",)
    ordering = ("connection__access_expires_at", "connection_id")
    search_fields = ("connection__end_user", "connection__tenant__slug", "connection__provider")
    search_help_text = "An end user, a tenant, a provider, or the id of a connection"
    id_search_fields = ("connection_id",)
    fields = ("about", "owner", "token", "what_to_do", "vends_until", "since", "sent")

    since = columns.moment("held_at", "Held since")
    sent = columns.moment("sent_at", "Token sent")

    def get_queryset(self, request: HttpRequest) -> QuerySet[HeldConnection]:
        return super().get_queryset(request).filter(held())

    def page_title(self, row: HeldConnection) -> str:
        return f"{row.connection.provider} for {row.connection.end_user or row.connection.tenant.slug}"

    @admin.display(description="Connection", ordering="connection__provider")
    def about(self, row: HeldConnection) -> SafeString | str:
        return show.two_lines(show.link(row.connection, row.connection.provider), str(row.connection_id)[:8])

    @admin.display(description="Owner", ordering="connection__tenant__slug")
    def owner(self, row: HeldConnection) -> SafeString:
        return show.two_lines(show.link(row.connection.tenant), row.connection.end_user or "whole tenant")

    @admin.display(description="Refresh token", ordering="verdict")
    def token(self, row: HeldConnection) -> SafeString:
        return show.chip(row.get_verdict_display(), "bad" if row.verdict == TokenVerdict.USED else "warn")

    @admin.display(description="What to do")
    def what_to_do(self, row: HeldConnection) -> str:
        if row.verdict == TokenVerdict.USED:
            return "Let the end user connect again: the token that replaced this one is lost."
        return "Release it if the provider has not replaced its token since, or let the end user connect again."

    @admin.display(description="Vends until", ordering="connection__access_expires_at")
    def vends_until(self, row: HeldConnection) -> SafeString | str:
        ends, now = row.connection.access_expires_at, read_at(row)
        if ends is None:
            return show.chip("no end known", "good")
        return show.chip("vends nothing", "bad") if ends <= now else show.moment(ends, now=now)

    @admin.action(description="Release…", permissions=["operate"])
    def release(self, request: HttpRequest, queryset: QuerySet[HeldConnection]) -> HttpResponse | None:
        if not is_proven(request):
            return page_that_proves(request, show.list_url(HeldConnection))
        rows: QuerySet[Connection] = Connection.objects.filter(id__in=queryset.order_by().values("connection_id"))
        is_long, asked = are_many(self, rows), confirmed(request, rows)
        if asked is None:
            return ask_about_many(self, request, rows, name="release", label="Release", asks=_RELEASE_ASKS)
        rows = asked
        if is_long:
            order_act(self, request, BulkAct.RELEASE, rows)
            return None
        ids = list(rows.values_list("id", flat=True))
        chosen = Q(connection_id__in=ids)
        try:
            count = release(chosen, with_used=False, actor=operator_behind(request), now=database_now())
        except Unsorted:
            words = "Everything waits until it is sorted, by a worker and once Redis answers: try again then."
            self.message_user(request, words, messages.ERROR)
            return None
        self.message_user(request, f"{count} released: they refresh again.", messages.SUCCESS)
        if left := HeldConnection.objects.filter(chosen, held()).count():
            words = f"{left} left alone, whose refresh token was used: let the end users connect again."
            self.message_user(request, words, messages.WARNING)
        return None
