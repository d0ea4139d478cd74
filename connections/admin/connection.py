"""Connections: their list, their page, and what operators may do to them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind, read_at
from connections.admin.buttons import Button, ButtonsAdmin, done
from connections.admin.connection_page import connection_page
from connections.admin.filters import (
    HealthFilter,
    ProviderOfConnectionFilter,
    ReasonFilter,
    TenantFilter,
    age_of,
    id_filter,
)
from connections.admin.long_list import LongListAdmin, found_connections
from connections.admin.many import are_many, ask_about_many, confirmed, order_act
from connections.admin.proof import is_proven, page_that_proves
from connections.admin.switch_buttons import pause_buttons, suspend_buttons
from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.steer import on_demand, switches
from connections.lifecycle.steer.on_demand import Told
from connections.lifecycle.steer.outlook import refresh_at
from connections.models import LIVE, VENDS, BulkAct, Connection, Status

AT_ONCE = 5  # up to so many connections are called while the operator waits; for more, tasks are sent

_REVOKE_ASKS = (
    "Vends stop at once, and the provider is asked to revoke the grant. The end user can connect it anew afterwards."
)
_DISCONNECT_ASKS = (
    "Vends stop at once, the provider is asked to revoke the grant, and the stored secrets are destroyed. "
    "What is disconnected is over for good: the end user has to make a new connection."
)
_SUSPEND_ASKS = "Nothing of this connection vends or refreshes until it is resumed. The grant itself stays as it is."


_DISCARD_ASKS = (
    "What the provider answered is destroyed, tokens included, and the next refresh is sent with the refresh token "
    "before it. If the provider has replaced that one, the end user has to connect again."
)


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked before an act on many rows; before one on few only where it ``is_always_asked``."""

    label: str
    asks: str
    tone: str = "primary"
    is_always_asked: bool = False
    needs_proof: bool = False


_QUESTIONS = {
    "refresh": _Question("Refresh", "Each gets a new access token from its provider, whatever it has now."),
    "probe": _Question("Probe", "Each provider is called, to prove that the credential still works."),
    "pause": _Question(
        "Pause", "They are not refreshed or probed until they are unpaused; what is valid vends.", needs_proof=True
    ),
    "unpause": _Question("Unpause", "They are refreshed and probed again."),
    "suspend": _Question("Suspend", _SUSPEND_ASKS, tone="danger", is_always_asked=True, needs_proof=True),
    "resume": _Question("Resume", "They vend and refresh again, whatever they were stopped for.", needs_proof=True),
    "revoke": _Question("Revoke", _REVOKE_ASKS, tone="danger", is_always_asked=True, needs_proof=True),
    "disconnect": _Question("Disconnect", _DISCONNECT_ASKS, tone="danger", is_always_asked=True, needs_proof=True),
    "export": _Question(
        "Export", "A file is made of whose they are and how they stand, without any secret.", needs_proof=True
    ),
}


def _vends(row: Connection) -> bool:
    return row.status in VENDS


def _refresh(request: HttpRequest, row: Connection) -> Told:
    return on_demand.refresh_on_demand(row.id, actor=operator_behind(request))


def _probe(request: HttpRequest, row: Connection) -> Told:
    return on_demand.probe_on_demand(row.id, actor=operator_behind(request))


def _reread(request: HttpRequest, row: Connection) -> Told:
    return on_demand.reread_on_demand(row.id, actor=operator_behind(request))


def _discard_answer(request: HttpRequest, row: Connection) -> Told:
    return on_demand.discard_on_demand(row.id, actor=operator_behind(request))


def _has_unread(row: Connection) -> bool:
    return row.answer_unread_at is not None


def _revoke(request: HttpRequest, row: Connection) -> Told:
    return on_demand.end_on_demand(row.id, now=database_now(), actor=operator_behind(request), keep=True)


def _disconnect(request: HttpRequest, row: Connection) -> Told:
    return on_demand.end_on_demand(row.id, now=database_now(), actor=operator_behind(request), keep=False)


