"""The named failures of talking to a provider.

Callers above ``providers`` see only these: no exception of requests, urllib3 or oauthlib leaves this package. None
holds a provider's free text, a URL with a query, or a secret. ``Evidence`` holds a status, the provider's own error
code if it is a plain word, and a sentence of ours.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

# Words or a short number. A mix of letters and digits looks like an echoed token.
_PLAIN_CODE = re.compile(r"(?=.{1,64}\Z)(?:-?[0-9]{1,6}|[A-Za-z]{1,24}[0-9]{0,3}(?:[_.:-][A-Za-z]{0,24}[0-9]{0,3})*)")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The facts about a failed exchange that may be kept and shown.

    ``status`` is the HTTP status, or None if there was no answer. ``error`` is the provider's error code (RFC 6749
    §5.2), or "". ``detail`` is a sentence of ours. ``sent`` is False only if it is certain that no byte of the request
    left.
    """

    detail: str
    status: int | None = None
    error: str = ""
    sent: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return the evidence as a JSON-ready mapping with the keys status, error, detail and sent."""
        return asdict(self)


def plain_error_code(value: object) -> str:
    """Return ``value`` if it looks like an error code, else "": a hostile or clumsy provider may echo a secret."""
    return value if isinstance(value, str) and _PLAIN_CODE.fullmatch(value) else ""


class ProviderError(Exception):
    """A provider did not give what we asked for; the subclasses say whose fault that is."""

    code: ClassVar[str] = "provider_error"
    clocks_apart_seconds = 0.0  # by the answer's own date

    def __init__(self, evidence: Evidence, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(evidence.detail)
        self.evidence = evidence
        self.retry_after_seconds = retry_after_seconds

    @property
    def sent(self) -> bool:
        """Whether the provider may have acted on the request."""
        return self.evidence.sent


class GrantRejected(ProviderError):
    """The grant or key is refused: this connection needs re-authorization."""

    code = "grant_rejected"


class ClientRejected(ProviderError):
    """Our registration is refused: an incident on the provider app, not on the connection.

    ``by_typed_host`` is True if the refusal came from a host that this connection's end user typed. Then it must not
    open an incident: such a host says nothing about other connections.
    """

    code = "client_rejected"
    by_typed_host = False

    def of_the_grant(self) -> GrantRejected:
        """Return this refusal as one of the grant, for where the registration is the connection's own."""
        refusal = GrantRejected(self.evidence)
        refusal.clocks_apart_seconds = self.clocks_apart_seconds
        return refusal


class CertificateRefused(ProviderError):
    """The server does not take the client certificate that was presented, or it wants one and there was none."""

    code = "certificate_refused"


class RequestRejected(ProviderError):
    """The provider refused with an error code that blames neither the grant nor our registration.

    The code is OAuth's or the provider's own. It is a real answer: the provider issued nothing and used up no token.
    """

    code = "request_rejected"


class AddressRefused(ProviderError):
    """The provider takes no calls from the address that we call from: it says nothing about the grant.

    A real answer: the provider issued nothing and used up no token. The operator mends it, at the provider.
    """

    code = "address_refused"


class ProviderUnavailable(ProviderError):
    """The provider could not answer now; trying again later is right."""

    code = "provider_unavailable"


class MalformedResponse(ProviderError):
    """The answer was neither a well-formed success nor a well-formed error."""

    code = "malformed_response"


class TargetRefused(ProviderError):
    """The address must not be called (not public, not https, a redirect): nothing was sent there."""

    code = "target_refused"


class MisconfiguredProvider(ProviderError):
    """The provider app or the catalogue entry lacks something that the call needs; ``detail`` says what."""

    code = "provider_misconfigured"


class NoWorkspace(ProviderError):
    """The end user's account has no site, organisation or the like to connect to. Only the end user can mend that."""

    code = "no_workspace"


class NotPermitted(ProviderError):
    """The provider knows the end user's account, and does not allow it to do what we asked."""

    code = "account_not_permitted"


class AuthorizationPending(ProviderError):
    """The end user has not decided yet (RFC 8628 §3.5): ask again later."""

    code = "authorization_pending"

    @property
    def slows_down(self) -> bool:
        """Whether the provider wants to be asked less often: 5 s more between two polls (§3.5)."""
        return self.evidence.error == "slow_down"


class DeviceCodeExpired(ProviderError):
    """The code has run out, or is not known any more: the end user needs a new one."""

    code = "expired_token"


class AccessDenied(ProviderError):
    """The end user did not allow it."""

    code = "access_denied"


class InteractionRequired(ProviderError):
    """The provider wants the subject of a token to sign in anew, to consent or to prove more before it acts for them.

    ``claims`` is what the sign-in has to ask for, as the provider said it, "" if it said nothing.
    """

    code = "interaction_required"
    claims = ""


class IdentityMismatch(ProviderError):
    """The provider names two accounts for one credential, or another request than ours: neither is believed."""

    code = "identity_mismatch"


class NotSentInTime(ProviderError):
    """The process stood still for so long that the request's send window closed: nothing was sent."""

    code = "late"


class FieldInvalid(ProviderError):
    """The end user typed something invalid into ``field``; ``detail`` is a sentence that may be shown to them."""

    code = "field_invalid"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(Evidence(detail=detail, sent=False))
        self.field = field
