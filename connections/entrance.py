"""What the entrances over HTTP share: who a request comes from, how a crash is logged, and how a picture is served."""

import ipaddress
from collections.abc import Mapping
from traceback import walk_tb

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from connections.journal import crashes
from connections.journal.audit import Actor
from connections.models import ApiClient

logger = structlog.get_logger(__name__)

_MOST_CAUSES = 5


def client_address(request: HttpRequest) -> str | None:
    """Return the address of the client: the peer's, or the one that the trusted proxies saw.

    ``TRUSTED_PROXY_COUNT`` proxies stand in front, and each appends to X-Forwarded-For. Entries further left came from
    the client itself and are not believed. An IPv4 address that is written as IPv6 (``::ffff:…``) is the IPv4 address,
    and a zone is left out. Returns None if the entry is not an IP address. No I/O.
    """
    address = request.META.get("REMOTE_ADDR") or None
    trusted = settings.TRUSTED_PROXY_COUNT
    if trusted:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= trusted:
            address = hops[-trusted]
    try:
        found = None if address is None else ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return None if found is None else str(mapped or found)


def actor_of(
    request: HttpRequest,
    *,
    client: ApiClient | None = None,
    subject: str = "",
    proof: Mapping[str, str] | None = None,
) -> Actor:
    """Return who made ``request``, for the audit. ``proof`` says who vouches for ``client``, if it brought a token."""
    return Actor(
        proof=proof,
        api_client_id=client.id if client is not None else None,
        subject=subject,
        address=client_address(request),
    )


def log_crash(path: str, error: BaseException) -> None:
    """Log that a request to ``path`` ended in ``error``: the class names of it and its causes, and where it arose.

    Never logs the error's text or a variable: both may hold secrets. ``way`` lists the product's frames, the outermost
    first, and then the frame that raised the error, each as ``file:line``.
    """
    logger.error("unhandled", error=type(error).__name__, causes=_causes(error), way=_way(error), path=path)
    crashes.report(error)


def _causes(error: BaseException) -> list[str]:
    names: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(names) < _MOST_CAUSES:
        names.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    return names


def _way(error: BaseException) -> list[str]:
    root = f"{settings.BASE_DIR}/"
    places = [f"{frame.f_code.co_filename.removeprefix(root)}:{line}" for frame, line in walk_tb(error.__traceback__)]
    *before, last = places or [""]
    return [*(place for place in before if not place.startswith("/") and "/site-packages/" not in place), last]


def picture_answer(content: bytes, media_type: str) -> HttpResponse:
    """Return a brand's picture as an answer. Its policy keeps an SVG from running or loading anything. No I/O."""
    response = HttpResponse(content, content_type=media_type)
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response
