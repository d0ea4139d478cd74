"""One act on many connections: the question before it, and the job for more rows than a page of a list has."""

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html

from connections.access.staff import limit_of
from connections.admin import show
from connections.admin.base import M, OperatorAdmin, operator_behind
from connections.database.clock import database_now
from connections.lifecycle.steer.bulk import order_bulk
from connections.models import BulkAct, Connection

_NAMED = 20  # connections that a question names


def ask_about_many(
    page: OperatorAdmin[M], request: HttpRequest, rows: QuerySet[Connection], *, name: str, label: str, asks: str
) -> HttpResponse:
    """Return the page that asks before the action ``name`` of ``page`` is carried out on ``rows``."""
    count = rows.count()
    context = {
        **page.admin_site.each_context(request),
        "title": f"{label} {count} connection{'' if count == 1 else 's'}?",
        "opts": page.opts,
        "rows": rows[:_NAMED],
        "more": max(0, count - _NAMED),
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "asks": asks,
        "action": name,
        "label": label,
        "back_url": show.list_url(page.model),
    }
    return TemplateResponse(request, "admin/connections/ask_about_many.html", context)


def are_many(page: OperatorAdmin[M], rows: QuerySet[Connection]) -> bool:
    """Whether ``rows`` are more than a page of the list has, so that the workers are to do it. One query."""
    return rows.order_by()[: page.list_per_page + 1].count() > page.list_per_page


def order_act(page: OperatorAdmin[M], request: HttpRequest, act: BulkAct, rows: QuerySet[Connection]) -> None:
    """Leave ``rows`` to the workers. Limited staff get a job for each of their tenants: those they may see."""
    tenants = limit_of(request.user)
    for tenant_id in [None] if tenants is None else sorted(tenants):
        part = rows if tenant_id is None else rows.filter(tenant_id=tenant_id)
        if not part.exists():
            continue
        job = order_bulk(act, part, tenant_id=tenant_id, now=database_now(), actor=operator_behind(request))
        words = format_html("The workers do it, and {} says how far they are.", show.link(job, "its page"))
        page.message_user(request, words)
