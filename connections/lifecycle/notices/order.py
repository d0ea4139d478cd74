"""Order: what an operator orders of notices: a test mail, and one that was not sent once more."""

import uuid
from datetime import datetime

from django.db import transaction

from connections import dispatch
from connections.journal import audit, notices
from connections.models import ENDED, Notice, NoticeState
from connections.refusals import InvalidRequest, NotFound

_TEST = """This is a test mail of Latchkey, which an operator has ordered.

What it means: Latchkey's workers reach the mail server, and it takes mail for the operators.

What to do: nothing.

All notices: {page}
"""


def order_test(*, now: datetime, actor: audit.Actor) -> Notice:
    """Order a test mail, which goes the way of every notice. One transaction. Raises ``InvalidRequest``."""
    _check_on()
    cause = f"test:{uuid.uuid4()}"
    with transaction.atomic():
        notices.tell(cause, "Test mail", _TEST.format(page=notices.admin_list(Notice)), now=now)
        notice = Notice.objects.get(cause=cause)
        audit.record("notice.tested", actor=actor, detail={"notice": str(notice.id)})
    return notice


def send_again(notice_id: uuid.UUID, *, now: datetime, actor: audit.Actor) -> None:
    """Mail an ended notice once more, as the operator wishes. One transaction.

    Raises ``NotFound``, and ``InvalidRequest`` where it has not ended yet or mail is off.
    """
    _check_on()
    with transaction.atomic():
        ended = Notice.objects.filter(id=notice_id, state__in=ENDED)
        renewed = {"state": NoticeState.WAITING, "due_at": now, "ended_at": None, "claim_id": None, "attempts": 0}
        if not ended.update(error="", **renewed):
            if not Notice.objects.filter(id=notice_id).exists():
                raise NotFound("There is no such notice.")
            raise InvalidRequest("It is on its way already: wait for what comes of it.")
        audit.record("notice.sent_again", actor=actor, detail={"notice": str(notice_id)})
        dispatch.send_notices_later()


def _check_on() -> None:
    if not notices.mail_is_on():
        raise InvalidRequest("Mail is off: set EMAIL_URL and OPERATOR_MAIL, and start web and workers anew.")
