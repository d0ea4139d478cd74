"""A notice is mailed once for its cause: whatever the mail server does, and whichever process dies."""

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection as database
from pytest_django import Settings

from config.local.supervisor.state import PROJECT_ROOT
from connections.database.clock import database_now
from connections.journal.notices import tell
from connections.lifecycle.notices import hand_over
from connections.lifecycle.notices.send import LEASE, MOST_ATTEMPTS, send_due, wait_after
from connections.models import Notice
from tests.mail_server import OLGA, OTTO, MailServer, mail_server

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["mail_server"]


def told(cause: str = "incident.opened:1", subject: str = "The provider is away") -> Notice:
    tell(cause, subject, "What happened: …\n", now=database_now())
    return Notice.objects.get(cause=cause)


def later(by: timedelta) -> None:
    """Let time pass for every notice that is due."""
    for notice in Notice.objects.filter(due_at__isnull=False):
        Notice.objects.filter(id=notice.id).update(due_at=(notice.due_at or database_now()) - by)


def test_one_mail_goes_to_all_operators_and_names_its_notice(mail_server: MailServer) -> None:
    notice = told(subject="Acmé GmbH:\r\nBcc: eve@evil.example")
    assert send_due() == 1
    (mail,) = mail_server.taken
    assert mail["To"] == f"{OLGA}, {OTTO}"
    assert mail["Bcc"] is None
    assert mail["Subject"].strip() == "[Latchkey] Acmé GmbH: Bcc: eve@evil.example"
    assert str(notice.id) in mail["Message-ID"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert "What happened: …" in mail.get_content()
    notice.refresh_from_db()
    assert (notice.state, notice.attempts, notice.error) == ("sent", 1, "")
    assert send_due() == 0


def test_one_cause_is_told_once(mail_server: MailServer) -> None:
    assert tell("a", "One", "", now=database_now())
    assert not tell("a", "Another", "", now=database_now())
    assert send_due() == 1
    assert not tell("a", "A third", "", now=database_now()), "also after it was sent"
    assert send_due() == 0
    assert len(mail_server.taken) == 1


def test_without_addresses_a_notice_is_kept_and_nobody_is_asked(mail_server: MailServer, settings: Settings) -> None:
    waiting = told("a")
    settings.OPERATOR_MAIL = []
    assert told("b").state == "off"
    assert send_due() == 0
    waiting.refresh_from_db()
    assert waiting.state == "off", "what waited when mail was switched off does not come years later"
    assert mail_server.asked == 0


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"recipient": "550 No such user secret-word"}, "no recipient was taken: 550"),
        ({"data": "451 Later secret-word"}, "SMTPDataError: 451"),
        ({"data": "554 Spam secret-word"}, "SMTPDataError: 554"),
    ],
)
def test_what_the_server_refuses_is_tried_again(mail_server: MailServer, fault: dict[str, str], error: str) -> None:
    vars(mail_server).update(fault)
    notice = told()
    assert send_due() == 0
    notice.refresh_from_db()
    assert (notice.state, notice.error) == ("waiting", error), "and the server's words are not kept"
    assert send_due() == 0
    assert mail_server.asked == 1, "not before its time"
    mail_server.recipient = mail_server.data = "250 Taken"
    later(wait_after(1))
    assert send_due() == 1
    assert len(mail_server.taken) == 1