@admin.register(Connection)
class ConnectionAdmin(LongListAdmin[Connection], ButtonsAdmin[Connection], ReadOnlyAdmin[Connection]):
    """Every column is the lifecycle's; operators press buttons."""

    buttons = (
        Button("refresh", "Refresh", _refresh, _vends, tone="primary"),
        Button("probe", "Probe", _probe, _vends),
        Button("reread", "Read its answer again", _reread, _has_unread, tone="primary"),
        Button(
            "discard-answer",
            "Discard its answer",
            _discard_answer,
            _has_unread,
            asks=_DISCARD_ASKS,
            tone="danger",
            needs_proof=True,
        ),
        *pause_buttons(),
        *suspend_buttons(_SUSPEND_ASKS),
        Button(
            "revoke",
            "Revoke",
            _revoke,
            lambda row: row.status in LIVE and row.status != Status.REVOKED,
            asks=_REVOKE_ASKS,
            tone="danger",
            needs_proof=True,
        ),
        Button(
            "disconnect",
            "Disconnect",
            _disconnect,
            lambda row: row.status != Status.DISCONNECTED,
            asks=_DISCONNECT_ASKS,
            tone="danger",
            needs_proof=True,
        ),
    )
    actions = ("refresh", "probe", "pause", "unpause", "suspend", "resume", "revoke", "disconnect", "export")
    list_display = ("what", "owner", "state", "next_refresh", "verified", "vended")
    list_filter = (
        "status",
        HealthFilter,
        ProviderOfConnectionFilter,
        TenantFilter,
        age_of("created_at"),
        ReasonFilter,
        "owner_kind",
        "binding",
        id_filter("app", "provider app", "provider_app_id"),
    )
    list_select_related = ("tenant", "provider_app")
    search_fields = ("end_user",)
    search_help_text = "An id, a provider, or the beginning of an end user, a label, an account or a tenant"
    id_search_fields = ("id", "tenant_id", "provider_app_id", "current_version_id")
    fieldsets = (
        ("Parameters and metadata", {"fields": ("shown_params", "shown_metadata", "shown_evidence")}),
        (
            "Times",
            {
                "classes": ["collapse"],
                "fields": (
                    "status_changed_at",
                    "access_expires_at",
                    "refresh_due_at",
                    "refresh_expires_at",
                    "grant_expires_at",
                    "next_attempt_at",
                    "refresh_enqueued_until",
                    "probe_due_at",
                    "refused_at",
                    "failures",
                    "revocation",
                    "revocation_due_at",
                    "revocation_deadline_at",
                    "created_at",
                    "updated_at",
                ),
            },
        ),
        (
            "Identifiers",
            {
                "classes": ["collapse"],
                "fields": ("id", "current_version_id", "grant_id", "provider_account_id"),
            },
        ),
    )

    def furnish(self, request: HttpRequest, context: dict[str, Any], row: Connection | None) -> None:
        if row is not None:
            context["page"] = connection_page(row, now=read_at(row), user=request.user)

    def page_title(self, row: Connection) -> str:
        return f"{row.provider} for {row.end_user or row.tenant.slug}"

    def choice_label(self, row: Connection) -> str:
        return f"{row.provider} for {row.end_user or 'the whole tenant'}, {row.tenant.slug} ({str(row.id)[:8]})"

    def search(self, request: HttpRequest, queryset: QuerySet[Connection], term: str) -> QuerySet[Connection]:
        return found_connections(queryset, term, user=request.user)

    # --- columns ------------------------------------------------------------------------------------------------------
    vended = columns.moment("last_vended_at", "Vended")
    shown_params = columns.as_json("params", "Parameters")
    shown_metadata = columns.as_json("metadata", "Metadata")
    shown_evidence = columns.as_json("evidence", "Evidence")

    @admin.display(description="Connection", ordering="provider")
    def what(self, row: Connection) -> SafeString:
        account = row.provider_account_name or row.provider_account_id
        return show.two_lines(
            f"{row.provider} · {row.label}" if row.label else row.provider, account or str(row.id)[:8]
        )

    @admin.display(description="Owner", ordering="tenant__slug")
    def owner(self, row: Connection) -> SafeString:
        return show.two_lines(show.link(row.tenant), row.end_user or "whole tenant")

    @admin.display(description="Status", ordering="status")
    def state(self, row: Connection) -> SafeString:
        chips = show.join([show.state_chip(row.status, row.get_status_display()), show.switches(row)])
        reason = "" if row.status == Status.ACTIVE else row.get_reason_display()
        return show.two_lines(chips, reason)

    @admin.display(description="Next refresh", ordering="refresh_due_at")
    def next_refresh(self, row: Connection) -> SafeString:
        failures = f"{row.failures} failed" if row.failures and row.status in VENDS else ""
        return show.two_lines(show.moment(refresh_at(row), now=read_at(row)), failures)

    @admin.display(description="Verified", ordering="verified_at")
    def verified(self, row: Connection) -> SafeString:
        by = f"by {row.verified_by}" if row.verified_by else ""
        return show.two_lines(show.moment(row.verified_at, now=read_at(row)), by)

    # --- actions ------------------------------------------------------------------------------------------------------
    @admin.action(description="Refresh", permissions=["operate"])
    def refresh(self, request: HttpRequest, queryset: QuerySet[Connection]) -> HttpResponse | None:
        return self._act(request, queryset, _of_id(_order_refresh), for_few=_of_id(on_demand.refresh_on_demand))

    @admin.action(description="Probe", permissions=["operate"])
    def probe(self, request: HttpRequest, queryset: QuerySet[Connection]) -> HttpResponse | None:
        return self._act(request, queryset, _of_id(on_demand.order_probe), for_few=_of_id(on_demand.probe_on_demand))

    @admin.action(description="Pause", permissions=["operate"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Connection]) -> HttpResponse | None:
        return self._turn(request, queryset, "Paused.", partial(switches.pause, now=database_now()))

    @admin.action(description="Unpause", permissions=["operate"])
    def unpause(self, request: HttpRequest, queryset: QuerySet[Connection]) -> HttpResponse | None:
        return self._turn(request, queryset, "Unpaused.", switches.unpause)

    @admin.action(description="Suspend…", permissions=["operate"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Connection]) -> HttpResponse | None:
        return self._turn(request, queryset, "Suspended.", partial(switches.suspend, now=database_now()))

    @admin.action(description="Resume", permissions=["operate"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Connection]) -> HttpResponse | None:
        return self._turn(request, queryset, "Resumed.", switches.resume)

    @admin.action(description="Revoke…", permissions=["operate"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Connection]) -> HttpResponse | None:
        return self._act(request, queryset, _of_id(partial(on_demand.end_on_demand, now=database_now(), keep=True)))

    @admin.action(description="Disconnect…", permissions=["operate"])
    def disconnect(self, request: HttpRequest, queryset: QuerySet[Connection]) -> HttpResponse | None:
        return self._act(request, queryset, _of_id(partial(on_demand.end_on_demand, now=database_now(), keep=False)))

    @admin.action(description="Export", permissions=["operate"])
    def export(self, request: HttpRequest, queryset: QuerySet[Connection]) -> HttpResponse | None:
        return self._act(request, queryset, None)

    def _turn(
        self, request: HttpRequest, queryset: QuerySet[Connection], words: str, turn: Callable[..., bool]
    ) -> HttpResponse | None:
        def told(row: Connection, *, actor: Actor) -> Told:
            is_turned = turn(row, actor=actor)
            return Told(True, "turned", words) if is_turned else Told(False, "already", "It was so already.")

        return self._act(request, queryset, told)

    def _act(
        self,
        request: HttpRequest,
        queryset: QuerySet[Connection],
        act: Callable[..., Told] | None,
        *,
        for_few: Callable[..., Told] | None = None,
    ) -> HttpResponse | None:
        """Do one act on each row, after its question; leave it to the workers where they are more than a page has.

        ``for_few`` does it where the operator can wait for it. What has no ``act`` is the workers' in any case.
        """
        name = request.POST["action"]
        question = _QUESTIONS[name]
        if question.needs_proof and not is_proven(request):
            return page_that_proves(request, show.list_url(Connection))
        is_long = are_many(self, queryset)
        if question.is_always_asked or is_long:
            asked = confirmed(request, queryset)
            if asked is None:
                words = {"label": question.label, "asks": question.asks, "tone": question.tone}
                return ask_about_many(self, request, queryset, name=name, **words)
            queryset = asked
        if act is None or is_long:
            chosen = Connection.objects.filter(id__in=queryset.order_by().values("id"))
            order_act(self, request, BulkAct(name), chosen)
            return None
        rows, actor = list(queryset), operator_behind(request)
        do = for_few if for_few is not None and len(rows) <= AT_ONCE else act
        self._tell(request, [(row, done(partial(do, row, actor=actor))) for row in rows])
        return None

    def _tell(self, request: HttpRequest, told: list[tuple[Connection, Told]]) -> None:
        """Say what happened to each row; for many rows, how often each result occurred."""
        if len(told) <= AT_ONCE:
            for row, result in told:
                level = messages.SUCCESS if result.is_success else messages.WARNING
                self.message_user(request, f"{self.choice_label(row)}: {result.detail}", level)
            return
        for (is_success, detail), count in Counter((result.is_success, result.detail) for _, result in told).items():
            level = messages.SUCCESS if is_success else messages.WARNING
            self.message_user(request, f"{count} of {len(told)}: {detail}", level)


def _order_refresh(connection_id: UUID, *, actor: Actor) -> Told:
    return on_demand.order_refresh(connection_id, now=database_now(), actor=actor)


def _of_id(act: Callable[..., Told]) -> Callable[..., Told]:
    """Return ``act``, which wants the id of a connection, as one that takes the connection."""
    return lambda row, *, actor: act(row.id, actor=actor)
