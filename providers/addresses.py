"""Which addresses may be called: a pure decision, without a lookup or a socket.

Owns the list of networks that are not the public Internet (IANA special-purpose registries, RFC 6890) and the
operator's exceptions. Resolving names and connecting is ``providers.egress``.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# ``ipaddress.is_global`` is not used: it calls multicast global and differs between patch releases of Python.
_NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's wire server: metadata behind a public address
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, among them Teredo, which embeds an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4, which embeds an IPv4 address
        "3fff::/20",
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PRIVATE_USE = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
# Metadata services that stand inside the private ranges: a name on the allow-list must not lead there.
_METADATA = frozenset(
    ipaddress.ip_address(address)
    for address in (
        "100.100.100.200",
        "fd00:ec2::23",  # the credentials of a pod
        "fd00:ec2::254",
        "fd20:ce::254",
    )
)
_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*")


def plain_host(host: str) -> str:
    """Return ``host`` as names are compared: lower case, without brackets or the root's dot."""
    return host.strip("[]").rstrip(".").lower()


def is_loopback(address: str) -> bool:
    """Whether ``address`` is this machine."""
    return _meant_by(address).is_loopback


def is_near(address: str) -> bool:
    """Whether ``address`` is this machine, or one that no router passes on: where clouds answer for a machine."""
    meant = _meant_by(address)
    return meant.is_loopback or meant.is_link_local or meant in _METADATA


def is_public(address: str) -> bool:
    """Whether ``address`` is one of the public Internet."""
    return _is_public(_meant_by(address))


def names_loopback(host: str) -> bool:
    """Whether ``host`` names this machine: ``localhost`` (RFC 6761 §6.3) or a loopback address. No lookup."""
    name = plain_host(host)
    try:
        return is_loopback(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


@dataclass(frozen=True, slots=True)
class AddressRules:
    """The public Internet, and what the operator allows besides it.

    A network allows exactly its addresses. A host name allows only the private-use ranges, and only for that name. It
    never allows loopback, link-local or a cloud's metadata service: no on-premises system has such an address.
    """

    allow_loopback: bool = False
    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, *, allow_loopback: bool, allowed_targets: Iterable[str]) -> Self:
        """Return the rules for entries such as ``erp.corp.example``, ``10.1.2.3`` and ``10.1.0.0/16``.

        Raises ``ValueError`` naming the entry that is none of these.
        """
        networks: list[Network] = []
        hosts: set[str] = set()
        for entry in (target.strip() for target in allowed_targets):
            try:
                networks.append(ipaddress.ip_network(entry.strip("[]")))
                continue
            except ValueError:
                name = plain_host(entry)
            # A name whose last label is a number would be read as an address by the resolver ("10.1", "127.1").
            if not _HOST_NAME.fullmatch(name) or name.rpartition(".")[2].isdigit():
                raise ValueError(
                    f"allowed target {entry!r}: write a host name, an address or a network such as 10.1.0.0/16"
                )
            hosts.add(name)
        return cls(allow_loopback=allow_loopback, networks=tuple(networks), hosts=frozenset(hosts))

    def permit(self, *, host: str, address: str) -> bool:
        """Whether ``address``, to which ``host`` resolved, may be called. No I/O."""
        meant = _meant_by(address)
        if any(meant.version == network.version and meant in network for network in self.networks):
            return True
        if meant.is_loopback:
            return self.allow_loopback
        if _is_public(meant):
            return True
        if plain_host(host) not in self.hosts or meant in _METADATA:
            return False
        return any(meant.version == network.version and meant in network for network in _PRIVATE_USE)


def _meant_by(address: str) -> Address:
    """Return the address that a packet would reach: the IPv4 address inside a mapped or translated IPv6 address.

    NAT64 (RFC 6052) is judged by the address inside, because behind DNS64 an IPv4-only provider has no other. The
    obsolete 6to4 and Teredo are refused whatever they hold.
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return parsed.ipv4_mapped
        if parsed in _NAT64:
            return ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
    return parsed


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    return address in _PUBLIC_V6 and not any(address in network for network in _NOT_PUBLIC_V6)


def are_of_one_party(url: str, other: str) -> bool:
    """Whether whoever runs the host of ``url`` answers for that of ``other``. No I/O.

    So it is if both are the same, or if one stands below the other. Two names that only end alike may be anybody's:
    many people have a name below the domain of one that hosts them.
    """
    try:
        one, two = (plain_host(urlsplit(address).hostname or "") for address in (url, other))
    except ValueError:
        return False
    if not one or not two:
        return False
    upper, lower = sorted((one, two), key=len)
    return upper == lower or ("." in upper and lower.endswith(f".{upper}"))
