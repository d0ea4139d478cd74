"""The words of the widget: every failure has some, and no two failures are told alike."""

import pytest

from connections import refusals
from connections.consent.words import WORDS_OF, failure_named
from connections.models.failures import Failure
from connections.refusals import Refusal, SessionUnusable

# Refusals that only the API knows, because no page of the widget does what they are about.
ONLY_IN_THE_API = {
    "ambiguous_connection",
    "answer_refused",
    "approval_required",
    "bundle_refused",
    "client_held",
    "completion_mismatch",
    "cursor_expired",
    "idempotency_key_in_use",
    "idempotency_key_reused",
    "idempotent_answer_gone",
    "identity_token_refused",
    "insufficient_scope",
    "interaction_required",
    "invalid_request",
    "issuer_unavailable",
    "method_not_allowed",
    "min_ttl_unavailable",
    "not_found",
    "paused",
    "quarantined",
    "pending",
    "permission_denied",
    "policy_denied",
    "precondition_failed",
    "provider_timeout",
    "rate_limited",
    "reauthorization_required",
    "refresh_in_progress",
    "refused",
    "request_timeout",
    "subject_token_refused",
    "subject_token_required",
    "throttled",
    "unauthorized",
}


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_has_words_of_its_own(failure: Failure) -> None:
    words = WORDS_OF[failure]
    assert words.title
    assert words.advice.endswith(".")
    assert [other for other in Failure if WORDS_OF[other].title == words.title] == [failure]


def test_every_refusal_is_told_as_what_it_is() -> None:
    """A fault of ours is the answer to those alone that no page expects."""
    known = [
        item
        for item in vars(refusals).values()
        if isinstance(item, type) and issubclass(item, Refusal) and item is not SessionUnusable
    ]
    assert len(known) > 15
    untold = {item.code for item in known if failure_named(item("")) is Failure.INTERNAL}
    assert untold <= ONLY_IN_THE_API
    for failure in Failure:
        assert failure_named(SessionUnusable(failure)) is failure
    assert failure_named(SessionUnusable("what a provider called it")) is Failure.INTERNAL
