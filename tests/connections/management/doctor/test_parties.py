"""What the doctor says of others: how mails leave."""

from typing import Any

from config.local.services.ports import any_free_port
from connections.management.doctor import parties
from connections.management.doctor.findings import Level
from tests.mail_server import MailServer, mail_server

__all__ = ["mail_server"]


def test_a_mail_server_is_greeted_and_gets_no_mail(mail_server: MailServer) -> None:
    (found,) = parties.mail()
    assert found.level is Level.FINE
    assert mail_server.taken == []


def test_one_that_is_not_reached_is_a_fault(mail_server: MailServer, settings: Any) -> None:
    settings.EMAIL_PORT = any_free_port()
    (found,) = parties.mail()
    assert found.level is Level.FAULT
    assert "ConnectionRefusedError" in found.says


def test_nobody_is_asked_where_nobody_is_told(mail_server: MailServer, settings: Any) -> None:
    settings.OPERATOR_MAIL = []
    assert list(parties.mail()) == []
    assert mail_server.asked == 0
