"""Token revocation (RFC 7009). A 200 proves nothing (§2.2: it is also the answer to an unknown token): probe after.

The catalogue's ``Revocation`` may change the request from the RFC's; the meaning of the answer stays the same.
"""

from collections.abc import Iterator
from functools import partial

from pydantic import SecretStr

from providers.catalog.methods import OAuthMethod
from providers.catalog.resolve import Target
from providers.catalog.template import check_values, fill, render
from providers.errors import Evidence, GrantRejected, MalformedResponse, MisconfiguredProvider, RequestRejected
from providers.oauth.classify import failure_of
from providers.oauth.client_authentication import Proof, bearer, prove, send, with_each_secret
from providers.response import Response
from providers.values import ClientRegistration, Credential
from providers.vocabulary import ClientAuthentication

# The token is already gone, or its kind cannot be revoked (§2.2.1): neither is a reason to stop.
_HARMLESS = frozenset({"invalid_token", "unsupported_token_type"})


def revoke(*, target: Target, registration: ClientRegistration, credential: Credential, narrowed: bool = False) -> None:
    """Ask the provider to revoke the refresh token, then the access token, or in the order that the catalogue names.

    With ``narrowed`` the request goes to the catalogue's ``narrowed_url``, which ends nothing else of the grant. Calls
    the provider once for each token. Raises ``ClientRejected``, ``ProviderUnavailable``, ``RequestRejected``,
    ``MalformedResponse``, ``TargetRefused`` and ``MisconfiguredProvider`` (no such address, or the credential lacks a
    value that the request needs).
    """
    if not target.endpoints.revocation:
        raise MisconfiguredProvider(Evidence(f"{target.entry.slug} has no revocation endpoint.", sent=False))
    method = target.oauth_method
    url = target.endpoints.revocation
    if narrowed:
        if not method.revocation.narrowed_url:
            raise MisconfiguredProvider(Evidence(f"{target.entry.slug} cannot revoke one token alone.", sent=False))
        url = fill(method.revocation.narrowed_url, {**target.params, "client_id": registration.client_id})
    for kind, token in _tokens(method, credential):
        ask = partial(_revoke, target=target, url=url, credential=credential, kind=kind, token=token)
        if method.revocation.authentication in ("none", "token_bearer"):
            ask(registration)
        else:
            with_each_secret(registration, ask)


def _revoke(
    registration: ClientRegistration, *, target: Target, url: str, credential: Credential, kind: str, token: SecretStr
) -> None:
    """Ask to revoke one token, with one secret. Raises the failure that the answer means, unless the token is gone."""
    method = target.oauth_method
    response = _ask(target, registration, credential, url=url, kind=kind, token=token)
    failure = failure_of(response, rules=method.revocation.errors + method.errors)
    if failure is None or isinstance(failure, GrantRejected):
        return
    if not (isinstance(failure, MalformedResponse | RequestRejected) and failure.evidence.error in _HARMLESS):
        raise failure


def _tokens(method: OAuthMethod, credential: Credential) -> Iterator[tuple[str, SecretStr]]:
    """Yield kind and token. By default the refresh token comes first: at most servers that ends the grant (§2.1)."""
    held = {"refresh_token": credential.refresh_token, "access_token": credential.access_token}
    for kind in method.revocation.tokens:
        if (token := held[kind]) is not None:
            yield kind, token


def _ask(
    target: Target, registration: ClientRegistration, credential: Credential, *, url: str, kind: str, token: SecretStr
) -> Response:
    method, described = target.oauth_method, target.oauth_method.revocation
    proof = _proof(target, registration, token)
    values = {**credential.extra, **target.params, "client_id": registration.client_id}
    parameters = dict(proof.form)
    for name, template in described.params.items():
        check_values([template], values, needed=f"revocation at {target.entry.slug} needs")
        parameters[name] = render(template, values)
    if described.token_parameter:
        parameters[described.token_parameter] = token.get_secret_value()
        if method.token_type_hint:
            parameters["token_type_hint"] = kind
    is_json = (method.token_request_format if described.format == "as_token_request" else described.format) == "json"
    sent = parameters or None
    return send(
        described.method,
        url,
        headers={"Accept": "application/json"} | target.request_headers,
        proof=proof,
        form=None if is_json else sent,
        json=sent if is_json else None,
    )


def _proof(target: Target, registration: ClientRegistration, token: SecretStr) -> Proof:
    match target.oauth_method.revocation.authentication:
        case "none":
            return Proof()
        case "token_bearer":
            return bearer(token)
        case "client_secret_bearer":
            return bearer(next(iter(registration.client_secrets), None))
        case "client_secret_client":
            return bearer(next(iter(registration.client_secrets), None), scheme="Client")
        case "client_secret_basic" | "client_secret_basic_raw" as basic:
            return prove(target=target, registration=registration, method=ClientAuthentication(basic))
        case _:
            return prove(target=target, registration=registration)
