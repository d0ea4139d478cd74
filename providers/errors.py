"""The named failures of talking to a provider.

Callers above ``providers`` see these and nothing else: no exception of requests, urllib3 or oauthlib crosses this line.
None carries a provider's free text, a URL with a query or a secret: ``Evidence`` holds a status, the provider's own
error code where it is a plain token, and a sentence of ours.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

# Words or a short number: letters and digits mixed look like a token that was echoed.
_PLAIN_CODE = re.compile(r"(?=.{1,64}\Z)(?:-?[0-9]{1,6}|[A-Za-z]{1,24}[0-9]{0,3}(?:[_.:-][A-Za-z]{0,24}[0-9]{0,3})*)")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What may be kept and shown of a failed exchange.

    ``status`` is the HTTP status or None when there was no answer; ``error`` the provider's error code (RFC 6749 §5.2)
    or ""; ``detail`` our own sentence; ``sent`` is False only when it is certain that no byte of the request left.
    """

    detail: str
    status: int | None = None
    error: str = ""
    sent: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return the evidence as a JSON-ready mapping."""
        return asdict(self)


def plain_error_code(value: object) -> str:
    """Return ``value`` if it reads like an error code, else "": a hostile or clumsy one may echo what was sent."""
    return value if isinstance(value, str) and _PLAIN_CODE.fullmatch(value) else ""


class ProviderError(Exception):
    """A provider did not give what was asked; the subclasses say whose fault that is."""

    code: ClassVar[str] = "provider_error"

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

    ``by_typed_host`` says that the refusal came from a host that this connection's end user named: what it says of our
    registration concerns nobody else.
    """

    code = "client_rejected"
    by_typed_host = False


class RequestRejected(ProviderError):
    """The provider refused in an OAuth error that blames neither the grant nor our registration, or is all its own.

    An answer all the same: nothing was given out, and no token was used up.
    """

    code = "request_rejected"


class ProviderUnavailable(ProviderError):
    """The provider could not answer now; trying again later is right."""

    code = "provider_unavailable"


class MalformedResponse(ProviderError):
    """The answer was neither a well-formed success nor a well-formed error."""

    code = "malformed_response"


class TargetRefused(ProviderError):
    """The address is not one that may be called (not public, not https, a redirect): nothing was sent there."""

    code = "target_refused"


class MisconfiguredProvider(ProviderError):
    """The provider app or the catalogue entry lacks something that the call needs; ``detail`` says what."""

    code = "provider_misconfigured"


class NoWorkspace(ProviderError):
    """The end user's account has no site, organisation or the like to connect to: theirs to mend, nobody's fault."""

    code = "no_workspace"


class NotPermitted(ProviderError):
    """The provider knows the end user's account, and does not allow it what was asked."""

    code = "account_not_permitted"


class IdentityMismatch(ProviderError):
    """The provider says in two places whose the credential is, and they are two accounts: it is believed in neither."""

    code = "identity_mismatch"


class NotSentInTime(ProviderError):
    """The process stood still, and the window in which the request might leave is over: nothing was sent."""

    code = "late"


class FieldInvalid(ProviderError):
    """What the end user typed into ``field`` cannot be right; ``detail`` is a sentence that may be shown to them."""

    code = "field_invalid"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(Evidence(detail=detail, sent=False))
        self.field = field
