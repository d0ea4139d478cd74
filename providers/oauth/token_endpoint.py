"""The token endpoint (RFC 6749 §3.2): codes, refresh, client credentials, the password grant,
subjects' tokens.

requests-oauthlib writes the requests, and ``providers.egress`` sends them. It never reads an answer before this module
has classified it. On its own, it would ignore the status, accept a null token, and raise on a narrowed scope
after the provider has rotated the refresh token. ``providers.oauth.token_response`` reads a good answer.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import requests
from oauthlib.oauth2 import (
    BackendApplicationClient,
    Client,
    DeviceClient,
    LegacyApplicationClient,
    OAuth2Error,
    WebApplicationClient,
)
from pydantic import SecretStr
from requests.structures import CaseInsensitiveDict
from requests_oauthlib import OAuth2Session

from providers import quiet
from providers.catalog.resolve import Target
from providers.catalog.template import render
from providers.errors import Evidence, GrantRejected, MisconfiguredProvider, ProviderError
from providers.oauth.client_authentication import prove, send, with_each_secret
from providers.oauth.token_response import TokenDocument, admit, obtained
from providers.response import Response
from providers.values import ClientRegistration, CodeGrant, Credential, Obtained

quiet.silence()  # the imports above have made the loggers
# oauthlib requires https unless an environment variable is set, even to "0". But the egress client decides which
# schemes may be called. So oauthlib sees this address, and the session below posts to the real endpoint.
_PLACEHOLDER = "https://token-endpoint.invalid/"


def _least() -> requests.Response:
    response = requests.Response()
    response.status_code = 200
    response.encoding = "utf-8"
    response.request = requests.PreparedRequest()
    response._content = b'{"access_token": "classified", "token_type": "Bearer"}'
    return response


_CLASSIFIED = _least()  # what oauthlib gets to see of every good answer: it fails on odd values


def exchange_code(*, target: Target, grant: CodeGrant) -> Obtained:
    """Exchange an authorization code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5).

    Calls the provider. Like ``refresh`` and ``client_credentials``, raises ``GrantRejected``, ``ClientRejected``,
    ``ProviderUnavailable``, ``MalformedResponse``, ``TargetRefused`` and ``MisconfiguredProvider``.
    """
    code = grant.code.get_secret_value()
    if not code:
        raise GrantRejected(Evidence("There is no code to exchange.", sent=False))
    verifier = grant.kept.get_secret_value() if grant.kept else None

    def ask(narrowed: ClientRegistration) -> TokenDocument:
        session = _TokenSession(WebApplicationClient(narrowed.client_id), target=target, registration=narrowed)
        session.redirect_uri = narrowed.redirect_uri or None
        return session.run(
            lambda: session.fetch_token(
                _PLACEHOLDER, code=code, code_verifier=verifier, include_client_id=False, auth=_no_authentication
            )
        )

    return obtained(with_each_secret(target.registration, ask), method=target.oauth_method)


def refresh(*, target: Target, credential: Credential) -> Obtained:
    """Obtain the next tokens by the refresh token (RFC 6749 §6). Sends no scope, so the grant keeps its own."""
    if credential.refresh_token is None:
        raise GrantRejected(Evidence("There is no refresh token: only the end user can renew the grant.", sent=False))
    token = credential.refresh_token.get_secret_value()

    def ask(narrowed: ClientRegistration) -> TokenDocument:
        client = WebApplicationClient(narrowed.client_id)
        session = _TokenSession(client, target=target, registration=narrowed, is_refresh=True)
        if getattr(target.oauth_method, "refresh_repeats_redirect_uri", False):
            session.parameters["redirect_uri"] = narrowed.redirect_uri
        return session.run(lambda: session.refresh_token(_PLACEHOLDER, refresh_token=token))

    document = with_each_secret(target.registration, ask)
    return obtained(document, method=target.oauth_method, previous=credential)


def client_credentials(
    *,
    target: Target,
    registration: ClientRegistration,
    scopes: tuple[str, ...] = (),
    previous: Credential | None = None,
) -> Obtained:
    """Obtain a token for the client itself (RFC 6749 §4.4)."""

    def ask(narrowed: ClientRegistration) -> TokenDocument:
        session = _TokenSession(BackendApplicationClient(narrowed.client_id), target=target, registration=narrowed)
        if scopes:
            session.parameters["scope"] = target.oauth_method.scope_separator.join(scopes)
        return session.run(lambda: session.fetch_token(_PLACEHOLDER, include_client_id=False, auth=_no_authentication))

    return obtained(with_each_secret(registration, ask), method=target.oauth_method, previous=previous)


def assertion(
    *,
    target: Target,
    grant_type: str,
    assert_: Callable[[], SecretStr],
    scopes: tuple[str, ...] = (),
    previous: Credential | None = None,
) -> Obtained:
    """Exchange an assertion for a token (RFC 7521 §4.1). ``assert_`` makes one for each request that is sent."""

    def ask(narrowed: ClientRegistration) -> TokenDocument:
        client = BackendApplicationClient(narrowed.client_id)
        client.grant_type = grant_type
        session = _TokenSession(client, target=target, registration=narrowed)
        session.parameters["assertion"] = assert_().get_secret_value()
        if scopes:
            session.parameters["scope"] = target.oauth_method.scope_separator.join(scopes)
        return session.run(lambda: session.fetch_token(_PLACEHOLDER, include_client_id=False, auth=_no_authentication))

    return obtained(with_each_secret(target.registration, ask), method=target.oauth_method, previous=previous)


def password(*, target: Target, username: SecretStr, password: SecretStr, scopes: tuple[str, ...] = ()) -> Obtained:
    """Exchange the resource owner's password for tokens (RFC 6749 §4.3.2). Sends it once a client secret."""

    def ask(narrowed: ClientRegistration) -> TokenDocument:
        session = _TokenSession(LegacyApplicationClient(narrowed.client_id), target=target, registration=narrowed)
        if scopes:
            session.parameters["scope"] = target.oauth_method.scope_separator.join(scopes)
        typed = {"username": username.get_secret_value(), "password": password.get_secret_value()}
        return session.run(
            lambda: session.fetch_token(_PLACEHOLDER, **typed, include_client_id=False, auth=_no_authentication)
        )

    return obtained(with_each_secret(target.registration, ask), method=target.oauth_method)


