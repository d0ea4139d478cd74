"""Credential versions, refresh attempts, scopes and data keys: what the lifecycle keeps about credentials, to be read.

The secrets themselves are never read here, let alone shown.
"""

from django.contrib import admin
from django.utils.safestring import SafeString

from connections.admin import show
from connections.admin.base import ReadOnlyAdmin, read_at
from connections.admin.filters import ExpiryFilter, TenantFilter, age_of, id_filter
from connections.models import CredentialVersion, DataKey, RefreshAttempt, Scope


class _TenantOfConnection(TenantFilter):
    lookup = "connection__tenant__slug"


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

    @admin.display(description="Version", ordering="id")
    def version(self, row: CredentialVersion) -> SafeString | str:
        return show.short_id(row.id)

    @admin.display(description="Connection", ordering="connection__provider")
    def of(self, row: CredentialVersion) -> SafeString | str:
        return _connection_link(row)

    @admin.display(description="Stage", ordering="stage")
    def stage_chip(self, row: CredentialVersion) -> SafeString:
        return show.state_chip(row.stage, row.get_stage_display())

    @admin.display(description="Scopes")
    def scope_count(self, row: CredentialVersion) -> int:
        return len(row.scopes)

    @admin.display(description="Scopes")
    def shown_scopes(self, row: CredentialVersion) -> SafeString | str:
        return show.codes(row.scopes)

    @admin.display(description="Expires", ordering="access_expires_at")
    def expires(self, row: CredentialVersion) -> SafeString | str:
        return show.moment(row.access_expires_at, now=read_at(row))

    @admin.display(description="Received", ordering="received_at")
    def received(self, row: CredentialVersion) -> SafeString | str:
        return show.moment(row.received_at, now=read_at(row))

    @admin.display(description="Bought with version")
    def from_version(self, row: CredentialVersion) -> SafeString | str:
        return show.id_link(CredentialVersion, row.parent_id)

    @admin.display(description="Received by attempt")
    def from_attempt(self, row: CredentialVersion) -> SafeString | str:
        return show.id_link(RefreshAttempt, row.attempt_id)

    @admin.display(description="Sealed under data key")
    def sealed_under(self, row: CredentialVersion) -> SafeString | str:
        return show.id_link(DataKey, row.data_key_id)


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

    @admin.display(description="Attempt", ordering="id")
    def attempt(self, row: RefreshAttempt) -> SafeString | str:
        return show.short_id(row.id)

    @admin.display(description="Connection", ordering="connection__provider")
    def of(self, row: RefreshAttempt) -> SafeString | str:
        return _connection_link(row)

    @admin.display(description="State", ordering="state")
    def state_chip(self, row: RefreshAttempt) -> SafeString:
        return show.state_chip(row.state, row.get_state_display())

    @admin.display(description="Took")
    def took(self, row: RefreshAttempt) -> str:
        if row.ended_at is None:
            return show.NOTHING
        return f"{(row.ended_at - row.claimed_at).total_seconds():.1f} s"

    @admin.display(description="Claimed", ordering="claimed_at")
    def claimed(self, row: RefreshAttempt) -> SafeString | str:
        return show.moment(row.claimed_at, now=read_at(row))

    @admin.display(description="Evidence")
    def shown_evidence(self, row: RefreshAttempt) -> SafeString | str:
        return show.as_json(row.evidence)

    @admin.display(description="Refreshed version")
    def spent(self, row: RefreshAttempt) -> SafeString | str:
        return show.id_link(CredentialVersion, row.parent_version_id)

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

    @admin.display(description="Connection", ordering="connection__provider")
    def of(self, row: Scope) -> SafeString | str:
        return _connection_link(row)

    @admin.display(description="Changed", ordering="updated_at")
    def updated(self, row: Scope) -> SafeString | str:
        return show.moment(row.updated_at, now=read_at(row))


@admin.register(DataKey)
class DataKeyAdmin(ReadOnlyAdmin[DataKey]):
    """The wrapped data keys: which there are and what they are wrapped under, never the keys."""

    list_display = ("key", "owner", "kek_id", "is_current", "created")
    list_filter = ("is_current", "kek_id", TenantFilter)
    list_select_related = ("tenant",)
    search_fields = ("kek_id", "tenant__slug")
    search_help_text = "An id, a tenant or the name of a key-encryption key"
    id_search_fields = ("id", "tenant_id")
    fields = ("id", "owner", "kek_id", "is_current", "created_at")

    @admin.display(description="Data key", ordering="id")
    def key(self, row: DataKey) -> SafeString | str:
        return show.short_id(row.id)

    @admin.display(description="Owner", ordering="tenant__slug")
    def owner(self, row: DataKey) -> SafeString | str:
        return show.link(row.tenant) if row.tenant else "The operator"

    @admin.display(description="Made", ordering="created_at")
    def created(self, row: DataKey) -> SafeString | str:
        return show.moment(row.created_at, now=read_at(row))


def _connection_link(row: CredentialVersion | RefreshAttempt | Scope) -> SafeString | str:
    connection = row.connection
    return show.link(connection, f"{connection.provider} · {connection.end_user or connection.tenant.slug}")
