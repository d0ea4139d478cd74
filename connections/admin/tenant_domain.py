"""Domains of tenants: which hosts their pages vouch for, and by which file."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind, read_at
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import id_filter
from connections.database.clock import database_now
from connections.lifecycle.provision.domains import file_of, look_at_domain
from connections.lifecycle.steer.on_demand import Told
from connections.models import TenantDomain


def _look(request: HttpRequest, row: TenantDomain) -> Told:
    now = database_now()
    seen = look_at_domain(row, now=now, actor=operator_behind(request))
    if seen.failure:
        return Told(False, "unverified", seen.failure)
    return Told(True, "verified", "The file is there: pages vouch for this host.")


@admin.register(TenantDomain)
class TenantDomainAdmin(ButtonsAdmin[TenantDomain], ReadOnlyAdmin[TenantDomain]):
    """The domains. The API and ``manage.py tenants verify`` add them."""

    buttons = (Button("look", "Look again", _look, tone="primary"),)
    list_display = ("host", "shown_tenant", "state", "looked")
    list_filter = (id_filter("tenant", "tenant", "tenant_id"),)
    list_select_related = ("tenant",)
    search_fields = ("host", "tenant__slug")
    search_help_text = "A host, a tenant or an id"
    fields = ("host", "shown_tenant", "state", "verified_until", "looked", "failure", "shown_file", "shown_line")

    def get_readonly_fields(self, request: HttpRequest, obj: TenantDomain | None = None) -> Any:
        return self.fields

    @admin.display(description="Tenant", ordering="tenant__slug")
    def shown_tenant(self, row: TenantDomain) -> SafeString | str:
        return show.link(row.tenant)

    @admin.display(description="State", ordering="verified_until")
    def state(self, row: TenantDomain) -> SafeString:
        return show.chip("Verified", "good") if row.is_verified(now=read_at(row)) else show.chip("Not verified", "warn")

    looked = columns.moment("looked_at", "Looked at")

    @admin.display(description="The file")
    def shown_file(self, row: TenantDomain) -> SafeString:
        return show.copyable(file_of(row)[0])

    @admin.display(description="Its line")
    def shown_line(self, row: TenantDomain) -> SafeString:
        return show.copyable(file_of(row)[1])
