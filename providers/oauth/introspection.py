"""Token introspection (RFC 7662): what the provider says about a token. It corroborates, and never decides alone."""

from pydantic import SecretStr

from providers.catalog.resolve import Target
from providers.errors import Evidence, MisconfiguredProvider, ProviderError, ProviderUnavailable
from providers.oauth.classify import answered_at, failure_of, json_object
from providers.oauth.client_authentication import prove, send, with_each_secret
from providers.oauth.expiry import seconds_until
from providers.oauth.token_response import scopes_of
from providers.response import Response
from providers.values import ClientRegistration, Credential, ProbeResult
from providers.vocabulary import ProbeVerdict, TokenKind


def introspect(
    *, target: Target, registration: ClientRegistration, credential: Credential, kind: TokenKind = TokenKind.ACCESS
) -> ProbeResult:
    """Ask about one token. Calls the provider; without an answer the verdict is UNAVAILABLE.

    A server that does not introspect refresh tokens calls each of them inactive, so DEAD proves less about those.
    Raises ``MisconfiguredProvider`` if there is no introspection endpoint or no such token.
    """
    token = credential.access_token if kind is TokenKind.ACCESS else credential.refresh_token
    if not target.endpoints.introspection or token is None:
        detail = f"{target.entry.slug} has no introspection endpoint, or the credential no {kind.replace('_', ' ')}."
        raise MisconfiguredProvider(Evidence(detail, sent=False))
    try:
        response = with_each_secret(registration, lambda narrowed: _ask(target, narrowed, token, kind))
    except ProviderError as error:
        return _unknown(error)
    document = json_object(response)
    if document.get("active") is False:
        return ProbeResult(ProbeVerdict.DEAD, status=response.status, detail="Introspection: not active.")
    if document.get("active") is not True:
        detail = "Introspection: the answer does not say whether the token is active."
        return ProbeResult(ProbeVerdict.UNAVAILABLE, status=response.status, detail=detail)
    return ProbeResult(
        ProbeVerdict.ALIVE,
        status=response.status,
        detail="Introspection: active.",
        scopes=scopes_of(document, method=target.oauth_method),
        expires_in_seconds=seconds_until(document.get("exp"), clock=answered_at(response.headers), field="exp"),
    )


def _ask(target: Target, registration: ClientRegistration, token: SecretStr, kind: TokenKind) -> Response:
    """Return the answer. Raises the ``ProviderError`` that a failure means."""
    method = target.oauth_method
    proof = prove(target=target, registration=registration)
    hint = {"token_type_hint": kind.value} if method.token_type_hint else {}
    parameters = proof.form | hint | {"token": token.get_secret_value()}
    is_form = method.token_request_format == "form"  # noqa: S105 - no password
    response = send(
        "POST",
        target.endpoints.introspection,
        headers={"Accept": "application/json"} | target.request_headers,
        proof=proof,
        form=parameters if is_form else None,
        json=None if is_form else parameters,
    )
    if (failure := failure_of(response, rules=method.errors)) is not None:
        raise failure
    return response


def _unknown(error: ProviderError) -> ProbeResult:
    return ProbeResult(
        ProbeVerdict.UNAVAILABLE,
        status=error.evidence.status,
        detail=f"Introspection: {error.evidence.detail}",
        retry_after_seconds=error.retry_after_seconds,
        unanswered=isinstance(error, ProviderUnavailable) and error.evidence.status is None,
    )
