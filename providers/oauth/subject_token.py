"""Exchanging the token of a subject: RFC 8693, and Microsoft's on-behalf-of form of RFC 7523.

Owns the two requests, and what their refusals mean. ``token_endpoint`` sends them.
"""

import json
from collections.abc import Mapping
from dataclasses import replace

from providers.answer_text import document_of
from providers.catalog.exchange_method import TOKEN_TYPE, TokenExchangeMethod
from providers.catalog.resolve import Target
from providers.catalog.template import render
from providers.errors import GrantRejected, InteractionRequired, ProviderError
from providers.oauth import token_endpoint
from providers.oauth.classify import json_object
from providers.response import Response
from providers.values import Obtained, SubjectGrant

TOKEN_EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a name
JWT_BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

# OpenID Connect Core §3.1.2.6. Microsoft answers the first to an exchange, with ``claims`` beside it.
_ASKS_FOR_THE_SUBJECT = frozenset({"interaction_required", "login_required", "consent_required"})
# Microsoft says so beside an error that is invalid_grant.
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes (2026-11-29)
_SUBERRORS = frozenset({"consent_required", "basic_action"})
_LONGEST_CLAIMS = 4096


def exchange_subject(*, target: Target, grant: SubjectGrant) -> Obtained:
    """Return a token that acts for the subject of ``grant.token``. Calls the provider.

    A refresh token in the answer is not kept: whoever vends brings a token of the subject each time. Raises
    ``GrantRejected`` for a token that is refused, and ``InteractionRequired``.
    """
    token = grant.token.get_secret_value()
    found = token_endpoint.exchange_subject(
        target=target,
        form=_form(target.described_as(TokenExchangeMethod), token, target.params),
        scopes=grant.scopes,
        meaning=lambda failure, answer: _meaning(failure, answer, token),
    )
    return replace(found, credential=replace(found.credential, refresh_token=None), id_token=None)


def _form(method: TokenExchangeMethod, token: str, params: Mapping[str, str]) -> Mapping[str, str]:
    if method.form == "on_behalf_of":
        return {"grant_type": JWT_BEARER_GRANT, "assertion": token, "requested_token_use": "on_behalf_of"}
    wanted = method.requested_token_type
    optional = {
        "audience": render(method.audience, params),
        "requested_token_type": f"{TOKEN_TYPE}{wanted}" if wanted else "",
    }
    return {
        "grant_type": TOKEN_EXCHANGE_GRANT,
        "subject_token": token,
        "subject_token_type": f"{TOKEN_TYPE}{method.subject_token_type}",
        **{name: value for name, value in optional.items() if value},
    }


def _meaning(failure: ProviderError, answer: Response, token: str) -> ProviderError:
    """Return what ``failure`` by ``answer`` is: RFC 8693 §2.2.2 refuses a bad token with ``invalid_request``."""
    evidence = failure.evidence
    said_beside = json_object(answer).get("suberror")
    if evidence.error in _ASKS_FOR_THE_SUBJECT or (isinstance(said_beside, str) and said_beside in _SUBERRORS):
        asked = InteractionRequired(evidence)
        asked.claims = _claims_in(answer, token)
        return asked
    return GrantRejected(evidence) if evidence.error == "invalid_request" else failure


def _claims_in(answer: Response, token: str) -> str:
    """Return the claims that a sign-in has to ask for, as JSON; "" without usable ones, and if they quote ``token``."""
    found = json_object(answer).get("claims")
    document = document_of(found) if isinstance(found, str) and len(found) <= _LONGEST_CLAIMS else None
    return json.dumps(document) if isinstance(document, dict) and token not in str(found) else ""
