"""Read-only pages of what the lifecycle keeps about credentials: versions, refresh attempts, scopes and data keys.

These pages never read the secrets themselves, let alone show them.
"""

from django.contrib import admin
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin
from connections.admin.filters import ExpiryFilter, TenantFilter, age_of, id_filter
from connections.models import CredentialVersion, DataKey, RefreshAttempt, Scope


class _TenantOfConnection(TenantFilter):
    lookup = "connection__tenant__slug"


@admin.display(description="Connection", ordering="connection__provider")
def _of_connection(page: object, row: CredentialVersion | RefreshAttempt | Scope) -> SafeString | str:
    connection = row.connection
    return show.link(connection, f"{connection.provider} · {connection.end_user or connection.tenant.slug}")


@admin.register(CredentialVersion)
class CredentialVersionAdmin(ReadOnlyAdmin[CredentialVersion]):
    """One immutable set of secrets: everything about it but the secrets."""

    list_display = ("version", "of", "stage_chip", "scope_count", "is_refreshable", "expires", "received")
    list_filter = (
        "stage",
        "is_refreshable",
        ExpiryFilter,
        _TenantOfConnection,
        id_filter("connection", "connection", "connection_id"),
    )
    list_select_related = ("connection__tenant",)
    search_fields = ("connection__end_user", "connection__tenant__slug", "connection__provider")
    search_help_text = "An id (version, connection, grant, attempt), an end user, a tenant or a provider"
    id_search_fields = ("id", "connection_id", "grant_id", "attempt_id", "parent_id")
    fieldsets = (
        (None, {"fields": ("id", "of", "stage_chip", "shown_scopes", "is_refreshable")}),
        ("Life", {"fields": ("received_at", "lifetime_seconds", "access_expires_at")}),
        ("Descent", {"fields": ("grant_id", "from_version", "from_attempt", "sealed_under")}),
    )

    version = columns.short_id("Version")
    of = _of_connection

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
class RefreshAttemptAdmin(ReadOnlyAdmin[RefreshAttempt]):
    """One try to refresh one version."""

    list_display = ("attempt", "of", "state_chip", "error", "trigger", "took", "claimed")
    list_filter = (
        "state",
        age_of("claimed_at"),
        "trigger",
        "follows_doubt",
        _TenantOfConnection,
        id_filter("connection", "connection", "connection_id"),
    )
    list_select_related = ("connection__tenant",)
    search_fields = ("error", "claimed_by", "connection__end_user", "connection__tenant__slug", "connection__provider")
    search_help_text = "An id (attempt, connection, version), an error, a process, an end user, a tenant or a provider"
    id_search_fields = ("id", "connection_id", "parent_version_id")
    fieldsets = (
        (None, {"fields": ("id", "of", "state_chip", "error", "shown_evidence", "follows_doubt")}),
        ("How it went", {"fields": ("trigger", "claimed_by", "claimed_at", "deadline_at", "ended_at", "took")}),
        ("Versions", {"fields": ("spent", "bought")}),
    )

    attempt = columns.short_id("Attempt")
    of = _of_connection

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
class ScopeAdmin(ReadOnlyAdmin[Scope]):
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
    search_fields = ("name", "connection__end_user", "connection__tenant__slug", "connection__provider")
    search_help_text = "A scope, an end user, a tenant, a provider or the id of a connection"
    id_search_fields = ("connection_id",)
    ordering = ("-id",)
    fields = ("name", "of", "is_requested", "is_granted", "is_observed", "updated_at")

    of = _of_connection
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
