"""The headers of a proxied answer: only those of which it is known that they are about the answer. No I/O.

A provider's other headers may set cookies, name a credential, or have a browser do something in the name of the host
that the caller asked: ours.
"""

import re
from collections.abc import Callable, Collection
from urllib.parse import urljoin

from providers.proxying.paths import path_below
from providers.proxying.redaction import Redactor
from providers.proxying.request_headers import Headers

_ALLOWED = frozenset(
    {
        "accept-ranges",
        "allow",
        "content-disposition",
        "content-language",
        "content-range",
        "content-type",
        "date",
        "deprecation",
        "etag",
        "last-modified",
        "link",
        "location",
        "mcp-protocol-version",
        "mcp-session-id",
        "preference-applied",
        "ratelimit",
        "ratelimit-limit",
        "ratelimit-policy",
        "ratelimit-remaining",
        "ratelimit-reset",
        "request-id",
        "retry-after",
        "sunset",
        "vary",
        "warning",
        "x-has-more",
        "x-next-page",
        "x-page",
        "x-per-page",
        "x-request-id",
        "x-total",
        "x-total-count",
        "x-total-pages",
    }
)
_ALLOWED_NAMES = re.compile(r"x-(?:[a-z0-9]+-){0,3}rate-?limit(?:-[a-z0-9]+){0,4}|x-(?:[a-z0-9]+-){1,3}request-?id")
_LINKED = re.compile(r"<([^<>]*)>")


def passed_back(
    received: Headers,
    *,
    redactor: Redactor,
    further: Collection[str],
    here: Callable[[str], str],
    base_url: str,
    url: str,
    encoded_slashes: bool = False,
) -> list[tuple[str, str]]:
    """Return the headers of ``received`` that the caller gets, without secrets. Names are in lower case.

    ``further`` are names that the entry allows besides. Addresses in ``Location`` and ``Link`` that lead below
    ``base_url`` are written as ``here`` writes them, relative to the answered ``url``. A ``Location`` that leads
    elsewhere is left out.
    """
    allowed = _ALLOWED | {name.lower() for name in further}
    named = {item.strip().lower() for name, value in received if name == "connection" for item in value.split(",")}

    def led_through(address: str) -> str | None:
        path = path_below(base_url, urljoin(url, address), encoded_slashes=encoded_slashes)
        return None if path is None else here(path)

    kept: list[tuple[str, str]] = []
    for name, value in received:
        if name in named or not (name in allowed or _ALLOWED_NAMES.fullmatch(name)):
            continue
        passed: str | None = value
        if name == "location":
            passed = led_through(value)
        elif name == "link":
            passed = _LINKED.sub(lambda found: f"<{led_through(found[1]) or found[1]}>", value)
        if passed is not None:
            kept.append((name, redactor.of_text(passed)))
    return kept
