"""Errors as RFC 9457 problem+json, each with a stable ``code``."""

import json
import math
from http import HTTPStatus
from typing import Any

import structlog
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from connections.lifecycle.outcomes import Refusal

logger = structlog.get_logger(__name__)

STATUS_OF: dict[str, int] = {
    "invalid_request": 422,
    "unauthorized": 401,
    "permission_denied": 403,
    "not_found": 404,
    "reauthorization_required": 409,
    "pending": 409,
    "ambiguous_connection": 409,
    "account_mismatch": 409,
    "exchange_failed": 409,
    "completion_mismatch": 403,
    "policy_denied": 403,
    "insufficient_scope": 403,
    "session_unusable": 410,
    "suspended": 423,
    "credential_unreadable": 500,
    "app_misconfigured": 502,
    "provider_unavailable": 503,
    "refresh_in_progress": 503,
}


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
    if retry_after_seconds is not None:
        response["Retry-After"] = str(max(1, math.ceil(retry_after_seconds)))
    if number == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="latchkey"'
    return response


def install(api: NinjaAPI) -> None:
    """Make every error of ``api`` a problem document."""

    @api.exception_handler(Refusal)
    def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
        return problem(refusal.code, refusal.detail, retry_after_seconds=refusal.retry_after_seconds, **refusal.extra)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        # Pydantic's message names the rule; what was sent is left out, because it may hold a secret.
        errors = [
            {"field": ".".join(str(part) for part in item["loc"][1:]), "message": str(item["msg"])}
            for item in error.errors
        ]
        first = errors[0] if errors else {"field": "", "message": "The request is not valid."}
        detail = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
        return problem("invalid_request", detail, errors=errors)

    @api.exception_handler(HttpError)
    def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
        codes = {401: "unauthorized", 403: "permission_denied", 404: "not_found"}
        return problem(codes.get(error.status_code, "invalid_request"), str(error), status=error.status_code)

    @api.exception_handler(Http404)
    def missing(request: HttpRequest, error: Http404) -> HttpResponse:
        return problem("not_found", "There is nothing at this address.")

    @api.exception_handler(Exception)
    def crashed(request: HttpRequest, error: Exception) -> HttpResponse:
        # The name of the exception and where it arose, never its text: that may hold what was being handled.
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
        logger.error("unhandled", error=type(error).__name__, where=where, path=request.path)
        return problem("internal_error", "Something went wrong here; it is in the log.", status=500)
