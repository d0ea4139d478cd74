"""Export: what a bulk job has noted of each connection, for a file or a report. Nothing secret is in it.

A row notes how its connection stood when it was the row's turn. Whose it is, is read when the export is: so it says
nothing of an end user who was erased since.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any

from connections.journal.shapes import cell
from connections.models import BulkJob, BulkRow, Connection

_OWNER = ("connection", "tenant", "provider", "auth_style", "owner", "end_user", "label", "created_at")
_STANDING = (
    *("status", "reason", "status_changed_at", "paused_at", "suspended_at", "verified_at", "verified_by"),
    *("access_expires_at", "refresh_due_at", "grant_expires_at", "failures", "last_vended_at", "revocation"),
)
COLUMNS = (*_OWNER, *_STANDING, "granted_scopes")
_PART = 500


def standing_of(connection: Connection) -> dict[str, Any]:
    """Return how a connection stands, JSON-ready. One query."""
    values = {name: getattr(connection, name) for name in _STANDING}
    told = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}
    granted = connection.scopes.filter(is_granted=True).order_by("name").values_list("name", flat=True)
    return told | {"granted_scopes": list(granted)}


def exported(job: BulkJob) -> Iterator[dict[str, Any]]:
    """Yield what was noted of each connection that is still there, with the keys of ``COLUMNS``. A query for each part.

    The rows are read in parts by their ids, so that no cursor is held while a slow reader takes its time.
    """
    after = 0
    while True:
        rows = BulkRow.objects.filter(job=job, facts__isnull=False, id__gt=after).order_by("id")
        part = list(rows.select_related("connection__tenant", "connection__provider_app")[:_PART])
        for row in part:
            facts = {**_owner_of(row.connection), **(row.facts or {})}
            yield {name: facts.get(name) for name in COLUMNS}
        if len(part) < _PART:
            return
        after = part[-1].id


def as_csv(job: BulkJob) -> Iterator[str]:
    """Yield the export as lines of CSV (RFC 4180), its heading first. No cell is taken for a formula."""
    yield _line(COLUMNS)
    for facts in exported(job):
        yield _line([cell(facts[name]) for name in COLUMNS])


def _owner_of(connection: Connection) -> dict[str, Any]:
    return {
        "connection": str(connection.id),
        "tenant": connection.tenant.slug,
        "provider": connection.provider,
        "auth_style": connection.provider_app.auth_style,
        "owner": connection.owner_kind,
        "end_user": connection.end_user,
        "label": connection.label,
        "created_at": connection.created_at.isoformat(),
    }


def _line(cells: Any) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
