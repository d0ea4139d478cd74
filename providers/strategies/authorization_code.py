"""OAuth 2.0 authorization code with PKCE and refresh (RFC 6749 §4.1 and §6, RFC 7636)."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode, urlsplit

from pydantic import SecretStr

from providers.catalog.resolve import Target
from providers.catalog.schema import AuthorizationCodeMethod
from providers.catalog.template import render
from providers.errors import Evidence, MisconfiguredProvider
from providers.oauth import identity, introspection, pkce, revocation, token_endpoint
from providers.strategies import presenting, probing
from providers.strategies.base import Capabilities, Strategy
from providers.strategies.blame import marking_typed_host
from providers.values import Account, AuthorizationRequest, CodeGrant, Credential, Obtained, Presentation, ProbeResult
from providers.vocabulary import AuthStyle, Pkce, TokenKind


class AuthorizationCode(Strategy):
    """The end user is sent to the provider and comes back with a code."""

    style = AuthStyle.AUTHORIZATION_CODE

    def capabilities(self, target: Target) -> Capabilities:
        return Capabilities(
            redirects=True,
            refreshes=True,
            rotates=_method(target).refresh_tokens_rotate,
            revokes=bool(target.endpoints.revocation),
            introspects=bool(target.endpoints.introspection),
            probes=probing.can_probe(target),
        )

    def authorization_url(self, target: Target, request: AuthorizationRequest) -> str:
        method = _method(target)
        parameters = {name: render(value, target.params) for name, value in method.authorization_params.items()}
        parameters |= {
            "response_type": "code",
            "client_id": target.registration.client_id,
            "redirect_uri": target.registration.redirect_uri,
            method.callback.state: request.state,
        }
        if scopes := target.entry.with_required_scopes(request.scopes):
            parameters[method.scope_parameter] = method.scope_separator.join(scopes)
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
        endpoint = target.endpoints.authorization
        return endpoint + ("&" if urlsplit(endpoint).query else "?") + urlencode(parameters, quote_via=quote)

    def exchange_code(self, target: Target, grant: CodeGrant) -> Obtained:
        if _method(target).pkce is Pkce.BREAKS:
            grant = CodeGrant(code=grant.code, code_verifier=None, scopes=grant.scopes)
        with marking_typed_host(target):
            return token_endpoint.exchange_code(target=target, grant=grant)

    def refresh(self, target: Target, credential: Credential) -> Obtained:
        with marking_typed_host(target):
            return token_endpoint.refresh(target=target, credential=credential)

    def present(self, target: Target, credential: Credential) -> Presentation:
        value = credential.access_token or SecretStr("")
        return presenting.present(target, credential, auth_method="bearer", value=value)

    def probe(self, target: Target, credential: Credential) -> ProbeResult:
        return probing.probe(target, credential, self.present(target, credential))

    def identify(self, target: Target, obtained: Obtained, *, received_at: float) -> Account | None:
        return identity.account_of(target, obtained, received_at=received_at)

    def introspect(self, target: Target, credential: Credential, *, kind: TokenKind = TokenKind.ACCESS) -> ProbeResult:
        return introspection.introspect(
            target=target, registration=target.registration, credential=credential, kind=kind
        )

    def revoke(self, target: Target, credential: Credential, *, narrowed: bool = False) -> None:
        revocation.revoke(target=target, registration=target.registration, credential=credential, narrowed=narrowed)


def _needs_consent(method: AuthorizationCodeMethod, scopes: Sequence[str]) -> bool:
    """Whether the end user has to be asked once more, without which no refresh token would come."""
    if method.offline_consent == "always":
        return bool({"offline_access", method.refresh_scope} & {*scopes})
    speaks_openid = method.discover or "openid" in scopes
    return method.offline_consent == "openid" and speaks_openid and "offline_access" in scopes


def _method(target: Target) -> AuthorizationCodeMethod:
    method = target.entry.authorization_code
    if method is None:
        raise MisconfiguredProvider(Evidence(f"{target.entry.slug} does not describe this way to connect.", sent=False))
    return method
