"""The one interface of every auth style, and what each declares that it can do.

A strategy does HTTP through ``providers.egress`` and nothing else: no database, no clock, no decision about status.
All methods raise only ``providers.errors.ProviderError``; each may block up to the egress client's total deadline.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from providers.catalog.resolve import Target
from providers.values import Account, AuthorizationRequest, CodeGrant, Credential, Obtained, Presentation, ProbeResult
from providers.vocabulary import AuthStyle, TokenKind


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What may be asked of a strategy for one target; asking for more is a programming error.

    ``rotates`` says that a refresh may invalidate the refresh token that it used, so that an unanswered one is in
    doubt; ``redirects`` that the end user is sent to the provider; ``submits`` that they type secrets into the widget.
    """

    redirects: bool = False
    submits: bool = False
    refreshes: bool = False
    rotates: bool = False
    revokes: bool = False
    introspects: bool = False
    probes: bool = False


class Strategy(ABC):
    """One auth style. Stateless: everything comes in as arguments."""

    style: ClassVar[AuthStyle]

    @abstractmethod
    def capabilities(self, target: Target) -> Capabilities:
        """Return what can be done for ``target``. No I/O."""

    def authorization_url(self, target: Target, request: AuthorizationRequest) -> str:
        """Return the URL that the end user's browser is sent to (RFC 6749 §4.1.1). No I/O."""
        raise NotImplementedError(f"{self.style} does not redirect")

    def exchange_code(self, target: Target, grant: CodeGrant) -> Obtained:
        """Exchange an authorization code (RFC 6749 §4.1.3)."""
        raise NotImplementedError(f"{self.style} does not redirect")

    def accept(self, target: Target, fields: dict[str, str]) -> Obtained:
        """Turn what the end user typed into a credential, fetching a first token where the style has one."""
        raise NotImplementedError(f"{self.style} takes no fields")

    def refresh(self, target: Target, credential: Credential) -> Obtained:
        """Obtain the next credential (RFC 6749 §6). A response without a refresh token keeps the old one."""
        raise NotImplementedError(f"{self.style} does not refresh")

    @abstractmethod
    def present(self, target: Target, credential: Credential) -> Presentation:
        """Return how a caller uses ``credential``. No I/O."""

    @abstractmethod
    def probe(self, target: Target, credential: Credential) -> ProbeResult:
        """Make the entry's cheap authenticated call; an unreachable provider is a verdict, not an error."""

    def identify(self, target: Target, obtained: Obtained, *, received_at: float) -> Account | None:
        """Return whose account the provider's own signature says that it is, None where nothing does.

        ``received_at``, an epoch, is when ``obtained`` was received.
        """
        return None

    def introspect(self, target: Target, credential: Credential, *, kind: TokenKind = TokenKind.ACCESS) -> ProbeResult:
        """Ask the introspection endpoint (RFC 7662) about a token; no answer is a verdict too, not an error."""
        raise NotImplementedError(f"{self.style} does not introspect")

    def revoke(self, target: Target, credential: Credential, *, narrowed: bool = False) -> None:
        """Ask the provider to revoke the grant (RFC 7009), or with ``narrowed`` this credential alone, where it can.

        Its 200 proves nothing: probe afterwards.
        """
        raise NotImplementedError(f"{self.style} does not revoke")
