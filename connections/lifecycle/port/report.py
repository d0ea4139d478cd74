"""Report: what came of each row, in stable codes with the words for people. It never holds a value of a row."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.db.models import Count

from connections.models import ImportRow, ImportRun

# What each code means for the row, in a few words; ``ImportRow.detail`` says the rest.
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "accepted": "can be imported",
        "replaces": "can be imported, and replaces what is there",
        "imported": "stored, not tried yet",
        "stored": "stored",
        "refreshed": "stored and refreshed",
        "verified": "stored and verified",
        "refreshed_and_verified": "stored, refreshed and verified",
        "other_account": "stored; belongs to another account than the row says",
        "refused": "stored; the provider refuses it",
        "lost_in_flight": "stored; the answer to its refresh was lost",
        "provider_unavailable": "stored; the provider could not answer",
        "app_misconfigured": "the provider app does not fit",
        "answer_unread": "stored; the answer could not be read",
        "switched_off": "stored; not tried, because it is switched off",
        "gone": "the connection has been deleted",
        "exists": "left out: the connection is there",
        "already_imported": "left out: an earlier import has it",
        "not_stored": "left out: all or nothing was wanted",
        "duplicate": "twice in the file",
        "ambiguous": "several connections could be meant",
        "revoked": "the connection that is there was revoked",
        "unreadable_row": "cannot be read",
        "unreadable": "does not open",
        "too_large": "too large",
        "encrypted": "still encrypted",
        "missing_field": "lacks something",
        "bad_field": "holds something that cannot be used",
        "wrong_tenant": "of another tenant",
        "unknown_tenant": "of an unknown tenant",
        "unknown_provider": "of an unknown provider",
        "no_provider_app": "lacks a provider app",
        "other_client": "issued to another client",
        "expired": "has ended",
    }
)
NEEDS_CARE = frozenset(WORDS) - {
    *("accepted", "replaces", "imported", "stored", "refreshed", "verified", "refreshed_and_verified"),
    *("exists", "already_imported"),
}


def counts_of(run: ImportRun) -> dict[str, int]:
    """Return how many rows of an import have each code. One query."""
    found = ImportRow.objects.filter(run=run).order_by().values("code").annotate(number=Count("id"))
    return {row["code"]: row["number"] for row in sorted(found, key=lambda row: row["code"])}


def rotating_in(run: ImportRun) -> int:
    """Return how many good rows have a copy at the source that the import's refresh ends. One query."""
    return ImportRow.objects.filter(run=run, rotates=True, key__isnull=False).count()


def told_of(row: ImportRow) -> dict[str, Any]:
    """Return what the report says of one row, JSON-ready, without a query.

    Keys: ``line``, ``source_id``, ``tenant`` (its id), ``provider``, ``end_user``, ``state``, ``code``, ``means``,
    ``field``, ``detail``, ``rotates``, ``connection`` (its id or None).
    """
    return {
        "line": row.line,
        "source_id": row.source_id,
        "tenant": None if row.tenant_id is None else str(row.tenant_id),
        "provider": row.provider,
        "end_user": row.end_user,
        "state": row.state,
        "code": row.code,
        "means": WORDS[row.code],
        "field": row.field,
        "detail": row.detail,
        "rotates": row.rotates,
        "connection": None if row.connection_id is None else str(row.connection_id),
    }
