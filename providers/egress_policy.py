"""What egress may call, and how it proves servers: the operator's policy, and everything derived from it.

``providers.egress`` opens the sockets; ``providers.addresses`` knows of each address what it is.
"""

import ssl
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from providers import addresses, quiet
from providers.errors import Evidence, ProviderUnavailable, TargetRefused
from providers.http_exchange import DEFAULT_PORTS
from providers.lookup import Found, look_up
from providers.tls import Sessions, client_context

_PROXIED_LOOKUP_SECONDS = 1.0  # behind a proxy there may be no DNS at all


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What the operator allows. The default is the strictest.

    ``allowed_targets`` are host names, addresses and networks of on-premises systems; ``proxy_url`` is an ``http://``
    proxy that understands CONNECT; ``ca_file`` is a PEM file of authorities trusted besides the public ones.
    ``connect_seconds`` covers lookup, TCP, proxy and TLS together; ``total_seconds`` the whole call.
    """

    allow_loopback: bool = False
    allowed_targets: tuple[str, ...] = ()
    proxy_url: str = field(default="", repr=False)
    ca_file: str = ""
    connect_seconds: float = 5.0
    total_seconds: float = 20.0
    max_body_bytes: int = 65_536


class Setup:
    """A policy and everything derived from it, in one object, so that each call reads one consistent set."""

    def __init__(self, policy: EgressPolicy) -> None:
        self.policy = policy
        self.rules = addresses.AddressRules.parse(
            allow_loopback=policy.allow_loopback, allowed_targets=policy.allowed_targets
        )
        self.proxy = urlsplit(policy.proxy_url) if policy.proxy_url else None
        if self.proxy is not None and (self.proxy.scheme != "http" or not self.proxy.hostname):
            raise ValueError("the egress proxy must be written as http://[user:password@]host:port")
        if policy.ca_file and not Path(policy.ca_file).is_file():
            raise ValueError(f"the CA file {policy.ca_file} does not exist")

        self.sessions = Sessions()  # of the context below, and with it of these authorities alone

    @cached_property
    def tls(self) -> ssl.SSLContext:
        return client_context(ca_file=self.policy.ca_file)


def configure(policy: EgressPolicy) -> None:
    """Make ``policy`` the one of this process. Raises ``ValueError`` saying what is wrong with it."""
    global _setup  # noqa: PLW0603 - there is one policy a process
    made = Setup(policy)
    if policy.ca_file:
        try:
            made.tls  # noqa: B018 - a file that is no PEM must fail at boot, not at the first call
        except ssl.SSLError:
            raise ValueError(f"the CA file {policy.ca_file} holds no certificate in PEM") from None
    _setup = made
    quiet.silence()


def current_policy() -> EgressPolicy:
    """Return the policy of this process."""
    return _setup.policy


def current_setup() -> Setup:
    """Return what this process goes by now. A call reads it once, so that it goes by one policy to its end."""
    return _setup


_setup = Setup(EgressPolicy())


def unavailable(detail: str) -> ProviderUnavailable:
    """Return the error of a call of which nothing was sent."""
    return ProviderUnavailable(Evidence(detail, sent=False))


def port_of(target: SplitResult) -> int:
    """Return the port of an address, or that of its scheme."""
    return target.port or DEFAULT_PORTS[target.scheme]


def judge(setup: Setup, target: SplitResult, found: Found, *, has_certificate: bool) -> bool:
    """Whether the target is called through the operator's proxy. Raises unless it may be called at all.

    ``found`` are the addresses of its name; every one of them must be permitted.
    """
    host = addresses.plain_host(target.hostname or "")
    if not all(setup.rules.permit(host=host, address=address[0]) for _, address in found):
        raise TargetRefused(Evidence("The server's address is not one that may be called.", sent=False))
    local = bool(found) and all(addresses.is_loopback(address[0]) for _, address in found)
    if target.scheme == "http" and not (local and setup.policy.allow_loopback and not has_certificate):
        raise TargetRefused(Evidence("Only https is called.", sent=False))
    proxied = setup.proxy is not None and not local
    if not found and not proxied:
        raise unavailable("The server's name could not be looked up.")
    return proxied


def judge_own(setup: Setup, target: SplitResult, found: Found) -> bool:
    """Whether a server of the operator's own is called through the proxy. Raises unless it may be called at all."""
    if target.scheme == "http" and not (found and all(addresses.is_near(address[0]) for _, address in found)):
        raise TargetRefused(Evidence("Without TLS only this machine and link-local addresses are called.", sent=False))
    proxied = setup.proxy is not None and all(addresses.is_public(address[0]) for _, address in found)
    if not found and not proxied:
        raise unavailable("The server's name could not be looked up.")
    return proxied


def known_addresses(setup: Setup, host: str, port: int, deadline: float) -> Found:
    """Look a name up. Behind a proxy an unknown one has no addresses, and the proxy judges it. Raises ``OSError``."""
    if setup.proxy is None:
        return look_up(host, port, deadline)
    try:
        return look_up(host, port, min(deadline, time.monotonic() + _PROXIED_LOOKUP_SECONDS))
    except TimeoutError:
        return []
