"""OAuth 2.0 authorization code with PKCE and refresh (RFC 6749 §4.1 and §6, RFC 7636, RFC 9126)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote, urlencode, urlsplit

from pydantic import SecretStr

from providers.catalog.methods import AuthorizationCodeMethod
from providers.catalog.resolve import Target
from providers.catalog.template import render
from providers.errors import Evidence, MisconfiguredProvider
from providers.oauth import identity, pkce, pushed_authorization, token_endpoint
from providers.strategies.base import Capabilities
from providers.strategies.issued import GrantedToken
from providers.values import Account, AuthorizationRequest, CodeGrant, Departure, Obtained
from providers.vocabulary import IssParameter, Pkce, RequestDelivery

_OFFLINE = frozenset({"offline_access", "offline.access", "offline"})


class AuthorizationCode(GrantedToken):
    """The end user is sent to the provider and comes back with a code."""

    method = AuthorizationCodeMethod
    title = "OAuth 2.0, by consent"
    invitation = "Sign in with {name}"

    def _capabilities(self, target: Target) -> Capabilities:
        is_pushed = target.described_as(AuthorizationCodeMethod).request_delivery is RequestDelivery.PUSHED
        return replace(super()._capabilities(target), asks_first=is_pushed)

    def expects_refresh_token(self, target: Target, scopes: Sequence[str], *, ends: bool) -> bool:
        method = target.described_as(AuthorizationCodeMethod)
        if method.expects_refresh_token is not None:
            return method.expects_refresh_token
        return ends or not (_OFFLINE | {method.refresh_scope}).isdisjoint(scopes)

    def new_verifier(self, target: Target) -> str | None:
        return pkce.new_verifier() if target.described_as(AuthorizationCodeMethod).pkce is Pkce.S256 else None

    def _depart(self, target: Target, request: AuthorizationRequest) -> Departure:
        method = target.described_as(AuthorizationCodeMethod)
        parameters = {name: render(value, target.params) for name, value in method.authorization_params.items()}
        if request.adds_scopes:
            added = method.incremental_params or {}
            parameters |= {name: render(value, target.params) for name, value in added.items()}
        parameters |= target.resource | {
            "response_type": parameters.get("response_type", "code"),
            "client_id": target.registration.client_id,
            "redirect_uri": target.registration.redirect_uri,
            method.callback.state: request.state,
        }
        if scopes := target.entry.with_required_scopes(request.scopes):
            fixed = parameters.get(method.scope_parameter, "").split(method.scope_separator)
            asked = dict.fromkeys([*filter(None, fixed), *scopes])
            parameters[method.scope_parameter] = method.scope_separator.join(asked)
            if "prompt" not in parameters and _needs_consent(method, scopes):
                parameters["prompt"] = "consent"
        if method.response_mode != "query":
            parameters["response_mode"] = method.response_mode
        if method.pkce is Pkce.S256:
            if request.code_verifier is None:
                raise MisconfiguredProvider(Evidence(f"{target.entry.slug} asks for PKCE.", sent=False))
            parameters["code_challenge"] = pkce.challenge(request.code_verifier)
            parameters["code_challenge_method"] = "S256"
        if request.locale:
            parameters["ui_locales"] = request.locale
        if request.nonce and _asks_for_id_token(method, parameters):
            parameters.setdefault("nonce", request.nonce)
        names = method.authorization_parameter_names
        parameters = {names.get(name, name): value for name, value in parameters.items() if names.get(name, name)}
        is_repeated = parameters.get(names.get("nonce", "nonce")) == request.nonce
        if method.request_delivery is RequestDelivery.PUSHED:
            parameters = pushed_authorization.push(target=target, parameters=parameters)
        endpoint = target.endpoints.authorization
        return Departure(
            url=endpoint + ("&" if urlsplit(endpoint).query else "?") + urlencode(parameters, quote_via=quote),
            state=request.state,
            kept=None if request.code_verifier is None else SecretStr(request.code_verifier),
            nonce=request.nonce if is_repeated else "",
        )

    def issuer_agrees(self, target: Target, iss: str | None) -> bool:
        if iss is None:
            return target.described_as(AuthorizationCodeMethod).iss_parameter is not IssParameter.REQUIRED
        # Without a known issuer there is nothing to compare: then the path of the callback tells servers apart.
        return target.endpoints.issuer in ("", iss)

    def _exchange_code(self, target: Target, grant: CodeGrant) -> Obtained:
        if target.described_as(AuthorizationCodeMethod).pkce is Pkce.BREAKS:
            grant = CodeGrant(code=grant.code, kept=None, scopes=grant.scopes)
        return token_endpoint.exchange_code(target=target, grant=grant)

    def of_this_request(self, target: Target, obtained: Obtained, *, nonce: str) -> Obtained:
        has_challenge = target.described_as(AuthorizationCodeMethod).pkce is Pkce.S256
        return identity.of_this_request(target, obtained, nonce=nonce, is_bound_otherwise=has_challenge)

    def identify(self, target: Target, obtained: Obtained, *, received_at: float) -> Account | None:
        return identity.account_of(target, obtained, received_at=received_at)


def _asks_for_id_token(method: AuthorizationCodeMethod, parameters: Mapping[str, str]) -> bool:
    """Whether the request is one of OpenID Connect (Core §3.1.2.1, and §3.3.2.1 for a response type with a token)."""
    scopes = parameters.get(method.scope_parameter, "").split(method.scope_separator)
    return "openid" in scopes or "id_token" in parameters["response_type"].split()


def _needs_consent(method: AuthorizationCodeMethod, scopes: Sequence[str]) -> bool:
    """Whether the request must ask the end user for consent again, because no refresh token would come otherwise."""
    if method.offline_consent == "always":
        return bool({"offline_access", method.refresh_scope} & {*scopes})
    speaks_openid = method.discover or "openid" in scopes
    return method.offline_consent == "openid" and speaks_openid and "offline_access" in scopes
