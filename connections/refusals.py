"""The named refusals of the lifecycle: what an entrance turns into an answer.

Each has a stable ``code`` that callers may rely on, and a ``detail`` for people that says what to do. Neither ever
holds a secret or a provider's free text.
"""

from typing import Any, ClassVar


class Refusal(Exception):
    """A request was refused. ``detail`` tells people what to do.

    ``extra`` holds further members of the answer, JSON-ready; the subclasses name theirs. ``retry_after_seconds`` says
    when the same request may succeed, if that is known.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, detail: str, *, retry_after_seconds: float | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        self.extra = extra


class NotFound(Refusal):
    """No such thing, or another tenant's: the answer is the same."""

    code = "not_found"


class InvalidRequest(Refusal):
    """The request cannot be carried out as it is; ``field`` names the member at fault."""

    code = "invalid_request"


class CursorExpired(Refusal):
    """Events after the caller's cursor have been deleted; ``cursor`` is where the kept events begin."""

    code = "cursor_expired"


class Unauthorized(Refusal):
    """No valid API key came with the call."""

    code = "unauthorized"


class IssuerUnavailable(Refusal):
    """The keys of a token's issuer cannot be had, so nobody knows whether the token is genuine."""

    code = "issuer_unavailable"


class IdentityTokenRefused(Refusal):
    """The token that names the end user or the agent is not believed; ``field`` names the member that held it."""

    code = "identity_token_refused"


class PermissionDenied(Refusal):
    """The API client lacks the permission that the call needs."""

    code = "permission_denied"


class ReauthorizationRequired(Refusal):
    """The grant is gone: its end user has to connect again."""

    code = "reauthorization_required"


class Pending(Refusal):
    """The connection is held and waits for the confirmation of the end user's session."""

    code = "pending"


class AmbiguousConnection(Refusal):
    """More than one connection matches; ``connections`` lists each with ``id``, ``label`` and ``account``."""

    code = "ambiguous_connection"


class PolicyDenied(Refusal):
    """The caller may not use this connection for this subject.

    ``rule`` is the stable name of what denies it (``policy.decide.Rule``). ``grant`` is the id of the access grant that
    came nearest to allowing it, if there is one.
    """

    code = "policy_denied"


class ApprovalRequired(Refusal):
    """Somebody has to approve this first: ``approval`` is the id of the question, ``approve_url`` where to answer it.

    ``grant`` is the id of the access grant that asks for it. It waits for an answer until ``expires_at``.
    """

    code = "approval_required"


class InsufficientScope(Refusal):
    """The connection lacks scopes that the caller needs; ``missing_scopes`` lists them."""

    code = "insufficient_scope"


class PreconditionFailed(Refusal):
    """What is to be changed is no longer what the caller has seen (``If-Match``)."""

    code = "precondition_failed"


class IdempotencyKeyReused(Refusal):
    """The idempotency key stands for another request of the same client; ``field`` names the header."""

    code = "idempotency_key_reused"


class IdempotencyKeyInUse(Refusal):
    """The first call with this idempotency key is under way."""

    code = "idempotency_key_in_use"


class IdempotentAnswerGone(Refusal):
    """The call with this idempotency key was carried out, and what it answered was forgotten."""

    code = "idempotent_answer_gone"


class Suspended(Refusal):
    """An operator has switched off this tenant, provider app, API client or connection."""

    code = "suspended"


class ClientHeld(Refusal):
    """The API client's use was suspicious: somebody has to vouch for it, or to give it a fresh key."""

    code = "client_held"


class Throttled(Refusal):
    """The API client's use was suspicious, so it is slowed down."""

    code = "throttled"


class Busy(Refusal):
    """It cannot be done at the moment, and may be in a moment: too many wait for it already, or a key is not there."""

    code = "busy"


class Paused(Suspended):
    """An operator has paused this: a valid credential still vends, but the provider is not called."""

    code = "paused"


