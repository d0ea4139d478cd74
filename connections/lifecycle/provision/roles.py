"""The three roles of staff, each with all that the one before it may do. `migrate` makes them, and keeps them so.

- **viewer** looks at everything, and changes nothing
- **operator** runs the day: tenants, provider apps, connections, incidents
- **security** says who may call and use what, where events go, and who of the staff may do what: keys, grants, trust

The roles are groups of Django's. Other groups, and rights of single accounts, are the installation's own. Nobody of
these roles may change accounts: that takes a superuser, since whoever may change accounts may do everything.
"""

from collections.abc import Iterable
from enum import StrEnum

from django.contrib.auth.models import Group, Permission

_OURS = "connections"


class Role(StrEnum):
    """A role's name, which is also its group's. Each has all that those before it have."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SECURITY = "security"


# What each role adds to the one before it. A viewer also has every ``view`` permission of our models.
ADDS: dict[Role, frozenset[str]] = {
    Role.VIEWER: frozenset(),
    Role.OPERATOR: frozenset(
        f"{_OURS}.{name}"
        for name in (
            *("add_tenant", "change_tenant", "add_brand", "change_brand", "add_tenantdomain", "change_tenantdomain"),
            *("add_providerapp", "change_providerapp", "change_appkey", "change_registeredclient"),
            *("change_connection", "change_connectsession", "change_managementsession", "change_incident"),
            "change_heldconnection",
            *("change_approval", "change_bulkjob", "change_webhookdelivery", "change_importrun"),
            "change_notice",
        )
    ),
    Role.SECURITY: frozenset(
        {
            *(
                f"{_OURS}.{name}"
                for name in (
                    *("add_apiclient", "change_apiclient", "change_apikey", "issue_apikey", "entrust_apiclient"),
                    *("add_accessgrant", "change_accessgrant", "trust_issuer"),
                    *("add_webhookendpoint", "change_webhookendpoint"),
                    *("delete_tenant", "describe_provider", "refer_secret", "oversee_staff"),
                    "change_auditverification",
                    *("change_finding", "change_watchsetting"),
                )
            ),
            *("auth.view_user", "auth.view_group"),
        }
    ),
}


def permissions_of(role: Role, known: Iterable[str]) -> set[str]:
    """Return which of the ``known`` permissions a role has, as ``app.codename`` each. No I/O."""
    ranks = list(Role)
    added = {name for one in ranks[: ranks.index(role) + 1] for name in ADDS[one]}
    return {name for name in known if name.startswith(f"{_OURS}.view_") or name in added}


def save_roles() -> None:
    """Make the groups of the roles, and give each exactly what its role has. Repeating it changes nothing."""
    known = {
        f"{one.content_type.app_label}.{one.codename}": one
        for one in Permission.objects.filter(content_type__app_label__in=(_OURS, "auth")).select_related("content_type")
    }
    for role in Role:
        group, _ = Group.objects.get_or_create(name=role.value)
        group.permissions.set([known[name] for name in permissions_of(role, known)])
