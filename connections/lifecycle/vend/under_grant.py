"""The vends that need an access grant: finds the one under which an order is allowed. ``policy`` decides."""

from connections.access.targets import entry_named, scope_rules_of
from connections.lifecycle.credentials.subject_tokens import HeldToken
from connections.lifecycle.policy.check import Access, check_use
from connections.lifecycle.policy.decide import Action, UseFacts, UseRequest
from connections.lifecycle.vend.order import VendOrder
from connections.lifecycle.vend.query import VendRow
from connections.models import OwnerKind, Permission
from providers.strategies import strategy_for


def access_for(order: VendOrder, row: VendRow, held: HeldToken | None) -> Access:
    """Return the access grant under which ``order`` is allowed. Raises as ``check_use``, and does the same I/O.

    ``held`` is the token that was exchanged for the order, if it brought a subject's.
    """
    if row.connection_id is None:
        raise TypeError("There is no connection to decide about.")
    request = UseRequest(
        action=Action.VEND,
        client_id=row.client_id,
        end_user=order.end_user,
        groups=order.groups,
        agent=order.agent,
        purpose=order.purpose,
        may_act_without_user=Permission.VEND_WITHOUT_USER in row.permissions,
        scopes=order.scopes,
        verified=order.vouched_by,
    )
    return check_use(
        _facts(order, row, held),
        request,
        tenant_id=row.tenant_id,
        connection_id=row.connection_id,
        provider=row.provider,
        now=row.now,
    )


def _facts(order: VendOrder, row: VendRow, held: HeldToken | None) -> UseFacts:
    carried, expires_at = row.scopes or (), row.access_expires_at
    if held is not None:
        carried, expires_at = held.scopes, held.expires_at
    elif strategy_for(row.auth_style).per_subject:
        # What is asked of the provider. What comes of it is looked at once more before it is handed out.
        entry = entry_named(row.provider)
        carried, expires_at = entry.with_required_scopes(order.scopes or entry.default_scopes), row.now
    return UseFacts(
        owner_kind=OwnerKind(row.owner_kind),
        end_user=row.end_user,
        grants_only=row.grants_only,
        carried_scopes=carried,
        expires_at=expires_at,
        scope_rules=scope_rules_of(row.provider),
    )
