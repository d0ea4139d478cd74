"""One act on many connections: the question before it, and the job for more rows than a page of a list has.

What is confirmed is what was asked about: the question takes along which connections they are, and nothing that matches
the list's filters only since is among them. Where they are more than it can take along, they are those that match when
it is confirmed, of the connections that there were when it was asked. A question is good for one job.
"""

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from functools import partial

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html

from connections.access.staff import limit_of
from connections.admin import show
from connections.admin.base import M, OperatorAdmin, operator_behind
from connections.admin.buttons import done
from connections.admin.downloads import filter_of
from connections.database.clock import database_now, in_utc
from connections.lifecycle.steer.bulk import order_bulk
from connections.lifecycle.steer.on_demand import Told
from connections.models import BulkAct, Connection

MOST_TAKEN_ALONG = 10_000
_NAMED = 20  # connections that a question names
_ID_BYTES = 16
_TOO_MANY = "*"


def ask_about_many(
    page: OperatorAdmin[M],
    request: HttpRequest,
    rows: QuerySet[Connection],
    *,
    name: str,
    label: str,
    asks: str,
    tone: str = "danger",
) -> HttpResponse:
    """Return the page that asks before the action ``name`` of ``page`` is carried out on ``rows``."""
    asked_at = database_now()
    ids = list(rows.order_by().values_list("id", flat=True)[: MOST_TAKEN_ALONG + 1])
    count, is_all = len(ids), len(ids) <= MOST_TAKEN_ALONG
    how_many = f"{count:,}" if is_all else f"more than {MOST_TAKEN_ALONG:,}"
    context = {
        **page.admin_site.each_context(request),
        "title": f"{label} {how_many} connection{'' if count == 1 else 's'}?",
        "opts": page.opts,
        "rows": rows.select_related("tenant")[:_NAMED],
        "more": f"{count - _NAMED:,}" if is_all and count > _NAMED else "",
        "is_all": is_all,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "asked_at": asked_at.isoformat(),
        "asked": _written(ids) if is_all else _TOO_MANY,
        "key": uuid.uuid4(),
        "asks": asks,
        "tone": tone,
        "action": name,
        "label": label,
        "back_url": show.list_url(page.model),
    }
    return TemplateResponse(request, "admin/connections/ask_about_many.html", context)


def confirmed(request: HttpRequest, rows: QuerySet[Connection]) -> QuerySet[Connection] | None:
    """Return those of ``rows`` that were asked about and confirmed; None where the question is still to be asked."""
    asked = request.POST.get("asked")
    if "confirmed" not in request.POST:
        return None
    if asked is None:  # those that were chosen one by one are in the form as they are
        return None if request.POST.get("select_across", "0") != "0" else rows
    try:
        if asked == _TOO_MANY:
            return rows.filter(created_at__lte=in_utc(datetime.fromisoformat(request.POST.get("asked_at", ""))))
        return rows.filter(id__in=_read(asked))
    except ValueError:
        return None


def are_many(page: OperatorAdmin[M], rows: QuerySet[Connection]) -> bool:
    """Whether ``rows`` are more than a page of the list has, so that the workers are to do it. One query."""
    return rows.order_by()[: page.list_per_page + 1].count() > page.list_per_page


def order_act(page: OperatorAdmin[M], request: HttpRequest, act: BulkAct, rows: QuerySet[Connection]) -> None:
    """Leave ``rows`` to the workers. Limited staff get a job for each of their tenants: those they may see.

    The same question confirmed twice orders nothing more.
    """
    tenants = limit_of(request.user)
    for tenant_id in [None] if tenants is None else sorted(tenants):
        part = rows if tenant_id is None else rows.filter(tenant_id=tenant_id)
        if not part.exists():
            continue
        order = partial(
            order_bulk,
            act,
            part,
            tenant_id=tenant_id,
            now=database_now(),
            actor=operator_behind(request),
            form_key=_key_for(request, tenant_id),
            chosen_by=filter_of(request),
        )
        job = done(order)  # the same question's job may be being ordered at this moment
        if isinstance(job, Told):
            page.message_user(request, job.detail, messages.WARNING)
            continue
        words = format_html("The workers do it, and {} says how far they are.", show.link(job, "its page"))
        page.message_user(request, words)


def _key_for(request: HttpRequest, tenant_id: uuid.UUID | None) -> uuid.UUID | None:
    """Return what tells this question's job from others; None where nothing was asked."""
    try:
        key = uuid.UUID(request.POST.get("key", ""))
    except ValueError:
        return None
    return uuid.uuid5(key, f"{request.user.pk} {tenant_id}")


def _written(ids: list[uuid.UUID]) -> str:
    return urlsafe_b64encode(b"".join(one.bytes for one in ids)).decode()


def _read(written: str) -> list[uuid.UUID]:
    """Return the ids that a question took along. Raises ``ValueError``."""
    found = urlsafe_b64decode(written)
    return [uuid.UUID(bytes=found[start : start + _ID_BYTES]) for start in range(0, len(found), _ID_BYTES)]
