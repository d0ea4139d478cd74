"""Single sign-on by OpenID Connect: what is asked of the identity provider, and what its answer proves.

The requests and checks are those that our own connections have: a state, a nonce and a code verifier in this browser's
session; the issuer in the metadata, in the answer (RFC 9207) and in the token; a signature by the issuer's keys; calls
by the one way out. The e-mail address is not looked at: who somebody is, ``sub`` says (OpenID Connect Core 1.0 §5.7).
``accounts`` has whose account that is, and with which role.
"""

import hmac
import secrets
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

import jwt
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.urls import reverse

from connections.access.addresses import admin_address
from connections.database.clock import database_now
from connections.database.pool import release_database
from connections.lifecycle.identify.tokens import LONGEST_TOKEN, TokenRefused, check_times
from connections.models import StaffIdentity
from providers import egress
from providers.errors import ProviderError
from providers.oauth.classify import json_object
from providers.oauth.discovery import discover
from providers.oauth.issuer_keys import KeySource, verified_claims
from providers.oauth.pkce import challenge, new_verifier
from providers.vocabulary import ClientAuthentication, IssParameter

_PENDING = "latchkey_sso"
_SECONDS = 600  # for the way to the identity provider and back
_LEEWAY = 60
_LONGEST_LIFE = 24 * 3600
_MOST_BYTES = 64_000


class SsoRefused(Exception):
    """Nobody is logged in. ``why`` is a word for the audit trail; the person is told ``words``."""

    def __init__(
        self, why: str, words: str = "The identity provider's answer cannot be used: try it once more."
    ) -> None:
        super().__init__(why)
        self.why, self.words = why, words


@dataclass(frozen=True, slots=True)
class Person:
    """Who has logged in at the identity provider, with the claims of the ID token."""

    issuer: str
    subject: str
    claims: Mapping[str, Any]

    @property
    def groups(self) -> frozenset[str]:
        """The groups that the token names; none where the claim is missing or of another shape."""
        named = self.claims.get(settings.OIDC_GROUPS_CLAIM)
        return frozenset(name for name in named if isinstance(name, str)) if isinstance(named, list) else frozenset()

    @property
    def has_second_factor(self) -> bool:
        """Whether the identity provider says that there was one, in a word that the operator believes."""
        methods = self.claims.get("amr")
        said = {*(methods if isinstance(methods, list) else ()), self.claims.get("acr")}
        return bool(said & set(settings.OIDC_SECOND_FACTOR))


def name() -> str:
    """Return what the button is called, "" where there is no single sign-on. No I/O."""
    return str(settings.OIDC_NAME) if settings.OIDC_ISSUER else ""


def proof_url(user: AbstractBaseUser) -> str:
    """Return where ``user`` can prove themselves again by single sign-on, "" if they cannot. One query."""
    if not name() or not StaffIdentity.objects.filter(user_id=user.pk, issuer=settings.OIDC_ISSUER).exists():
        return ""
    return reverse("staff_sso_prove")


def begin(request: HttpRequest, *, purpose: str, next_url: str) -> str:
    """Return the address at the identity provider, and keep in the session what the answer must fit. HTTP.

    ``purpose`` is login, proof or link. Raises ``SsoRefused``.
    """
    found = _metadata()
    pending = {
        "state": secrets.token_urlsafe(32),
        "nonce": secrets.token_urlsafe(32),
        "verifier": new_verifier(),
        "purpose": purpose,
        "next": next_url,
        "at": time.time(),
    }
    request.session[_PENDING] = pending
    asked = {
        "response_type": "code",
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": redirect_uri(),
        "scope": " ".join(settings.OIDC_SCOPES),
        "state": pending["state"],
        "nonce": pending["nonce"],
        "code_challenge": challenge(str(pending["verifier"])),
        "code_challenge_method": "S256",
    }
    if purpose != "login":
        asked |= {"prompt": "login", "max_age": "0"}
    address = found["authorization"]
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"


def redirect_uri() -> str:
    """Return where the identity provider sends people back to. No I/O."""
    return admin_address("staff_sso_callback")


