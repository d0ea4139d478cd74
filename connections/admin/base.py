"""What every page of the admin shares: who acts, which columns are never read, and lists that stay quick when long."""

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import BadRequest, ValidationError
from django.core.paginator import Paginator
from django.db.models import BinaryField, Count, Func, IntegerField, JSONField, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Now
from django.db.models.options import Options
from django.forms import Media
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst

from connections.access.staff import is_limited, visible
from connections.admin.refused import list_took_too_long
from connections.database.pool import TookTooLong, statements_within
from connections.entrance import client_address
from connections.journal.audit import Actor
from connections.models import Tenant
from connections.models.fields import SealedField

M = TypeVar("M", bound=Model)
_SHORT_ID = 8  # characters

MOST_COUNTED = 1000
LIST_SECONDS = 15.0  # for each statement of a list: whoever asks for more holds up those who ask for less
_PATTERNS = {"regex", "iregex", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "search"}

if TYPE_CHECKING:

    class _ModelAdmin(admin.ModelAdmin[M]):
        """With what its stubs lack."""

        def _changeform_view(
            self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: dict[str, Any] | None
        ) -> HttpResponse: ...

        def _get_obj_does_not_exist_redirect(
            self, request: HttpRequest, opts: Options[M], object_id: str
        ) -> HttpResponse: ...

else:

    class _ModelAdmin(admin.ModelAdmin):
        """Django's class is generic for the type checker alone."""

        def __class_getitem__(cls, item: object) -> type:
            return cls


class _Read(Protocol):
    """A row of ``OperatorAdmin.get_queryset``."""

    read_at: datetime


def operator_behind(request: HttpRequest) -> Actor:
    """Return the operator who is logged in, for the audit."""
    return Actor(operator=request.user.get_username()[:150], address=client_address(request))


def read_at(row: Model) -> datetime:
    """Return the database's clock at the moment when ``row`` was read for a page."""
    return cast("_Read", row).read_at


def hidden_columns(model: type[Model], related: Sequence[str] = ()) -> list[str]:
    """Return the columns that hold secrets, digests of secrets or images: no page reads them.

    They are those of ``model``, and of every model on the paths ``related`` that are loaded with it.
    """
    hidden = [column.attname for column in model._meta.concrete_fields if isinstance(column, SealedField | BinaryField)]
    for path in related:
        name, _, further = path.partition("__")
        target: Any = model._meta.get_field(name).related_model
        hidden += [f"{name}__{column}" for column in hidden_columns(target, [further] if further else [])]
    return hidden


def count_of(rows: QuerySet[Any], key: str) -> Combinable:
    """Return a column that counts the ``rows`` whose ``key`` is the listed row. It counts for one page's rows alone."""
    counted = rows.filter(**{key: OuterRef("pk")}).order_by().values(key).annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)


def count_up_to(rows: QuerySet[Any], key: str) -> Combinable:
    """Return ``count_of``, but of no more than ``MOST_COUNTED`` and one: a page of tenants may have a million rows.

    ``counted`` puts it into words.
    """
    few = rows.filter(**{key: OuterRef("pk")}).order_by().values("pk")[: MOST_COUNTED + 1]
    return Func(ArraySubquery(few), function="cardinality", output_field=IntegerField())


def counted(number: int) -> str:
    """Return a number of ``count_up_to`` as people read it."""
    return f"{number:,}" if number <= MOST_COUNTED else f"over {MOST_COUNTED:,}"


def log_act(request: HttpRequest, row: Model, flag: int, message: Any) -> LogEntry:
    """Note an act for the history of ``row``, under its kind and id: what it is called may say who somebody is.

    Nothing forgets these notes: not the erasure of an end user, and not the deletion of a tenant.
    """
    return LogEntry.objects.create(
        user_id=str(request.user.pk),
        content_type=ContentType.objects.get_for_model(row),
        object_id=row.pk,
        object_repr=f"{row._meta.verbose_name} {str(row.pk)[:_SHORT_ID]}",
        action_flag=flag,
        change_message=json.dumps(message) if isinstance(message, list) else message,
    )


class SearchedSelect(AutocompleteSelect):
    """Django's field in which a row is found by typing, with a name for those who hear it; ``nothing`` is no row."""

    nothing = ""

    @property
    def media(self) -> Media:
        # In one list with Django's script: so it comes after that one, whatever else the page has.
        return super().media + Media(js=["admin/js/autocomplete.js", "latchkey_admin/searched.js"])

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        return super().build_attrs(base_attrs, extra_attrs) | {"data-placeholder": self.nothing}


def label_of(row: Model) -> str:
    """Return what tells a row from others where one is chosen. A query where not all was read that it says."""
    page = admin.site._registry.get(type(row))
    return page.choice_label(row) if isinstance(page, OperatorAdmin) else str(row)