def test_a_server_that_is_not_there_is_asked_for_three_days(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.OPERATOR_MAIL = "127.0.0.1", 1, [OLGA]
    notice = told()
    for _ in range(MOST_ATTEMPTS):
        notice.refresh_from_db()
        assert notice.state == "waiting"
        send_due()
        later(timedelta(hours=2))
    notice.refresh_from_db()
    assert (notice.state, notice.error) == ("failed", "ConnectionRefusedError")
    waits = [wait_after(attempts) for attempts in range(1, MOST_ATTEMPTS)]
    assert timedelta(days=3) <= sum(waits, timedelta()) < timedelta(days=3, hours=3)


@pytest.mark.parametrize("fault", [{"data": None}, {"breaks_after_taking": True}, {"stalls": True}])
def test_where_nobody_can_know_it_is_not_sent_twice(
    mail_server: MailServer, fault: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    vars(mail_server).update(fault)
    for seconds in (1, 15):
        monkeypatch.setattr(hand_over, "SECONDS", seconds)
        Notice.objects.all().delete()
        notice = told()
        asked = mail_server.asked
        send_due()
        notice.refresh_from_db()
        if notice.state == "unknown" or mail_server.asked == asked + 1:
            break  # else this machine is too busy to reach the server in a second
    assert notice.state == "unknown"
    vars(mail_server).update(data="250 Taken", breaks_after_taking=False)
    mail_server.goes_on.set()
    later(timedelta(days=1))
    assert send_due() == 0
    assert len(mail_server.taken) <= 1


def test_workers_and_beats_beside_each_other_send_each_once(mail_server: MailServer) -> None:
    causes = [f"cause-{number}" for number in range(12)]
    for cause in causes:
        told(cause, cause)
    processes = [killed_at(mail_server, 10_000, start=True) for _ in range(4)]
    for process in processes:
        assert process.wait(timeout=60) == 0
    assert sorted(mail["Subject"] for mail in mail_server.taken) == sorted(f"[Latchkey] {cause}" for cause in causes)


def killed_at(server: MailServer, statement: int, *, start: bool = False) -> "subprocess.Popen[bytes]":
    """Start a process that mails what is due and is killed before that statement; wait for it unless ``start``."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database.settings_dict['NAME']}").geturl()
    command = [sys.executable, "-m", "tests.connections.lifecycle.notices.killed", str(server.port), str(statement)]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=os.environ | {"DATABASE_URL": url})
    if not start:
        process.wait(timeout=60)
    return process


def test_whenever_a_process_is_killed_the_mail_comes_once_or_is_said_to_be_unclear(mail_server: MailServer) -> None:
    outcomes = set()
    for statement in range(1, 100):
        notice = told(str(uuid.uuid4()))
        before = len(mail_server.taken)
        ended = killed_at(mail_server, statement).returncode == 0
        later(LEASE)
        send_due()
        notice.refresh_from_db()
        came = len(mail_server.taken) - before
        outcomes.add((notice.state, came))
        if ended:
            break
    assert ended
    # Killed before the mail went out: it comes later. Killed after: it came, and that is not known.
    assert outcomes == {("sent", 1), ("unknown", 1)}


def test_a_process_that_stood_still_while_it_reached_the_server_sends_nothing(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = told()
    Notice.objects.filter(id=notice.id).update(due_at=database_now())
    during(monkeypatch, lambda now: Notice.objects.filter(id=notice.id).update(claim_id=uuid.uuid4(), due_at=now))
    assert send_due() == 0
    assert mail_server.taken == []


def during(monkeypatch: pytest.MonkeyPatch, act: Callable[[datetime], object]) -> None:
    """Do ``act`` in another thread as soon as the mail server has answered for the first time."""
    opened = hand_over.get_connection

    def get_connection(**options: object) -> object:
        line = opened(**options)
        other = threading.Thread(target=lambda: (act(database_now()), database.close()))
        other.start()
        other.join()
        return line

    monkeypatch.setattr(hand_over, "get_connection", get_connection)


def test_a_server_that_hangs_takes_one_thread_and_no_more(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server.stalls = True
    told("a"), told("b")
    first = threading.Thread(target=lambda: (send_due(), database.close()))
    first.start()
    while mail_server.asked == 0:
        first.join(0.05)
    assert send_due() == 0, "at once, without waiting for the other"
    assert mail_server.asked == 1
    mail_server.goes_on.set()
    first.join()
    assert len(mail_server.taken) == 2
