"""What the entrances over HTTP share: who a request comes from, and what is logged of one that crashed."""

import ipaddress

import structlog
from django.conf import settings
from django.http import HttpRequest

from connections.journal.audit import Actor
from connections.models import ApiClient

logger = structlog.get_logger(__name__)


def client_address(request: HttpRequest) -> str | None:
    """Return the address of the client: the peer's, or the one that the trusted proxies saw.

    ``TRUSTED_PROXY_COUNT`` proxies stand in front, each of which appends to X-Forwarded-For; what is further left was
    sent by the client itself and is not believed. None where what stands there is no address.
    """
    address = request.META.get("REMOTE_ADDR") or None
    trusted = settings.TRUSTED_PROXY_COUNT
    if trusted:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= trusted:
            address = hops[-trusted]
    try:
        return None if address is None else str(ipaddress.ip_address(address))
    except ValueError:
        return None


def actor_of(request: HttpRequest, *, client: ApiClient | None = None, subject: str = "") -> Actor:
    """Return who is behind ``request``, for the audit."""
    return Actor(
        api_client_id=client.id if client is not None else None,
        subject=subject,
        address=client_address(request),
    )


def log_crash(request: HttpRequest, error: Exception) -> None:
    """Log that ``request`` ended in ``error``: its name and where it arose.

    Never its text, which may hold what was being handled.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
    logger.error("unhandled", error=type(error).__name__, where=where, path=request.path)
