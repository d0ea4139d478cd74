"""The read-only pages of the audit trail and the event stream."""

import uuid
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django_stubs_ext import Annotations

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind, read_at
from connections.admin.downloads import filter_of
from connections.admin.filters import AgeFilter, ChoiceFilter, IdFilter, TextFilter, age_of, id_filter
from connections.admin.long_list import LongListAdmin, in_newest
from connections.admin.proof import is_proven, page_that_proves
from connections.journal.audit import ALLOWED, record
from connections.journal.shapes import as_csv, as_line, ocsf_of
from connections.journal.trail import PAGE, of_kind
from connections.models import ApiClient, AuditEvent, Connection, CredentialVersion, OutboxEvent, Status, Tenant
from connections.models.audit_event import AuditEventQuerySet

MOST_SENT = 100_000  # whoever needs more has `manage.py audit export`
_SHAPES = {"csv": ("text/csv; charset=utf-8", "csv"), "ocsf": ("application/x-ndjson", "ocsf.jsonl")}


class _ActorFilter(ChoiceFilter):
    """By the kind of actor."""

    title = parameter_name = "actor"
    known = {
        "operator": ("An operator", ~Q(operator="")),
        "client": ("An API client", Q(api_client_id__isnull=False)),
        "other": ("Latchkey or a browser", Q(operator="", api_client_id=None)),
    }


class _DecisionFilter(ChoiceFilter):
    """By the decision: allowed or refused."""

    title = parameter_name = "decision"
    known = {"allowed": ("Allowed", Q(decision=ALLOWED)), "refused": ("Anything else", ~Q(decision=ALLOWED))}


class _ConnectionFilter(IdFilter):
    """By the connection, through the one index of the trail that has it."""

    title = parameter_name = "connection"

    def narrow(self, queryset: "QuerySet[AuditEvent]", wanted: uuid.UUID) -> "QuerySet[AuditEvent]":
        return cast("AuditEventQuerySet", queryset).of_connection(wanted)


class _KindFilter(ChoiceFilter):
    """By the kind of act: a family of actions, or one action, which the address names."""

    title = parameter_name = "kind"
    known = {
        "operator.": ("Logins of operators", of_kind("operator.")),
        "api_key.refused": ("Refused keys", of_kind("api_key.refused")),
        "credential.vend": ("Vends", of_kind("credential.vend")),
        "connection.": ("Connections", of_kind("connection.")),
        "connect_session.": ("Connecting", of_kind("connect_session.")),
        "access_grant.": ("Access grants", of_kind("access_grant.")),
        "api_client.": ("API clients", of_kind("api_client.")),
        "provider_app.": ("Provider apps", of_kind("provider_app.")),
        "tenant.": ("Tenants", of_kind("tenant.")),
        "audit.": ("The trail itself", of_kind("audit.")),
    }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(of_kind(chosen)) if (chosen := self.value()) else queryset


class _OperatorFilter(TextFilter):
    """By an operator's login name."""

    title, parameter_name = "operator", "operator"
    condition = staticmethod(lambda name: Q(operator=name))


class _SubjectFilter(TextFilter):
    """By an end user's id."""

    title, parameter_name = "end user", "subject"
    condition = staticmethod(lambda name: Q(subject=name))


class _Named(TypedDict):
    client_name: str | None