def device_code(*, target: Target, device_code: SecretStr) -> Obtained:
    """Ask for the tokens of a device code (RFC 8628 §3.4). What an error means is ``providers.oauth.device``."""

    def ask(narrowed: ClientRegistration) -> TokenDocument:
        session = _TokenSession(DeviceClient(narrowed.client_id), target=target, registration=narrowed)
        secret = device_code.get_secret_value()
        return session.run(
            lambda: session.fetch_token(
                _PLACEHOLDER, device_code=secret, include_client_id=True, auth=_no_authentication
            )
        )

    return obtained(with_each_secret(target.registration, ask), method=target.oauth_method)


def exchange_subject(
    *,
    target: Target,
    form: Mapping[str, str],
    scopes: tuple[str, ...],
    meaning: Callable[[ProviderError, Response], ProviderError],
) -> Obtained:
    """Make the request of ``form``, which holds a subject's token. ``meaning`` says what a failure by an answer is."""

    def ask(narrowed: ClientRegistration) -> TokenDocument:
        session = _TokenSession(BackendApplicationClient(narrowed.client_id), target=target, registration=narrowed)
        if scopes:
            session.parameters["scope"] = target.oauth_method.scope_separator.join(scopes)
        try:
            return session.run(lambda: session.request("POST", _PLACEHOLDER, form))
        except ProviderError as failure:
            if session.answer is None:
                raise
            raise meaning(failure, session.answer) from None

    return obtained(with_each_secret(target.registration, ask), method=target.oauth_method)


def _no_authentication(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests-oauthlib from adding a Basic header of its own: ``prove`` has authenticated the request."""
    return request


class _TokenSession(OAuth2Session):  # type: ignore[misc]  # requests-oauthlib has no types
    """One request to the token endpoint. The session has no scope, so that oauthlib does not compare scopes."""

    def __init__(
        self, client: Client, *, target: Target, registration: ClientRegistration, is_refresh: bool = False
    ) -> None:
        super().__init__(client=client)
        self.adapters.clear()  # nothing leaves but by ``request``
        method = target.oauth_method
        proof = prove(target=target, registration=registration)
        self._url = (target.endpoints.refresh if is_refresh else "") or target.endpoints.token
        self._format = method.token_request_format
        self._method = method
        self._request_headers = CaseInsensitiveDict({"Accept": "application/json"})
        self._request_headers.update(target.request_headers)
        self._proof = proof
        added = method.token_params | (getattr(method, "refresh_params", {}) if is_refresh else {})
        own = {name: render(value, target.params) for name, value in added.items()}
        self._catalogue = target.resource | own
        self.parameters = dict(proof.form)
        self.answer: Response | None = None
        self._is_refresh = is_refresh
        self._admitted: TokenDocument | None = None

    def run(self, send: Callable[[], object]) -> TokenDocument:
        """Make the request that ``send`` composes and return its classified answer.

        If these libraries raise an exception of their own, they could not write the request. Should they ever raise one
        about a good answer, the answer counts.
        """
        with suppress(requests.RequestException, OAuth2Error, ValueError):  # these quote URLs and values
            send()
        if self._admitted is None:
            raise MisconfiguredProvider(Evidence("The token request cannot be written.", sent=self.answer is not None))
        return self._admitted

    def request(self, method: str, url: str, data: Mapping[str, str] | None = None, **_: Any) -> requests.Response:
        """Post what oauthlib composed, with our authentication and the catalogue's parameters, to the real endpoint.

        Returns what oauthlib may know of an answer once it is classified. The headers and cookies of a session have no
        part in this.
        """
        names = self._method.token_parameter_names
        ours = {**(data or {}), **self.parameters}
        parameters = {names.get(name, name): value for name, value in ours.items() if names.get(name, name)}
        parameters |= self._catalogue
        body: dict[str, Any] = {"json" if self._format == "json" else "form": parameters}
        self.answer = send("POST", self._url, proof=self._proof, headers=self._request_headers, **body)
        self._admitted = admit(self.answer, method=self._method, is_refresh=self._is_refresh)
        return _CLASSIFIED
