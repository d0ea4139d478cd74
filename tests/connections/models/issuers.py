"""The constraints on trusted issuers and what was proven by them: what breaks each, and what comes close."""

import uuid
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from connections.models import ApiClient, CallerRule, TrustedIssuer, UsedAssertion
from tests.factories import make_caller

Act = Callable[[Any], object]


def issuer(cast: Any, **values: Any) -> TrustedIssuer:
    fields = {"tenant": cast.acme, "use": "caller", "issuer": "https://i.example", "audience": "us", **values}
    return TrustedIssuer.objects.create(algorithms=["RS256"], **fields)


def rule(cast: Any, conditions: Any) -> CallerRule:
    client = make_caller(cast.acme, uuid.uuid4().hex).client
    return CallerRule.objects.create(issuer=issuer(cast), client=client, conditions=conditions)


def used(client: ApiClient, jti: bytes = b"1") -> UsedAssertion:
    return UsedAssertion.objects.create(client=client, jti_hash=jti, expires_at=timezone.now())


def used_twice(cast: Any) -> None:
    client = make_caller(cast.acme, "one").client
    used(client)
    used(client)


def used_apart(cast: Any) -> None:
    one, other = (make_caller(cast.acme, name).client for name in ("one", "other"))
    used(one)
    used(one, b"2")
    used(other)


def twice(make: Act) -> Act:
    return lambda cast: (make(cast), make(cast))


ISSUERS: dict[str, tuple[list[Act], list[Act]]] = {
    "trusted_issuer_once": (
        [twice(issuer), twice(lambda cast: issuer(cast, tenant=None))],
        [
            lambda cast: [issuer(cast, tenant=tenant) for tenant in (cast.acme, cast.globex, None)],
            lambda cast: [issuer(cast, audience=audience) for audience in ("us", "them")],
            lambda cast: [issuer(cast, use=use) for use in ("caller", "end_user", "agent")],
        ],
    ),
    "trusted_issuer_is_named": (
        [
            lambda cast: issuer(cast, issuer=""),
            lambda cast: issuer(cast, audience=""),
            lambda cast: issuer(cast, claim=""),
        ],
        [issuer],
    ),
    "trusted_issuer_has_keys_or_says_where_they_are": (
        [lambda cast: issuer(cast, keys=[], jwks_url="https://i.example/keys")],
        [
            lambda cast: [
                issuer(cast, keys=[]),
                issuer(cast, issuer="https://j.example", jwks_url="https://i.example/keys"),
            ]
        ],
    ),
    "trusted_issuer_names_the_tenant": (
        [lambda cast: issuer(cast, tenant=None, use="end_user")],
        [
            lambda cast: [
                issuer(cast, tenant=None, use="end_user", tenant_claim="org"),
                issuer(cast, tenant=None, use="agent"),
                issuer(cast, use="end_user"),
            ]
        ],
    ),
    "trusted_issuer_has_bounds": (
        [
            lambda cast: issuer(cast, max_lifetime_seconds=59),
            lambda cast: issuer(cast, max_lifetime_seconds=86_401),
            lambda cast: issuer(cast, leeway_seconds=301),
        ],
        [lambda cast: issuer(cast, max_lifetime_seconds=86_400, leeway_seconds=300)],
    ),
    "caller_rule_has_conditions": (
        [lambda cast: rule(cast, [])],
        [lambda cast: rule(cast, [{"claim": "sub", "equals": "x"}])],
    ),
    "assertion_used_once": ([used_twice], [used_apart]),
}
