"""Fields in which a row of another table is found by typing. The page lists none of them, however many there are.

What may be found is what the account may see in the list of that table, by the same search (Django's autocomplete).
"""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, Model, QuerySet
from django.db.models.fields.related import RelatedField
from django.http import HttpRequest, HttpResponse

from connections.admin.base import SearchedSelect, label_of


class SearchedField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs alone
    """One of ``rows``, for a form that is of no model. ``like`` is a reference to the same table in some model."""

    def __init__(self, rows: QuerySet[Any], *, like: object, nothing: str = "", **options: Any) -> None:
        widget = SearchedSelect(cast("ForeignKey[Any, Any]", like), admin.site)
        widget.nothing = nothing
        super().__init__(rows, widget=widget, **options)

    def label_from_instance(self, obj: Model) -> str:
        return label_of(obj)


class _FoundRows(AutocompleteJsonView):
    """What is found, so that two rows of one name can be told apart."""

    def process_request(self, request: HttpRequest) -> Any:
        term, page, source, key = super().process_request(request)
        if not isinstance(source, RelatedField):  # Django fails at one that refers the other way round
            raise PermissionDenied
        return term, page, source, key

    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, str]:
        return {**super().serialize_result(obj, to_field_name), "text": label_of(obj)}


def found_rows(request: HttpRequest) -> HttpResponse:
    """Answer with what is found for the words typed so far, of a table whose rows the account may see."""
    return cast("HttpResponse", _FoundRows.as_view(admin_site=admin.site)(request))
