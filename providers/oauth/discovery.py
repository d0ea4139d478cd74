"""Authorization server metadata: OpenID Connect Discovery 1.0 §4 and RFC 8414.

The metadata must name exactly the issuer it was asked for (RFC 8414 §3.3): otherwise one server could pass itself off
as another and receive its codes.
"""

import re
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

from providers import egress
from providers.errors import Evidence, MisconfiguredProvider, ProviderError, ProviderUnavailable, TargetRefused
from providers.oauth.classify import json_object, retry_after_seconds
from providers.vocabulary import ClientAuthentication, IssParameter, Pkce

_ENDPOINTS = {
    "authorization": "authorization_endpoint",
    "token": "token_endpoint",
    "revocation": "revocation_endpoint",
    "introspection": "introspection_endpoint",
    "probe": "userinfo_endpoint",
}
# RFC 8414 §2 defines these and OpenID Connect Discovery does not: some servers name them in the former's document only.
_RFC8414_ONLY = ("revocation_endpoint", "introspection_endpoint")


def discover(issuer: str) -> dict[str, str]:
    """Return the endpoints and habits that the metadata of ``issuer`` names, for ``providers.catalog.resolve``.

    The keys are issuer, authorization, token, revocation, introspection, probe (the userinfo endpoint),
    iss_parameter, pkce, client_authentication and scopes_supported (space-separated); what the server lacks or does not
    say is "". Calls the provider once or twice. Raises ``MisconfiguredProvider`` saying what is wrong with the issuer
    or its metadata, ``ProviderUnavailable`` and ``TargetRefused``.
    """
    parts = _issuer(issuer)
    document = _fetch(parts)
    if document.get("issuer") != issuer:
        raise _misconfigured(
            "The metadata names another issuer. Write the issuer exactly as the provider does; look at the last slash."
        )
    found = {"issuer": issuer} | {key: _endpoint(document.get(name), parts) for key, name in _ENDPOINTS.items()}
    if not found["token"]:
        raise _misconfigured("The metadata names no token endpoint.")
    promised = document.get("authorization_response_iss_parameter_supported") is True
    found["iss_parameter"] = IssParameter.REQUIRED if promised else IssParameter.OPTIONAL
    methods = document.get("code_challenge_methods_supported")
    # Servers that say nothing must ignore a challenge they do not know (RFC 6749 §3.1).
    found["pkce"] = Pkce.BREAKS if isinstance(methods, list) and methods and "S256" not in methods else Pkce.S256
    found["client_authentication"] = _client_authentication(document)
    scopes = document.get("scopes_supported")
    found["scopes_supported"] = (
        " ".join(scope for scope in scopes if _is_scope(scope)) if isinstance(scopes, list) else ""
    )
    return found


def _is_scope(value: object) -> bool:
    """Whether ``value`` is a scope as RFC 6749 §3.3 spells one."""
    return isinstance(value, str) and re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}", value) is not None


def _issuer(issuer: str) -> SplitResult:
    try:
        parts = urlsplit(issuer)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.netloc or parts.query or parts.fragment:
        raise _misconfigured("The issuer must be an https URL without query and fragment.")
    return parts


def _fetch(parts: SplitResult) -> dict[str, Any]:
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    rfc8414 = f"{origin}/.well-known/oauth-authorization-server{path}"
    if document := _document(f"{origin}{path}/.well-known/openid-configuration"):
        return _completed(document, rfc8414)
    if document := _document(rfc8414):
        return document
    raise _misconfigured("The issuer publishes no metadata (openid-configuration or oauth-authorization-server).")


def _completed(document: dict[str, Any], url: str) -> dict[str, Any]:
    """Add what only the other document of the same issuer names, where there is one that can be had."""
    lacking = [name for name in _RFC8414_ONLY if not document.get(name)]
    if lacking:
        with suppress(ProviderError):
            further = _document(url)
            if further.get("issuer") == document.get("issuer"):
                return document | {name: further[name] for name in lacking if name in further}
    return document


def _document(url: str) -> dict[str, Any]:
    """Return the JSON object at ``url``, {} where this server has none."""
    try:
        response = egress.request("GET", url, headers={"Accept": "application/json"})
    except TargetRefused as refused:
        if refused.evidence.status is None:
            raise
        return {}  # a redirect: this server has no document here
    if response.status == 429 or response.status >= 500:
        raise ProviderUnavailable(
            Evidence("The provider cannot answer now.", status=response.status),
            retry_after_seconds=retry_after_seconds(response.headers),
        )
    return json_object(response) if response.status == 200 else {}


def _endpoint(value: object, issuer: SplitResult) -> str:
    if value is None:
        return ""
    try:
        parts = urlsplit(value) if isinstance(value, str) and value.isascii() and value.isprintable() else urlsplit("")
    except ValueError:
        parts = urlsplit("")
    # Plain http only from an issuer that is plain http itself: the egress client allows that for loopback alone.
    if not isinstance(value, str) or parts.scheme not in ("https", issuer.scheme) or not parts.netloc:
        raise _misconfigured("The metadata names an endpoint that is no https URL.")
    return value


def _client_authentication(document: dict[str, Any]) -> ClientAuthentication:
    supported = document.get("token_endpoint_auth_methods_supported")
    if not isinstance(supported, list):
        return ClientAuthentication.BASIC  # the default (RFC 8414 §2)
    for method in (ClientAuthentication.BASIC, ClientAuthentication.POST, ClientAuthentication.NONE):
        if method in supported:
            return method
    raise _misconfigured("The provider accepts neither client_secret_basic, client_secret_post nor a public client.")


def _misconfigured(detail: str) -> MisconfiguredProvider:
    return MisconfiguredProvider(Evidence(detail, sent=False))
