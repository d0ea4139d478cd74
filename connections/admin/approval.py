"""Approvals: what waits for a yes or no, and what was answered. The link in a refusal leads here."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind, read_at
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import ChoiceFilter, TenantFilter, id_filter
from connections.database.clock import database_now
from connections.lifecycle.policy.approve import decide_approval
from connections.lifecycle.steer.on_demand import Told
from connections.models import AccessGrant, ApiClient, Approval

_APPROVE_ASKS = (
    "Exactly what is shown on the page may be done, one time, within 15 minutes: by this client, for this end user and "
    "agent, with this purpose, and with the body and headers of which the page has the digests."
)
_TONES = {"pending": "warn", "approved": "good", "used": "good", "denied": "bad"}


class _StateFilter(ChoiceFilter):
    """By whether somebody has answered."""

    title = parameter_name = "state"
    known = {
        "pending": ("Pending", Q(decided_at=None, expires_at__gt=Now())),
        "approved": ("Approved", Q(is_approved=True)),
        "denied": ("Denied", Q(is_approved=False)),
    }


def _decide(request: HttpRequest, row: Approval, *, approves: bool) -> Told:
    actor = operator_behind(request)
    decide_approval(row.id, approves=approves, by=actor.operator, now=database_now(), actor=actor)
    if approves:
        return Told(True, "approved", "Approved, for one time: the caller may repeat its request now.")
    return Told(True, "denied", "Denied: the same request is refused until the question expires.")


def _approve(request: HttpRequest, row: Approval) -> Told:
    return _decide(request, row, approves=True)


def _deny(request: HttpRequest, row: Approval) -> Told:
    return _decide(request, row, approves=False)


def _is_pending(row: Approval) -> bool:
    return row.state(now=read_at(row)) == "pending"


@admin.register(Approval)
class ApprovalAdmin(ButtonsAdmin[Approval], ReadOnlyAdmin[Approval]):
    """The approvals, the newest first."""

    list_title = "Approvals"
    buttons = (
        Button("approve", "Approve once", _approve, _is_pending, asks=_APPROVE_ASKS, tone="primary", needs_proof=True),
        Button("deny", "Deny", _deny, _is_pending, tone="danger"),
    )
    list_display = ("what", "who", "on", "state", "shown_tenant", "shown_moment")
    list_filter = (_StateFilter, TenantFilter, id_filter("grant", "access grant", "grant_id"))
    list_select_related = ("tenant", "connection", "grant")
    search_fields = ("end_user", "agent", "purpose", "path", "decided_by", "tenant__slug")
    search_help_text = "An end user, an agent, a purpose, a path, who answered, a tenant or an id"
    id_search_fields = ("id", "grant_id", "connection_id", "api_client_id", "tenant_id")
    fields = (
        *(
            "what",
            "body_sha256",
            "shown_headers",
            "on",
            "shown_grant",
            "client",
            "end_user",
            "agent",
            "vouched",
            "purpose",
            "shown_scopes",
            "state",
        ),
        *("shown_tenant", "created_at", "expires_at", "decided_at", "decided_by", "good_until", "used_at"),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Approval | None = None) -> Any:
        return self.fields

    @admin.display(description="What", ordering="action")
    def what(self, row: Approval) -> SafeString | str:
        address = f"{row.method} {row.path}{f'?{row.query}' if row.query else ''}"
        return show.code(address) if row.method else "A vend: the credential is handed out"

    @admin.display(description="Who", ordering="end_user")
    def who(self, row: Approval) -> SafeString:
        return show.two_lines(row.end_user or row.agent or "An API client", row.purpose)

    @admin.display(description="Connection")
    def on(self, row: Approval) -> SafeString | str:
        return show.link(row.connection)

    @admin.display(description="Access grant")
    def shown_grant(self, row: Approval) -> SafeString | str:
        return show.id_link(AccessGrant, row.grant_id)

    @admin.display(description="Headers")
    def shown_headers(self, row: Approval) -> SafeString | str:
        return show.facts(row.headers)

    @admin.display(description="Verified by")
    def vouched(self, row: Approval) -> SafeString | str:
        return show.facts(row.verified) if row.verified else "Nobody: the caller alone says so"

    client = columns.id_link("api_client_id", "API client", ApiClient)
    shown_scopes = columns.codes("scopes", "Scopes")
    shown_moment = columns.moment("created_at", "Asked")

    @admin.display(description="State", ordering="decided_at")
    def state(self, row: Approval) -> SafeString:
        state = row.state(now=read_at(row))
        return show.chip(state.capitalize(), _TONES.get(state, "plain"))

    @admin.display(description="Tenant", ordering="tenant__slug")
    def shown_tenant(self, row: Approval) -> SafeString | str:
        return show.link(row.tenant)
