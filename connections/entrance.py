"""What the entrances over HTTP share: who a request comes from."""

from django.conf import settings
from django.http import HttpRequest

from connections.lifecycle.audit import Actor
from connections.models import ApiClient


def client_address(request: HttpRequest) -> str | None:
    """Return the address of the client: the peer's, or the one that the trusted proxies saw.

    ``TRUSTED_PROXY_COUNT`` proxies stand in front, each of which appends to X-Forwarded-For; what is further left was
    sent by the client itself and is not believed.
    """
    address = request.META.get("REMOTE_ADDR") or None
    trusted = settings.TRUSTED_PROXY_COUNT
    if trusted:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= trusted:
            address = hops[-trusted]
    return address


def actor_of(request: HttpRequest, *, client: ApiClient | None = None, subject: str = "") -> Actor:
    """Return who is behind ``request``, for the audit."""
    return Actor(
        api_client_id=client.id if client is not None else None,
        subject=subject,
        address=client_address(request),
    )
