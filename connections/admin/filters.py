"""The filters beside the lists: short lists of choices, however many rows there are."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from connections.access.staff import visible
from connections.lifecycle.credentials.scopes import lacks_scopes
from connections.lifecycle.figures import CONDITIONS
from connections.models import REASONS_OF, VENDS, ProviderApp, Reason, Tenant
from connections.models.switches import KILL_SWITCH, PAUSE, any_thrown

_MOST_TENANTS = 30


class TenantFilter(SimpleListFilter):
    """By tenant. Lists the first few tenants and the chosen one; a search finds the others."""

    title = "tenant"
    parameter_name = "tenant"
    lookup = "tenant_id"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        tenants = visible(request.user, Tenant.objects.order_by("slug"))
        slugs = list(tenants.values_list("slug", flat=True)[:_MOST_TENANTS])
        chosen = self.value()
        if chosen and chosen not in slugs:
            slugs.insert(0, chosen)
        return [(slug, slug) for slug in slugs]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (slug := self.value()):
            return queryset
        # By the id: an index begins with that, and PostgreSQL knows how many rows a tenant has.
        tenant_id = Tenant.objects.filter(slug=slug).values_list("id", flat=True).first()
        return queryset.none() if tenant_id is None else queryset.filter(**{self.lookup: tenant_id})


class OwnerFilter(TenantFilter):
    """By tenant, for rows that may also be shared by all tenants."""

    title = "owner"
    shared = "-"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(self.shared, "Shared by all"), *super().lookups(request, model_admin)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == self.shared:
            return queryset.filter(tenant=None)
        return super().queryset(request, queryset)


class ProviderFilter(SimpleListFilter):
    """By provider. Lists the providers that have an app."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        apps = visible(request.user, ProviderApp.objects.order_by("provider"))
        slugs = apps.values_list("provider", flat=True).distinct()
        return [(slug, slug) for slug in slugs]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(provider=self.value()) if self.value() else queryset


