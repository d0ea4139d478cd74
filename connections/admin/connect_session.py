"""Connect sessions: how far each came, and why it ended. Tokens, states, codes and held secrets are never read."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from connections.admin import columns, show, trial
from connections.admin.base import ReadOnlyAdmin
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import TenantFilter, age_of, id_filter
from connections.admin.long_list import LongListAdmin, begins, in_newest, tenants_beginning
from connections.lifecycle.connect.trace import DONE
from connections.models import ConnectSession, ConnectStep, SessionState
from connections.models.failures import Failure

_TERMS = ("binding", "allows_account_change")
_STEPS = {
    "authorize": "Sent to the provider",
    "callback": "Came back from the provider",
    "ask_for_code": "Asked for a code to show",
    "poll_code": "Asked the provider how it went",
    "submit_secret": "Tried what was typed",
    "complete": "Confirmed by the operator's service",
    "choose_workspace": "Chose a workspace",
}


def _step_out(step: ConnectStep) -> dict[str, Any]:
    is_done = step.outcome == DONE
    return {
        "at": show.clock(step.at),
        "label": _STEPS.get(step.step, step.step),
        "outcome": show.chip("done" if is_done else step.outcome.replace("_", " "), "good" if is_done else "bad"),
        "milliseconds": step.milliseconds,
        "exchanges": [
            {
                **exchange,
                "shown_sent": show.facts(exchange.get("sent") or {}),
                "shown_headers": show.facts(exchange.get("headers") or {}),
                "shown_answer": show.facts({**exchange.get("answer_headers", {}), **exchange.get("answer", {})}),
                "shown_came": show.facts(exchange.get("came") or {}),
            }
            for exchange in step.exchanges
        ],
    }


@admin.register(ConnectSession)
class ConnectSessionAdmin(LongListAdmin[ConnectSession], ButtonsAdmin[ConnectSession], ReadOnlyAdmin[ConnectSession]):
    """One invitation to connect. Those by which an operator tries an app have buttons."""

    buttons = (
        Button(trial.FINISH, "Finish the trial", trial.finish, trial.is_trial, has_own_page=True),
        Button("end-trial", "End the trial", trial.end, trial.may_end, asks=trial.ENDS_ASKS, tone="danger"),
    )

    list_display = ("session", "who", "asked_for", "state_chip", "failure", "leads_to", "created")
    list_filter = (
        "state",
        age_of("created_at"),
        TenantFilter,
        "binding",
        "owner_kind",
        id_filter("app", "provider app", "provider_app_id"),
        id_filter("connection", "connection", "connection_id"),
        id_filter("client", "API client", "api_client_id"),
    )
    list_select_related = ("tenant", "connection", "api_client", "provider_app", "reconnects")
    search_fields = ("end_user",)
    search_help_text = "An id, the beginning of an end user or a tenant, or a failure of the newest 100,000"
    id_search_fields = ("id", "tenant_id", "connection_id", "reconnects_id", "provider_app_id")
    fieldsets = (
        (None, {"fields": ("id", "state_chip", "failure", "leads_to", "renews")}),
        ("What happened", {"fields": ("trace",)}),
        ("Who", {"fields": ("tenant", "end_user", "tried_by", "owner_kind", "api_client", *_TERMS)}),
        (
            "What",
            {
                "fields": (
                    "shown_providers",
                    "provider_app",
                    "shown_scopes",
                    "shown_params",
                    "shown_typed",
                    "shown_brought",
                )
            },
        ),
        ("Where", {"fields": ("return_url", "origin", "locale")}),
        (
            "Times",
            {
                "fields": (
                    "created_at",
                    "expires_at",
                    "browser_expires_at",
                    "completion_expires_at",
                    "exchange_started_at",
                    "kept_until",
                    "updated_at",
                )
            },
        ),
    )

    session = columns.short_id("Session")

    @admin.display(description="Steps")
    def trace(self, row: ConnectSession) -> SafeString | str:
        steps = [_step_out(one) for one in ConnectStep.objects.filter(session=row)]
        context = {"steps": steps, "is_unopened": row.state == SessionState.CREATED}
        return render_to_string("admin/connections/trace.html", context)

    def search(self, request: HttpRequest, queryset: QuerySet[ConnectSession], term: str) -> QuerySet[ConnectSession]:
        if (failure := Failure.named(term.lower())) is not None:
            return in_newest(queryset, Q(failure=failure))
        found = begins(term, "end_user")
        return queryset.filter(found | Q(tenant_id__in=tenants) if (tenants := tenants_beginning(term)) else found)

    @admin.display(description="End user", ordering="end_user")
    def who(self, row: ConnectSession) -> SafeString:
        return show.join([show.link(row.tenant), "·", show.chip("Trial") if row.tried_by else row.end_user])

    @admin.display(description="Providers")
    def asked_for(self, row: ConnectSession) -> str:
        return ", ".join(row.providers)

    @admin.display(description="State", ordering="state")
    def state_chip(self, row: ConnectSession) -> SafeString:
        label = row.get_state_display().partition(":")[0]
        return show.state_chip(row.state, label, title=row.get_state_display())

    @admin.display(description="Connection")
    def leads_to(self, row: ConnectSession) -> SafeString | str:
        return show.link(row.connection, str(row.connection_id)[:8])

    @admin.display(description="Renews")
    def renews(self, row: ConnectSession) -> SafeString | str:
        return show.link(row.reconnects)

    created = columns.moment("created_at", "Made")
    shown_providers = columns.codes("providers", "Providers")

    @admin.display(description="Scopes")
    def shown_scopes(self, row: ConnectSession) -> SafeString | str:
        return "the provider app's" if row.requested_scopes is None else show.codes(row.requested_scopes)

    shown_params = columns.as_json("params", "The operator's")
    shown_typed = columns.as_json("typed_params", "Typed by the end user")
    shown_brought = columns.as_json("callback_params", "Brought by the callback")
