"""The one interface of every auth style: what each can do, and the steps that all of them share.

Callers use final methods, which do the shared steps: check typed fields before any use, mark a refusal by a host that
the end user typed, take each probe from the entry. A style fills in the hooks, whose names begin with an underscore, so
that it cannot forget a shared step. Callers ask ``capabilities``, ``redirects`` and the entry's section for the style
(``providers.catalog.methods``) what a style can do. They never ask which style it is.

A strategy does HTTP through ``providers.egress`` and nothing else: no database, no clock, no decision about status.
All methods raise only ``providers.errors.ProviderError``; each may block up to the egress client's total deadline.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, final

from pydantic import SecretStr

from providers.catalog.base_method import Method
from providers.catalog.resolve import Target
from providers.errors import FieldInvalid
from providers.oauth.token_response import admit, obtained
from providers.response import Response
from providers.strategies import presenting, probing
from providers.strategies.blame import blamed
from providers.strategies.calling import Attached, Sending
from providers.strategies.fields import checked_fields
from providers.values import (
    Account,
    AuthorizationRequest,
    Brought,
    CodeGrant,
    Credential,
    Departure,
    DeviceAuthorization,
    Obtained,
    Presentation,
    ProbeResult,
    SubjectGrant,
)
from providers.vocabulary import ProbeVerdict, TokenKind


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a strategy can do for one target. To ask for more is a programming error.

    ``needs_refresh_token``: a credential without a refresh token cannot be refreshed. ``rotates``: a refresh may
    invalidate the refresh token that it used, so that an unanswered refresh is in doubt. ``ends_grant``: revoking one
    credential ends everything that the account has granted. ``narrows``: one credential can be revoked alone.
    ``asks_first``: the provider is called before the end user is sent to it. ``asks_nobody``: a refresh makes the next
    credential here, so that its success proves nothing.
    """

    refreshes: bool = False
    needs_refresh_token: bool = False
    rotates: bool = False
    revokes: bool = False
    ends_grant: bool = False
    narrows: bool = False
    introspects: bool = False
    probes: bool = False
    asks_first: bool = False
    asks_nobody: bool = False


