"""A shorter way to the vend, which an agent calls before each of its own calls.

The shorter way reads a usual request in one step and calls the operation's own function. An unusual request (another
method, an unreadable header or body) goes through ninja, which says what is wrong. Ninja handles every exception, too.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from pydantic import BaseModel

from connections.api.auth import VendKeyAuth

_View = Callable[..., HttpResponse]
_BEARER = "Bearer "


@dataclass(frozen=True, slots=True)
class Direct:
    """An operation whose path parameters are all uuids, and the type of its body."""

    operation: _View
    body_type: type[BaseModel]


def shortened(api: NinjaAPI, view: _View, direct: Direct) -> _View:
    """Return ``view`` (ninja's) with the shorter way to the operation behind it."""
    authenticate = VendKeyAuth().authenticate

    @wraps(view)
    def answer(request: HttpRequest, **path: str) -> HttpResponse:
        authorization = request.META.get("HTTP_AUTHORIZATION", "")
        if request.method != "POST" or not authorization.startswith(_BEARER):
            return view(request, **path)
        try:
            parameters: dict[str, Any] = {name: uuid.UUID(value) for name, value in path.items()}
            body = direct.body_type.model_validate_json(request.body)
        except (ValueError, RequestDataTooBig):
            return view(request, **path)
        presented = authenticate(request, authorization.removeprefix(_BEARER))
        request.auth = presented  # type: ignore[attr-defined]  # ninja's own attribute, which Django's class lacks
        try:
            return direct.operation(request, body=body, **parameters)
        except Exception as error:  # noqa: BLE001 (on_exception answers it, or raises it again)
            return api.on_exception(request, error)

    return answer
