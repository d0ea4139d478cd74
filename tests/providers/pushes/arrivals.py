"""A vendor's push as it arrives."""

import time
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from providers.catalog.loader import entry
from providers.catalog.pushes import PushRules
from providers.pushes.arrival import Arrival, Proven
from providers.pushes.verify import prove
from tests.vendor_pushes import Sent, Vendor

URL = "https://latchkey.example/pushes/5f0c4f0e-6a0a-4f63-9b53-6f5a1ad3a1c0"


def rules_of(vendor: Vendor) -> PushRules:
    """Return what the vendor's entry says of pushes."""
    rules = entry(vendor.slug).push
    assert rules is not None
    return rules


def arrival_of(sent: Sent, *, url: str = URL) -> Arrival:
    """Return a request as the entrance hands it on."""
    return Arrival("POST", url, {name.lower(): value for name, value in sent.headers.items()}, {}, sent.body)


def proven_of(
    vendor: Vendor, sent: Sent, *, secrets: tuple[str, ...] = (), now: float | None = None, url: str = URL
) -> Proven:
    """Return what is proven of a push; raises ``PushRefused``."""
    known = tuple(SecretStr(secret) for secret in secrets or (vendor.secret,))
    moment = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    return prove(rules_of(vendor), arrival_of(sent, url=url), secrets=known, client_id="client", now=moment)


def an_event(vendor: Vendor, at: float) -> Any:
    """Return some event of the vendor's."""
    made = vendor.ended or vendor.doubtful or vendor.other
    assert made is not None
    return made(at)
