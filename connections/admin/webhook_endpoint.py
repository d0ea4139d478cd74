"""Webhook endpoints: where events are delivered. A secret is shown once, by the page that answers the click."""

from datetime import timedelta
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from connections.access.staff import is_limited, visible
from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, count_up_to, counted, operator_behind
from connections.admin.boxes import Boxes
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import ChoiceFilter, OwnerFilter
from connections.admin.proof import is_proven, page_that_proves
from connections.admin.searched import SearchedField
from connections.database.clock import database_now
from connections.journal.event_types import EventType
from connections.lifecycle.steer.on_demand import Told
from connections.lifecycle.webhooks.endpoints import (
    Terms,
    add_endpoint,
    change_endpoint,
    disable_endpoint,
    enable_endpoint,
    remove_endpoint,
    rotate_secret,
)
from connections.lifecycle.webhooks.resend import resend_from
from connections.lifecycle.webhooks.trial import send_test
from connections.models import (
    AuditEvent,
    DeliveryState,
    DisabledReason,
    Tenant,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)
from connections.refusals import InvalidRequest

_DISABLE_ASKS = "Events wait until it is enabled, as long as the outbox keeps them."
_REMOVE_ASKS = "Its secrets and its deliveries are deleted with it, and what waits for it is not delivered."


