"""Authorization server metadata: OpenID Connect Discovery 1.0 §4 and RFC 8414.

The metadata must name exactly the issuer it was asked for (RFC 8414 §3.3): otherwise one server could pass itself off
as another and receive its codes. This module does not judge what the entry spells out: the entry wins
(``providers.catalog.resolve``). Which server stands before a protected resource is
``providers.oauth.protected_resource``.
"""

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from providers import egress
from providers.errors import Evidence, MisconfiguredProvider, ProviderError, ProviderUnavailable, TargetRefused
from providers.oauth.classify import json_document, retry_after_seconds
from providers.response import Response
from providers.vocabulary import ClientAuthentication, IssParameter, Pkce, RequestDelivery

_ENDPOINTS = {
    "authorization": "authorization_endpoint",
    "token": "token_endpoint",
    "revocation": "revocation_endpoint",
    "introspection": "introspection_endpoint",
    "device_authorization": "device_authorization_endpoint",
    "pushed_authorization": "pushed_authorization_request_endpoint",
    "probe": "userinfo_endpoint",
    "jwks": "jwks_uri",
    "registration": "registration_endpoint",
}
# Without keys no signature is believed, without the others no code is shown, no request pushed and nobody registers.
_DISPENSABLE = ("jwks", "device_authorization", "pushed_authorization", "registration")
# RFC 8414 §2 defines these, OpenID Connect Discovery does not. Some servers name them only in RFC 8414's document.
_RFC8414_ONLY = ("revocation_endpoint", "introspection_endpoint")
_OPENID, _OAUTH = "openid-configuration", "oauth-authorization-server"
_SPOKEN = (
    ClientAuthentication.BASIC,
    ClientAuthentication.POST,
    ClientAuthentication.NONE,
    ClientAuthentication.PRIVATE_KEY_JWT,
    ClientAuthentication.TLS,
    ClientAuthentication.SELF_SIGNED_TLS,
)
_WORD = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")
_MOST_WORDS = 500
_ACCEPT = {"Accept": "application/json"}
_METHOD_NAME = re.compile(r"[a-z][a-z0-9_]{1,63}")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/%\[\]-]{1,256}")


def places_of(issuer: str) -> tuple[str, ...]:
    """Return every address at which the metadata of ``issuer`` may be, the likeliest first.

    OpenID Connect Discovery §4 appends its name to the issuer's path; RFC 8414 §3 and §5 insert theirs before it. Some
    servers use one rule with the other's name, or keep the slash at the end of the path.
    """
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    tails = [path] if path == parts.path or not path else [path, f"{path}/"]
    places = [f"{origin}{path}/.well-known/{_OPENID}", f"{origin}/.well-known/{_OAUTH}{path}"]
    places += [f"{origin}/.well-known/{name}{tail}" for name in (_OPENID, _OAUTH) for tail in tails]
    places += [f"{origin}{path}/.well-known/{_OAUTH}"]
    return tuple(dict.fromkeys(places))


