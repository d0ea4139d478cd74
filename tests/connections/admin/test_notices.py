"""The page of notices: their state, a test mail, and one once more."""

import pytest
from django.test import Client
from django.urls import reverse

from connections.database.clock import database_now
from connections.journal.notices import admin_list, admin_page, tell
from connections.lifecycle.notices.send import send_due
from connections.models import Notice
from tests.mail_server import MailServer, mail_server

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["mail_server"]
LIST, TEST = "admin:connections_notice_changelist", "admin:connections_notice_test"


def test_an_operator_orders_a_test_mail_and_reads_what_came_of_it(olga: Client, mail_server: MailServer) -> None:
    page = olga.post(reverse(TEST), follow=True).content.decode()
    assert "A worker mails it now" in page and "Waiting" in page
    send_due()
    page = olga.get(reverse(LIST)).content.decode()
    assert "Test mail" in page and "Sent" in page


def test_without_a_mail_server_the_page_says_what_to_set(olga: Client) -> None:
    assert "set EMAIL_URL and OPERATOR_MAIL" in olga.post(reverse(TEST), follow=True).content.decode()
    assert not Notice.objects.exists()


def test_links_in_mails_lead_to_pages_of_the_admin(olga: Client) -> None:
    tell("a", "One", "<b>First</b>\nSecond", now=database_now())
    notice = Notice.objects.get()
    assert admin_list(Notice).endswith(reverse(LIST))
    path = reverse("admin:connections_notice_change", args=[notice.pk])
    assert admin_page(notice).endswith(path)
    page = olga.get(path).content.decode()
    assert "&lt;b&gt;First&lt;/b&gt;<br>Second" in page


def test_who_may_only_look_orders_nothing(viktor: Client, mail_server: MailServer) -> None:
    assert "Send a test mail" not in viktor.get(reverse(LIST)).content.decode()
    assert viktor.post(reverse(TEST)).status_code == 403
    assert not Notice.objects.exists()