class Strategy(ABC):
    """One auth style. Stateless: everything comes in as arguments.

    ``method`` is the class of the entry's section for this style. ``title`` names the style to operators;
    ``invitation`` invites the end user to connect by it (``{name}`` is the provider's name); ``auth_method`` is what a
    vend calls such a credential.
    """

    method: ClassVar[type[Method]]
    title: ClassVar[str]
    invitation: ClassVar[str]
    auth_method: ClassVar[str] = "bearer"

    @property
    def style(self) -> str:
        """The name of the style in the database and in API answers."""
        return self.method.style

    @property
    def redirects(self) -> bool:
        """Whether the end user is sent to the provider, and comes back to our callback."""
        return self.method.redirects

    @property
    def shows_code(self) -> bool:
        """Whether the end user enters a code at the provider's page, while we wait."""
        return self.method.shows_code

    @property
    def by_consent(self) -> bool:
        """Whether the end user decides on the provider's own page, so that we need a client id and say which scopes."""
        return self.redirects or self.shows_code

    # --- what the style can do ----------------------------------------------------------------------------------------
    @final
    def capabilities(self, target: Target) -> Capabilities:
        """Return what the strategy can do for ``target``. No I/O."""
        return replace(self._capabilities(target), probes=probing.can_probe(target) and not self.per_subject)

    @abstractmethod
    def _capabilities(self, target: Target) -> Capabilities:
        """Return what the style itself can do for ``target``. Whether it can probe is not the style's decision."""

    @final
    def can_refresh(self, target: Target, credential: Credential) -> bool:
        """Whether ``credential`` can be refreshed. No I/O."""
        can = self.capabilities(target)
        return can.refreshes and (credential.refresh_token is not None or not can.needs_refresh_token)

    def expects_refresh_token(self, target: Target, scopes: Sequence[str], *, ends: bool) -> bool:
        """Whether a grant of these ``scopes`` should bring a refresh token. ``ends``: its access token expires."""
        return False

    # --- by the provider's own page -----------------------------------------------------------------------------------
    def new_verifier(self, target: Target) -> str | None:
        """Return a fresh code verifier (RFC 7636 §4.1), or None if requests to ``target`` carry no challenge."""
        return None

    @final
    def depart(self, target: Target, request: AuthorizationRequest) -> Departure:
        """Return where to send the end user's browser (RFC 6749 §4.1.1). No I/O unless the style ``asks_first``."""
        with blamed(target):
            return self._depart(target, request)

    def _depart(self, target: Target, request: AuthorizationRequest) -> Departure:
        raise self._cannot("redirect")

    def issuer_agrees(self, target: Target, iss: str | None) -> bool:
        """Whether the ``iss`` of an authorization response (None if absent) fits the target (RFC 9207). No I/O."""
        raise self._cannot("redirect")

    @final
    def exchange_code(self, target: Target, grant: CodeGrant) -> Obtained:
        """Exchange an authorization code (RFC 6749 §4.1.3). Calls the provider."""
        with blamed(target):
            return self._exchange_code(target, grant)

    def _exchange_code(self, target: Target, grant: CodeGrant) -> Obtained:
        raise self._cannot("redirect")

    def of_this_request(self, target: Target, obtained: Obtained, *, nonce: str) -> Obtained:
        """Return what a code brought, once its ID token is found to repeat ``nonce``, the one that was sent. No I/O.

        ``nonce`` is "" where none was sent. Raises ``IdentityMismatch`` if the token repeats another request's.
        """
        return obtained

    # --- by a code to enter at the provider's own page ----------------------------------------------------------------
    @final
    def ask_for_code(self, target: Target, scopes: Sequence[str]) -> DeviceAuthorization:
        """Ask for a code that the end user enters at the provider (RFC 8628 §3.1). Calls the provider."""
        with blamed(target):
            return self._ask_for_code(target, scopes)

    def _ask_for_code(self, target: Target, scopes: Sequence[str]) -> DeviceAuthorization:
        raise self._cannot("show a code")

    @final
    def poll(self, target: Target, device_code: SecretStr) -> Obtained:
        """Ask once how it went (RFC 8628 §3.4). Calls the provider; callers keep to the interval.

        Raises ``AuthorizationPending`` while it is open, ``DeviceCodeExpired`` and ``AccessDenied``.
        """
        with blamed(target):
            return self._poll(target, device_code)

    def _poll(self, target: Target, device_code: SecretStr) -> Obtained:
        raise self._cannot("show a code")

    # --- on behalf of a subject ---------------------------------------------------------------------------------------
    @property
    def per_subject(self) -> bool:
        """Whether a connection has no credential of its own: each caller brings a token of the subject it serves."""
        return self.method.per_subject

    @final
    def exchange_subject(self, target: Target, grant: SubjectGrant) -> Obtained:
        """Exchange a subject's token for one that acts for them here (RFC 8693). Calls the provider.

        Raises ``GrantRejected`` if it refuses that token, and ``InteractionRequired``.
        """
        with blamed(target):
            return self._exchange_subject(target, grant)

    def _exchange_subject(self, target: Target, grant: SubjectGrant) -> Obtained:
        raise self._cannot("act for a subject")

    # --- by what is typed ---------------------------------------------------------------------------------------------
    @final
    def accept(self, target: Target, fields: Mapping[str, str]) -> Obtained:
        """Turn the typed ``fields`` into a credential. Fetches a first token, if the style has tokens.

        Raises ``FieldInvalid`` naming a field that is missing, unknown or malformed.
        """
        typed = Credential(fields=checked_fields(target, fields))
        with blamed(target):
            return self._accept(target, typed)

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        """Return the credential for ``typed``, whose ``fields`` are checked: ``typed`` itself, or a first token."""
        return Obtained(credential=typed)

    # --- from another system ------------------------------------------------------------------------------------------
    @final
    def bring(self, target: Target, brought: Brought) -> Credential:
        """Return the credential that another system has kept until now. No I/O.

        Raises ``FieldInvalid`` naming the part that is missing, unknown or malformed.
        """
        if self.per_subject:
            raise FieldInvalid("provider", f"{target.entry.name} has no credential of its own to bring.")
        return self._bring(target, brought)

    def _bring(self, target: Target, brought: Brought) -> Credential:
        """Return the credential whose secrets the end user typed. A token beside them is kept if the style has them."""
        has_tokens = self._capabilities(target).refreshes
        if brought.refresh_token is not None or (
            brought.access_token is not None and not has_tokens and brought.fields
        ):
            raise FieldInvalid("access_token", f"{target.entry.name} connects without tokens, by what is typed.")
        typed = {name: value.get_secret_value() for name, value in brought.fields.items()}
        loose = brought.value or (None if has_tokens else brought.access_token)
        if loose is not None:
            expected = next((item.name for item in target.entry.fields_of(self.style) if item.secret), "")
            if not expected or expected in typed:
                raise FieldInvalid("key", f"{target.entry.name} has no field for it: name the field.")
            typed[expected] = loose.get_secret_value()
        return Credential(
            access_token=brought.access_token if has_tokens else None, fields=checked_fields(target, typed)
        )

    # --- in use -------------------------------------------------------------------------------------------------------
    @final
    def refresh(self, target: Target, credential: Credential) -> Obtained:
        """Obtain the next credential (RFC 6749 §6). Calls the provider. No new refresh token: the old one is kept."""
        with blamed(target):
            return self._refresh(target, credential)

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        raise self._cannot("refresh")

    @final
    def reread(
        self, target: Target, answer: Response, *, previous: Credential | None, received_at: datetime
    ) -> Obtained:
        """Read ``answer`` again, which could not be read when it was received. No I/O.

        The lifecycle calls this if a refresh or an exchange raised ``providers.oauth.unread.AnswerUnread``.
        ``previous`` is the credential that was refreshed, None for the answer to a code. Raises what that call would.
        """
        method = target.oauth_method
        is_refresh = previous is not None and self.capabilities(target).needs_refresh_token
        document = admit(answer, method=method, is_refresh=is_refresh, clock=received_at.timestamp())
        return obtained(document, method=method, previous=previous)

    @final
    def present(self, target: Target, credential: Credential) -> Presentation:
        """Return how a caller uses ``credential``, or that it is used through the proxy only. No I/O."""
        whole = self._attached(target, credential)
        return presenting.withheld(target, credential, whole) if target.proxy_only else whole

    @final
    def attach(self, target: Target, credential: Credential) -> Attached:
        """Return ``credential`` as a request from here gets it: whole, also where callers get none of it. No I/O."""
        shown = self._attached(target, credential)
        secrets = presenting.give_aways(target, credential, shown)
        return Attached(shown, tuple(self._sendings(target, credential)), secrets)

    @final
    def _attached(self, target: Target, credential: Credential) -> Presentation:
        """Return all that goes into a request with ``credential``."""
        return presenting.present(
            target,
            credential,
            auth_method=self.auth_method,
            value=self._value(target, credential),
            params=self._params(target, credential),
        )

    def _value(self, target: Target, credential: Credential) -> SecretStr | None:
        """Return the secret that templates use as the value of ``credential``, or None if it has none."""
        return credential.access_token

    def _params(self, target: Target, credential: Credential) -> Mapping[str, str]:
        """Return the parameters from ``credential`` to show beside the target's own."""
        return {}

    @final
    def probe(self, target: Target, credential: Credential) -> ProbeResult:
        """Make the entry's cheap authenticated call (HTTP). An unreachable provider is a verdict, not an error."""
        whole = self._attached(target, credential)
        found = ProbeResult(ProbeVerdict.UNAVAILABLE)
        for sending in self._sendings(target, credential):
            found = probing.probe(target, credential, whole, sending)
            if found.verdict is not ProbeVerdict.DEAD and not found.refuses_client:
                break
        return found

    def _sendings(self, target: Target, credential: Credential) -> Iterable[Sending]:
        """Return the ways in which a request with ``credential`` may leave. If one is refused, the next is tried."""
        return (Sending(),)

    def identify(self, target: Target, obtained: Obtained, *, received_at: float) -> Account | None:
        """Return the account that the provider has signed for, or None if it has signed nothing usable.

        ``received_at`` is the epoch at which ``obtained`` was received. May fetch the issuer's keys (HTTP).
        """
        return None

    def introspect(self, target: Target, credential: Credential, *, kind: TokenKind = TokenKind.ACCESS) -> ProbeResult:
        """Ask the introspection endpoint (RFC 7662) about a token. No answer is a verdict, too, not an error."""
        raise self._cannot("introspect")

    def revoke(self, target: Target, credential: Credential, *, narrowed: bool = False) -> None:
        """Ask the provider to revoke the grant (RFC 7009), or with ``narrowed`` this credential alone.

        Calls the provider. Its 200 proves nothing: probe afterwards.
        """
        raise self._cannot("revoke")

    @final
    def _cannot(self, what: str) -> NotImplementedError:
        return NotImplementedError(f"{self.style} does not {what}")
