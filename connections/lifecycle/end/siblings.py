"""Siblings: other connections that a revocation at the provider would end as well.

One account may be connected more than once: by two end users, for two tenants, for two workspaces. Many providers keep
one grant for each account and client, and end all of it when any of its tokens is revoked (``revocation.ends``).

Two connections are of the same account if they have the same account id. Where the id is not known, or names a
workspace instead of the person who granted it, any connection of the same tenant may be a sibling. Connections of other
tenants then count as other people's: otherwise no grant to an app that all tenants share could ever be revoked.
"""

from django.db.models import Q, QuerySet

from connections.access.targets import Access
from connections.models import VENDS, Connection


def reaches_siblings(access: Access) -> bool:
    """Whether a revocation at this provider ends more than the tokens of one authorization. No I/O."""
    return access.capabilities.ends_grant


def can_be_narrowed(access: Access) -> bool:
    """Whether the provider can revoke one token, and leave the grant alone. No I/O."""
    return access.capabilities.narrows


def siblings_of(connection: Connection, access: Access) -> QuerySet[Connection]:
    """Return the connections in use that may live on the grant of ``connection``, ordered by id. No lock."""
    others = Connection.objects.filter(provider_app_id=connection.provider_app_id, status__in=VENDS)
    if connection.registered_client_id is not None:
        others = others.filter(registered_client_id=connection.registered_client_id)
    else:
        others = others.filter(party=connection.party)
    of_tenant = Q(tenant_id=connection.tenant_id)
    account, within = connection.provider_account_id, access.target.account_within
    entry = access.target.entry
    if not account or (entry.probe is not None and entry.probe.lists_workspaces):
        may_share = of_tenant
    else:
        may_share = Q(provider_account_id=account) | of_tenant & Q(provider_account_id="")
        person = account.removeprefix(":".join([*within, ""])) if entry.workspaces is not None else account
        if person != account:
            may_share |= Q(provider_account_id__endswith=f":{person}")
    return others.filter(may_share).exclude(id=connection.id).order_by("id")
