"""Keys that are missing and ciphertext that is damaged: an alert each, and no verdict on any grant."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection as database

from connections.lifecycle.claim import Outcome
from connections.lifecycle.clock import database_now
from connections.lifecycle.probe import probe
from connections.lifecycle.sweep import sweep_refreshes
from connections.models import AuditEvent, DataKey, Incident
from tests.connections.lifecycle.clockwork import age
from tests.faults.observed import Subject

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("missing", "value"), [("KEK_KEYS", None), ("FERNET_KEYS", "")])
def test_no_process_starts_without_its_keys(missing: str, value: str | None) -> None:
    environment = {name: kept for name, kept in os.environ.items() if name != missing}
    if value is not None:
        environment[missing] = value
    command = [sys.executable, "-c", "import config.wsgi"]
    started = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert started.returncode != 0
    assert "ImproperlyConfigured" in started.stderr
    assert missing in started.stderr


def flip(subject: Subject, position: float) -> bytes:
    """Flip one bit of the current version's stored secrets and return what was there."""
    version = subject.current()
    assert version.secrets is not None
    stored = bytes(version.secrets.stored)
    damaged = bytearray(stored)
    damaged[int(position * (len(damaged) - 1))] ^= 1
    write(subject, bytes(damaged))
    return stored


def write(subject: Subject, secrets: bytes) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE connections_credentialversion SET secrets = %s WHERE id = %s", [secrets, subject.current().id]
        )


def test_a_flipped_byte_sends_nothing_and_ends_nothing(subject: Subject) -> None:
    before = subject.current().id
    subject.expire()
    for position in (0, 0.3, 0.6, 0.9, 1):
        stored = flip(subject, position)
        for _ in range(3):
            assert subject.refresh().outcome is Outcome.UNREADABLE
        assert probe(subject.id, trigger="sweep").verdict is None
        answer = subject.vend()
        assert (answer.status_code, answer.json()["code"]) == (500, "credential_unreadable")
        row = subject.row()
        assert (row.status, row.current_version_id, row.failures, row.refused_at) == ("active", before, 0, None)
        assert row.undecryptable_at is not None
        write(subject, stored)
    assert subject.sandbox.control.log() == [], "not even a probe was sent"
    assert subject.attempts() == []
    assert not Incident.objects.exists()
    audited = Counter(AuditEvent.objects.filter(decision="credential_unreadable").values_list("action", flat=True))
    assert audited == {"credential.vend": 5, "credential.undecryptable": 1}, "each vend is audited, and one alert"
    assert subject.vend().status_code == 200, "the undamaged row works as before"
    assert len(subject.requests()) == 1
    assert subject.row().undecryptable_at is None, "what the refresh obtained opens"


def test_a_row_that_does_not_open_is_not_swept_in_a_hot_loop(subject: Subject) -> None:
    flip(subject, 0.5)
    assert sweep_refreshes(now=database_now()) == 1
    assert subject.refresh().outcome is Outcome.UNREADABLE
    assert [sweep_refreshes(now=database_now()) for _ in range(3)] == [0, 0, 0]
    age(subject.id, seconds=61)
    assert sweep_refreshes(now=database_now()) == 1
    assert subject.requests() == []


def test_a_damaged_data_key_ends_nothing_and_works_again_when_it_is_restored(subject: Subject) -> None:
    subject.expire()
    kept = {row.id: bytes(row.wrapped) for row in DataKey.objects.all()}
    for key_id, wrapped in kept.items():
        DataKey.objects.filter(id=key_id).update(wrapped=wrapped[:-1] + bytes([wrapped[-1] ^ 1]))
    assert subject.refresh().outcome is Outcome.UNREADABLE
    assert subject.vend().json()["code"] == "credential_unreadable"
    row = subject.row()
    assert (row.status, row.failures) == ("active", 0)
    assert subject.requests() == []
    for key_id, wrapped in kept.items():
        DataKey.objects.filter(id=key_id).update(wrapped=wrapped)
    assert subject.vend().status_code == 200
    assert [entry.outcome for entry in subject.requests()] == ["rotated"]
