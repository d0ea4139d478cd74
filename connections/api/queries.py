"""Queries: a parameter that an operation does not know is refused, as a member of a body is.

A filter that is misspelt would otherwise list everything, and a tenant's name that is misspelt would name nobody's.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, QueryDict
from ninja import NinjaAPI

from connections.refusals import InvalidRequest

# RFC 6749 §3.2: a token endpoint ignores what it does not know. It reads none of its parameters from the query.
_IGNORES_QUERY = ("exchange_token",)
_LONGEST_NAME = 64

_Call = Callable[..., Any]


def install(api: NinjaAPI) -> None:
    """Have each operation of ``api`` check its query, once the caller is known."""

    def checking(call: _Call) -> _Call:
        operation = call._ninja_operation  # type: ignore[attr-defined]  # ninja leaves it there
        if call.__name__ in _IGNORES_QUERY:
            return call
        queries = [model for model in operation.models if model.__ninja_param_source__ == "query"]
        known = {name for model in queries for name in model.__ninja_flatten_map__}
        lists = {name for model in queries for name in model.__ninja_collection_fields__}

        @wraps(call)
        def checked(request: HttpRequest, **values: Any) -> Any:
            check_query(request.GET, known=known, lists=lists)
            return call(request, **values)

        return checked

    api.add_decorator(checking)


def check_query(query: QueryDict, *, known: set[str], lists: set[str]) -> None:
    """Raise ``InvalidRequest`` unless ``query`` holds ``known`` parameters alone, and only ``lists`` more than once."""
    if unknown := sorted({*query} - known):
        are = ", ".join(sorted(known)) or "none"
        named = ", ".join(repr(name[:_LONGEST_NAME]) for name in unknown[:5])
        raise InvalidRequest(
            f"The query has parameters that are not known here: {named}. Known are: {are}.",
            field=unknown[0][:_LONGEST_NAME],
        )
    for name in known - lists:
        if len(query.getlist(name)) > 1:
            raise InvalidRequest(f"The query names {name} more than once.", field=name)
