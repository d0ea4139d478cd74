"""Read-only pages of what the lifecycle keeps about credentials: versions, refresh attempts, scopes and data keys.

These pages never read the secrets themselves, let alone show them.
"""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin
from connections.admin.filters import ChoiceFilter, ExpiryFilter, TenantFilter, age_of, id_filter
from connections.admin.long_list import LongListAdmin, in_newest, of_connections
from connections.models import CredentialVersion, DataKey, RefreshAttempt, Scope, Trigger


class _TenantOfConnection(TenantFilter):
    lookup = "connection__tenant_id"


class _TriggerFilter(ChoiceFilter):
    """By what made the refresh begin. Django's own filter would read the whole table for the values that there are."""

    title = parameter_name = "trigger"
    known = {one.value: (one.value.capitalize(), Q(trigger=one)) for one in Trigger}


@admin.display(description="Connection", ordering="connection__provider")
def _of_connection(page: object, row: CredentialVersion | RefreshAttempt | Scope) -> SafeString | str:
    connection = row.connection
    return show.link(connection, f"{connection.provider} · {connection.end_user or connection.tenant.slug}")


@admin.register(CredentialVersion)
class CredentialVersionAdmin(LongListAdmin[CredentialVersion], ReadOnlyAdmin[CredentialVersion]):
    """One immutable set of secrets: everything about it but the secrets. An order by age would cost each refresh."""

    list_display = ("version", "of", "stage_chip", "scope_count", "is_refreshable", "expires", "received")
    list_filter = (
        "stage",
        "is_refreshable",
        ExpiryFilter,
        _TenantOfConnection,
        id_filter("connection", "connection", "connection_id"),
    )
    list_select_related = ("connection__tenant",)
    search_fields = ("connection__end_user",)
    search_help_text = "An id (version, connection), or the beginning of an end user, an account or a tenant"
    id_search_fields = ("id", "connection_id")
    ordering = ("id",)
    fieldsets = (
        (None, {"fields": ("id", "of", "stage_chip", "shown_scopes", "is_refreshable")}),
        ("Life", {"fields": ("received_at", "lifetime_seconds", "access_expires_at")}),
        ("Descent", {"fields": ("grant_id", "from_version", "from_attempt", "sealed_under")}),
    )

    version = columns.short_id("Version")
    of = _of_connection

    def search(
        self, request: HttpRequest, queryset: QuerySet[CredentialVersion], term: str
    ) -> QuerySet[CredentialVersion]:
        return queryset.filter(of_connections(term, user=request.user))

    @admin.display(description="Stage", ordering="stage")
    def stage_chip(self, row: CredentialVersion) -> SafeString:
        return show.state_chip(row.stage, row.get_stage_display())

    @admin.display(description="Scopes")
    def scope_count(self, row: CredentialVersion) -> int:
        return len(row.scopes)

    shown_scopes = columns.codes("scopes", "Scopes")
    expires = columns.moment("access_expires_at", "Expires")
    received = columns.moment("received_at", "Received")
    from_version = columns.id_link("parent_id", "Bought with version", CredentialVersion)
    from_attempt = columns.id_link("attempt_id", "Received by attempt", RefreshAttempt)
    sealed_under = columns.id_link("data_key_id", "Sealed under data key", DataKey)


@admin.register(RefreshAttempt)
class RefreshAttemptAdmin(LongListAdmin[RefreshAttempt], ReadOnlyAdmin[RefreshAttempt]):
    """One try to refresh one version."""

    list_display = ("attempt", "of", "state_chip", "error", "trigger", "took", "claimed")
    list_filter = (
        "state",
        age_of("claimed_at"),
        _TriggerFilter,
        "follows_doubt",
        _TenantOfConnection,
        id_filter("connection", "connection", "connection_id"),
    )
    list_select_related = ("connection__tenant",)
    search_fields = ("error",)
    search_help_text = (
        "An id (attempt, connection), the beginning of an end user, an account or a tenant, or an error or a process "
        "of the newest 100,000"
    )
    id_search_fields = ("id", "connection_id")
    fieldsets = (
        (None, {"fields": ("id", "of", "state_chip", "error", "shown_evidence", "follows_doubt")}),
        ("How it went", {"fields": ("trigger", "claimed_by", "claimed_at", "deadline_at", "ended_at", "took")}),
        ("Versions", {"fields": ("spent", "bought")}),
    )

    attempt = columns.short_id("Attempt")
    of = _of_connection

    def search(self, request: HttpRequest, queryset: QuerySet[RefreshAttempt], term: str) -> QuerySet[RefreshAttempt]:
        found = queryset.filter(of_connections(term, user=request.user))
        if found.exists():
            return found
        return in_newest(queryset, Q(error__istartswith=term) | Q(claimed_by__istartswith=term))

    @admin.display(description="State", ordering="state")
    def state_chip(self, row: RefreshAttempt) -> SafeString:
        return show.state_chip(row.state, row.get_state_display())

    @admin.display(description="Took")
    def took(self, row: RefreshAttempt) -> str:
        if row.ended_at is None:
            return show.NOTHING
        return f"{(row.ended_at - row.claimed_at).total_seconds():.1f} s"

    claimed = columns.moment("claimed_at", "Claimed")
    shown_evidence = columns.as_json("evidence", "Evidence")
    spent = columns.id_link("parent_version_id", "Refreshed version", CredentialVersion)

    @admin.display(description="Received version")
    def bought(self, row: RefreshAttempt) -> SafeString | str:
        received = CredentialVersion.objects.filter(attempt_id=row.id).values_list("id", flat=True).first()
        return show.id_link(CredentialVersion, received)


@admin.register(Scope)
class ScopeAdmin(LongListAdmin[Scope], ReadOnlyAdmin[Scope]):
    """Requested, granted and observed, connection by connection."""

    list_display = ("name", "of", "is_requested", "is_granted", "is_observed", "updated")
    list_filter = (
        "is_requested",
        "is_granted",
        "is_observed",
        _TenantOfConnection,
        id_filter("connection", "connection", "connection_id"),
    )
    list_select_related = ("connection__tenant",)
    search_fields = ("name",)
    search_help_text = (
        "The id of a connection, the beginning of an end user, an account or a tenant, or a scope of the newest 100,000"
    )
    id_search_fields = ("connection_id",)
    ordering = ("-id",)
    fields = ("name", "of", "is_requested", "is_granted", "is_observed", "updated_at")

    of = _of_connection

    def search(self, request: HttpRequest, queryset: QuerySet[Scope], term: str) -> QuerySet[Scope]:
        found = queryset.filter(of_connections(term, user=request.user))
        return found if found.exists() else in_newest(queryset, Q(name__istartswith=term))

    updated = columns.moment("updated_at", "Changed")


@admin.register(DataKey)
class DataKeyAdmin(ReadOnlyAdmin[DataKey]):
    """The wrapped data keys: which exist and which key wraps each, never the keys themselves."""

    list_display = ("key", "owner", "kek_id", "is_current", "created")
    list_filter = ("is_current", "kek_id", TenantFilter)
    list_select_related = ("tenant",)
    search_fields = ("kek_id", "tenant__slug")
    search_help_text = "An id, a tenant or the name of a key-encryption key"
    id_search_fields = ("id", "tenant_id")
    fields = ("id", "owner", "kek_id", "is_current", "created_at")

    key = columns.short_id("Data key")
    owner = columns.owner("The operator")
    created = columns.moment("created_at", "Made")
