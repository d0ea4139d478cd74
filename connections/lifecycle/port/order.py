"""Order: begin an import, or find the one that the same file began and that has not ended."""

import hashlib
import uuid
from typing import BinaryIO

from connections.access.secrets import current_data_key
from connections.database.locks import lock_import
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.port.options import Options
from connections.lifecycle.port.row_key import file_digest
from connections.models import ImportRun, ImportState, Tenant
from connections.refusals import InvalidRequest, NotFound

_CHUNK = 1 << 20


def digest_of(file: BinaryIO) -> bytes:
    """Return the keyed digest of a seekable file, and leave the file at its beginning. Reads it whole; one query."""
    known = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK):
        known.update(chunk)
    file.seek(0)
    return file_digest(known, key=current_data_key(None))


def order_import(
    options: Options,
    *,
    tenant: Tenant | None,
    digest: bytes | None = None,
    in_background: bool = False,
    actor: audit.Actor,
) -> ImportRun:
    """Begin an import with these options, and return it; for a ``digest``, go on with the one that has it.

    ``tenant`` None: each row names its own. Raises ``InvalidRequest``. One short transaction; no HTTP.
    """
    options.check()
    if tenant is not None and tenant.shred_at is not None:
        raise InvalidRequest("This tenant is being deleted: nothing is imported any more.", field="tenant")
    with short_transaction() as now:
        if digest is not None:
            under_way = ImportRun.objects.filter(digest=digest, tenant=tenant, finished_at=None)
            found = under_way.filter(options=options.as_json()).first()
            if found is not None:
                return found
        run = ImportRun.objects.create(
            tenant=tenant,
            options=options.as_json(),
            digest=digest,
            in_background=in_background,
            api_client_id=actor.api_client_id,
            operator=actor.operator,
            created_at=now,
        )
        audit.record(
            "import.ordered",
            actor=actor,
            tenant_id=None if tenant is None else tenant.id,
            detail={"import": str(run.id), "dry_run": options.dry_run, "on_conflict": options.on_conflict},
        )
    return run


def end_reading(run_id: uuid.UUID) -> ImportRun:
    """Record that all rows are there, so that they are stored next. One short transaction. Raises ``NotFound``."""
    with short_transaction():
        run = lock_import(run_id)
        if run is None:
            raise NotFound("There is no such import.")
        if run.state == ImportState.READING:
            run.move_on(ImportState.STORING)
    return run
