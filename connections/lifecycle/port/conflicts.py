"""Conflicts: the owner of a row has such a connection already."""

import uuid
from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q

from connections.lifecycle.port.judge import Plan
from connections.lifecycle.port.options import Conflict
from connections.models import Connection, ImportRow, ImportRun, OwnerKind, Status
from providers.brought.connection import RowFault


class Conflicts:
    """Finds the conflicts of several rows of one import with one query.

    Connections that the import itself has made are no conflict: an end user may bring several. One that was there
    before is replaced once.
    """

    def __init__(self, plans: Sequence[Plan], *, run: ImportRun) -> None:
        self._live: defaultdict[tuple[uuid.UUID, str], list[Connection]] = defaultdict(list)
        self._used: set[uuid.UUID] = set()
        if not plans:
            return
        owners = {_owner(plan) for plan in plans}
        of_this = Exists(ImportRow.objects.filter(connection=OuterRef("pk"), run=run, version_id__isnull=False))
        found = Connection.objects.live().filter(
            Q(tenant_id__in={plan.tenant.id for plan in plans}),
            provider_app_id__in={plan.app.id for plan in plans},
            end_user__in={owner for _, owner in owners},
        )
        found = found.exclude(Q(of_this), created_at__gte=run.created_at)
        for connection in found.order_by("created_at"):
            self._live[connection.provider_app_id, connection.end_user].append(connection)
        self._used.update(found.filter(of_this).values_list("id", flat=True))

    def of(self, plan: Plan) -> list[Connection]:
        """Return the live connections of the owner of ``plan`` that are about what it is about. No I/O.

        By the account at the provider where both name one, else by the label. The tenant's must be those of ``plan``.
        """
        account, label = plan.brought.account_id, plan.label
        owned = [one for one in self._live[_owner(plan)] if one.tenant_id == plan.tenant.id]
        return [
            one
            for one in owned
            if (account and one.provider_account_id == account)
            or (label and one.label == label)
            or (not (account and one.provider_account_id) and one.label == label)
        ]

    def use(self, connection: Connection) -> None:
        """Record that a row of this import replaces its credential: no other may."""
        self._used.add(connection.id)

    def fault_of(self, found: Sequence[Connection], wish: Conflict) -> RowFault | None:
        """Return why a row that conflicts with ``found`` is not stored; None if it replaces the one of them. No I/O."""
        if wish == "skip":
            return RowFault("exists", "Its owner has this connection already, and it stays as it is.")
        if len(found) > 1:
            return RowFault("ambiguous", "Its owner has several such connections: name the account or the label.")
        if found[0].id in self._used:
            return RowFault("duplicate", "Another row of this import has replaced the connection that is there.")
        if found[0].status == Status.REVOKED:
            return RowFault("revoked", "An operator has revoked the connection that is there: disconnect it first.")
        return None


def _owner(plan: Plan) -> tuple[uuid.UUID, str]:
    return plan.app.id, plan.end_user if plan.owner is OwnerKind.END_USER else ""