def discover(
    issuer: str,
    *,
    spelled_out: Collection[str] = (),
    places: Callable[[str], tuple[str, ...]] = places_of,
    must_promise_pkce: bool = False,
    deadline: float | None = None,
) -> dict[str, str]:
    """Return the endpoints and habits that the metadata of ``issuer`` names, for ``providers.catalog.resolve``.

    The keys are issuer, authorization, token, revocation, introspection, device_authorization, pushed_authorization,
    probe (the userinfo endpoint), jwks, registration, iss_parameter, pkce, client_authentication, request_delivery
    ("pushed" where that is required), client_authentications, scopes_supported and protected_resources (these three
    space-separated), and client_id_metadata_document ("supported"); where the server names them, also
    certificate_bound_tokens ("true") and, behind ``mtls_``, the addresses for clients with a certificate. A value is ""
    if the server does not name it, or names it unusably while it is ``spelled_out`` elsewhere. ``places`` are the
    addresses to try, in their order. With ``must_promise_pkce``, metadata that does not list S256 is refused. No
    request goes on after ``deadline``, a moment of the monotonic clock. Makes HTTP requests. Raises
    ``MisconfiguredProvider`` saying what is wrong with the issuer or its metadata, and which addresses were tried,
    ``ProviderUnavailable`` and ``TargetRefused``.
    """
    parts = _issuer(issuer)
    document = _fetch(_Search(issuer, deadline), places(issuer))
    found = dict.fromkeys((*_ENDPOINTS, "client_authentication"), "") | {"issuer": issuer}
    for key, name in _ENDPOINTS.items():
        with _tolerate(key in (*spelled_out, *_DISPENSABLE)):
            found[key] = _endpoint(name, document.get(name), parts)
    if not found["token"] and "token" not in spelled_out:
        raise _misconfigured("The metadata names no token endpoint.")
    promised = document.get("authorization_response_iss_parameter_supported") is True
    found["iss_parameter"] = IssParameter.REQUIRED if promised else IssParameter.OPTIONAL
    aliases = document.get("mtls_endpoint_aliases")  # RFC 8705 §5
    for key, name in _ENDPOINTS.items() if isinstance(aliases, dict) else ():
        with suppress(MisconfiguredProvider):
            if isinstance(aliases, dict) and (alias := _endpoint(name, aliases.get(name), parts)):
                found[f"mtls_{key}"] = alias
    if document.get("tls_client_certificate_bound_access_tokens") is True:
        found["certificate_bound_tokens"] = "true"
    if document.get("require_pushed_authorization_requests") is True:  # RFC 9126 §5
        found["request_delivery"] = RequestDelivery.PUSHED
        if not found["pushed_authorization"] and not {"pushed_authorization", "request_delivery"} & {*spelled_out}:
            raise _misconfigured("The server takes pushed authorization requests only, and names no endpoint for them.")
    # Even if the metadata lists only other methods: a server must ignore a challenge that it does not know (RFC 6749
    # §3.1), and the entry names servers that break on one. PKCE is never switched off unseen (RFC 9700 §2.1.1).
    found["pkce"] = Pkce.S256
    with _tolerate("client_authentication" in spelled_out):
        found["client_authentication"] = _client_authentication(document)
    found["scopes_supported"] = " ".join(words_in(document, "scopes_supported"))
    found["client_authentications"] = " ".join(words_in(document, "token_endpoint_auth_methods_supported"))
    found["protected_resources"] = " ".join(words_in(document, "protected_resources"))
    takes_documents = document.get("client_id_metadata_document_supported") is True
    found["client_id_metadata_document"] = "supported" if takes_documents else ""
    methods = document.get("code_challenge_methods_supported")
    if must_promise_pkce and not (isinstance(methods, list) and "S256" in methods):
        raise _misconfigured(
            "The metadata does not list S256 among its code challenges, so the server does not promise PKCE. "
            "Nothing is sent to it: its operator has to name code_challenge_methods_supported."
        )
    if isinstance(methods, list) and methods and "S256" not in methods:
        found["warning"] = (
            "Its metadata lists no code challenge of the method S256. We send one all the same; "
            'if the server refuses it, write pkce = "breaks" in the entry.'
        )
    return found


def _tolerate(is_spelled_out: bool) -> AbstractContextManager[None]:
    """Ignore a fault of the metadata if the entry spells that member out."""
    return suppress(MisconfiguredProvider) if is_spelled_out else nullcontext()


@dataclass(slots=True)
class _Search:
    """What each address answered, so that the failure tells the operator where to look."""

    issuer: str
    deadline: float | None = None
    notes: list[str] = field(default_factory=list)
    outage: ProviderError | None = None
    names_another: bool = False

    def look(self, url: str) -> dict[str, Any] | None:
        """Return the issuer's document, if it is at ``url``."""
        try:
            response = get_json(url, deadline=self.deadline)
        except TargetRefused as refused:
            if refused.evidence.status is None:
                raise
            return self._note(url, "a redirect, which is not followed")
        except ProviderUnavailable as error:
            self.outage = self.outage or error
            return self._note(url, error.evidence.detail)
        if response.status == 429 or response.status >= 500:
            self.outage = self.outage or ProviderUnavailable(
                Evidence("The provider cannot answer now.", status=response.status),
                retry_after_seconds=retry_after_seconds(response.headers),
            )
        if response.status != 200:
            return self._note(url, f"status {response.status}")
        document = json_document(response)
        if not isinstance(document, dict):
            return self._note(url, "no JSON object" if document is not None else "no JSON")
        if (named := document.get("issuer")) == self.issuer:
            return document
        self.names_another = True
        shown = repr(named) if isinstance(named, str) and _ADDRESS.fullmatch(named) else "none that is an address"
        return self._note(url, f"another issuer: {shown} instead of {self.issuer!r}")

    def _note(self, url: str, answer: str) -> dict[str, Any] | None:
        self.notes.append(f"{url}: {answer}")
        return None

    def failure(self) -> ProviderError:
        """Return the failure to raise when no address had the document."""
        told = "; ".join(self.notes)
        if self.names_another:
            hint = "Write the issuer exactly as the provider does; look at the last slash."
            return _misconfigured(f"The metadata names another issuer. {hint} {told}.")
        if (outage := self.outage) is not None:
            evidence = Evidence(f"{outage.evidence.detail} {told}.", status=outage.evidence.status)
            return ProviderUnavailable(evidence, retry_after_seconds=outage.retry_after_seconds)
        return _misconfigured(f"The issuer publishes no metadata. {told}.")


