"""The one interface of every auth style: what each can do, and the steps that all of them share.

Callers see final methods, which do the shared steps: what is typed is checked before any of it is used, a refusal by a
host of the end user's own is marked as such, each probe is the entry's. A style fills in the hooks, whose names begin
with an underscore, so that it cannot forget a shared step. What a style can do is asked of ``capabilities``, of
``redirects`` and of what the entry says of it (``providers.catalog.methods``); which style it is concerns nobody.

A strategy does HTTP through ``providers.egress`` and nothing else: no database, no clock, no decision about status.
All methods raise only ``providers.errors.ProviderError``; each may block up to the egress client's total deadline.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, final

from pydantic import SecretStr

from providers.catalog.methods import Method
from providers.catalog.resolve import Target
from providers.oauth.token_response import admit, obtained
from providers.response import Response
from providers.strategies import presenting, probing
from providers.strategies.blame import blame_typed_host
from providers.strategies.fields import checked_fields
from providers.values import Account, AuthorizationRequest, CodeGrant, Credential, Obtained, Presentation, ProbeResult
from providers.vocabulary import TokenKind


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What may be asked of a strategy for one target; asking for more is a programming error.

    ``needs_refresh_token`` says that a credential without a refresh token cannot be refreshed; ``rotates`` that a
    refresh may invalidate the one that it used, so that an unanswered one is in doubt. ``ends_grant`` says that
    revoking one credential ends all that the account has granted, ``narrows`` that one can be revoked alone.
    """

    refreshes: bool = False
    needs_refresh_token: bool = False
    rotates: bool = False
    revokes: bool = False
    ends_grant: bool = False
    narrows: bool = False
    introspects: bool = False
    probes: bool = False


class Strategy(ABC):
    """One auth style. Stateless: everything comes in as arguments.

    ``method`` is what an entry says of it. ``title`` names the style to operators, ``invitation`` invites the end user
    to connect by it (``{name}`` is the provider's), ``auth_method`` is what a vend calls such a credential.
    """

    method: ClassVar[type[Method]]
    title: ClassVar[str]
    invitation: ClassVar[str]
    auth_method: ClassVar[str] = "bearer"

    @property
    def style(self) -> str:
        """The name of the style, as it is stored and as API answers say it."""
        return self.method.style

    @property
    def redirects(self) -> bool:
        """Whether the end user is sent to the provider, and comes back to our callback."""
        return self.method.redirects

    # --- what the style can do ----------------------------------------------------------------------------------------
    @final
    def capabilities(self, target: Target) -> Capabilities:
        """Return what can be done for ``target``. No I/O."""
        return replace(self._capabilities(target), probes=probing.can_probe(target))

    @abstractmethod
    def _capabilities(self, target: Target) -> Capabilities:
        """Return what the style itself can do for ``target``; the probe is not its own."""

    @final
    def can_refresh(self, target: Target, credential: Credential) -> bool:
        """Whether ``credential`` can be refreshed. No I/O."""
        can = self.capabilities(target)
        return can.refreshes and (credential.refresh_token is not None or not can.needs_refresh_token)

    def expects_refresh_token(self, target: Target, scopes: Sequence[str], *, ends: bool) -> bool:
        """Whether a grant of these ``scopes`` should bring a refresh token; ``ends``: its access token has an end."""
        return False

    # --- by the provider's own page -----------------------------------------------------------------------------------
    def new_verifier(self, target: Target) -> str | None:
        """Return a fresh code verifier (RFC 7636 §4.1), None where requests to ``target`` carry no challenge."""
        return None

    def authorization_url(self, target: Target, request: AuthorizationRequest) -> str:
        """Return the URL that the end user's browser is sent to (RFC 6749 §4.1.1). No I/O."""
        raise self._cannot("redirect")

    def issuer_agrees(self, target: Target, iss: str | None) -> bool:
        """Whether ``iss`` of an authorization response, None for none, is what the target's would say (RFC 9207)."""
        raise self._cannot("redirect")

    @final
    def exchange_code(self, target: Target, grant: CodeGrant) -> Obtained:
        """Exchange an authorization code (RFC 6749 §4.1.3)."""
        with blame_typed_host(target):
            return self._exchange_code(target, grant)

    def _exchange_code(self, target: Target, grant: CodeGrant) -> Obtained:
        raise self._cannot("redirect")

    # --- by what is typed ---------------------------------------------------------------------------------------------
    @final
    def accept(self, target: Target, fields: Mapping[str, str]) -> Obtained:
        """Turn what the end user typed into a credential, fetching a first token where the style has one.

        Raises ``FieldInvalid`` naming a field that is missing, unknown or malformed.
        """
        typed = Credential(fields=checked_fields(target, fields))
        with blame_typed_host(target):
            return self._accept(target, typed)

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        """Return what is obtained with ``typed``, whose ``fields`` are checked: itself, unless there is a token."""
        return Obtained(credential=typed)

    # --- in use -------------------------------------------------------------------------------------------------------
    @final
    def refresh(self, target: Target, credential: Credential) -> Obtained:
        """Obtain the next credential (RFC 6749 §6). A response without a refresh token keeps the old one."""
        with blame_typed_host(target):
            return self._refresh(target, credential)

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        raise self._cannot("refresh")

    @final
    def reread(
        self, target: Target, answer: Response, *, previous: Credential | None, received_at: datetime
    ) -> Obtained:
        """Return what ``answer`` holds, which could not be read when it was received. No I/O.

        ``previous`` is the credential that was refreshed, None for the answer to a code. Asked where a refresh or an
        exchange raised ``providers.oauth.unread.AnswerUnread``. Raises what that call would.
        """
        method = target.oauth_method
        is_refresh = previous is not None and self.capabilities(target).needs_refresh_token
        document = admit(answer, method=method, is_refresh=is_refresh, clock=received_at.timestamp())
        return obtained(document, method=method, previous=previous)

    @final
    def present(self, target: Target, credential: Credential) -> Presentation:
        """Return how a caller uses ``credential``. No I/O."""
        return presenting.present(
            target,
            credential,
            auth_method=self.auth_method,
            value=self._value(target, credential) or SecretStr(""),
            params=self._params(target, credential),
        )

    def _value(self, target: Target, credential: Credential) -> SecretStr | None:
        """Return the one secret that stands for ``credential``."""
        return credential.access_token

    def _params(self, target: Target, credential: Credential) -> Mapping[str, str]:
        """Return what of ``credential`` is shown beside the target's own parameters."""
        return {}

    @final
    def probe(self, target: Target, credential: Credential) -> ProbeResult:
        """Make the entry's cheap authenticated call; an unreachable provider is a verdict, not an error."""
        return probing.probe(target, credential, self.present(target, credential))

    def identify(self, target: Target, obtained: Obtained, *, received_at: float) -> Account | None:
        """Return whose account the provider's own signature says that it is, None where nothing does.

        ``received_at``, an epoch, is when ``obtained`` was received.
        """
        return None

    def introspect(self, target: Target, credential: Credential, *, kind: TokenKind = TokenKind.ACCESS) -> ProbeResult:
        """Ask the introspection endpoint (RFC 7662) about a token; no answer is a verdict too, not an error."""
        raise self._cannot("introspect")

    def revoke(self, target: Target, credential: Credential, *, narrowed: bool = False) -> None:
        """Ask the provider to revoke the grant (RFC 7009), or with ``narrowed`` this credential alone, where it can.

        Its 200 proves nothing: probe afterwards.
        """
        raise self._cannot("revoke")

    @final
    def _cannot(self, what: str) -> NotImplementedError:
        return NotImplementedError(f"{self.style} does not {what}")
