"""Token revocation (RFC 7009). A 200 proves nothing (§2.2: it is also the answer to an unknown token): probe after."""

from providers import egress
from providers.catalog.resolve import Target
from providers.errors import Evidence, GrantRejected, MalformedResponse, MisconfiguredProvider
from providers.oauth.classify import failure_of
from providers.oauth.client_authentication import prove
from providers.values import ClientRegistration, Credential

# The token is gone already, or its kind cannot be revoked (§2.2.1): neither is a reason to stop.
_HARMLESS = frozenset({"invalid_token", "unsupported_token_type"})


def revoke(*, target: Target, registration: ClientRegistration, credential: Credential) -> None:
    """Ask the provider to revoke the refresh token, then the access token.

    Calls the provider once for each. Raises ``ClientRejected``, ``ProviderUnavailable``, ``MalformedResponse``,
    ``TargetRefused`` and ``MisconfiguredProvider`` (no revocation endpoint).
    """
    if not target.endpoints.revocation:
        raise MisconfiguredProvider(Evidence(f"{target.entry.slug} has no revocation endpoint.", sent=False))
    method = target.oauth_method
    proof = prove(method=method.client_authentication, registration=registration)
    # The refresh token first: it revokes the grant with most servers (§2.1).
    for hint, token in (("refresh_token", credential.refresh_token), ("access_token", credential.access_token)):
        if token is None:
            continue
        response = egress.request(
            "POST",
            target.endpoints.revocation,
            headers={"Accept": "application/json"} | proof.headers,
            form=proof.form | {"token": token.get_secret_value(), "token_type_hint": hint},
        )
        failure = failure_of(response, rules=method.errors)
        if failure is None or isinstance(failure, GrantRejected):
            continue
        if not (isinstance(failure, MalformedResponse) and failure.evidence.error in _HARMLESS):
            raise failure
