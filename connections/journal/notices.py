"""Write notices to the operator's people, each in the transaction of its cause. ``lifecycle.notices`` mails them.

A notice goes to all addresses of ``OPERATOR_MAIL``. It says what has happened, what that means and what to do, and
never a secret, or of an end user more than an id. With mail switched off it is kept for the admin alone.
"""

from datetime import datetime

from django.conf import settings
from django.db.models import Model

from connections import dispatch
from connections.models import Notice, NoticeState


def tell(cause: str, subject: str, body: str, *, now: datetime) -> bool:
    """Write the notice of ``cause``, unless there is one already, and send its mail after the commit.

    Return whether it is new. ``cause`` names what happened for good, up to 200 characters, such as
    ``incident.opened:<id>``. ``subject`` is one line. No mail server is asked here.
    """
    is_on = mail_is_on()
    notice = Notice(
        cause=cause,
        subject=" ".join(subject.split())[:200],
        body=body,
        state=NoticeState.WAITING if is_on else NoticeState.OFF,
        created_at=now,
        due_at=now if is_on else None,
        ended_at=None if is_on else now,
    )
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
    if not Notice.objects.filter(id=notice.id).exists():
        return False
    if is_on:
        dispatch.send_notices_later()
    return True


def mail_is_on() -> bool:
    """Whether the operator's people are told by mail. No I/O."""
    return bool(settings.OPERATOR_MAIL)


def admin_list(model: type[Model]) -> str:
    """Return the address of the list of a kind of row in the admin, for a mail. No I/O, and no import of the admin."""
    return f"{settings.ADMIN_URL}/admin/{model._meta.app_label}/{model._meta.model_name}/"


def admin_page(row: Model) -> str:
    """Return the address of a row's page in the admin, as ``admin_list`` does."""
    return f"{admin_list(type(row))}{row.pk}/change/"
