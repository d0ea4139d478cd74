"""What an answer of an OAuth endpoint means: status, body and the catalogue's rules in, a verdict out.

The entry's rules come first, then RFC 6749 §5.2. Of the body only an error code that looks like one leaves this module.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from providers.answer_text import UNREADABLE, document_of, form_of, text_of
from providers.catalog.calls import ErrorRule
from providers.catalog.pointer import value_at
from providers.errors import (
    AddressRefused,
    ClientRejected,
    Evidence,
    GrantRejected,
    MalformedResponse,
    ProviderError,
    ProviderUnavailable,
    RequestRejected,
    plain_error_code,
)
from providers.oauth.challenge import problem_in
from providers.response import Response
from providers.vocabulary import Meaning

# A longer wait would spare the provider little, and would stop every connection of the provider app.
_LONGEST_RETRY_AFTER_SECONDS = 900.0
_CLOCKS_APART_SECONDS = 86_400.0
# Signatures of AWS are valid for five minutes; assertions of ours for two, and begin half a minute ago.
SIGNATURES_APART_SECONDS = 90.0
_TRANSIENT_STATUSES = frozenset({408, 425, 429})
_NO_ERROR = frozenset({"", "0", "ok", "success", "none", "null", "false", "no_error", "[]", "{}"})
_STANDARD_CODES = {
    "invalid_grant": Meaning.GRANT_REJECTED,
    # OpenID Connect Core §3.1.2.6. At a token endpoint, too, they mean that only the end user can go on.
    "interaction_required": Meaning.GRANT_REJECTED,
    "login_required": Meaning.GRANT_REJECTED,
    "consent_required": Meaning.GRANT_REJECTED,
    "invalid_client": Meaning.CLIENT_REJECTED,
    "unauthorized_client": Meaning.CLIENT_REJECTED,
    "unsupported_grant_type": Meaning.CLIENT_REJECTED,
    "invalid_request": Meaning.REQUEST_REJECTED,
    "invalid_scope": Meaning.REQUEST_REJECTED,
    "temporarily_unavailable": Meaning.UNAVAILABLE,
    "server_error": Meaning.UNAVAILABLE,
    "slow_down": Meaning.UNAVAILABLE,
    # RFC 9449 §5 and §8: it wants DPoP of our registration, which we do not speak. The grant is as good as before.
    "invalid_dpop_proof": Meaning.CLIENT_REJECTED,
    "use_dpop_nonce": Meaning.CLIENT_REJECTED,
}
_FAILURES: Mapping[Meaning, tuple[type[ProviderError], str]] = {
    Meaning.GRANT_REJECTED: (GrantRejected, "The provider refused the grant."),
    Meaning.CLIENT_REJECTED: (ClientRejected, "The provider refused our client registration."),
    Meaning.REQUEST_REJECTED: (RequestRejected, "The provider refused the request."),
    Meaning.ADDRESS_REFUSED: (AddressRefused, "The provider takes no calls from our address: list it there."),
    Meaning.UNAVAILABLE: (ProviderUnavailable, "The provider cannot answer now."),
    Meaning.MALFORMED: (MalformedResponse, "The answer is neither a well-formed success nor a known error."),
}


def failure_of(response: Response, *, rules: Iterable[ErrorRule]) -> ProviderError | None:
    """Return the named failure that ``response`` is, or None for a success: a 2xx that carries no error. No I/O."""
    document = fields_in(response)
    error = error_in(document) if isinstance(document, dict) else None
    if (rule := _first_match(rules, response, document)) is not None:
        return _failure(response, rule.means, error, known=rule.value or "")
    if response.status >= 500 or response.status in _TRANSIENT_STATUSES:
        return _failure(response, Meaning.UNAVAILABLE, error)
    if isinstance(error, str) and error in _STANDARD_CODES:
        return _failure(response, _STANDARD_CODES[error], error)
    if response.status == 401 and not error:
        return _failure(response, Meaning.CLIENT_REJECTED, "")
    if 200 <= response.status < 300 and not error:
        return None
    # A 4xx with an error code of the provider's own is a well-formed error, too (RFC 6749 §8.5).
    is_refusal = 400 <= response.status < 500 and plain_error_code(error) != ""
    return _failure(response, Meaning.REQUEST_REJECTED if is_refusal else Meaning.MALFORMED, error)


def error_in(document: Mapping[str, Any]) -> Any:
    """Return the member ``error`` of an answer, or None if its value means "no error"."""
    error = document.get("error")
    said = error.get("code", error) if isinstance(error, dict) else error
    return None if said is None or str(said).strip().casefold() in _NO_ERROR else error


def first_match(rules: Iterable[ErrorRule], response: Response) -> ErrorRule | None:
    """Return the first rule whose status, field value and text match the answer, or None; unset ones match any."""
    return _first_match(rules, response, fields_in(response))


def _first_match(rules: Iterable[ErrorRule], response: Response, document: Any) -> ErrorRule | None:
    for rule in rules:
        if rule.status is not None and rule.status != response.status:
            continue
        if rule.contains and rule.contains.casefold().encode() not in response.body.lower():
            continue
        if rule.value is None or _said(rule.field, response, document) == rule.value:
            return rule
    return None


def _said(field: str, response: Response, document: Any) -> str | None:
    """Return the value of a rule's ``field`` as text: from the body, or else from the challenge beside it."""
    if field.startswith("/"):
        return _as_text(value_at(document, field))
    found = _as_text(value_at(document, f"/{field}"))
    return problem_in(response.headers.get("WWW-Authenticate", "")).get(field) if found is None else found