class TermsForm(forms.Form):
    """Where events go, and which."""

    url = forms.CharField(label="Address", max_length=1000, help_text="https, and public. Events are sent there.")
    description = forms.CharField(max_length=200, required=False)
    event_types = forms.MultipleChoiceField(
        label="Types of events",
        choices=[
            (noun.replace("_", " ").capitalize(), [(type_.value, type_.value) for type_ in types])
            for noun, types in groupby(EventType, key=lambda type_: type_.value.partition(".")[0])
        ],
        required=False,
        widget=Boxes,
        help_text="None chosen: every type, also those of later versions.",
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def terms(self) -> Terms:
        """Return what the use cases take."""
        given = self.cleaned_data
        return Terms(given["url"], given["description"], given["event_types"] or None)


class NewEndpointForm(TermsForm):
    """The same, and whose events they are."""

    tenant = SearchedField(
        Tenant.objects.all(),
        like=WebhookEndpoint._meta.get_field("tenant"),
        required=False,
        nothing="All tenants",
        help_text="Whose events it is told. With all tenants it is the operator's own.",
    )
    field_order = ("tenant", "url", "description", "event_types")

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        if is_limited(request.user):
            rows = visible(request.user, Tenant.objects.all())
            told = self.fields["tenant"].help_text
            self.fields["tenant"] = SearchedField(rows, like=WebhookEndpoint._meta.get_field("tenant"), help_text=told)
            self.order_fields(self.field_order)


class RotationForm(forms.Form):
    """How long the earlier secrets go on signing."""

    overlap_hours = forms.TypedChoiceField(
        label="Earlier secrets sign for",
        coerce=int,
        choices=[(0, "no longer"), (1, "an hour"), (24, "a day"), (168, "a week")],
        initial=24,
        help_text="Time to give the new secret to the receiver.",
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class ReplayForm(forms.Form):
    """From when on."""

    hours = forms.TypedChoiceField(
        label="Events of",
        coerce=int,
        choices=[(1, "the last hour"), (24, "the last day"), (72, "the last three days"), (168, "the last week")],
        help_text="They are delivered in their order, under the same ids; the receiver knows those that it has.",
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


def _page(
    request: HttpRequest, form: forms.Form, *, title: str, row: WebhookEndpoint | None = None, secret: str = ""
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": title,
        "opts": WebhookEndpoint._meta,
        "row": row,
        "form": form,
        "secret": secret,
        "back_url": show.page_url(row) if row else show.list_url(WebhookEndpoint),
    }
    response = TemplateResponse(request, "admin/connections/webhook_form.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _change(request: HttpRequest, row: WebhookEndpoint) -> HttpResponse | Told:
    before = {"url": row.url, "description": row.description, "event_types": row.event_types or []}
    form = TermsForm(request.POST or None, initial=before, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            change_endpoint(row.id, form.terms(), actor=operator_behind(request))
            return Told(True, "changed", "Changed: what waits goes to this address.")
        except InvalidRequest as refusal:
            form.add_error(refusal.extra.get("field"), refusal.detail)
    return _page(request, form, title="Change the endpoint", row=row)


def _rotate(request: HttpRequest, row: WebhookEndpoint) -> HttpResponse:
    form = RotationForm(request.POST or None, request=request)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form, title="Rotate the secret", row=row)
    overlap = timedelta(hours=form.cleaned_data["overlap_hours"])
    issued = rotate_secret(row.id, now=database_now(), overlap=overlap, actor=operator_behind(request))
    return _page(request, form, title="The new secret", row=row, secret=issued.secret.get_secret_value())


def _replay(request: HttpRequest, row: WebhookEndpoint) -> HttpResponse | Told:
    form = ReplayForm(request.POST or None, request=request)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form, title="Deliver once more", row=row)
    now = database_now()
    since = now - timedelta(hours=form.cleaned_data["hours"])
    count = resend_from(row.id, since, now=now, actor=operator_behind(request))
    return Told(True, "replayed", f"{count} events are delivered once more.")


def _test(request: HttpRequest, row: WebhookEndpoint) -> Told:
    outcome = send_test(row.id, now=database_now(), actor=operator_behind(request))
    if outcome.is_taken:
        words = f"Taken: status {outcome.status} after {outcome.seconds:.1f} s."
    else:
        words = f"Not taken: {outcome.error}"
    return Told(outcome.is_taken, "tested", words)


def _disable(request: HttpRequest, row: WebhookEndpoint) -> Told:
    disable_endpoint(row.id, now=database_now(), actor=operator_behind(request))
    return Told(True, "disabled", "Disabled: events wait.")


def _enable(request: HttpRequest, row: WebhookEndpoint) -> Told:
    _, missed = enable_endpoint(row.id, now=database_now(), actor=operator_behind(request))
    fell_out = f" {missed} events fell out of the outbox meanwhile." if missed else ""
    return Told(True, "enabled", f"It goes on where it stood.{fell_out}")


def _remove(request: HttpRequest, row: WebhookEndpoint) -> HttpResponse:
    remove_endpoint(row.id, actor=operator_behind(request))
    messages.success(request, "Removed: nothing is delivered there any more.")
    return HttpResponseRedirect(show.list_url(WebhookEndpoint))


class StateFilter(ChoiceFilter):
    """By whether it gets events."""

    title = parameter_name = "state"
    known = {
        "working": ("Working", Q(disabled_at=None, failures=0)),
        "failing": ("Failing", Q(disabled_at=None, failures__gt=0)),
        "disabled": ("Disabled", Q(disabled_at__isnull=False)),
    }


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ButtonsAdmin[WebhookEndpoint], ReadOnlyAdmin[WebhookEndpoint]):
    """Endpoints of tenants, and the operator's own, which are told the events of all tenants."""

    list_title = "Webhook endpoints"
    buttons = (
        Button("test", "Test", _test, tone="primary"),
        Button("enable", "Enable", _enable, lambda row: row.disabled_at is not None, tone="primary"),
        Button("retry", "Try again", _enable, lambda row: row.disabled_at is None and row.failures > 0),
        Button("replay", "Replay", _replay, lambda row: row.disabled_at is None, has_own_page=True),
        Button("change", "Change", _change, has_own_page=True, needs_proof=True),
        Button("rotate", "Rotate secret", _rotate, has_own_page=True, needs_proof=True),
        Button(
            "disable",
            "Disable",
            _disable,
            lambda row: row.disabled_at is None,
            asks=_DISABLE_ASKS,
            tone="danger",
            needs_proof=True,
        ),
        Button("remove", "Remove", _remove, asks=_REMOVE_ASKS, tone="danger", needs_proof=True),
    )
    list_display = ("address", "owner", "state", "told", "waiting", "last_success")
    list_filter = (StateFilter, OwnerFilter)
    list_select_related = ("tenant",)
    search_fields = ("url", "description", "tenant__slug")
    search_help_text = "An address, a description, a tenant or an id"
    id_search_fields = ("id", "tenant_id")
    fieldsets = (
        (None, {"fields": ("url", "description", "owner", "state", "told", "related")}),
        ("Deliveries", {"fields": ("waiting", "last_success", "failing", "held", "missed_events", "shown_secrets")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        pending = WebhookDelivery.objects.filter(state=DeliveryState.PENDING)
        return super().get_queryset(request).annotate(pending=count_up_to(pending, "endpoint"))

    def has_add_permission(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> bool:
        return bool(request.user.has_perm("connections.add_webhookendpoint"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for the terms, then show the secret. Django's own form would run in a transaction."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not is_proven(request):
            return page_that_proves(request, request.get_full_path())
        form = NewEndpointForm(request.POST or None, request=request)
        if request.method == "POST" and form.is_valid():
            try:
                issued = add_endpoint(
                    form.terms(),
                    tenant=form.cleaned_data["tenant"],
                    now=database_now(),
                    actor=operator_behind(request),
                )
            except InvalidRequest as refusal:
                form.add_error(refusal.extra.get("field"), refusal.detail)
            else:
                secret = issued.secret.get_secret_value()
                return _page(request, form, title="The signing secret", row=issued.endpoint, secret=secret)
        return _page(request, form, title="Add a webhook endpoint")

    owner = columns.owner("All tenants")
    last_success = columns.moment("last_success_at", "Last taken")
    failing = columns.moment("failing_since", "Fails since")
    held = columns.moment("held_until", "Tried again")

    def page_title(self, row: WebhookEndpoint) -> str:
        return "Endpoint"  # its address stands below, and the buttons need the room

    @admin.display(description="Address", ordering="url")
    def address(self, row: WebhookEndpoint) -> SafeString:
        return show.two_lines(row.url, row.description)

    @admin.display(description="State", ordering="disabled_at")
    def state(self, row: WebhookEndpoint) -> SafeString:
        if row.disabled_at is not None:
            why = DisabledReason(row.disabled_reason).label
            return show.two_lines(show.chip("Disabled", "bad"), why)
        return show.chip("Failing", "warn") if row.failures else show.chip("Working", "good")

    @admin.display(description="Told of")
    def told(self, row: WebhookEndpoint) -> SafeString | str:
        return "Every type" if row.event_types is None else show.codes(row.event_types)

    @admin.display(description="Waiting", ordering="pending")
    def waiting(self, row: Any) -> SafeString:
        return show.list_link(counted(row.pending), WebhookDelivery, endpoint=row.id, state="pending")

    @admin.display(description="Secrets")
    def shown_secrets(self, row: WebhookEndpoint) -> str:
        found = WebhookSecret.objects.filter(endpoint=row).defer("secret")
        ends = [one.ends_at for one in found]
        return ", ".join("the current one" if at is None else f"one until {at:%Y-%m-%d %H:%M} UTC" for at in ends)

    @admin.display(description="See also")
    def related(self, row: WebhookEndpoint) -> SafeString:
        return show.join(
            [
                show.list_link("Deliveries", WebhookDelivery, endpoint=row.id),
                show.list_link("Audit trail", AuditEvent, endpoint=row.id),
            ],
            " · ",
        )
