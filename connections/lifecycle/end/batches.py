"""Delete many rows in short transactions, so that nobody waits for long, and no killed process works in vain."""

import time
from collections.abc import Callable

from django.db.models import Model, QuerySet

from connections.database.locks import lock_if_free_of
from connections.database.pool import short_transaction

BATCH = 200


def delete_in_batches(
    rows: QuerySet[Model], *, give_up_at: float, then: Callable[[int], None] = lambda count: None
) -> bool:
    """Delete ``rows`` and the rows that depend on them, one batch a transaction. Return whether none is left.

    Stops at ``give_up_at`` (``time.monotonic()``), and leaves rows that another transaction has locked. ``then`` is
    called in each transaction, with the number of rows.
    """
    while time.monotonic() < give_up_at:
        with short_transaction():
            keys = [row.pk for row in lock_if_free_of(rows.order_by("pk").only("pk"), limit=BATCH)]
            rows.model._default_manager.filter(pk__in=keys).delete()
            then(len(keys))
        if not keys:
            break
    return not rows.exists()
