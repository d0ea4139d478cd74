"""Static keys that the end user pastes. Nothing is fetched or refreshed: only a probe tells whether they work."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import SecretStr

from providers.catalog.base_method import Method
from providers.catalog.methods import ApiKeyMethod
from providers.catalog.resolve import Target
from providers.strategies.base import Capabilities, Strategy
from providers.values import Credential


class ApiKey(Strategy):
    """One or several fields, checked for their form only. Templates use the first secret one as ``value``."""

    method: ClassVar[type[Method]] = ApiKeyMethod
    title = "Pasted key"
    invitation = "Paste an API key"
    auth_method = "api_key"

    def _capabilities(self, target: Target) -> Capabilities:
        return Capabilities()

    def _value(self, target: Target, credential: Credential) -> SecretStr | None:
        fields = target.method.typed_fields
        secrets = [item.name for item in fields if item.secret] or [item.name for item in fields]
        return next((credential.fields[name] for name in secrets if name in credential.fields), None)

    def _params(self, target: Target, credential: Credential) -> Mapping[str, str]:
        shown = [item.name for item in target.method.typed_fields if not item.secret]
        return {name: credential.fields[name].get_secret_value() for name in shown if name in credential.fields}
