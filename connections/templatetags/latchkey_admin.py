"""Template tags of the admin: what its pages need in addition to Django's own context."""

from typing import Any

from django import template
from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from connections.admin import show
from connections.admin.base import label_of
from connections.admin.dashboard import Overview, overview
from connections.database.clock import database_now

register = template.Library()
register.filter("label", label_of)

# The order and the names of the models in the menu. Models that are not named here come last, in Django's order.
_GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Day to day",
        (
            ("Connection", "Connections"),
            ("BulkJob", "Background jobs"),
            ("Incident", "Incidents"),
            ("ConnectSession", "Connect sessions"),
        ),
    ),
    (
        "Who may use what",
        (
            ("AccessGrant", "Access grants"),
            ("Approval", "Approvals"),
            ("ApiClient", "API clients"),
            ("ApiKey", "API keys"),
            ("TrustedIssuer", "Trusted issuers"),
            ("ManagementSession", "Visits to own connections"),
            ("Offboarding", "End users who left"),
        ),
    ),
    (
        "Set-up",
        (
            ("Tenant", "Tenants"),
            ("Brand", "Brands"),
            ("TenantDomain", "Domains of tenants"),
            ("Catalogue", "Catalogue"),
            ("ProviderApp", "Provider apps"),
            ("AppKey", "Keys of provider apps"),
        ),
    ),
    (
        "Records",
        (
            ("AuditEvent", "Audit trail"),
            ("AuditVerification", "Proof of the audit trail"),
            ("AuditSeal", "Seals of the audit trail"),
            ("OutboxEvent", "Events"),
            ("WebhookEndpoint", "Webhook endpoints"),
            ("WebhookDelivery", "Webhook deliveries"),
            ("Notice", "Notices by mail"),
        ),
    ),
    (
        "Credentials",
        (
            ("RefreshAttempt", "Refresh attempts"),
            ("CredentialVersion", "Credential versions"),
            ("Scope", "Scopes"),
            ("DataKey", "Data keys"),
        ),
    ),
)


@register.simple_tag
def dashboard(request: HttpRequest) -> Overview | None:
    """Return what the first page shows, or None for an operator who may not see connections."""
    if not request.user.has_perm("connections.view_connection"):
        return None
    return overview(user=request.user, now=database_now())


@register.filter
def thousands(number: int) -> str:
    """Return a count with its thousands apart."""
    return f"{number:,}"


@register.filter
def plain_number(number: float) -> str:
    """Return a number as SVG writes it, whatever the language of the page."""
    return f"{number:g}"


@register.filter
def in_groups(app_list: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return Django's list of apps with our models grouped by what they are for."""
    groups: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for app in app_list or ():
        if app["app_label"] != "connections":
            others.append(app | {"name": "Operators"} if app["app_label"] == "auth" else app)
            continue
        models = {model["object_name"]: model for model in app["models"]}
        if "ProviderApp" in models:  # who may do anything with apps may read the catalogue, which is no model
            models["Catalogue"] = {"object_name": "Catalogue", "admin_url": reverse("catalogue:list")}
        for name, members in _GROUPS:
            shown = [models.pop(known) | {"name": label} for known, label in members if known in models]
            if shown:
                groups.append(app | {"name": name, "models": shown})
        if models:
            groups.append(app | {"name": "Other", "models": list(models.values())})
    return groups + others


@register.simple_tag
def status_chip(value: str, label: str) -> SafeString:
    """Return the chip of a state."""
    return show.state_chip(value, label)


@register.simple_tag
def switch_chips(row: Any) -> SafeString:
    """Return a chip for each switch of a row that is on, and one if its credential cannot be decrypted."""
    return show.switches(row)


@register.simple_tag
def moment(at: Any, now: Any) -> SafeString | str:
    """Return a moment as its distance from ``now``."""
    return show.moment(at, now=now)


@register.simple_tag
def facts(value: Any) -> SafeString | str:
    """Return a small JSON object on one line."""
    return show.facts(value)


@register.simple_tag
def page_link(row: Any, label: Any = None) -> SafeString | str:
    """Return a link to a row's page."""
    return show.link(row, label)


@register.simple_tag
def list_url(model: str, **filters: Any) -> str:
    """Return the address of the list of one of our models, filtered."""
    return show.list_url(apps.get_model("connections", model), **filters)


@register.simple_tag
def copyable(value: str) -> SafeString:
    """Return a value to be copied."""
    return show.copyable(value)
