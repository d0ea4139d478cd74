"""The device authorization grant (RFC 8628): a code to enter at the provider's page, and a token once that is done."""

from collections.abc import Sequence

from pydantic import SecretStr

from providers.catalog.device_method import DeviceAuthorizationMethod
from providers.catalog.resolve import Target
from providers.oauth import device
from providers.strategies.issued import GrantedToken
from providers.values import DeviceAuthorization, Obtained


class DeviceAuthorizationCode(GrantedToken):
    """The end user consents at the provider's own page, wherever they like; we ask the token endpoint how it went."""

    method = DeviceAuthorizationMethod
    title = "OAuth 2.0, by a code to enter"
    invitation = "Enter a code at {name}"

    def _ask_for_code(self, target: Target, scopes: Sequence[str]) -> DeviceAuthorization:
        return device.ask_for_code(target=target, scopes=target.entry.with_required_scopes(scopes))

    def _poll(self, target: Target, device_code: SecretStr) -> Obtained:
        return device.poll(target=target, device_code=device_code)
