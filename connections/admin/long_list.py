"""Lists of a million rows and more: read by keyset pages in one order, never counted, and searched by index.

A page says where it begins by the values of its order, not by how many rows are ahead of it, so the last page costs as
much as the first. How many rows there are is PostgreSQL's own estimate, and said as such.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, TypeVar, cast

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import connection as database
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from connections.access.staff import Staff, is_limited, visible
from connections.admin.base import M, OperatorAdmin
from connections.models import Connection, ProviderApp, Tenant

AFTER, BEFORE, OLDEST = "after", "before", "oldest"
NEWEST_ROWS = 100_000  # a text without an index is looked for in so many of the newest rows
_APART = "~"
_MOST_OWNERS = 300
_MOST_CONNECTIONS = 1000
_Row = TypeVar("_Row", bound=Model)


class KeysetChangeList(ChangeList):
    """One page of a long list. ``after`` and ``before`` in its address are where it begins; ``oldest`` turns it round.

    ``previous_url`` and ``next_url`` are "" where there is no such page. ``how_many`` says in words how many rows the
    list has.
    """

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        self.request = request
        self.is_turned = OLDEST in self.params
        self.position = {name: self.params.pop(name, "") for name in (AFTER, BEFORE)}
        for name in (AFTER, BEFORE):
            self.filter_params.pop(name, None)
        return super().get_queryset(request, exclude_parameters)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in (AFTER, BEFORE, OLDEST)}

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        ordering = self.model_admin.ordering or self.lookup_opts.ordering or ()
        return [_turned(str(name)) if self.is_turned else str(name) for name in ordering]

    def get_results(self, request: HttpRequest) -> None:
        keys = self.get_ordering(request, self.queryset)
        after, before = self.position[AFTER], self.position[BEFORE]
        size = self.list_per_page
        if before:
            turned = [_turned(key) for key in keys]
            found = list(beyond(self.queryset, turned, self._values(keys, before)).order_by(*turned)[: size + 1])
        elif after:
            found = list(beyond(self.queryset, keys, self._values(keys, after))[: size + 1])
        else:
            found = list(self.queryset[: size + 1])
        is_more = len(found) > size
        rows = found[:size]
        if before:
            rows.reverse()
        has_next, has_previous = (True, is_more) if before else (is_more, bool(after))
        self.next_url = self._url(AFTER, rows[-1], keys) if rows and has_next else ""
        self.previous_url = self._url(BEFORE, rows[0], keys) if rows and has_previous else ""
        self.first_url = self.get_query_string() if after or before else ""
        self.turn_url = self.get_query_string({OLDEST: None if self.is_turned else "1"})
        self.result_list = rows
        self.how_many, self.result_count = self._counted(rows, is_all=not (has_next or has_previous))
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = bool(rows)
        self.can_show_all = self.multi_page = False
        self.paginator = Paginator(rows, size)

    def _counted(self, rows: Sequence[Any], *, is_all: bool) -> tuple[str, int]:
        """Return in words how many rows the list has, and a number that is greater than a page's where there are more.

        PostgreSQL's estimate is of the whole table, so it is told only where nothing narrows the list.
        """
        plural = self.opts.verbose_name_plural
        if is_all:
            name = self.opts.verbose_name if len(rows) == 1 else plural
            return f"{len(rows):,} {name}", len(rows)
        is_narrowed = bool(self.query or self.get_filters_params()) or not cast(
            "LongListAdmin[Any]", self.model_admin
        ).sees_all(self.request)
        estimate = 0 if is_narrowed else estimated_rows(self.model)
        if estimate > self.list_per_page:
            return f"about {estimate:,} {plural}", estimate
        return f"more than {self.list_per_page} {plural}", self.list_per_page + 1

    def _values(self, keys: Sequence[str], written: str) -> list[Any]:
        parts = written.split(_APART)
        if len(parts) != len(keys):
            raise IncorrectLookupParameters
        try:
            return [_read(self.model, key, part) for key, part in zip(keys, parts, strict=True)]
        except (ValidationError, ValueError):
            raise IncorrectLookupParameters from None

    def _url(self, name: str, row: Any, keys: Sequence[str]) -> str:
        values = [getattr(row, key.lstrip("-")) for key in keys]
        return self.get_query_string({name: _APART.join(_written(value) for value in values)})


def _turned(key: str) -> str:
    return key[1:] if key.startswith("-") else f"-{key}"


def _written(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _read(model: type[Model], key: str, part: str) -> Any:
    field: Any = model._meta.pk if key.lstrip("-") == "pk" else model._meta.get_field(key.lstrip("-"))
    value = field.to_python(part)
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("naive")
    return value


def beyond(rows: "QuerySet[_Row]", keys: Sequence[str], values: Sequence[Any]) -> "QuerySet[_Row]":
    """Return the ``rows`` that come after the one with these ``values``, in the order of ``keys``. No key is null.

    The first condition repeats what the others imply: PostgreSQL begins to read an index where it says.
    """
    first = keys[0].lstrip("-")
    found = Q(**{f"{first}__{'lte' if keys[0].startswith('-') else 'gte'}": values[0]})
    further = Q()
    for place, key in enumerate(keys):
        same = {name.lstrip("-"): value for name, value in zip(keys[:place], values[:place], strict=True)}
        word = "lt" if key.startswith("-") else "gt"
        further |= Q(**same, **{f"{key.lstrip('-')}__{word}": values[place]})
    return rows.filter(found & further)


def estimated_rows(model: type[Model]) -> int:
    """Return PostgreSQL's own estimate of how many rows the table has; 0 where it has none yet. One query."""
    with database.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        return max(0, int(cursor.fetchone()[0]))


