"""Begin: one row, one audit row, one notice; what was released before waits again."""

from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.quarantine.begin import begin_quarantine
from connections.models import AuditEvent, Connection, Installation, Notice, RewindCause, Tenant
from connections.models.quarantine import holds
from tests.connections.api.stored import make_connection


def test_everything_older_is_held_and_it_is_told(acme: Tenant) -> None:
    older = make_connection(acme)
    since = database_now() - timedelta(hours=1)
    anna = Actor(operator="anna")
    begin_quarantine(RewindCause.RESTORED, rewound_to=since, actor=anna, now=database_now())
    newer = make_connection(acme, end_user="newer")
    assert [holds(Connection.objects.get(id=row.id)) for row in (older, newer)] == [True, False]
    here = Installation.objects.get()
    assert (here.cause, here.rewound_to, here.sorted_at) == ("restored", since, None)
    row = AuditEvent.objects.get(action="quarantine.begin")
    assert (row.operator, row.decision, row.detail) == ("anna", "restored", {"rewound_to": since.isoformat()})
    assert "quarantine status" in Notice.objects.get().body


@pytest.mark.usefixtures("transactional_db")
def test_a_beat_does_not_stand_for_a_moment_that_nobody_names() -> None:
    Installation.objects.create(beaten_at=database_now())
    begin_quarantine(RewindCause.ORDERED, rewound_to=None, actor=Actor(operator="anna"), now=database_now())
    assert Installation.objects.get().rewound_to is None
