"""Hand over: one mail to the operator's mail server, and what came of it. No database."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from connections.models import Notice

SECONDS = 10  # for each step of the conversation with the mail server


class NotTaken(Exception):
    """The server did not take the mail, or was not reached: it is safe to try again. Says why without its words."""


class Unclear(Exception):
    """The line broke when the server may have taken the mail. Says how without its words."""


@contextmanager
def mail_server() -> Iterator[BaseEmailBackend]:
    """Yield an open line to the mail server, over which no mail has gone yet. Raises ``NotTaken``. Network I/O."""
    line = get_connection(timeout=SECONDS) if _is_smtp() else get_connection()
    try:
        line.open()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise NotTaken(_named(error)) from None
    try:
        yield line
    finally:
        with suppress(OSError, smtplib.SMTPException):
            line.close()


def hand_over(line: BaseEmailBackend, notice: Notice) -> None:
    """Send the mail of ``notice`` to all operators. Network I/O.

    Raises ``NotTaken`` where the server said no, and ``Unclear`` where it said nothing.
    """
    try:
        line.send_messages([_message(notice)])
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError) as error:
        raise NotTaken(_named(error)) from None
    except (OSError, smtplib.SMTPException) as error:
        raise Unclear(_named(error)) from None


def _message(notice: Notice) -> EmailMessage:
    headers = {
        "Message-ID": f"<{notice.id}@{urlsplit(settings.PUBLIC_URL).hostname}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's absence is to answer it
    }
    return EmailMessage(f"[Latchkey] {notice.subject}", notice.body, to=settings.OPERATOR_MAIL, headers=headers)


def _is_smtp() -> bool:
    return str(settings.EMAIL_BACKEND).endswith(".smtp.EmailBackend")


def _named(error: Exception) -> str:
    """Return what went wrong without the server's words: it may quote a password or an address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"no recipient was taken: {', '.join(map(str, codes))}"
    answered: Any = getattr(error, "smtp_code", None)
    return type(error).__name__ if answered is None else f"{type(error).__name__}: {answered}"