@admin.register(AuditEvent)
class AuditEventAdmin(LongListAdmin[AuditEvent], ReadOnlyAdmin[AuditEvent]):
    """What happened, who asked, and what was decided. The database refuses every change of a row."""

    list_title = "Audit trail"
    list_display = ("happened", "what", "decision_chip", "who", "about")
    list_filter = (
        AgeFilter,
        _KindFilter,
        _ActorFilter,
        _DecisionFilter,
        _OperatorFilter,
        _SubjectFilter,
        _ConnectionFilter,
        id_filter("tenant", "tenant", "tenant_id"),
        id_filter("client", "API client", "api_client_id"),
        id_filter("app", "provider app", "detail__provider_app", in_json=True),
        id_filter("grant", "access grant", "detail__grant", in_json=True),
        id_filter("endpoint", "webhook endpoint", "detail__webhook_endpoint", in_json=True),
    )
    search_fields = ("action",)
    search_help_text = (
        "An id of something it is about, or, of the newest 100,000, how an action, person, agent or purpose begins"
    )
    ordering = ("-id",)
    id_search_fields = ("connection_id", "tenant_id", "api_client_id", "credential_version_id")
    fieldsets = (
        (None, {"fields": ("at", "action", "decision_chip", "details_json")}),
        ("Who", {"fields": ("operator", "client", "subject", "agent", "purpose", "address")}),
        ("About", {"fields": ("tenant_link", "connection_link", "version_link", "shown_scopes")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        name = ApiClient.objects.filter(id=OuterRef("api_client_id")).values("name")
        return super().get_queryset(request).annotate(client_name=Subquery(name))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        # The gate knows the page by the view, and limited staff get the rows of their tenants' list.
        return [path("export/<str:shape>/", view, name="connections_auditevent_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest, shape: str) -> HttpResponseBase:
        """Send the rows of the filtered list, the newest ``MOST_SENT`` of them, as CSV or in the shape of OCSF."""
        if shape not in _SHAPES or not self.has_view_permission(request):
            raise PermissionDenied
        if not is_proven(request):
            return page_that_proves(request, request.get_full_path())
        detail = {"shape": shape, "filter": filter_of(request)}
        record("audit.downloaded", actor=operator_behind(request), detail=detail)
        rows = self.get_changelist_instance(request).get_queryset(request).order_by("-id")
        content_type, ending = _SHAPES[shape]
        answer = StreamingHttpResponse(_written(rows, shape), content_type=content_type)
        answer["Content-Disposition"] = f'attachment; filename="audit.{ending}"'
        answer["Cache-Control"] = "no-store"
        return answer

    def of_id(self, queryset: QuerySet[AuditEvent], wanted: uuid.UUID) -> QuerySet[AuditEvent]:
        """Look where an index leads first: the trail is long, and an OR of several columns would read all of it."""
        rows = cast("AuditEventQuerySet", queryset)
        versions = CredentialVersion.objects.filter(id=wanted).values_list("connection_id", flat=True)
        if (owner := versions.first()) is not None:
            return rows.of_connection(owner).filter(credential_version_id=wanted)
        for found in (rows.of_connection(wanted), rows.filter(tenant_id=wanted)):
            if found.exists():
                return found
        return super().of_id(queryset, wanted)

    def search(self, request: HttpRequest, queryset: QuerySet[AuditEvent], term: str) -> QuerySet[AuditEvent]:
        found = Q()
        for column in ("action", "decision", "operator", "subject", "agent", "purpose"):
            found |= Q(**{f"{column}__istartswith": term})
        return in_newest(queryset, found)

    @admin.display(description="When", ordering="id")
    def happened(self, row: AuditEvent) -> SafeString | str:
        return show.clock(row.at)

    @admin.display(description="What", ordering="action")
    def what(self, row: AuditEvent) -> SafeString:
        return show.two_lines(row.action, show.facts(row.detail) if row.detail else "")

    @admin.display(description="Decision", ordering="decision")
    def decision_chip(self, row: AuditEvent) -> SafeString:
        if row.decision == ALLOWED:
            return show.chip("allowed", "good")
        if row.decision in Status.values:
            return show.state_chip(row.decision, row.decision.replace("_", " "))
        return show.chip(row.decision.replace("_", " "), "warn")

    @admin.display(description="Who")
    def who(self, row: Annotated[AuditEvent, Annotations[_Named]]) -> SafeString | str:
        if row.operator:
            return row.operator
        if row.api_client_id is not None:
            client = show.id_link(ApiClient, row.api_client_id, row.client_name)
            return show.join([client, f"for {row.subject}"]) if row.subject else client
        return row.subject or "Latchkey"

    @admin.display(description="About")
    def about(self, row: AuditEvent) -> SafeString | str:
        if row.connection_id is not None:
            return show.id_link(Connection, row.connection_id)
        return show.id_link(Tenant, row.tenant_id)

    details_json = columns.as_json("detail", "Details")

    @admin.display(description="API client")
    def client(self, row: Annotated[AuditEvent, Annotations[_Named]]) -> SafeString | str:
        return show.id_link(ApiClient, row.api_client_id, row.client_name)

    tenant_link = columns.id_link("tenant_id", "Tenant", Tenant)
    connection_link = columns.id_link("connection_id", "Connection", Connection)
    version_link = columns.id_link("credential_version_id", "Credential version", CredentialVersion)
    shown_scopes = columns.codes("scopes", "Scopes")


def _written(rows: QuerySet[AuditEvent], shape: str) -> Iterator[str]:
    """Yield the file in parts: pages by id, so that no cursor stays open while it is sent."""
    before, sent = None, 0
    while sent < MOST_SENT:
        page = list(rows.filter(**({} if before is None else {"id__lt": before}))[: min(PAGE, MOST_SENT - sent)])
        if shape == "csv":
            yield as_csv(page, with_heading=before is None)
        else:
            yield "".join(as_line(ocsf_of(row)) for row in page)
        if len(page) < PAGE:
            return
        before, sent = page[-1].id, sent + len(page)


@admin.register(OutboxEvent)
class OutboxEventAdmin(LongListAdmin[OutboxEvent], ReadOnlyAdmin[OutboxEvent]):
    """The events that the operator's systems read."""

    list_title = "Events"
    list_display = ("id", "type", "about", "tenant", "created")
    list_filter = (
        age_of("created_at"),
        id_filter("connection", "connection", "connection_id"),
        id_filter("tenant", "tenant", "tenant_id"),
    )
    search_fields = ("type",)
    search_help_text = "The id of an event, a connection or a tenant, or how a type of the newest 100,000 begins"
    id_search_fields = ("event_id", "connection_id", "tenant_id")
    ordering = ("-id",)
    fields = ("id", "event_id", "type", "tenant", "about", "payload_json", "created_at")

    def search(self, request: HttpRequest, queryset: QuerySet[OutboxEvent], term: str) -> QuerySet[OutboxEvent]:
        return in_newest(queryset, Q(type__istartswith=term))

    about = columns.id_link("connection_id", "Connection", Connection)
    tenant = columns.id_link("tenant_id", "Tenant", Tenant)

    @admin.display(description="Written", ordering="id")
    def created(self, row: OutboxEvent) -> SafeString | str:
        return show.moment(row.created_at, now=read_at(row))

    payload_json = columns.as_json("payload", "Payload")