def finish(request: HttpRequest) -> tuple[Person, Mapping[str, Any]]:
    """Return who has come back, and what ``begin`` kept. HTTP. Raises ``SsoRefused``.

    What was kept is gone with the first answer, whatever that is.
    """
    pending = request.session.pop(_PENDING, None)
    given = request.GET
    state = given.get("state", "").encode()
    if not isinstance(pending, dict) or not hmac.compare_digest(state, pending["state"].encode()):
        raise SsoRefused("state", "This answer does not belong to this browser. Begin once more.")
    if time.time() - pending["at"] > _SECONDS:
        raise SsoRefused("late", "That took too long. Begin once more.")
    if any(len(given.getlist(key)) > 1 for key in ("code", "state", "iss", "error")):
        raise SsoRefused("repeated")
    found = _metadata()
    issuer = settings.OIDC_ISSUER
    named = given.get("iss")
    if named != issuer and not (named is None and found["iss_parameter"] != IssParameter.REQUIRED):
        raise SsoRefused("mix_up")
    if given.get("error") or not given.get("code"):
        raise SsoRefused("declined", "The identity provider did not let you in.")
    claims = _claims(_token(found, given["code"], pending["verifier"]), found)
    if claims.get("iss") != issuer or not hmac.compare_digest(str(claims.get("nonce", "")), pending["nonce"]):
        raise SsoRefused("nonce" if claims.get("iss") == issuer else "issuer")
    _check_audience(claims)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
        raise SsoRefused("subject")
    if pending["purpose"] != "login":
        _check_fresh(claims, since=pending["at"])
    return Person(issuer, subject, claims), pending


def _metadata() -> dict[str, str]:
    release_database()
    try:
        found = discover(settings.OIDC_ISSUER)
    except ProviderError:
        raise SsoRefused("unavailable", "The identity provider cannot be reached at the moment.") from None
    if not found["authorization"] or not found["jwks"]:
        raise SsoRefused("metadata", "The identity provider's metadata is incomplete: tell whoever runs it.")
    return found


def _token(found: Mapping[str, str], code: str, verifier: str) -> str:
    """Return the ID token for ``code``. HTTP. What a wrong answer says is not quoted anywhere."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri(),
        "code_verifier": verifier,
    }
    headers = {"Accept": "application/json"}
    client, secret = settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET
    if found["client_authentication"] == ClientAuthentication.POST:
        form |= {"client_id": client, "client_secret": secret}
    elif secret:  # RFC 6749 §2.3.1: both are form-encoded first
        pair = f"{quote_plus(client)}:{quote_plus(secret)}".encode()
        headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
    else:
        form["client_id"] = client
    try:
        answer = egress.request("POST", found["token"], form=form, headers=headers, max_body_bytes=_MOST_BYTES)
    except ProviderError:
        raise SsoRefused("unavailable", "The identity provider cannot be reached at the moment.") from None
    token = (json_object(answer) or {}).get("id_token") if answer.status == 200 else None
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN:
        raise SsoRefused("token")
    return token


def _claims(token: str, found: Mapping[str, str]) -> dict[str, Any]:
    try:
        claims = verified_claims(token, KeySource(jwks_url=found["jwks"], issuer=settings.OIDC_ISSUER))
        check_times(claims, now=database_now(), max_lifetime_seconds=_LONGEST_LIFE, leeway_seconds=_LEEWAY)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise SsoRefused("signature") from None
    except TokenRefused as refused:
        raise SsoRefused(refused.why) from None
    except ProviderError:
        raise SsoRefused("unavailable", "The identity provider cannot be reached at the moment.") from None
    return claims


def _check_audience(claims: Mapping[str, Any]) -> None:
    """OpenID Connect Core 1.0 §3.1.3.7: we are in the audience; if there are others, the token was given to us."""
    audience, ours = claims.get("aud"), settings.OIDC_CLIENT_ID
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or ours not in named or claims.get("azp", ours) != ours:
        raise SsoRefused("audience")
    if len(named) > 1 and "azp" not in claims:
        raise SsoRefused("audience")


def _check_fresh(claims: Mapping[str, Any], *, since: float) -> None:
    at = claims.get("auth_time")
    if not isinstance(at, int | float) or at < since - _LEEWAY:
        raise SsoRefused("not_anew", "The identity provider did not ask you anew, so nothing is proven.")
