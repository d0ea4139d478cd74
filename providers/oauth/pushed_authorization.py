"""Pushed authorization requests (RFC 9126): we send the request, and the browser carries a reference to it.

So nobody can read or change the request on its way, and the server has authenticated us before the end user arrives.
The reference lives for a short time. After that the end user takes the same step again, and a new request is pushed.
"""

from collections.abc import Mapping

from providers.catalog.resolve import Target
from providers.errors import Evidence, MalformedResponse, MisconfiguredProvider, ProviderError
from providers.oauth.classify import failure_of, fields_in
from providers.oauth.client_authentication import prove, send, with_each_secret
from providers.response import Response
from providers.values import ClientRegistration

_LONGEST_REFERENCE = 2048


def push(*, target: Target, parameters: Mapping[str, str]) -> dict[str, str]:
    """Push an authorization request (RFC 9126 §2.1), and return the parameters that the browser carries in its place.

    Calls the provider, authenticated as at the token endpoint. Raises ``ClientRejected``, ``RequestRejected``,
    ``ProviderUnavailable``, ``MalformedResponse``, ``TargetRefused`` and ``MisconfiguredProvider``. Their detail names
    the server's error code.
    """
    if not target.endpoints.pushed_authorization:
        detail = f"{target.entry.slug} pushes authorization requests, and names no endpoint for them."
        raise MisconfiguredProvider(Evidence(detail, sent=False))
    response = with_each_secret(target.registration, lambda narrowed: _push(target, narrowed, parameters))
    document = fields_in(response)
    reference = document.get("request_uri") if isinstance(document, dict) else None
    if not _is_usable(reference):
        raise MalformedResponse(
            Evidence("The answer to the pushed authorization request holds no request_uri.", status=response.status)
        )
    return {"client_id": target.registration.client_id, "request_uri": str(reference)}


def _push(target: Target, registration: ClientRegistration, parameters: Mapping[str, str]) -> Response:
    method = target.oauth_method
    proof = prove(target=target, registration=registration)
    response = send(
        "POST",
        target.endpoints.pushed_authorization,
        headers={"Accept": "application/json"} | target.request_headers,
        proof=proof,
        form={**parameters, **proof.form},
    )
    if (failure := failure_of(response, rules=method.errors)) is not None:
        raise _told(failure)
    return response


def _told(failure: ProviderError) -> ProviderError:
    """Return ``failure`` with a detail that says what was refused, and by which code."""
    status, error = failure.evidence.status or 0, failure.evidence.error
    named = f": {error}" if error else ""
    if isinstance(failure, MalformedResponse) and 400 <= status < 500:  # such as 404 or 405: there is no such endpoint
        detail = f"The endpoint for pushed authorization requests answers with status {status}."
        return MisconfiguredProvider(Evidence(detail, status=status))
    detail = f"The server does not take the pushed authorization request{named}."
    evidence = Evidence(detail, status=status, error=error)
    return type(failure)(evidence, retry_after_seconds=failure.retry_after_seconds)


def _is_usable(reference: object) -> bool:
    if not isinstance(reference, str) or not 0 < len(reference) <= _LONGEST_REFERENCE:
        return False
    return reference.isascii() and reference.isprintable() and " " not in reference
