"""The headers of a proxied request: the caller's own, without what is ours, a proxy's, or a trick. No I/O."""

import re
from collections.abc import Iterable, Mapping, Sequence

Headers = Sequence[tuple[str, str]]

MOST_HEADERS, LARGEST_HEADERS = 100, 32_768
# A smaller part of an answer may lie within a credential that the answer repeats (``redaction``).
SMALLEST_RANGE = 64
_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})", re.IGNORECASE)
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
# Of those, what says to a service of AWS's which operation is meant: it is signed with the rest.
_PASSED = frozenset({"x-amz-target"})
_PREFIXES = ("proxy-", "forwarded", "x-forwarded", "x-amz-", "latchkey-", "sec-", "x-envoy-", "x-appengine-")


# What says nothing about what is done: who asks for an answer of which form, when, and by which trace.
_NEUTRAL = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-language",
        "baggage",
        "cache-control",
        "date",
        "dnt",
        "elastic-apm-traceparent",
        "idempotency-key",
        "if-modified-since",
        "if-none-match",
        "newrelic",
        "origin",
        "pragma",
        "priority",
        "referer",
        "request-id",
        "sentry-trace",
        "traceparent",
        "tracestate",
        "uber-trace-id",
        "upgrade-insecure-requests",
        "user-agent",
        "x-amzn-trace-id",
        "x-cloud-trace-context",
        "x-correlation-id",
        "x-request-id",
        "x-requested-with",
        "x-stripe-client-telemetry",
        "x-stripe-client-user-agent",
    }
)
_NEUTRAL_PREFIXES = ("x-b3-", "x-datadog-", "x-stainless-")
# Those that are known to say what is meant, and hold nothing secret.
SHOWN_HEADERS = frozenset(
    {"content-type", "content-encoding", "x-amz-target", "stripe-account", "stripe-context", "x-goog-user-project"}
)


class HeadersRefused(ValueError):
    """The headers of a proxied request are no HTTP, or too many. The text says what is wrong with them."""


def passed_on(received: Headers, *, replaced: Iterable[str]) -> list[tuple[str, str]]:
    """Return the headers of ``received`` that go to the provider; those named in ``replaced`` are set by us.

    Names are in lower case. A ``Range`` of several parts, or of a tiny one in the middle, is left out, as any server
    may do (RFC 9110 §14.2): the answer is the whole then. Raises ``HeadersRefused``.
    """
    if len(received) > MOST_HEADERS or sum(len(name) + len(value) for name, value in received) > LARGEST_HEADERS:
        raise HeadersRefused("The request has too many headers, or too large ones.")
    named = {item.strip().lower() for name, value in received if name == "connection" for item in value.split(",")}
    dropped = HOP_BY_HOP | _FRAMING | _CREDENTIALS | _OVERRIDES | named | {name.lower() for name in replaced}
    kept: list[tuple[str, str]] = []
    for name, value in received:
        if name in dropped or (name.startswith(_PREFIXES) and name not in _PASSED):
            continue
        if name == "range" and not _is_plain_range(value):
            continue
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise HeadersRefused("A header holds a character that HTTP does not allow.")
        if name == "prefer" and not (value := _for_the_provider(value)):
            continue
        if name == "content-type" and any(known == name for known, _ in kept):
            raise HeadersRefused("The request says twice of which type its body is.")
        kept.append((name, value))
    return kept


def headers_that_count(received: Headers) -> list[tuple[str, str]]:
    """Return those of ``received`` that go to the provider and may change what it does, by name. Raises as above.

    Several of one name stay in their order.
    """
    passed = passed_on(received, replaced=())
    counting = [one for one in passed if one[0] not in _NEUTRAL and not one[0].startswith(_NEUTRAL_PREFIXES)]
    return sorted(counting, key=lambda header: header[0])


def _for_the_provider(preferences: str) -> str:
    """Return a caller's ``preferences`` (RFC 7240) without how long it waits, which is for Latchkey."""
    return ", ".join(
        one for item in preferences.split(",") if (one := item.strip()) and not one.lower().startswith("wait")
    )


def _is_plain_range(value: str) -> bool:
    """Whether ``value`` asks for one part: the beginning, all from some place on, or enough of the rest."""
    found = _RANGE.fullmatch(value.strip())
    if found is None or not (found[1] or found[2]):
        return False
    first, last = found[1], found[2]
    if not first:
        return int(last) >= SMALLEST_RANGE
    return not last or int(first) == 0 or int(last) - int(first) >= SMALLEST_RANGE - 1


def with_credential(headers: Headers, presented: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return ``headers``, with a plain ``User-Agent`` if they have none, followed by those of the credential."""
    names = {name.lower() for name, _ in headers} | {name.lower() for name in presented}
    agent = [] if "user-agent" in names else [("user-agent", "Latchkey")]
    return [*headers, *agent, *presented.items()]
