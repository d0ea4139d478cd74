"""Unread answers: stored before anything is decided, whatever happens to the process or the database meanwhile."""

import json
from pathlib import Path

import pytest
from pytest_django import Settings
from requests.structures import CaseInsensitiveDict

from connections.database.clock import database_now
from connections.database.pool import release_database
from connections.lifecycle.credentials import spool
from connections.lifecycle.credentials.reread import reread
from connections.lifecycle.credentials.unread import SealedAnswer, open_answer, seal_answer, store_unread
from connections.lifecycle.refresh.claim import Claim, Need, Outcome, claim
from connections.lifecycle.refresh.recover import recover_unfinished
from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection, OutboxEvent, Tenant, UnreadAnswer
from connections.vault.sealing import Unreadable
from providers.errors import Evidence
from providers.oauth.unread import AnswerUnread
from providers.response import Response
from providers.sandbox.client import SandboxProcess
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import refreshes, reload

BODY = json.dumps({"envelope": {"access_token": "at-2", "refresh_token": "rt-2"}}).encode()


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """A spool of the test's own."""
    settings.SPOOL_DIR = tmp_path / "spool"
    return tmp_path / "spool"


def received(connection: Connection) -> SealedAnswer:
    """Claim a refresh, and return the answer that came for it, sealed and stored nowhere: the process is gone."""
    age(connection.id, hours=1)
    claimed = claim(connection.id, trigger="sweep", need=Need())
    assert isinstance(claimed, Claim)
    release_database()
    answer = Response(200, CaseInsensitiveDict({"Content-Type": "application/json"}), BODY)
    return seal_answer(
        AnswerUnread(answer, Evidence("The success holds no usable access token.", status=200)),
        tenant_id=claimed.tenant_id,
        connection_id=claimed.connection_id,
        grant_id=claimed.grant_id,
        parent_id=claimed.parent_version_id,
        attempt_id=claimed.attempt_id,
        key=claimed.key,
        grantor=claimed.access.target.grantor,
        provider=claimed.access.target.entry.slug,
        rotates=claimed.rotates,
        received_at=claimed.claimed_at,
    )


def test_a_process_that_dies_after_the_store_leaves_what_holds_the_next_refresh_back(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    store_unread(received(connection))
    age_all(connection)
    recover_unfinished(now=database_now())
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.ANSWER_UNREAD
    assert refreshes(sandbox) == []
    row = reload(connection)
    assert row.answer_unread_at is not None
    assert row.status == "active"
    assert OutboxEvent.objects.filter(type="connection.answer_unread").count() == 1


def test_a_spooled_answer_is_stored_by_whoever_would_send_the_next_refresh(
    connection: Connection, sandbox: SandboxProcess, folder: Path
) -> None:
    spool.write(received(connection))
    assert b"at-2" not in next(folder.iterdir()).read_bytes()
    age(connection.id, minutes=10)
    spool.replay()
    kept = UnreadAnswer.objects.get()
    assert open_answer(reload(connection), kept).answer.body == BODY
    assert list(folder.iterdir()) == []
    age_all(connection)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.ANSWER_UNREAD
    assert refreshes(sandbox) == []


def test_an_answer_opens_in_its_own_row_alone(connection: Connection, globex: Tenant) -> None:
    store_unread(received(connection))
    row = UnreadAnswer.objects.get()
    assert open_answer(connection, row).answer.body == BODY
    with pytest.raises(Unreadable):
        open_answer(Connection(id=connection.id, tenant=globex), row)
    row.id = connection.id
    with pytest.raises(Unreadable):
        open_answer(connection, row)


def test_deleting_the_tenant_destroys_it(connection: Connection) -> None:
    store_unread(received(connection))
    Connection.objects.filter(id=connection.id).delete()
    assert not UnreadAnswer.objects.exists()


def test_reading_what_is_still_unreadable_keeps_it(connection: Connection) -> None:
    store_unread(received(connection))
    assert reread(connection.id) == (0, 1)
    assert reread(connection.id) == (0, 1)


def age_all(connection: Connection) -> None:
    """Let the lease and the provider's grace pass."""
    age(connection.id, minutes=10)
    for row in UnreadAnswer.objects.filter(connection=connection):
        row.received_at = database_now().replace(year=2020)
        row.save(update_fields=["received_at"])
