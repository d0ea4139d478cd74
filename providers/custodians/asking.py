"""One call of a custodian: a short deadline, an answer of bounded size, and two ways to fail."""

import json
from collections.abc import Mapping
from typing import Any

from providers import egress
from providers.egress import Signer
from providers.errors import ProviderError, plain_error_code
from providers.response import Response
from providers.strict_json import parse

TOTAL_SECONDS = 5.0
_MOST_BYTES = 262_144
_DEEPEST = 12


class CustodianError(Exception):
    """A custodian did not do what it was asked. The message says what to do, and holds no secret."""


class CustodianAway(CustodianError):
    """It was not reached, was busy, or did not let us in: the same call may succeed later."""


class CustodianRefuses(CustodianError):
    """It has decided: the key or secret is disabled, destroyed, unknown, or is not what was stored."""


def ask(
    name: str,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    sign: Signer | None = None,
) -> Response:
    """Make one call of ``name``, as people call it, and return the answer, whatever its status but a redirect.

    Blocks for five seconds at most. Raises ``CustodianAway``.
    """
    given = dict(headers or {})
    content = None
    if body is not None:
        content = json.dumps(body).encode()
        given.setdefault("Content-Type", "application/json")
    try:
        return egress.request(
            method,
            url,
            headers=given,
            params=params,
            form=form,
            content=content,
            sign=sign,
            max_body_bytes=_MOST_BYTES,
            total_seconds=TOTAL_SECONDS,
            of_operator=True,
        )
    except ProviderError as error:
        detail = error.evidence.detail
    raise CustodianAway(f"{name} could not be asked: {detail}")


def document_of(name: str, response: Response) -> dict[str, Any]:
    """Return the JSON object that an answer holds, {} where it holds none. Raises nothing."""
    try:
        document = parse(response.body, deepest=_DEEPEST)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def text_in(name: str, document: Any, *path: str) -> str:
    """Return the text at ``path`` of ``document``. Raises ``CustodianAway`` if it is not there: it is no answer."""
    found = document
    for member in path:
        found = found.get(member) if isinstance(found, dict) else None
    if not isinstance(found, str) or not found:
        raise CustodianAway(f"{name} answered without {path[-1]}.")
    return found


def said(status: int, code: object = "") -> str:
    """Return how an answer is told to people: its status, and its code where that is a plain word."""
    return " ".join(part for part in (f"HTTP {status}", plain_error_code(code)) if part)
