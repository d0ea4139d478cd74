"""Protected resource metadata (RFC 9728): which authorization server stands before an MCP server.

Owns the rules of the Model Context Protocol's authorization (revision 2026-07-28): the server's challenge names its
metadata, else the two well-known places do; the metadata must be about this server; the authorization server's own
metadata has three places, and must promise PKCE. What any authorization server's metadata says is
``providers.oauth.discovery``. Each address that a server names goes through ``providers.egress`` like any other.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from providers import mcp_server
from providers.addresses import are_of_one_party
from providers.errors import Evidence, MisconfiguredProvider, ProviderError, ProviderUnavailable, TargetRefused
from providers.oauth.challenge import challenge_in
from providers.oauth.classify import json_object
from providers.oauth.discovery import discover, get_json, words_in
from providers.response import Response
from providers.vocabulary import IssParameter

_WELL_KNOWN = "/.well-known/oauth-protected-resource"
_RESOURCE = re.compile(r"https?://[!-~]{1,490}")  # as the parameter of the entries
_MOST_ISSUERS = 3  # of those that a server names, so many are tried
_PATIENCE_SECONDS = 20.0  # a person waits
_DEFAULT_PORTS = {"https": 443, "http": 80}
OFFLINE = "offline_access"


@dataclass(frozen=True, slots=True)
class ProtectedServer:
    """An MCP server as it describes itself.

    ``resource`` is its identifier (RFC 8707). ``scopes`` are those to ask for, None to leave the choice to the
    authorization server. ``discovered`` is what ``providers.oauth.discovery.discover`` returned for that server.
    """

    resource: str
    scopes: tuple[str, ...] | None
    discovered: Mapping[str, str]

    @property
    def issuer(self) -> str:
        """The authorization server's identifier."""
        return self.discovered["issuer"]


def discover_server(url: str, *, is_anybodys: bool = False) -> ProtectedServer:
    """Ask the MCP server at ``url``, and the authorization server that it names, where end users consent.

    ``is_anybodys``: nobody has looked at the server who could answer for it. Then its metadata may not send the end
    user to one party and the code to another, unless the answer says who gave it (``_refuse_split``). Makes up to a
    dozen HTTP requests within 20 s. Raises ``MisconfiguredProvider`` saying what is wrong with which document,
    ``ProviderUnavailable`` and ``TargetRefused``.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    challenge = _challenge(url, deadline)
    document = _resource_metadata(url, challenge, deadline)
    discovered = _authorization_server(document, deadline)
    if is_anybodys:
        _refuse_split(discovered)
    bound = discovered["protected_resources"].split()
    if bound and document["resource"] not in bound:
        raise _misconfigured(
            f"The authorization server {discovered['issuer']} does not name this server among the protected resources "
            "that it issues tokens for (RFC 9728 §4), so no token of it goes there."
        )
    return ProtectedServer(document["resource"], _scopes(challenge, document, discovered), discovered)


def places_of(issuer: str) -> tuple[str, ...]:
    """Return the addresses of an authorization server's metadata, in the order of the Model Context Protocol.

    RFC 8414 §3 inserts its name before the issuer's path, OpenID Connect's name may be inserted too (§5) or appended.
    """
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    oauth, openid = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
    return tuple(dict.fromkeys((f"{origin}{oauth}{path}", f"{origin}{openid}{path}", f"{origin}{path}{openid}")))


def resource_places_of(url: str) -> tuple[str, ...]:
    """Return the well-known addresses of the metadata of the resource at ``url`` (RFC 9728 §3.1), then the root's."""
    parts = urlsplit(url)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path
    tails = [path, path.rstrip("/")] if path.strip("/") else []
    return tuple(dict.fromkeys([*(f"{origin}{_WELL_KNOWN}{tail}" for tail in tails), f"{origin}{_WELL_KNOWN}"]))


def is_about(resource: str, url: str) -> bool:
    """Whether metadata for ``resource`` may speak for the server at ``url``.

    It does if both are the same, or if the resource is a place above the server at the same origin: many servers
    protect a whole host, and name that (RFC 9728 §3.3, and the Model Context Protocol's canonical server address).
    """
    try:
        named, asked = urlsplit(resource), urlsplit(url)
        is_same_origin = _origin(named) == _origin(asked)
    except ValueError:
        return False
    if not is_same_origin or "#" in resource or "@" in named.netloc:
        return False
    if named.query:
        return named.query == asked.query and named.path == asked.path
    return f"{asked.path.rstrip('/')}/".startswith(f"{named.path.rstrip('/')}/")


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(scheme)


