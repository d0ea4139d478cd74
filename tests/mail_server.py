"""A mail server on loopback: it answers as a test tells, and remembers what it has taken."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller
from pytest_django import Settings

__all__ = ["OLGA", "OTTO", "MailServer", "mail_server"]

OLGA, OTTO = "olga@operator.example", "otto@operator.example"
TAKEN = "250 Taken"


@dataclass
class MailServer:
    """``recipient`` and ``data`` are what it answers there; None breaks the line instead. ``taken``: the mails.

    If it ``stalls``, it keeps what it answers to the data back until ``goes_on`` is set.
    """

    port: int
    recipient: str = TAKEN
    data: str | None = TAKEN
    breaks_after_taking: bool = False
    stalls: bool = False
    goes_on: threading.Event = field(default_factory=threading.Event)
    taken: list[EmailMessage] = field(default_factory=list)
    asked: int = 0

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        self.asked += 1
        envelope.mail_from = address
        return TAKEN

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.recipient == TAKEN:
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.stalls:
            await asyncio.to_thread(self.goes_on.wait)
        if self.data == TAKEN:
            self.taken.append(cast("EmailMessage", message_from_bytes(envelope.content, policy=policy.default)))
        if self.data is None or self.breaks_after_taking:
            server.transport.abort()
        return self.data or ""


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    """A mail server, of which the settings say that it takes mail for the operators."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = MailServer(port)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.OPERATOR_MAIL = [OLGA, OTTO]
    controller = Controller(found, hostname="127.0.0.1", port=port)
    controller.start()
    yield found
    found.goes_on.set()
    controller.stop()
