"""Files of connections, and their imports, as the operator's command runs them."""

import io
import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

from connections.journal.audit import Actor
from connections.lifecycle.port.go_on import go_on
from connections.lifecycle.port.options import Options
from connections.lifecycle.port.order import digest_of, end_reading, order_import
from connections.lifecycle.port.take import take_rows
from connections.models import ImportRow, ImportRun, ImportState, ProviderApp, Tenant
from providers.brought.files import rows_of
from providers.sandbox.client import SandboxProcess

OLGA = Actor(operator="olga")


def lines_of(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return the rows as JSON Lines."""
    return "\n".join(json.dumps(row) for row in rows).encode()


def minted(
    sandbox: SandboxProcess, app: ProviderApp, count: int = 1, *, username: str = "alice", **members: Any
) -> list[dict[str, Any]]:
    """Return rows with grants of their own at the sandbox, one for each of the end users user-0, user-1…"""
    tokens = sandbox.control.mint(app.client_id, username=username, count=count, scope="profile.read files.read")
    return [
        {
            "provider": app.provider,
            "end_user": f"user-{number}",
            "access_token": one["access_token"],
            "refresh_token": one["refresh_token"],
            "scopes": one["scope"],
            **members,
        }
        for number, one in enumerate(tokens)
    ]


def order(content: bytes, *, tenant: Tenant | None = None, **options: Any) -> ImportRun:
    """Begin the import of a file, or find it, and take its rows."""
    wanted = Options(**{"form": "json", **options})
    file = io.BytesIO(content)
    run = order_import(wanted, tenant=tenant, digest=digest_of(file), actor=OLGA)
    if run.state == ImportState.READING:
        take_rows(run.id, rows_of(file, form=wanted.form))
        run = end_reading(run.id)
    return run


def run_import(content: bytes, *, tenant: Tenant | None = None, seconds: float = 30, **options: Any) -> ImportRun:
    """Import a file to its end."""
    run = order(content, tenant=tenant, **options)
    if run.finished_at is None:
        run = go_on(run.id, give_up_at=time.monotonic() + seconds)
    assert run.finished_at is not None
    return run


def outcomes(run: ImportRun) -> list[str]:
    """Return the codes of the rows, in their order."""
    return list(ImportRow.objects.filter(run=run).values_list("code", flat=True))


def row_of(run: ImportRun, line: int = 1) -> ImportRow:
    """Return the row of that line."""
    return ImportRow.objects.get(run=run, line=line)


def connection_ids(run: ImportRun) -> list[uuid.UUID]:
    """Return the connections of an import, in the order of its rows."""
    found = ImportRow.objects.filter(run=run, connection__isnull=False).values_list("connection_id", flat=True)
    return [one for one in found if one is not None]