def begins(term: str, *columns: str) -> Q:
    """Return the condition that one of ``columns``, each with an index ``by_beginning``, begins with ``term``."""
    found = Q()
    for column in columns:
        found |= Q(**{f"{column}__istartswith": term}) & ~Q(**{column: ""})
    return found


class LongListAdmin(OperatorAdmin[M]):
    """A model with very many rows. Its ``ordering`` has an index and no null, and nobody sorts by another column.

    ``search`` looks where an index leads; the names in ``search_fields`` only have the search box shown.
    """

    sortable_by = ()

    def sees_all(self, request: HttpRequest) -> bool:
        """Whether this operator sees every row, so that the table's size may be told."""
        return not is_limited(request.user)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if (found := self.rows_of_id(queryset, term)) is not None:
            return found, False
        return self.search(request, queryset, term), False

    def search(self, request: HttpRequest, queryset: QuerySet[M], term: str) -> QuerySet[M]:
        """Return the rows of ``queryset`` that a search for the text ``term`` finds. Each list brings its own."""
        raise NotImplementedError


def in_newest(queryset: QuerySet[_Row], found: Q) -> QuerySet[_Row]:
    """Return those of the newest rows of the table, by the order of ``queryset``, for which ``found`` is true.

    For a column without an index. One query.
    """
    name = str(queryset.query.order_by[0]).lstrip("-")
    newest = queryset.model._default_manager.order_by(f"-{name}").values_list(name, flat=True)
    oldest = newest[NEWEST_ROWS : NEWEST_ROWS + 1].first()
    return queryset.filter(found) if oldest is None else queryset.filter(found, **{f"{name}__gt": oldest})


def tenants_beginning(term: str) -> list[Any]:
    """Return the ids of the tenants whose slug or name begins with ``term``: a few hundred at the most. One query."""
    named = Q(slug__istartswith=term) | Q(name__istartswith=term)
    return list(Tenant.objects.filter(named).values_list("id", flat=True)[:_MOST_OWNERS])


def found_connections(rows: QuerySet[Connection], term: str, *, user: Staff) -> QuerySet[Connection]:
    """Return those of ``rows`` whose end user, label, account or tenant begins with ``term``, or whose provider it is.

    Looks among the connections that ``user`` may see, so that those of other tenants crowd nothing out.
    Each way is asked by its own index first: for all of them in one question PostgreSQL may rather go through every
    connection, the newest first, which is quick only where many match. Seven queries at the most.
    """
    ways = [begins(term, name) for name in ("end_user", "label", "provider_account_id", "provider_account_name")]
    if tenants := tenants_beginning(term):
        ways.append(Q(tenant_id__in=tenants))
    if apps := list(ProviderApp.objects.filter(provider=term.lower()).values_list("id", flat=True)[:_MOST_OWNERS]):
        ways.append(Q(provider_app_id__in=apps))
    among, found = visible(user, Connection.objects.all()), list[Any]()
    for way in ways:
        few = among.filter(way).order_by().values_list("id", flat=True)
        found += few[: _MOST_CONNECTIONS + 1]
        if len(found) > _MOST_CONNECTIONS:
            return rows.filter(reduce(or_, ways))
    return rows.filter(id__in=found)


def of_connections(term: str, *, user: Staff) -> Q:
    """Return the condition for rows of the newest thousand connections that a search of ``user`` for ``term`` finds."""
    newest = visible(user, Connection.objects.order_by("-created_at", "id"))
    found = found_connections(newest, term, user=user).values_list("id", flat=True)
    return Q(connection_id__in=list(found[:_MOST_CONNECTIONS]))
