"""Outbound addresses: from where providers see our calls, for those that want the addresses on a list.

Latchkey cannot know them by itself: a gateway or a proxy may stand between. It shows what the operator has stated
(``EGRESS_ADDRESSES``), and what a service of the operator's choice (``EGRESS_ECHO_URL``) saw of one call, made by the
same client and through the same proxy as every call to a provider.
"""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

from providers import egress
from providers.errors import ProviderError

_BETWEEN = re.compile(r"[^0-9A-Fa-f:.]+")
_LONGEST_ANSWER_BYTES = 4096
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class OutboundAddresses:
    """The addresses that our calls come from, as far as is known.

    ``stated`` is what the operator says; ``proxy`` is the host and port of the egress proxy, "" if there is none.
    ``echo`` is the host that was asked, "" if none was; ``seen`` is the address that it saw, "" if it told none.
    ``notes`` are sentences for the operator.
    """

    stated: tuple[str, ...] = ()
    proxy: str = ""
    echo: str = ""
    seen: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def to_list(self) -> tuple[str, ...]:
        """What to write on a provider's list: what is stated, else what was seen; nothing if neither is known."""
        return self.stated or ((self.seen,) if self.seen else ())


def outbound_addresses(*, asks: bool = True) -> OutboundAddresses:
    """Return the addresses that our calls come from. With ``asks`` this calls ``EGRESS_ECHO_URL``, if it is set (HTTP).

    A service that cannot be asked is a note, not an error.
    """
    stated = tuple(settings.EGRESS_ADDRESSES)
    proxy = _place(settings.EGRESS_PROXY_URL)
    notes = []
    if proxy:
        notes.append(f"Calls go through the proxy {proxy}: providers see the addresses of the proxy.")
    echo, seen = _place(settings.EGRESS_ECHO_URL) if asks else "", ""
    if echo:
        seen, problem = _ask(settings.EGRESS_ECHO_URL, echo)
        notes += [problem] if problem else []
    if seen and stated and not _is_within(seen, stated):
        notes.append(f"{seen} is not among the stated addresses: a provider with a list refuses calls from it.")
    if seen and not stated:
        notes.append(
            "This is what one call of this process showed. Other machines, and a gateway with several addresses, may"
            " show others: state them all in EGRESS_ADDRESSES."
        )
    if not seen and not stated:
        notes.append(
            "Latchkey cannot know from which addresses its calls arrive: ask whoever runs the network"
            f"{' or the proxy' if proxy else ''}, and state them in EGRESS_ADDRESSES; or name a service in"
            " EGRESS_ECHO_URL that answers with the address it was called from."
        )
    return OutboundAddresses(stated, proxy, echo, seen, tuple(notes))


def _ask(url: str, host: str) -> tuple[str, str]:
    """Return the address that the service at ``url`` saw, or "" and what is wrong."""
    try:
        answer = egress.request("GET", url, max_body_bytes=_LONGEST_ANSWER_BYTES, total_seconds=_SECONDS)
    except ProviderError as error:
        return "", f"{host} could not be asked: {error.evidence.detail}"
    if answer.status != 200:
        return "", f"{host} answered {answer.status} and no address."
    words = _BETWEEN.split(answer.body.decode("ascii", errors="replace"))
    found = list(dict.fromkeys(address for address in map(_address, words) if address is not None))
    if len(found) != 1:
        return "", f"{host} answered with {len(found) or 'no'} address{'es' if found else ''}: name another service."
    if not found[0].is_global:
        return str(found[0]), (
            f"{host} stands within your own network, and saw the address {found[0]}: providers see another one."
        )
    return str(found[0]), ""


def _address(word: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(word.strip(".")) if "." in word or ":" in word else None
    except ValueError:
        return None


def _is_within(seen: str, stated: tuple[str, ...]) -> bool:
    return any(ip_address(seen) in ip_network(one) for one in stated)


def _place(url: str) -> str:
    """Return host and port of ``url``, without what may be secret in it."""
    parts = urlsplit(str(url))
    return f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
