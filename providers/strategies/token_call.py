"""A call of an entry's own that brings a token, and the one that ends it. Shared by the styles that make such calls."""

from collections.abc import Mapping

from providers.catalog.calls import Call, ErrorRule
from providers.catalog.pointer import value_at
from providers.catalog.resolve import Target
from providers.catalog.template import check_values
from providers.catalog.typed_methods import Login
from providers.errors import ClientRejected, Evidence, MalformedResponse
from providers.oauth.classify import answered_at, failure_of, fields_in
from providers.oauth.expiry import access_life
from providers.oauth.token_response import extra_in, usable_token
from providers.response import Response
from providers.strategies.calling import make_call
from providers.strategies.presenting import addressed, template_values
from providers.values import Credential, Obtained
from providers.vocabulary import Meaning

_ENDED_ALREADY = frozenset({401, 404, 410})


def bring(
    target: Target,
    described: Login,
    typed: Credential,
    *,
    values: Mapping[str, str] | None = None,
    refuses: Meaning = Meaning.GRANT_REJECTED,
) -> Obtained:
    """Make the call at the target's token endpoint, and return the token that it brings. HTTP.

    ``values`` are added to what templates know of ``typed``, which is kept with the token. ``refuses`` is what a 401
    means. Raises ``MalformedResponse`` without a token where it should be, and what the entry's rules say.
    """
    url = addressed(target.endpoints.token, typed)
    known = {**template_values(target, typed), **(values or {})}
    check_values([target.endpoints.token, *described.headers.values()], known, needed="this call needs")
    response = make_call(described, url, known)
    rules = (*described.errors, ErrorRule(status=401, means=refuses))
    failure = failure_of(response, rules=rules)
    if isinstance(failure, ClientRejected) and refuses is Meaning.GRANT_REJECTED:
        raise failure.of_the_grant()  # we have no registration there: what was typed is refused
    if failure is not None:
        raise failure
    return _read(described, response, typed)


def end(target: Target, described: Call, credential: Credential) -> None:
    """Make the call at the target's revocation endpoint that ends the token of ``credential``. HTTP.

    A token that is gone already is no failure.
    """
    values = template_values(target, credential)
    check_values([target.endpoints.revocation, *described.headers.values()], values, needed="ending it needs")
    response = make_call(described, addressed(target.endpoints.revocation, credential), values)
    if response.status in _ENDED_ALREADY:
        return
    if (failure := failure_of(response, rules=())) is not None:
        raise failure


def _read(described: Login, response: Response, typed: Credential) -> Obtained:
    document = fields_in(response)
    if described.token_header:
        token = usable_token(response.headers.get(described.token_header))
    else:
        token = usable_token(value_at(document, described.token or ""))
    if token is None:
        raise MalformedResponse(Evidence("The answer holds no token.", status=response.status))
    whole = document if isinstance(document, Mapping) else {}
    life = access_life(whole, whole, expiry=described.expiry, clock=answered_at(response.headers))
    return Obtained(
        Credential(access_token=token, fields=typed.fields, extra=extra_in(document, described.extra)),
        lifetime_seconds=None if life.is_endless else life.seconds or described.default_lifetime_seconds,
        is_endless=life.is_endless,
    )
