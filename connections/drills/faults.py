"""What a provider may answer to a refresh: each fault in the form in which the sandbox takes it. Data, no scenario.

The scenarios meet these faults one by one, the campaigns (``tests/campaigns/faults``) thousands of times and mixed.
``oracles`` says what must hold after each. A group has one name because all its members must have the same result.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

# Looks like a token, and must be stored nowhere afterwards. (An error code, which evidence may quote, is lower-case.)
CANARY = "Canary0fAMalformedB0dyThatReadsLikeAToken"


@dataclass(frozen=True, slots=True)
class Answer:
    """One fault of the sandbox: its ``kind`` and ``options``, as ``providers.sandbox`` describes them."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([self.kind, *(f"{name}={value!r}" for name, value in self.options.items())])

    def but(self, **options: Any) -> "Answer":
        """Return the same fault with other options."""
        return replace(self, options={**self.options, **options})


def _all(kind: str, *options: Mapping[str, Any]) -> tuple[Answer, ...]:
    return tuple(Answer(kind, one) for one in options)


# --- Unreadable answers: the attempt is in doubt, because the provider may have rotated the token ---------------------
EMPTY = Answer("empty_body")
MALFORMED = (
    Answer("html"),
    Answer("truncated_json"),
    Answer("json_list"),
    Answer("json_null"),
    EMPTY,
    Answer("no_access_token"),
    Answer("null_access_token"),
    Answer(
        "status", {"status": 200, "content_type": "application/json", "body": json.dumps({"token": f"sba_{CANARY}"})}
    ),
)
TRICKLE = Answer("trickle", {"interval": 0.2})
ENDLESS = (Answer("huge_body"), Answer("gzip_bomb"))
LOST = (Answer("lost_response"), Answer("lost_response", {"reset": True}), Answer("reset_before"))

# --- Outages: they say nothing about the grant ------------------------------------------------------------------------
SERVER_ERRORS = _all(
    "status",
    {"status": 500},
    {"status": 502, "body": "<html>Bad gateway</html>", "content_type": "text/html"},
    {"status": 503},
    {"status": 504},
    {"status": 520, "body": ""},
)
NO_VERDICT = (
    Answer("status", {"status": 503, "headers": {"Retry-After": "1"}}),
    Answer("status", {"status": 403, "body": "Forbidden"}),
    Answer("status", {"status": 404, "body": "Not found"}),
    Answer("error", {"error": "temporarily_unavailable"}),
    Answer("error", {"error": "server_error"}),
)
RATE_LIMITED = Answer("rate_limited", {"retry_after": 1})
RATE_LIMITED_BY_DATE = RATE_LIMITED.but(http_date=True)
# None of these, however often it comes, may make a living grant look revoked.
TRANSIENT = (*SERVER_ERRORS, *NO_VERDICT, RATE_LIMITED, RATE_LIMITED_BY_DATE, *MALFORMED, *LOST)
# The same faults at the resource that the probe calls.
TRANSIENT_PROBES = (
    Answer("status", {"status": 401}),
    Answer("status", {"status": 403}),
    Answer("status", {"status": 500}),
    Answer("html"),
    Answer("lost_response"),
    RATE_LIMITED,
)

# --- Refusals ---------------------------------------------------------------------------------------------------------
GRANT_REJECTED = Answer("error", {"error": "invalid_grant"})
GRANT_REJECTED_IN_200 = Answer("error_in_200", {"error": "invalid_grant"})
CLIENT_REJECTED = Answer("error", {"error": "invalid_client"})

# --- Successes with odd values ----------------------------------------------------------------------------------------
# ``expires_in`` as it is written on the wire; None for one that is missing.
LIFETIMES = (
    *(None, "0", "-1", "-1000000000", "1e-09", "1000000000000000", "9" * 400, "false", "true", "null", "[]", "{}"),
    *('""', '"0"', '"abc"', '"soon"', '"3600"', '"\\u0000"', "NaN", "Infinity", "-Infinity", "1e999", "-0.0"),
)
ODD_LIFETIMES = tuple(Answer("expires_in", {} if raw is None else {"raw": raw}) for raw in LIFETIMES)
ODD_TOKEN_TYPES = tuple(
    Answer("wrong_token_type", {"token_type": one}) for one in ("mac", "", None, 7, "Bearer\r\nX-Evil: 1")
)
NARROWED = Answer("narrow_scope", {"scope": "profile.read"})
