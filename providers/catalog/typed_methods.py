"""What an entry says about the styles by which the end user types a credential that the provider gave them.

``ApiKeyMethod``, the general one, is in ``providers.catalog.methods`` with the base of all.
"""

from typing import ClassVar

from providers.catalog.calls import Presentation
from providers.catalog.fields import SecretField
from providers.catalog.methods import Method


class HttpBasicMethod(Method):
    """A user name and a password, or what a provider has in their place, as HTTP Basic (RFC 7617).

    An entry may give the two fields other labels, patterns and examples; their names stay ``username`` and
    ``password``, unless its presentation says how others go into a request.
    """

    style = "http_basic"
    default_presentation: ClassVar[Presentation] = Presentation(
        headers={"Authorization": "Basic {base64:{username}:{password}}"}
    )

    fields: tuple[SecretField, ...] = (
        # RFC 7617 §2: a user name has no colon, because the first one ends it.
        SecretField(name="username", label="User name", secret=False, pattern=r"^[!-9;-~]{1,512}$"),
        SecretField(name="password", label="Password", pattern=r"^[ -~]{1,4096}$"),
    )

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        return self.fields


class BearerTokenMethod(Method):
    """A token that the end user made at the provider and pastes: a personal access token, sent as RFC 6750 says."""

    style = "bearer_token"
    default_presentation: ClassVar[Presentation] = Presentation(headers={"Authorization": "Bearer {token}"})

    fields: tuple[SecretField, ...] = (SecretField(name="token", label="Access token"),)

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        return self.fields
