"""``manage.py notices``: what the operator's people are told by mail."""

from typing import Any

from connections.database.clock import database_now
from connections.lifecycle.notices.order import order_test
from connections.lifecycle.notices.send import send_due
from connections.management.operator_command import OperatorCommand, operator
from connections.management.output import Answer, table
from connections.models import Notice, NoticeState

_SHOWN = 50


class Command(OperatorCommand):
    help = "List what was mailed to the addresses of OPERATOR_MAIL, and send a test mail."

    def add_subcommands(self) -> None:
        self.subcommand("list", _list, help_text="List the newest notices.", examples=("", "--json"))
        self.subcommand("test", _test, help_text="Send a test mail now.", examples=("",))


def _list(options: dict[str, Any]) -> Answer:
    rows = [
        {"id": row.id, "told": row.created_at, "state": row.state, "error": row.error, "subject": row.subject}
        for row in Notice.objects.all()[:_SHOWN]
    ]
    text = table(("told", "state", "error", "subject"), [list(row.values())[1:] for row in rows], nothing="No notices.")
    return Answer(rows, text)


def _test(options: dict[str, Any]) -> Answer:
    notice = order_test(now=database_now(), actor=operator())
    send_due()
    notice.refresh_from_db()
    said = NoticeState(notice.state).label + (f": {notice.error}." if notice.error else ".")
    is_sent = notice.state == NoticeState.SENT
    return Answer({"id": notice.id, "state": notice.state, "error": notice.error}, said, is_success=is_sent)
