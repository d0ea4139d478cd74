"""What django-oauth-toolkit 3.4 lacks beside oauthlib 4, which asks a server more about device codes."""

# django-oauth-toolkit has no types.
# mypy: allow-subclassing-any, disable-error-code="import-untyped"

from typing import Any

from oauth2_provider.models import get_device_grant_model
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.views import device


class Validator(OAuth2Validator):
    """The toolkit's own, which also says where the decision about a device code stands."""

    def validate_device_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> str | None:
        """Return "authorized" for a code of this client's: the toolkit's view has refused all others by now."""
        found = get_device_grant_model().objects.filter(client_id=client_id, device_code=code).first()
        return "authorized" if found is not None and found.status == found.AUTHORIZED else None


def expect_scope() -> None:
    """Have the toolkit take the scope that oauthlib's answer to a device names."""
    plain = device.DeviceCodeResponse
    device.DeviceCodeResponse = lambda scope="", **answer: plain(**answer)
