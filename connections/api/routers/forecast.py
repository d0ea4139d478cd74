"""``/forecast``: which connections will end, when and why."""

from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from connections.access.staff import PATHS
from connections.api.auth import caller_of
from connections.api.forecast import ForecastPage, ending_out, position_in
from connections.api.pages import Cursor, Limit, write_cursor
from connections.api.texts import Slug
from connections.database.clock import database_now
from connections.lifecycle.forecast.causes import Cause
from connections.lifecycle.forecast.upcoming import upcoming
from connections.models import Connection, Permission, Tenant

router = Router(tags=["connections"])


@router.get("", response=ForecastPage, summary="List what will end")
def list_forecast(
    request: HttpRequest,
    tenant: Slug | None = None,
    days: Annotated[int, Field(ge=1, le=400)] = 30,
    cause: Cause | None = None,
    provider: Slug | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> ForecastPage:
    """List a tenant's connections that end within ``days``, by date: when, of what, and what to do.

    What a refresh keeps alive is not listed. Something of ours that ends, such as a certificate of the tenant's own
    provider app, is listed with ``provider_app`` and without ``connection``. What has no date may end at any time.
    """
    caller = caller_of(request, may=Permission.READ)
    owner, now = caller.tenant(tenant), database_now()
    list_ = f"forecast {owner.id} {days} {cause} {provider}"
    found = upcoming(
        see=partial(_of_tenant, owner),
        until=now + timedelta(days=days),
        now=now,
        limit=limit + 1,
        after=None if cursor is None else position_in(cursor, of=list_),
        causes=tuple(Cause) if cause is None else (cause,),
        provider=provider,
    )
    page = found[:limit]
    following = write_cursor(str(page[-1].position), of=list_) if len(found) > limit else None
    return ForecastPage(items=[ending_out(ending) for ending in page], next=following)


def _of_tenant(tenant: Tenant, rows: "QuerySet[Any]") -> "QuerySet[Any]":
    seen = rows.filter(**{PATHS[rows.model]: tenant.id})
    return seen.filter(is_trial=False) if rows.model is Connection else seen