def _challenge(url: str, deadline: float) -> dict[str, str]:
    """Return the parameters of the server's challenge; {} if it lets us in, or refuses without one. HTTP."""
    answer = mcp_server.initialize(url, total_seconds=_left(deadline))
    if answer.status >= 500 or answer.status == 429:
        raise ProviderUnavailable(Evidence("The MCP server cannot answer now.", status=answer.status))
    return challenge_in(answer.headers.get("WWW-Authenticate", "")) if answer.status in (401, 403) else {}


def _resource_metadata(url: str, challenge: Mapping[str, str], deadline: float) -> dict[str, Any]:
    """Return the first metadata that is about the server: by its challenge, then by the well-known places. HTTP."""
    named = challenge.get("resource_metadata", "")
    notes: list[str] = []
    outage: ProviderUnavailable | None = None
    for place in dict.fromkeys([*([named] if named else []), *resource_places_of(url)]):
        told = place if place != named else "the address in its challenge"
        try:
            answer = get_json(place, deadline=deadline)
        except TargetRefused as refused:
            if refused.evidence.status is None:
                raise  # it names an address that may not be called: nothing that it says is believed
            notes.append(f"{told}: a redirect, which is not followed")
            continue
        except ProviderUnavailable as error:
            outage = error
            notes.append(f"{told}: {error.evidence.detail}")
            continue
        except ProviderError as error:
            notes.append(f"{told}: {error.evidence.detail}")
            continue
        document = _read(answer)
        if isinstance(document, str):
            notes.append(f"{told}: {document}")
        elif is_about(document["resource"], url):
            return document
        else:
            notes.append(f"{told}: it is about another resource")
    if outage is not None:
        raise ProviderUnavailable(Evidence(f"{outage.evidence.detail} {'; '.join(notes)}.", status=None))
    raise _misconfigured(
        "The server does not say which authorization server stands before it (RFC 9728). " + "; ".join(notes) + "."
    )


def _read(answer: Response) -> dict[str, Any] | str:
    """Return the document, with a usable ``resource`` and ``authorization_servers``, or what is wrong with it."""
    if answer.status != 200:
        return f"status {answer.status}"
    document = json_object(answer)
    if not document:
        return "no JSON object"
    resource = document.get("resource")
    if not isinstance(resource, str) or not _RESOURCE.fullmatch(resource):
        return "it names no resource"
    if not words_in(document, "authorization_servers"):
        return "it names no authorization server"
    return document


def _authorization_server(document: Mapping[str, Any], deadline: float) -> dict[str, str]:
    """Return what the first usable authorization server says of itself. HTTP."""
    failures: list[ProviderError] = []
    for issuer in words_in(document, "authorization_servers")[:_MOST_ISSUERS]:
        try:
            found = discover(issuer, places=places_of, must_promise_pkce=True, deadline=deadline)
        except TargetRefused:
            raise  # as above
        except ProviderError as error:
            failures.append(error)
            continue
        if found["authorization"]:
            return found
        failures.append(_misconfigured(f"The metadata of {issuer} names no authorization endpoint."))
    raise failures[0]


def _refuse_split(discovered: Mapping[str, str]) -> None:
    """Refuse metadata that leads the end user to one party and us to another, without a promise of ``iss``.

    A hostile server could name another's authorization endpoint, and a token endpoint of its own: the end user would
    consent there, and we would bring it the code, the verifier and our proof (a mix-up, RFC 9700 §4.4). The redirect
    URI of our own for each server does not help, since the other one lets in any client that has a metadata document,
    or registers it. With ``iss`` (RFC 9207) the answer names who gave it, and is refused.
    """
    is_one_party = are_of_one_party(discovered["authorization"], discovered["token"])
    if not is_one_party and discovered["iss_parameter"] != IssParameter.REQUIRED:
        raise _misconfigured(
            "Its authorization server takes consent at one host and codes at another, and does not promise to say in "
            "its answers who gave them (RFC 9207), so the one could pass for the other's."
        )


def _scopes(
    challenge: Mapping[str, str], document: Mapping[str, Any], discovered: Mapping[str, str]
) -> tuple[str, ...] | None:
    """Return the challenge's scopes, else those that the resource supports; with ``offline_access`` where listed."""
    asked = words_in({"scope": challenge["scope"].split()}, "scope") if challenge.get("scope") else ()
    found = asked or words_in(document, "scopes_supported")
    if not found:
        return None
    if OFFLINE in discovered["scopes_supported"].split():
        found = (*found, OFFLINE)
    return tuple(dict.fromkeys(found))


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.1)


def _misconfigured(detail: str) -> MisconfiguredProvider:
    return MisconfiguredProvider(Evidence(detail, sent=False))
