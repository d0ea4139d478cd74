"""What operators order of notices: a test mail, and a notice once more."""

import pytest
from pytest_django import Settings

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.journal.notices import tell
from connections.lifecycle.notices.order import order_test, send_again
from connections.lifecycle.notices.send import send_due
from connections.models import AuditEvent, Notice
from connections.refusals import InvalidRequest
from tests.mail_server import MailServer, mail_server

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["mail_server"]
OLGA = Actor(operator="olga")


def test_each_test_mail_is_one_of_its_own(mail_server: MailServer) -> None:
    for _ in range(2):
        notice = order_test(now=database_now(), actor=OLGA)
        assert send_due() == 1
        notice.refresh_from_db()
        assert notice.state == "sent"
    assert [mail["Subject"] for mail in mail_server.taken] == ["[Latchkey] Test mail"] * 2
    assert AuditEvent.objects.filter(action="notice.tested", operator="olga").count() == 2


def test_only_what_has_ended_is_mailed_once_more(mail_server: MailServer) -> None:
    tell("a", "One", "", now=database_now())
    notice = Notice.objects.get()
    with pytest.raises(InvalidRequest, match="on its way"):
        send_again(notice.id, now=database_now(), actor=OLGA)
    send_due()
    send_again(notice.id, now=database_now(), actor=OLGA)
    send_due()
    assert len(mail_server.taken) == 2


def test_without_a_mail_server_there_is_nothing_to_test(settings: Settings) -> None:
    settings.OPERATOR_MAIL = []
    with pytest.raises(InvalidRequest, match="OPERATOR_MAIL"):
        order_test(now=database_now(), actor=OLGA)
    assert not Notice.objects.exists()
