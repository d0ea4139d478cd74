"""Errors as RFC 9457 problem+json, each with a stable ``code``."""

import json
import math
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from connections.access.held_keks import TRIES_AGAIN_SECONDS
from connections.api.vend_paths import is_vend_path
from connections.database.pool import LockTimeout
from connections.entrance import log_crash
from connections.journal import meters
from connections.refusals import CredentialUnreadable, Refusal
from connections.vault.sealing import KeyAway, Unreadable

STATUS_OF: dict[str, int] = {
    "invalid_request": 422,
    "unauthorized": 401,
    "permission_denied": 403,
    "identity_token_refused": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "unsupported_media_type": 415,
    "reauthorization_required": 409,
    "pending": 409,
    "ambiguous_connection": 409,
    "account_mismatch": 409,
    "exchange_failed": 409,
    "no_workspace": 409,
    "account_not_permitted": 409,
    "completion_mismatch": 403,
    "approval_required": 202,
    "policy_denied": 403,
    "insufficient_scope": 403,
    "min_ttl_unavailable": 422,
    "subject_token_required": 422,
    "subject_token_refused": 409,
    "interaction_required": 409,
    "precondition_failed": 412,
    "idempotency_key_reused": 422,
    "idempotency_key_in_use": 409,
    "idempotent_answer_gone": 410,
    "session_unusable": 410,
    "cursor_expired": 410,
    "request_timeout": 408,
    "request_too_large": 413,
    "rate_limited": 429,
    "throttled": 429,
    "suspended": 423,
    "client_held": 423,
    "paused": 423,
    "quarantined": 423,
    "credential_unreadable": 500,
    "app_misconfigured": 502,
    "answer_unreadable": 502,
    "answer_refused": 502,
    "provider_unavailable": 503,
    "refresh_in_progress": 503,
    "issuer_unavailable": 503,
    "busy": 503,
    "database_unavailable": 503,
    "provider_timeout": 504,
}
# What is a provider's doing, or our registration's there, though the status is that of a server's error.
_OF_PROVIDERS = ("provider_unavailable", "refresh_in_progress", "app_misconfigured")
_DATABASE_SECONDS = 2  # about as long as a server takes to begin anew
_NAME = re.compile(r"(?!(?:str|int|float|bool|list|dict|constrained-str)$)[A-Za-z_][A-Za-z0-9_-]*")


def problem(
    code: str, detail: str, *, status: int | None = None, retry_after_seconds: float | None = None, **members: Any
) -> HttpResponse:
    """Return one problem document; its status follows from the code unless given."""
    number = STATUS_OF.get(code, 500) if status is None else status
    document = {
        "type": "about:blank",
        "title": HTTPStatus(number).phrase,
        "status": number,
        "code": code,
        "detail": detail,
        **members,
    }
    response = HttpResponse(
        json.dumps(document),
        status=number,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
    )
    say_when_again(response, retry_after_seconds)
    if number == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="latchkey"'
    return response


def say_when_again(response: HttpResponse, seconds: float | None) -> None:
    """Set ``Retry-After`` (RFC 9110 §10.2.3), in whole seconds, at least one; None sets nothing."""
    if seconds is not None:
        response["Retry-After"] = str(max(1, math.ceil(seconds)))


def _member(loc: Sequence[str | int]) -> str:
    """Return the dotted name of a member of the body ("body", "body", …), or of a parameter ("query", …).

    For a member of several types pydantic adds the name of the type that it tried; that is left out.
    """
    parts = loc[2:] if loc[:2] == ("body", "body") else loc[1:2] if loc[:1] == ("query",) else loc[1:]
    return ".".join(str(part) for part in parts if isinstance(part, int) or _NAME.fullmatch(part))


def answer_error(error: Exception, *, path: str) -> HttpResponse:
    """Return the problem document that says what ``error`` is. An unexpected one goes to the log, with ``path``."""
    match error:
        case Refusal():
            if is_vend_path(path) and error.code in _OF_PROVIDERS:
                meters.vend_refused(error.code)
            return problem(error.code, error.detail, retry_after_seconds=error.retry_after_seconds, **error.extra)
        case ValidationError():
            return _answer_invalid(error)
        case HttpError():
            codes = {401: "unauthorized", 403: "permission_denied", 404: "not_found"}
            return problem(codes.get(error.status_code, "invalid_request"), str(error), status=error.status_code)
        case Http404():
            return problem("not_found", "There is nothing at this address.")
        case RequestDataTooBig():
            return problem("request_too_large", "The request's body is larger than this API accepts.")
        case LockTimeout():
            return problem("busy", "Somebody else is changing this at the moment: ask again.", retry_after_seconds=1)
        case KeyAway():
            detail = "A stored secret does not open now: the service of its key does not answer."
            return problem("busy", detail, retry_after_seconds=TRIES_AGAIN_SECONDS)
        case Unreadable():
            return problem(CredentialUnreadable.code, "A stored secret does not open: its key may be missing.")
        case OperationalError() | InterfaceError():
            log_crash(path, error)
            detail = "The database cannot be asked at the moment: try again after `Retry-After`."
            return problem("database_unavailable", detail, retry_after_seconds=_DATABASE_SECONDS)
        case _:
            log_crash(path, error)
            return problem("internal_error", "Something went wrong here; it is in the log.", status=500)


def _answer_invalid(error: ValidationError) -> HttpResponse:
    # Pydantic's message names the rule. The value that was sent is left out, because it may be a secret.
    errors = [{"field": _member(item["loc"]), "message": str(item["msg"])} for item in error.errors]
    first = errors[0] if errors else {"field": "", "message": "The request is not valid."}
    detail = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return problem("invalid_request", detail, field=first["field"], errors=errors)


def install(api: NinjaAPI) -> None:
    """Make every error of ``api`` a problem document."""

    def answer(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
        raised = error() if isinstance(error, type) else error
        return answer_error(raised, path=request.path_info)

    for kind in (ValidationError, HttpError, Http404, Exception):  # ninja answers the first three itself otherwise
        api.add_exception_handler(kind, answer)
