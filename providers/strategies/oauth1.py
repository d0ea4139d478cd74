"""OAuth 1.0a (RFC 5849): temporary credentials, the end user's consent, token credentials, and a signature each time.

The temporary token takes the place of a state: only the browser that departed with it can come back with it. A server
that does not confirm the callback speaks OAuth 1.0, in which a consent can be fixed on somebody else, and is refused.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode, urlsplit

from pydantic import SecretStr

from providers import egress
from providers.answer_text import form_of, text_of
from providers.catalog.oauth1_method import OAuth1Method
from providers.catalog.resolve import Target
from providers.catalog.template import render
from providers.egress import Signer
from providers.errors import (
    ClientRejected,
    Evidence,
    FieldInvalid,
    GrantRejected,
    MalformedResponse,
    MisconfiguredProvider,
)
from providers.oauth.classify import failure_of
from providers.oauth.client_authentication import with_each_secret
from providers.oauth.token_response import extra_in
from providers.response import Response
from providers.signing.oauth1 import oauth1_signer
from providers.strategies.base import Capabilities, Strategy
from providers.strategies.calling import Sending
from providers.values import (
    AuthorizationRequest,
    Brought,
    ClientRegistration,
    CodeGrant,
    Credential,
    Departure,
    Obtained,
)

_LONGEST_TOKEN = 1024


class OAuth1(Strategy):
    """The end user is sent to the provider with a temporary token, and comes back with a verifier."""

    method = OAuth1Method
    title = "OAuth 1.0a, by consent"
    invitation = "Sign in with {name}"
    auth_method = "oauth1"

    def _capabilities(self, target: Target) -> Capabilities:
        return Capabilities(asks_first=True)

    def issuer_agrees(self, target: Target, iss: str | None) -> bool:
        return True  # this protocol knows no issuer; the path of the callback tells servers apart

    def _depart(self, target: Target, request: AuthorizationRequest) -> Departure:
        method = target.described_as(OAuth1Method)
        url = target.endpoints.temporary_credentials

        def ask(narrowed: ClientRegistration) -> Response:
            return _post(target, url, _signer(target, narrowed, callback=narrowed.redirect_uri))

        given = _pairs(with_each_secret(target.registration, ask))
        token, secret = _credentials(given)
        if given.get("oauth_callback_confirmed") != "true":
            detail = "The server does not confirm the callback (RFC 5849 §2.1): it speaks OAuth 1.0, which is not safe."
            raise MisconfiguredProvider(Evidence(detail))
        parameters = {name: render(value, target.params) for name, value in method.authorization_params.items()}
        endpoint = target.endpoints.authorization
        query = urlencode({**parameters, method.callback.state: token}, quote_via=quote)
        return Departure(
            url=endpoint + ("&" if urlsplit(endpoint).query else "?") + query,
            state=token,
            kept=SecretStr(json.dumps([token, secret])),
        )

    def _exchange_code(self, target: Target, grant: CodeGrant) -> Obtained:
        if grant.kept is None:
            raise GrantRejected(Evidence("There are no temporary credentials to exchange.", sent=False))
        token, secret = (SecretStr(part) for part in json.loads(grant.kept.get_secret_value()))

        def ask(narrowed: ClientRegistration) -> Response:
            signer = _signer(target, narrowed, token=token, token_secret=secret, verifier=grant.code)
            return _post(target, target.endpoints.token, signer)

        try:
            answer = with_each_secret(target.registration, ask)
        except ClientRejected as refusal:
            # The same client was given the temporary credentials a moment ago, so a plain 401 refuses those.
            if refusal.evidence.error:
                raise
            raise refusal.of_the_grant() from None
        given = _pairs(answer)
        issued, issued_secret = map(SecretStr, _credentials(given))
        extra = extra_in(given, target.method.extra_pointers)
        return Obtained(Credential(access_token=issued, fields={"token_secret": issued_secret}, extra=extra))

    def _bring(self, target: Target, brought: Brought) -> Credential:
        if brought.access_token is None or brought.token_secret is None:
            raise FieldInvalid("token_secret", f"{target.entry.name} needs a token and its secret (RFC 5849).")
        return Credential(
            access_token=brought.access_token,
            fields={"token_secret": brought.token_secret},
            extra=extra_in(dict(brought.document), target.method.extra_pointers),
        )

    def _sendings(self, target: Target, credential: Credential) -> Iterator[Sending]:
        """Yield a signature by each client secret: while an operator rotates them, the server may know only one."""
        registration = target.registration
        for secret in registration.client_secrets or (None,):
            narrowed = registration if secret is None else replace(registration, client_secrets=(secret,))
            signer = _signer(
                target,
                narrowed,
                token=credential.access_token,
                token_secret=credential.fields.get("token_secret"),
            )
            yield Sending(sign=signer)


def _signer(
    target: Target,
    registration: ClientRegistration,
    *,
    token: SecretStr | None = None,
    token_secret: SecretStr | None = None,
    callback: str = "",
    verifier: SecretStr | None = None,
) -> Signer:
    method = target.described_as(OAuth1Method)
    return oauth1_signer(
        registration=registration,
        signature_method=method.signature_method,
        token=token,
        token_secret=token_secret,
        realm=render(method.realm, target.params),
        callback=callback,
        verifier=verifier,
    )


def _post(target: Target, url: str, signer: Signer) -> Response:
    response = egress.request("POST", url, sign=signer)
    if (failure := failure_of(response, rules=target.method.refusals)) is not None:
        raise failure
    return response


def _pairs(response: Response) -> Mapping[str, str]:
    """Return the fields of an answer, which is a form whatever it is labelled (RFC 5849 §2.1)."""
    return form_of(text_of(response), content_type="application/x-www-form-urlencoded")


def _credentials(given: Mapping[str, str]) -> tuple[str, str]:
    token, secret = given.get("oauth_token", ""), given.get("oauth_token_secret", "")
    usable = all(value.isascii() and value.isprintable() and len(value) <= _LONGEST_TOKEN for value in (token, secret))
    if not token.strip() or not usable:
        raise MalformedResponse(Evidence("The answer holds no credentials (RFC 5849 §2.1, §2.3)."))
    return token, secret
