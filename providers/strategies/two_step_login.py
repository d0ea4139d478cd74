"""Two-step login: a call makes a session token of what the end user typed, and is made again as the token ends.

What was typed is kept with the token, because only it brings the next one. There is no refresh token, so a lost answer
costs nothing but another login.
"""

from collections.abc import Mapping

from providers.catalog.calls import ErrorRule
from providers.catalog.pointer import value_at
from providers.catalog.resolve import Target
from providers.catalog.template import check_values
from providers.catalog.typed_methods import Login, TwoStepLoginMethod
from providers.errors import ClientRejected, Evidence, GrantRejected, MalformedResponse
from providers.oauth.classify import answered_at, failure_of, fields_in
from providers.oauth.expiry import access_life
from providers.oauth.token_response import extra_in, usable_token
from providers.response import Response
from providers.strategies.base import Capabilities, Strategy
from providers.strategies.calling import make_call
from providers.strategies.presenting import addressed, template_values
from providers.values import Credential, Obtained
from providers.vocabulary import Meaning

_REFUSED = (ErrorRule(status=401, means=Meaning.GRANT_REJECTED),)
_ENDED_ALREADY = frozenset({401, 404, 410})


class TwoStepLogin(Strategy):
    """Logs in with what was typed, and again as the session ends; logs out where the entry says how."""

    method = TwoStepLoginMethod
    title = "Login with a password"
    invitation = "Log in to {name} with a password"
    auth_method = "session"

    def _capabilities(self, target: Target) -> Capabilities:
        return Capabilities(refreshes=True, revokes=target.described_as(TwoStepLoginMethod).logout is not None)

    def _accept(self, target: Target, typed: Credential) -> Obtained:
        return self._refresh(target, typed)

    def _refresh(self, target: Target, credential: Credential) -> Obtained:
        described = target.described_as(TwoStepLoginMethod).login
        typed = Credential(fields=credential.fields)
        url, values = addressed(target.endpoints.token, typed), template_values(target, typed)
        check_values([target.endpoints.token, *described.headers.values()], values, needed="logging in needs")
        response = make_call(described, url, values)
        failure = failure_of(response, rules=(*described.errors, *_REFUSED))
        if isinstance(failure, ClientRejected):  # we have no registration there: what was typed is refused
            raise GrantRejected(failure.evidence)
        if failure is not None:
            raise failure
        return _read(described, response, typed)

    def revoke(self, target: Target, credential: Credential, *, narrowed: bool = False) -> None:
        described = target.described_as(TwoStepLoginMethod).logout
        if described is None:
            raise self._cannot("revoke")
        values = template_values(target, credential)
        check_values([target.endpoints.revocation, *described.headers.values()], values, needed="logging out needs")
        response = make_call(described, addressed(target.endpoints.revocation, credential), values)
        if response.status in _ENDED_ALREADY:
            return
        if (failure := failure_of(response, rules=())) is not None:
            raise failure


def _read(described: Login, response: Response, typed: Credential) -> Obtained:
    """Return the session that the answer brings. Raises ``MalformedResponse`` without a token where it should be."""
    document = fields_in(response)
    if described.token_header:
        token = usable_token(response.headers.get(described.token_header))
    else:
        token = usable_token(value_at(document, described.token or ""))
    if token is None:
        raise MalformedResponse(Evidence("The answer to the login holds no token.", status=response.status))
    whole = document if isinstance(document, Mapping) else {}
    life = access_life(whole, whole, expiry=described.expiry, clock=answered_at(response.headers))
    return Obtained(
        Credential(access_token=token, fields=typed.fields, extra=extra_in(document, described.extra)),
        lifetime_seconds=None if life.is_endless else life.seconds or described.default_lifetime_seconds,
        is_endless=life.is_endless,
    )
