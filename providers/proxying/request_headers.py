"""The headers of a proxied request: the caller's own, without what is ours, a proxy's, or a trick. No I/O."""

import re
from collections.abc import Iterable, Mapping, Sequence

Headers = Sequence[tuple[str, str]]

MOST_HEADERS, LARGEST_HEADERS = 100, 32_768
_NAME = re.compile(r"[a-z0-9!#$%&'*+.^`|~-]{1,128}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# Of one connection only (RFC 9110 §7.6.1), and how the body is framed: this side frames it anew.
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings"}
)
_FRAMING = frozenset({"host", "content-length", "expect", "accept-encoding", "max-forwards"})
# Who calls, and by which way: for Latchkey, and for nobody behind it.
_CREDENTIALS = frozenset(
    {
        "authorization",
        "cookie",
        "cookie2",
        "x-api-key",
        "api-key",
        "apikey",
        "x-auth-token",
        "x-access-token",
        "x-csrf-token",
        "x-csrftoken",
        "x-xsrf-token",
        "x-client-cert",
        "x-ssl-client-cert",
        "client-cert",
        "client-cert-chain",
        "x-amzn-oidc-data",
        "x-goog-iap-jwt-assertion",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
        "via",
        "from",
        "prefer",
    }
)
# What makes a server carry out another request than the one that was allowed.
_OVERRIDES = frozenset(
    {
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-method",
        "x-original-url",
        "x-original-uri",
        "x-original-host",
        "x-rewrite-url",
        "x-host",
        "destination",
    }
)
_PREFIXES = ("proxy-", "forwarded", "x-forwarded", "x-amz-", "latchkey-", "sec-", "x-envoy-", "x-appengine-")


class HeadersRefused(ValueError):
    """The headers of a proxied request are no HTTP, or too many. The text says what is wrong with them."""


def passed_on(received: Headers, *, replaced: Iterable[str]) -> list[tuple[str, str]]:
    """Return the headers of ``received`` that go to the provider; those named in ``replaced`` are set by us.

    Names are in lower case. Raises ``HeadersRefused``.
    """
    if len(received) > MOST_HEADERS or sum(len(name) + len(value) for name, value in received) > LARGEST_HEADERS:
        raise HeadersRefused("The request has too many headers, or too large ones.")
    named = {item.strip().lower() for name, value in received if name == "connection" for item in value.split(",")}
    dropped = HOP_BY_HOP | _FRAMING | _CREDENTIALS | _OVERRIDES | named | {name.lower() for name in replaced}
    kept: list[tuple[str, str]] = []
    for name, value in received:
        if name in dropped or name.startswith(_PREFIXES):
            continue
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise HeadersRefused("A header holds a character that HTTP does not allow.")
        kept.append((name, value))
    return kept


def with_credential(headers: Headers, presented: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return ``headers``, with a plain ``User-Agent`` if they have none, followed by those of the credential."""
    names = {name.lower() for name, _ in headers} | {name.lower() for name in presented}
    agent = [] if "user-agent" in names else [("user-agent", "Latchkey")]
    return [*headers, *agent, *presented.items()]
