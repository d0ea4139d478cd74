"""The authorization response of an entry: the names of its parameters, and what it may hold instead of a code.

RFC 6749 §4.1.2 names ``code``, ``state`` and ``error``, and RFC 9207 ``iss``. Reading a response by this is
``providers.oauth.authorization_response``.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BeforeValidator

from providers.catalog.fields import ResponseName, Shape


class ResponseNames(Shape):
    """The provider's names of the three parameters that every answer may have; ``state`` has it in the request, too."""

    code: ResponseName = "code"
    state: ResponseName = "state"
    error: ResponseName = "error"

    @property
    def denying(self) -> str:
        """The name of a parameter that stands in the place of ``state`` where the end user refused, "" if none does."""
        return ""


def _several(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: [one] if isinstance(one, str) else one for name, one in value.items()}


# By parameter: the values that mean that an administrator was asked to approve, so that there is no code yet. The key
# ``error`` holds error codes, whatever name the entry gives to that parameter.
ApprovalMarkers = Annotated[
    dict[ResponseName, tuple[str, ...]],
    BeforeValidator(_several, json_schema_input_type=dict[ResponseName, str | tuple[str, ...]]),
]

# GitHub and Slack ask the owner of an organisation; Microsoft comes back from the administrator's own consent without a
# code; the errors are OpenID Connect Core §3.1.2.6 and Microsoft's.
COMMON_MARKERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "setup_action": ("request",),
        "admin_consent": ("True",),
        "error": ("admin_consent_required", "consent_required", "interaction_required"),
    }
)