def json_object(response: Response) -> dict[str, Any]:
    """Return the body if it is a JSON object, else {}."""
    document = json_document(response)
    return document if isinstance(document, dict) else {}


def json_document(response: Response) -> Any:
    """Return the body read as JSON, or None if it is not JSON."""
    found = document_of(text_of(response))
    return None if found is UNREADABLE else found


def fields_in(response: Response) -> Any:
    """Return the body read as JSON, else as the fields of a form, whatever its label; None if it is neither."""
    text = text_of(response)
    found = document_of(text)
    content_type = response.headers.get("Content-Type", "")
    return form_of(text, content_type=content_type) or None if found is UNREADABLE else found


def retry_after_seconds(
    headers: Mapping[str, str], *, longest_seconds: float = _LONGEST_RETRY_AFTER_SECONDS
) -> float | None:
    """Return the seconds to wait by ``Retry-After``, 0 to ``longest_seconds``, or None (RFC 9110 §10.2.3).

    A date is measured from the answer's own ``Date``, if it has one, so that two clocks need not agree.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        # More digits would only overflow: no cap has so many.
        return min(float(value[:12]), longest_seconds)
    if (until := _epoch(value)) is None:
        return None
    now = _epoch(headers.get("Date", ""))
    return min(max(until - (time.time() if now is None else now), 0.0), longest_seconds)


def answered_at(headers: Mapping[str, str]) -> float:
    """Return the answer's own time as an epoch: its ``Date``, unless that is more than a day from our clock."""
    now, theirs = time.time(), _epoch(headers.get("Date", ""))
    return now if theirs is None or abs(theirs - now) > _CLOCKS_APART_SECONDS else theirs


def clocks_apart_seconds(headers: Mapping[str, str]) -> float:
    """Return how far the answer's own time is from our clock; 0 if it has none."""
    theirs = _epoch(headers.get("Date", ""))
    return 0.0 if theirs is None else abs(theirs - time.time())


def _failure(response: Response, meaning: Meaning, error: object, *, known: str = "") -> ProviderError:
    failure, detail = _FAILURES[meaning]
    evidence = Evidence(detail, status=response.status, error=plain_error_code(error) or known)
    waits = retry_after_seconds(response.headers) if meaning is Meaning.UNAVAILABLE else None
    made = failure(evidence, retry_after_seconds=waits)
    made.clocks_apart_seconds = clocks_apart_seconds(response.headers)
    return made


def _as_text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _epoch(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
