"""The device authorization grant (RFC 8628): the request for a code, and the polls for what comes of it."""

from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from providers import egress
from providers.catalog.device_method import DeviceAuthorizationMethod
from providers.catalog.resolve import Target
from providers.catalog.template import render
from providers.errors import (
    AccessDenied,
    AuthorizationPending,
    DeviceCodeExpired,
    Evidence,
    GrantRejected,
    MalformedResponse,
    ProviderError,
)
from providers.oauth import token_endpoint
from providers.oauth.classify import failure_of, fields_in
from providers.oauth.client_authentication import prove, send, with_each_secret
from providers.oauth.token_response import usable_token
from providers.response import Response
from providers.values import ClientRegistration, DeviceAuthorization, Obtained

_LONGEST_USER_CODE = 64
_LONGEST_ADDRESS = 1000
_SHORTEST_LIFETIME, _LONGEST_LIFETIME, _USUAL_LIFETIME = 30, 1800, 600  # seconds; a widget's session ends before
_SHORTEST_INTERVAL, _LONGEST_INTERVAL, _USUAL_INTERVAL = 1, 60, 5  # §3.2: 5 unless the answer says otherwise
# Microsoft's words for two of §3.5.
# https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-device-code (2026-11-29)
_DENIED = frozenset({"access_denied", "authorization_declined"})
_EXPIRED = frozenset({"expired_token", "bad_verification_code"})


def ask_for_code(*, target: Target, scopes: tuple[str, ...]) -> DeviceAuthorization:
    """Make a device authorization request (RFC 8628 §3.1) and return its answer. Calls the provider.

    Raises what ``token_endpoint.exchange_code`` does; ``MalformedResponse`` also without a usable code or page.
    """
    method = target.described_as(DeviceAuthorizationMethod)
    response = with_each_secret(target.registration, lambda narrowed: _ask(target, method, narrowed, scopes))
    document = fields_in(response)
    return _read(document if isinstance(document, dict) else {}, response)


def poll(*, target: Target, device_code: SecretStr) -> Obtained:
    """Ask once for the tokens (RFC 8628 §3.4). Calls the provider.

    Raises ``AuthorizationPending`` while the end user has not decided, ``DeviceCodeExpired``, ``AccessDenied``, and
    what ``token_endpoint.exchange_code`` does.
    """
    try:
        return token_endpoint.device_code(target=target, device_code=device_code)
    except ProviderError as error:
        named, evidence, waits = error.evidence.error, error.evidence, error.retry_after_seconds
        if named in ("authorization_pending", "slow_down"):
            raise AuthorizationPending(evidence, retry_after_seconds=waits) from None
        if named in _DENIED:
            raise AccessDenied(evidence) from None
        if named in _EXPIRED or isinstance(error, GrantRejected):
            raise DeviceCodeExpired(evidence) from None
        raise


def _ask(
    target: Target, method: DeviceAuthorizationMethod, registration: ClientRegistration, scopes: tuple[str, ...]
) -> Response:
    proof = prove(target=target, registration=registration)
    form = {"client_id": registration.client_id, **proof.form}
    if scopes:
        form["scope"] = method.scope_separator.join(scopes)
    form |= target.resource | {
        name: render(value, target.params) for name, value in method.device_authorization_params.items()
    }
    is_json = method.token_request_format == "json"  # noqa: S105 - no password
    response = send(
        "POST",
        target.endpoints.device_authorization,
        headers={"Accept": "application/json"} | target.request_headers,
        proof=proof,
        form=None if is_json else form,
        json=form if is_json else None,
    )
    if (failure := failure_of(response, rules=method.errors)) is not None:
        raise failure
    return response


def _read(document: dict[str, Any], response: Response) -> DeviceAuthorization:
    device_code = usable_token(document.get("device_code"))
    user_code = document.get("user_code")
    page = _page(document.get("verification_uri") or document.get("verification_url"))
    if device_code is None or not _can_be_entered(user_code) or not page:
        raise MalformedResponse(Evidence("The answer holds no usable code, or no page for it.", status=response.status))
    lifetime, interval = _whole(document.get("expires_in")), _whole(document.get("interval"))
    return DeviceAuthorization(
        device_code=device_code,
        user_code=str(user_code),
        verification_uri=page,
        verification_uri_complete=_page(document.get("verification_uri_complete")),
        lifetime_seconds=min(max(lifetime or _USUAL_LIFETIME, _SHORTEST_LIFETIME), _LONGEST_LIFETIME),
        interval_seconds=min(max(interval or _USUAL_INTERVAL, _SHORTEST_INTERVAL), _LONGEST_INTERVAL),
    )


def _can_be_entered(code: object) -> bool:
    """Whether ``code`` is one that a person can read and type."""
    return isinstance(code, str) and code.isprintable() and bool(code.strip()) and len(code) <= _LONGEST_USER_CODE


def _page(value: object) -> str:
    """Return ``value`` if it is an address to which a person may be sent, else ""."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > _LONGEST_ADDRESS:
        return ""
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises likewise
    except ValueError:
        return ""
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and egress.may_call(value))
    return value if is_safe and parts.hostname and "@" not in parts.netloc else ""


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:9])
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9 else None
