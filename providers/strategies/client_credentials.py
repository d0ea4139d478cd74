"""OAuth 2.0 client credentials (RFC 6749 §4.4): no end user and no refresh token; each refresh asks for a new token.

With ``own_registration`` the end user typed the client id and secret. They belong to the connection, so a refusal of
the client is a refusal of that connection, and no incident of ours.
"""

from providers.catalog.methods import ClientCredentialsMethod
from providers.catalog.resolve import Target
from providers.errors import Evidence, MisconfiguredProvider
from providers.oauth import token_endpoint
from providers.strategies.blame import blame_typed_registration
from providers.strategies.issued import IssuedToken
from providers.values import ClientRegistration, Credential, Obtained


class ClientCredentials(IssuedToken):
    """A machine's own token. ``accept`` fetches the first one, from {} if the provider app holds the registration."""

    method = ClientCredentialsMethod
    title = "OAuth 2.0, client credentials"
    invitation = "Connect with a client id and secret"

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        return self._refresh(target, typed)

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        registration = self._registration(target, credential)
        with blame_typed_registration(target):
            return token_endpoint.client_credentials(
                target=target, registration=registration, scopes=target.entry.default_scopes, previous=credential
            )

    def revoke(self, target: Target, credential: Credential, *, narrowed: bool = False) -> None:
        with blame_typed_registration(target):
            super().revoke(target, credential, narrowed=narrowed)

    def _registration(self, target: Target, credential: Credential) -> ClientRegistration:
        if not _is_own(target):
            return target.registration
        fields = credential.fields
        if not {"client_id", "client_secret"} <= fields.keys():
            raise MisconfiguredProvider(Evidence("The credential lacks its client id or secret.", sent=False))
        return ClientRegistration(
            client_id=fields["client_id"].get_secret_value(), client_secrets=(fields["client_secret"],)
        )


def _is_own(target: Target) -> bool:
    return not target.method.registers_client
