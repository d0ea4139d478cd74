"""OAuth 2.0 client credentials (RFC 6749 §4.4): no end user and no refresh token; each refresh asks for a new token.

With ``own_registration`` the end user typed the client id and secret. They belong to the connection, so a refusal of
the client is a refusal of that connection, and no incident of ours.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pydantic import SecretStr

from providers.catalog.methods import ClientCredentialsMethod
from providers.catalog.resolve import Target
from providers.errors import ClientRejected, Evidence, GrantRejected, MisconfiguredProvider
from providers.oauth import introspection, revocation, token_endpoint
from providers.strategies.base import Capabilities, Strategy
from providers.values import ClientRegistration, Credential, Obtained, ProbeResult
from providers.vocabulary import TokenKind


class ClientCredentials(Strategy):
    """A machine's own token. ``accept`` fetches the first one, from {} if the provider app holds the registration."""

    method = ClientCredentialsMethod
    title = "OAuth 2.0, client credentials"
    invitation = "Connect with a client id and secret"

    def _capabilities(self, target: Target) -> Capabilities:
        return Capabilities(
            refreshes=True,
            revokes=bool(target.endpoints.revocation),
            narrows=bool(target.oauth_method.revocation.narrowed_url),
            introspects=bool(target.endpoints.introspection),
        )

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        return self._refresh(target, typed)

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        registration = _registration(target, credential.fields)
        scopes = tuple(scope.name for scope in target.entry.scopes if scope.default)
        with _blame_grant(target):
            return token_endpoint.client_credentials(
                target=target, registration=registration, scopes=scopes, previous=credential
            )

    def introspect(self, target: Target, credential: Credential, *, kind: TokenKind = TokenKind.ACCESS) -> ProbeResult:
        registration = _registration(target, credential.fields)
        return introspection.introspect(target=target, registration=registration, credential=credential, kind=kind)

    def revoke(self, target: Target, credential: Credential, *, narrowed: bool = False) -> None:
        registration = _registration(target, credential.fields)
        with _blame_grant(target):
            revocation.revoke(target=target, registration=registration, credential=credential, narrowed=narrowed)


def _is_own(target: Target) -> bool:
    return not target.method.registers_client


def _registration(target: Target, fields: Mapping[str, SecretStr]) -> ClientRegistration:
    if not _is_own(target):
        return target.registration
    if not {"client_id", "client_secret"} <= fields.keys():
        raise MisconfiguredProvider(Evidence("The credential lacks its client id or secret.", sent=False))
    return ClientRegistration(
        client_id=fields["client_id"].get_secret_value(), client_secrets=(fields["client_secret"],)
    )


@contextmanager
def _blame_grant(target: Target) -> Iterator[None]:
    try:
        yield
    except ClientRejected as rejected:
        if not _is_own(target):
            raise
        evidence = rejected.evidence
    else:
        return
    raise GrantRejected(evidence)