class ProviderOfConnectionFilter(ProviderFilter):
    """By provider, by way of its apps: an index of connections begins with the app."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        apps = ProviderApp.objects.filter(provider=self.value()).values_list("id", flat=True)
        return queryset.filter(provider_app_id__in=list(apps))


class ReasonFilter(SimpleListFilter):
    """By why a connection has its status: a reason belongs to one status, by which there is an index."""

    title = parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(str(reason.value), str(reason.label)) for reason in Reason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        status = next((status for status, reasons in REASONS_OF.items() if self.value() in reasons), None)
        if not self.value():
            return queryset
        return queryset.none() if status is None else queryset.filter(status=status, reason=self.value())


class ChoiceFilter(SimpleListFilter):
    """By one of a few conditions."""

    known: Mapping[str, tuple[str, Q]]  # by the value in the address: its label, and the condition for its rows

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Sequence[tuple[str, str]]:
        return [(value, label) for value, (label, _) in self.known.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        _, condition = self.known.get(self.value() or "", ("", Q()))
        return queryset.filter(condition)


class TextFilter(SimpleListFilter):
    """By an exact text, which links and the address give: the list offers only what is chosen."""

    condition: Callable[[str], Q]

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(chosen, chosen)] if (chosen := self.value()) else []

    def has_output(self) -> bool:
        return bool(self.value())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(type(self).condition(chosen)) if chosen else queryset


class HealthFilter(ChoiceFilter):
    """By what is wrong, or what holds a connection back."""

    title = parameter_name = "health"
    known = {
        "undecryptable": ("Undecryptable", CONDITIONS["undecryptable"]),
        "failing": ("Refreshes failing", CONDITIONS["failing"]),
        "overdue": ("Refresh overdue", CONDITIONS["overdue"]),
        "due": ("Refresh due within the hour", CONDITIONS["due_soon"]),
        "refused": ("Refused lately", CONDITIONS["refused"]),
        "ending": ("Ends within 7 days", CONDITIONS["ending"]),
        "scopes": ("Scopes missing", Q()),
        "unrenewable": (
            "No refresh token",
            Q(lacks_refresh_token=True, status__in=VENDS),
        ),
        "unproven": ("Never verified", Q(verified_at=None)),
        "revoking": ("Revocation under way", CONDITIONS["revoking"]),
        "canary": ("Canary", Q(is_canary=True)),
        "paused": ("Paused", any_thrown(PAUSE)),
        "suspended": (
            "Suspended",
            any_thrown(KILL_SWITCH),
        ),
    }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "scopes":  # only the current catalogue can say which are missing
                return queryset.filter(lacks_scopes())
            case "paused":
                return queryset.filter(_thrown_by_id(PAUSE))
            case "suspended":
                return queryset.filter(_thrown_by_id(KILL_SWITCH))
        return super().queryset(request, queryset)


def _thrown_by_id(switch: str) -> Q:
    """Return the same as ``any_thrown``, with the tenants and apps as lists: by a join, every connection is read."""
    found = Q(**{f"{switch}__isnull": False})
    thrown = {f"{switch}__isnull": False}
    found |= Q(provider_app_id__in=list(ProviderApp.objects.filter(**thrown).values_list("id", flat=True)))
    if switch == KILL_SWITCH:
        found |= Q(tenant_id__in=list(Tenant.objects.filter(**thrown).values_list("id", flat=True)))
    return found


class SwitchFilter(ChoiceFilter):
    """By whether a row is switched off."""

    title = parameter_name = "switch"
    known = {"on": ("On", Q(suspended_at=None)), "off": ("Suspended", Q(suspended_at__isnull=False))}


class OpenFilter(ChoiceFilter):
    """By whether an incident is still open."""

    title = parameter_name = "state"
    known = {"open": ("Open", Q(closed_at=None)), "closed": ("Closed", Q(closed_at__isnull=False))}


class UsableKeyFilter(ChoiceFilter):
    """By whether an API key still works."""

    title = parameter_name = "state"
    known = {
        "usable": ("Usable", Q(revoked_at=None, expires_at__gt=Now())),
        "expired": ("Expired", Q(revoked_at=None, expires_at__lte=Now())),
        "revoked": ("Revoked", Q(revoked_at__isnull=False)),
    }


class ExpiryFilter(ChoiceFilter):
    """By how soon a credential version ends."""

    title = parameter_name = "expiry"
    known = {
        "never": ("Never expires", Q(access_expires_at=None)),
        "valid": ("Valid", Q(access_expires_at__gt=Now())),
        "expired": ("Expired", Q(access_expires_at__lte=Now())),
    }


class AgeFilter(SimpleListFilter):
    """By the age of a row. Django's drill-down by date would read the whole of a table that only grows."""

    title = "age"
    parameter_name = "age"
    lookup = "at"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Sequence[tuple[str, str]]:
        return (("hour", "The last hour"), ("day", "The last 24 hours"), ("week", "The last 7 days"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        ages = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
        value = self.value()
        return queryset.filter(**{f"{self.lookup}__gt": Now() - ages[value]}) if value in ages else queryset


def age_of(column: str) -> type[AgeFilter]:
    """Return the age filter for a column of another name."""
    return type("AgeFilter", (AgeFilter,), {"lookup": column})


class IdFilter(SimpleListFilter):
    """By the id that a link from another page carries; shown only while it is set."""

    lookup = ""

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        value = self.value()
        return [(value, value[:8])] if value else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        try:
            wanted = uuid.UUID(value)
        except ValueError:
            return queryset.none()
        return self.narrow(queryset, wanted)

    def narrow(self, queryset: QuerySet[Any], wanted: uuid.UUID) -> QuerySet[Any]:
        """Return the rows of ``queryset`` that belong to the id."""
        return queryset.filter(**{self.lookup: wanted})


class _JsonIdFilter(IdFilter):
    """By an id that is a text inside a JSON column."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.lookup: self.value()}) if self.value() else queryset


def id_filter(parameter: str, title: str, lookup: str, *, in_json: bool = False) -> type[SimpleListFilter]:
    """Return a filter by the id of another row; ``in_json``: ``lookup`` leads into a JSON column."""
    base = _JsonIdFilter if in_json else IdFilter
    return type("IdFilter", (base,), {"parameter_name": parameter, "title": title, "lookup": lookup})
