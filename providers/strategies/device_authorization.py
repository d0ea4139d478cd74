"""The device authorization grant (RFC 8628): a code to enter at the provider's page, and a token once that is done."""

from collections.abc import Sequence

from pydantic import SecretStr

from providers.catalog.device_method import DeviceAuthorizationMethod
from providers.catalog.resolve import Target
from providers.errors import Evidence, MisconfiguredProvider
from providers.oauth import device, introspection, revocation, token_endpoint
from providers.strategies.base import Capabilities, Strategy
from providers.values import Credential, DeviceAuthorization, Obtained, ProbeResult
from providers.vocabulary import TokenKind


class DeviceAuthorizationCode(Strategy):
    """The end user consents at the provider's own page, wherever they like; we ask the token endpoint how it went."""

    method = DeviceAuthorizationMethod
    title = "OAuth 2.0, by a code to enter"
    invitation = "Enter a code at {name}"

    def _capabilities(self, target: Target) -> Capabilities:
        method = _method(target)
        return Capabilities(
            refreshes=True,
            needs_refresh_token=True,
            rotates=method.refresh_tokens_rotate,
            revokes=bool(target.endpoints.revocation),
            ends_grant=method.revocation.ends == "grant",
            narrows=bool(method.revocation.narrowed_url),
            introspects=bool(target.endpoints.introspection),
        )

    def expects_refresh_token(self, target: Target, scopes: Sequence[str], *, ends: bool) -> bool:
        said = _method(target).expects_refresh_token
        return ends if said is None else said

    def _ask_for_code(self, target: Target, scopes: Sequence[str]) -> DeviceAuthorization:
        return device.ask_for_code(target=target, scopes=target.entry.with_required_scopes(scopes))

    def _poll(self, target: Target, device_code: SecretStr) -> Obtained:
        return device.poll(target=target, device_code=device_code)

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        return token_endpoint.refresh(target=target, credential=credential)

    def introspect(self, target: Target, credential: Credential, *, kind: TokenKind = TokenKind.ACCESS) -> ProbeResult:
        return introspection.introspect(
            target=target, registration=target.registration, credential=credential, kind=kind
        )

    def revoke(self, target: Target, credential: Credential, *, narrowed: bool = False) -> None:
        revocation.revoke(target=target, registration=target.registration, credential=credential, narrowed=narrowed)


def _method(target: Target) -> DeviceAuthorizationMethod:
    method = target.entry.device_authorization
    if method is None:
        raise MisconfiguredProvider(Evidence(f"{target.entry.slug} does not describe this way to connect.", sent=False))
    return method