class CappedPaginator(Paginator[Any]):
    """Counts to ``MOST`` at the most: an exact count of a table that only grows would read all of it for each page."""

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        """The number of rows, or ``MOST`` if there are more."""
        if not isinstance(self.object_list, QuerySet):
            return len(self.object_list)
        return self.object_list.order_by()[: self.MOST].count()


class ChosenRowsAdmin(_ModelAdmin[M]):
    """A model's pages, with the rows that this operator may see, and no others to choose from (``access.staff``).

    They check the ids of the rows that were chosen for an action before they search for them.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        return visible(request.user, super().get_queryset(request))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget  # without Django's windows, in which rows of other tables are made
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Let a limited operator choose among the rows that the account may see: the tenant has to be one of them."""
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = SearchedSelect(db_field, self.admin_site)
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is None:
            return field
        field.label_from_instance = label_of
        if is_limited(request.user):
            field.queryset = visible(request.user, field.queryset)
            field.required = field.required or db_field.remote_field.model is Tenant
        return field

    def response_action(self, request: HttpRequest, queryset: QuerySet[M], *args: Any) -> HttpResponse | None:
        try:
            for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.to_python(chosen)
        except ValidationError:
            words = "Nothing was done: one of the ids that were sent is none. Choose from the list."
            self.message_user(request, words, messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *args)


class OperatorAdmin(ChosenRowsAdmin[M]):
    """A model's pages. Rows carry ``read_at``, the database's clock when they were read.

    A search for a UUID matches the columns ``id_search_fields`` exactly. Any other search goes to ``search_fields``,
    and so does one for a UUID that is in none of those columns: an end user may have one for an id.
    ``change`` is the permission for every action and button.
    """

    list_title = ""

    id_search_fields: Sequence[str] = ("id",)
    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = CappedPaginator
    save_on_top = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        related = () if isinstance(self.list_select_related, bool) else self.list_select_related
        rows: QuerySet[M] = super().get_queryset(request).defer(*hidden_columns(self.model, related))
        rows = rows.select_related(*related) if related else rows
        return cast("QuerySet[M]", rows.annotate(read_at=Now()))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = self.list_title or str(capfirst(self.opts.verbose_name_plural))
        context = {"title": title, **(extra_context or {})}
        if request.method != "GET":
            return super().changelist_view(request, context)
        try:
            with statements_within(LIST_SECONDS):
                return super().changelist_view(request, context)
        except TookTooLong:
            return list_took_too_long(request)

    def _changeform_view(
        self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: dict[str, Any] | None
    ) -> HttpResponse:
        if "_saveasnew" in request.POST:  # Django would make a new row, even without such a button
            raise BadRequest("Nothing here is saved as new.")
        return super()._changeform_view(request, object_id, form_url, extra_context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        if (found := self.rows_of_id(queryset, search_term)) is not None:
            return found, False
        return super().get_search_results(request, queryset, search_term)

    def rows_of_id(self, queryset: QuerySet[M], search_term: str) -> QuerySet[M] | None:
        """Return the rows that have the id ``search_term``, or None if it is none, or none of theirs."""
        try:
            wanted = uuid.UUID(search_term.strip())
        except ValueError:
            return None
        found = self.of_id(queryset, wanted)
        return found if found.exists() else None

    def of_id(self, queryset: QuerySet[M], wanted: uuid.UUID) -> QuerySet[M]:
        """Return the rows of ``queryset`` that have the id ``wanted`` in one of ``id_search_fields``."""
        return queryset.filter(Q.create([(name, wanted) for name in self.id_search_fields], connector=Q.OR))

    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> LogEntry:
        return log_act(request, obj, ADDITION, message)

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> LogEntry:
        return log_act(request, obj, CHANGE, message)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Django lets a query string filter by any column of the model, and in any way. For a digest that would be an
        # oracle, and a pattern could keep the database busy for hours.
        column, _, way = lookup.partition("__")
        if column in hidden_columns(self.model) or way.rpartition("__")[2] in _PATTERNS or self._is_json(column):
            return False
        return super().lookup_allowed(lookup, value, request)

    def _is_json(self, column: str) -> bool:
        return any(isinstance(field, JSONField) for field in self.opts.concrete_fields if field.name == column)

    def choice_label(self, row: M) -> str:
        """Return what a row is called where it is chosen among others."""
        return str(row)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether this operator may run actions and buttons here: the model's ``change`` permission."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}"))

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


class ReadOnlyAdmin(OperatorAdmin[M]):
    """A model that the lifecycle owns: nobody adds, changes or deletes its rows by hand."""

    actions: Any = None

    def has_add_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False
