"""OAuth 2.0 client credentials (RFC 6749 §4.4): no end user and no refresh token; each refresh asks for a new token.

With ``own_registration`` the end user typed the client id, and the secret or the key that signs. They belong to the
connection, so a refusal of the client is a refusal of that connection, and no incident of ours.
"""

from providers.catalog.methods import ClientCredentialsMethod
from providers.catalog.resolve import Target
from providers.errors import Evidence, MisconfiguredProvider
from providers.oauth import token_endpoint
from providers.strategies.blame import blame_typed_registration
from providers.strategies.issued import IssuedToken
from providers.strategies.signatures import checked_key
from providers.values import ClientKey, ClientRegistration, Credential, Obtained

_KEY = "private_key"


class ClientCredentials(IssuedToken):
    """A machine's own token. ``accept`` fetches the first one, from {} if the provider app holds the registration."""

    method = ClientCredentialsMethod
    title = "OAuth 2.0, client credentials"
    invitation = "Connect with a client id and secret"

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        if _KEY in typed.fields:
            algorithm = target.oauth_method.client_assertion.algorithm
            typed = Credential(fields={**typed.fields, _KEY: checked_key(typed.fields[_KEY], algorithm, field=_KEY)})
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
        fields, method = credential.fields, target.oauth_method
        proof = _KEY if method.client_authentication.needs_key else "client_secret"
        if not {"client_id", proof} <= fields.keys():
            detail = f"The credential lacks its client id or {proof.replace('_', ' ')}."
            raise MisconfiguredProvider(Evidence(detail, sent=False))
        client_id = fields["client_id"].get_secret_value()
        if proof != _KEY:
            return ClientRegistration(client_id=client_id, client_secrets=(fields[proof],))
        kid = fields["key_id"].get_secret_value() if "key_id" in fields else ""
        key = ClientKey(kid, method.client_assertion.algorithm, fields[_KEY])
        return ClientRegistration(client_id=client_id, key=key)


def _is_own(target: Target) -> bool:
    return not target.method.registers_client
