"""What an entry says of proxied calls: how long they may take, how large they may be, and how many there may be."""

from typing import Literal

from pydantic import Field

from providers.catalog.fields import Shape

_GIB = 1024**3


class ProxyLimits(Shape):
    """How far a proxied call may go.

    A provider has ``answer_seconds`` to begin its answer once it has the whole request. Neither side may stand still
    for ``idle_seconds``, and all of it ends after ``total_seconds``. ``requests_per_minute`` is what the provider
    allows to one connection, or with ``shared_by = "app"`` to all connections of a provider app together; 0 if it
    names no number. Callers get equal shares of it. ``response_headers`` are passed on besides the usual ones.
    ``encoded_slashes``: ``%2F`` in a path is a character of a name there, as in GitLab's ``projects/group%2Fproject``,
    and never parts it. ``method_parameters`` are parameters of a query, and fields of a body, by which the provider
    takes another method than the request's, or several requests in one.
    """

    answer_seconds: float = Field(default=60, gt=0, le=600)
    idle_seconds: float = Field(default=60, gt=0, le=600)
    total_seconds: float = Field(default=3600, gt=0, le=86_400)
    max_request_bytes: int = Field(default=5 * _GIB, ge=0)
    max_response_bytes: int = Field(default=5 * _GIB, ge=0)
    requests_per_minute: int = Field(default=0, ge=0, le=1_000_000)
    shared_by: Literal["connection", "app"] = "connection"
    response_headers: tuple[str, ...] = ()
    method_parameters: tuple[str, ...] = ()
    encoded_slashes: bool = False
