"""Report: a caller saw a 401. With an old version, it learns that there is a new one; else a probe runs at once."""

import uuid
from dataclasses import dataclass

from connections.access.switched_off import switched_off
from connections.journal import audit
from connections.lifecycle.credentials.subject_tokens import forget_reported
from connections.lifecycle.probe.probe import probe
from connections.models import VENDS, Connection, Trigger
from connections.refusals import NotFound
from providers.vocabulary import ProbeVerdict

HTTP_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Reported:
    """The outcome of a report. ``is_superseded``: the caller used an old version and should vend again."""

    connection: Connection
    is_superseded: bool
    verdict: ProbeVerdict | None


def report(connection_id: uuid.UUID, *, version_id: uuid.UUID, status: int, actor: audit.Actor) -> Reported:
    """Act on a caller's report that the provider answered ``status`` to ``version_id``. May probe (HTTP).

    Raises ``NotFound``, and ``Suspended`` or ``Paused`` where a probe is due and the provider may not be called.
    """
    connection = Connection.objects.select_related("tenant", "provider_app").filter(id=connection_id).first()
    if connection is None:
        raise NotFound("There is no such connection.")
    is_superseded = connection.current_version_id != version_id
    audit.record(
        "connection.report",
        actor=actor,
        connection=connection,
        version_id=version_id,
        detail={"status": status, "superseded": is_superseded},
    )
    if is_superseded and status == HTTP_UNAUTHORIZED:
        forget_reported(connection_id, version_id)  # if it was one that acts for a subject
    if is_superseded or connection.status not in VENDS or status != HTTP_UNAUTHORIZED:
        return Reported(connection, is_superseded, None)
    if (off := switched_off(connection)) is not None:
        raise off
    found = probe(connection_id, trigger=Trigger.REPORT)
    connection.refresh_from_db()
    return Reported(connection, connection.current_version_id != version_id, found.verdict)
