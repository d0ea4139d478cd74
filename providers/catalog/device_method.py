"""What an entry says about the device authorization grant (RFC 8628)."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from providers.catalog.methods import RefreshableMethod


class DeviceAuthorizationMethod(RefreshableMethod):
    """The end user enters a code at the provider's page, on whichever device, while the widget waits (RFC 8628).

    ``device_authorization_url`` is where the code is asked for, with ``device_authorization_params`` added.
    """

    style = "oauth2_device_authorization"
    shows_code = True
    needed_urls: ClassVar[tuple[str, ...]] = ("token", "device_authorization")

    device_authorization_url: str = ""
    device_authorization_params: dict[str, str] = Field(default_factory=dict)

    @property
    def urls(self) -> Mapping[str, str]:
        return {**super().urls, "device_authorization": self.device_authorization_url}

    @property
    def cautions(self) -> tuple[str, ...]:
        told = (
            "Whoever gets an end user to enter a code of theirs gets that end user's account (RFC 8628 §5.4), and "
            "nothing here can tell. Prefer the authorization code where the provider offers it."
        )
        return (told,)