def get_json(url: str, *, deadline: float | None = None) -> Response:
    """Fetch a document of metadata. HTTP, until ``deadline`` at the latest. Raises as ``egress.request``."""
    if deadline is None:
        return egress.request("GET", url, headers=_ACCEPT)
    left = deadline - time.monotonic()
    if left <= 0:
        raise ProviderUnavailable(Evidence("The server took too long to say where its endpoints are.", sent=False))
    seconds = min(left, egress.current_policy().total_seconds)
    return egress.request("GET", url, headers=_ACCEPT, total_seconds=seconds)


def _fetch(search: _Search, to_try: Collection[str]) -> dict[str, Any]:
    places = list(to_try)
    while places:
        place = places.pop(0)
        if (document := search.look(place)) is not None:
            return document if _OAUTH in place else _completed(document, search, places)
    raise search.failure()


def _completed(document: dict[str, Any], search: _Search, places: list[str]) -> dict[str, Any]:
    """Add the members that only RFC 8414's document of the same issuer names, if that document can be fetched."""
    lacking = [name for name in _RFC8414_ONLY if not document.get(name)]
    place = next((place for place in places if _OAUTH in place), None)
    if not lacking or place is None:
        return document
    try:
        further = _Search(search.issuer, search.deadline).look(place) or {}
    except ProviderError:
        further = {}
    return document | {name: further[name] for name in lacking if name in further}


def words_in(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the members of a list of scopes or addresses, without those that RFC 6749 §3.3 would call no scope."""
    given = document.get(name)
    found = given if isinstance(given, list) else []
    return tuple(word for word in found[:_MOST_WORDS] if isinstance(word, str) and _WORD.fullmatch(word))


def _issuer(issuer: str) -> SplitResult:
    try:
        parts = urlsplit(issuer)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.netloc or parts.query or parts.fragment:
        raise _misconfigured("The issuer must be an https URL without query and fragment.")
    if "@" in parts.netloc:
        raise _misconfigured("The issuer must be an https URL without a user name or password in it.")
    return parts


def _endpoint(name: str, value: object, issuer: SplitResult) -> str:
    if value is None:
        return ""
    try:
        parts = urlsplit(value) if isinstance(value, str) and value.isascii() and value.isprintable() else urlsplit("")
    except ValueError:
        parts = urlsplit("")
    # Plain http only if the issuer itself is plain http, which the egress client allows for loopback alone.
    if not isinstance(value, str) or parts.scheme not in ("https", issuer.scheme) or not parts.netloc:
        raise _misconfigured(f"The metadata names an endpoint that is no https URL: {name}.")
    for problem in _forbidden(value, parts):
        raise _misconfigured(f"The metadata names an endpoint that {problem}: {name}.")
    return value


def _forbidden(url: str, parts: SplitResult) -> Iterator[str]:
    """Yield the reasons not to use ``url``: secrets would leak there, or it may not be called at all."""
    if "@" in parts.netloc:
        yield "has a user name or password in it"
    if "#" in url:
        yield "has a fragment (RFC 6749 §3.1 and §3.2)"
    if not egress.may_call(url):
        yield "may not be called from here"


def _client_authentication(document: dict[str, Any]) -> ClientAuthentication:
    supported = document.get("token_endpoint_auth_methods_supported")
    if not isinstance(supported, list):
        return ClientAuthentication.BASIC  # the default (RFC 8414 §2)
    for method in _SPOKEN:
        if method in supported:
            return method
    named = [name for name in supported if isinstance(name, str) and _METHOD_NAME.fullmatch(name)][:8]
    wanted = " or ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named) or "something unnamed"
    raise _misconfigured(
        f"The token endpoint asks for {wanted}, which Latchkey does not speak yet. It speaks client_secret_basic, "
        "client_secret_post, private_key_jwt, tls_client_auth, self_signed_tls_client_auth and none; where the server "
        "takes one of these all the same, write it in the entry as client_authentication."
    )


def _misconfigured(detail: str) -> MisconfiguredProvider:
    return MisconfiguredProvider(Evidence(detail, sent=False))
