"""The order of a proxied call: who asks, and for which request below the connection's base URL."""

from dataclasses import dataclass, field

from connections.lifecycle.vend.order import VendOrder
from providers.proxying.request_headers import Headers


@dataclass(frozen=True, slots=True)
class ProxyOrder:
    """One proxied call. ``use`` says who asks for which connection, as a vend does, and what it needs.

    ``path`` is below the base URL, as it was sent, without a leading slash; ``query`` likewise, without its mark.
    ``headers`` are the caller's, with names in lower case. ``here`` is the address of the connection's proxy, to which
    paths are added. ``is_repeatable``: it may be sent twice without harm (RFC 9110 §9.2.2).
    """

    use: VendOrder
    method: str
    path: str = field(repr=False)
    query: str = field(repr=False)
    headers: Headers = field(repr=False)
    here: str
    is_repeatable: bool = False

    def address_of(self, path: str) -> str:
        """Return the address of the proxy's at which ``path``, below the base URL, is called."""
        return f"{self.here}{path}"
