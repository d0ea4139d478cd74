"""The canonical bytes of an audit row, over which its digest in a seal is made. They never change with a release.

A row is the JSON array of its columns in the order of ``_COLUMNS``: ids and moments (microseconds since 1970) as
numbers, null as null, the fingerprint in hexadecimal, ``detail`` as PostgreSQL writes the jsonb. An auditor can make
them again from the table alone.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from connections.models import AuditEvent

DIGEST_BYTES = 16  # to find a second row with the same one takes 2^128 tries
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_COLUMNS = (
    "id",
    "at",
    "action",
    "decision",
    "tenant_id",
    "connection_id",
    "credential_version_id",
    "api_client_id",
    "operator",
    "subject",
    "agent",
    "purpose",
    "scopes",
    "address",
    "fingerprint",
    "written_detail",
)


@dataclass(frozen=True, slots=True)
class CanonicalRow:
    """One row: its id, its moment in microseconds since 1970, and its bytes."""

    id: int
    at: int
    content: bytes

    def digest(self, nonce: bytes) -> bytes:
        """Return the digest of the row with ``nonce``, without which nobody can try what it was made from."""
        return hashlib.sha256(nonce + self.content).digest()[:DIGEST_BYTES]


def canonical_rows(rows: "QuerySet[AuditEvent]", *, limit: int | None = None) -> Iterator[CanonicalRow]:
    """Yield the first ``limit`` of ``rows`` by id. One query, read to its end at the first row."""
    found = rows.order_by("id").annotate(written_detail=Cast("detail", TextField())).values_list(*_COLUMNS)
    for values in found[:limit]:
        at = microseconds(values[1])
        members: list[Any] = [values[0], at, *values[2:4], *(_text(one) for one in values[4:8]), *values[8:14]]
        members += [None if values[14] is None else bytes(values[14]).hex(), values[15]]
        yield CanonicalRow(values[0], at, json.dumps(members, separators=(",", ":")).encode())


def microseconds(moment: datetime) -> int:
    """Return ``moment`` as microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(at: int) -> datetime:
    """Return the moment that is ``at`` microseconds after the beginning of 1970."""
    return _EPOCH + at * _MICROSECOND


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