class Quarantined(Refusal):
    """The database was put back, and the stored refresh token may have been used up since: it is not sent.

    ``connect_url`` is where the end user connects again, which ends it for this connection.
    """

    code = "quarantined"


class MinTtlUnavailable(Refusal):
    """No credential lives as long as the caller needs; ``longest_seconds`` is the longest lifetime to be had."""

    code = "min_ttl_unavailable"


class SubjectTokenRequired(Refusal):
    """The connection acts for subjects, and the caller brought no token of one."""

    code = "subject_token_required"


class SubjectTokenRefused(Refusal):
    """The provider refuses the token that the caller brought of a subject; ``reason`` is the provider's error code."""

    code = "subject_token_refused"


class InteractionRequired(Refusal):
    """The subject has to sign in anew before anybody may act for them. ``claims``: what that has to ask for, or ""."""

    code = "interaction_required"


class CredentialUnreadable(Refusal):
    """The stored secret does not open. Nothing is wrong with the grant itself."""

    code = "credential_unreadable"


class AppMisconfigured(Refusal):
    """The provider refuses our client registration, or the provider app lacks something."""

    code = "app_misconfigured"


class EndpointMoved(AppMisconfigured):
    """The provider app's endpoints have changed since they issued the credential, or since its client secrets came."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, reason="endpoint_moved")


class AnswerUnreadable(Refusal):
    """The provider's answer could not be read. It is kept until the catalogue entry is mended."""

    code = "answer_unreadable"


class ProviderDown(Refusal):
    """The provider cannot be reached or cannot answer now."""

    code = "provider_unavailable"


class RefreshInProgress(Refusal):
    """No valid token is left and its refresh has not ended yet."""

    code = "refresh_in_progress"


class SessionUnusable(Refusal):
    """The connect session is expired, used, failed or not the caller's; ``failure`` says which.

    ``failure`` is a ``Failure`` or the code with which the session ended. ``detail`` is for the API alone: the widget
    has words of its own.
    """

    code = "session_unusable"

    def __init__(self, failure: str, detail: str = "", **extra: Any) -> None:
        super().__init__(detail or f"The connect session cannot be used: {failure}.", failure=failure, **extra)
        self.failure = failure


class CompletionMismatch(Refusal):
    """The completion code belongs to another session, or the end user is another one. The held grant is destroyed."""

    code = "completion_mismatch"


class ExchangeFailed(Refusal):
    """The provider refused the code or the key, so nothing was connected; ``reason`` is a stable code."""

    code = "exchange_failed"


class NoWorkspace(Refusal):
    """The end user's account has nothing to connect to yet; on ``website`` of the provider they can change that."""

    code = "no_workspace"


class AccountNotPermitted(Refusal):
    """The end user's account lacks a right that connecting needs; ``website`` is the provider's."""

    code = "account_not_permitted"


class AccountMismatch(Refusal):
    """A reconnect came back with another account at the provider."""

    code = "account_mismatch"


class RequestTooLarge(Refusal):
    """The request's body is larger than may be sent."""

    code = "request_too_large"


class CallerTooSlow(Refusal):
    """The request's body did not come in time."""

    code = "request_timeout"


class RateLimited(Refusal):
    """The provider's rate limit leaves no turn for this caller within the time that it waits."""

    code = "rate_limited"


class ProviderLate(Refusal):
    """The provider did not answer a proxied request in time."""

    code = "provider_timeout"


class AnswerRefused(Refusal):
    """The provider's answer to a proxied request is not passed on; ``reason`` is a stable word that says why."""

    code = "answer_refused"


class BundleRefused(Refusal):
    """An exit bundle cannot be imported; ``reason`` is a stable word that says why, ``signer`` who signed it."""

    code = "bundle_refused"


class MethodNotAllowed(Refusal):
    """The address does not know the request's method."""

    code = "method_not_allowed"
