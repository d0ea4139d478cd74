"""``manage.py notices``: a test mail from the shell says what came of it."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.mail_server import MailServer, mail_server

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["mail_server"]


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command("notices", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_test_mail_is_sent_at_once(mail_server: MailServer) -> None:
    assert run("test")["state"] == "sent"
    assert len(mail_server.taken) == 1
    (row,) = run("list")
    assert (row["state"], row["subject"]) == ("sent", "Test mail")


def test_a_server_that_refuses_it_fails_the_command_and_is_named_by_its_code(mail_server: MailServer) -> None:
    mail_server.data = "554 No"
    with pytest.raises(CommandError, match="SMTPDataError: 554"):
        run("test")


def test_without_a_mail_server_it_says_what_to_set(settings: Settings) -> None:
    settings.OPERATOR_MAIL = []
    with pytest.raises(CommandError, match="EMAIL_URL"):
        run("test")
    assert run("list") == []
