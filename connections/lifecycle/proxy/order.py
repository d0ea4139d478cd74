"""The order of a proxied call: who asks, and for which request below the connection's base URL."""

from dataclasses import dataclass, field

from connections.lifecycle.vend.order import VendOrder
from providers.catalog.proxying import ProxyLimits
from providers.proxying.request_headers import Headers


@dataclass(frozen=True, slots=True)
class ProxyOrder:
    """One proxied call. ``use`` says who asks for which connection, as a vend does, and what it needs.

    ``path`` is below the base URL, as it was sent, without a leading slash; ``query`` likewise, without its mark.
    ``headers`` are the caller's, with names in lower case. ``here`` is the address of the connection's proxy, to which
    paths are added. ``is_repeatable``: it may be sent twice without harm (RFC 9110 §9.2.2). ``ends_at`` is when the
    caller has no use for an answer any more, by the monotonic clock, if that is before the entry's own limits.
    ``body_sha256`` is the digest of the body in hexadecimal, "" for none, None while it is not read.
    """

    use: VendOrder
    method: str
    path: str = field(repr=False)
    query: str = field(repr=False)
    headers: Headers = field(repr=False)
    here: str
    is_repeatable: bool = False
    ends_at: float | None = None
    body_sha256: str | None = None

    def within(self, limits: ProxyLimits, *, now: float) -> ProxyLimits:
        """Return the limits of one request that is sent at ``now``, by the monotonic clock."""
        if self.ends_at is None:
            return limits
        left = max(0.1, self.ends_at - now)
        return limits.model_copy(update={"total_seconds": min(left, limits.total_seconds)})

    def address_of(self, path: str) -> str:
        """Return the address of the proxy's at which ``path``, below the base URL, is called."""
        return f"{self.here}{path}"
