"""Access grants for tests, given by the use case that gives them."""

from datetime import datetime, timedelta
from typing import Any

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.policy.give import Terms, give
from connections.models import AccessGrant, Connection, SubjectKind


def in_seconds(seconds: float) -> datetime:
    return database_now() + timedelta(seconds=seconds)


def let(
    connection: Connection, subject: str = "bob", kind: SubjectKind = SubjectKind.END_USER, **limits: Any
) -> AccessGrant:
    """Let ``subject`` use ``connection``, or every connection at ``provider``, within ``limits``."""
    target = {} if "provider" in limits else {"connection_id": connection.id}
    terms = Terms(subject_kind=kind, subject=subject, **target, **limits)
    grant, is_new = give(terms, tenant=connection.tenant, now=database_now(), actor=SYSTEM)
    assert is_new
    return grant
