"""Changes to what an entry signs, and to how it proves itself by a key: see ``mutations``."""

from collections.abc import Callable, Iterator
from typing import Any

from providers.dialects.life import Life

_LONGEST_SECONDS = {"jwt": 900, "assertion": 3600, "saml": 3600}
_BACKDATED_SECONDS = 30


def of_what_signs(
    life: Life, section: dict[str, Any], changed: Callable[..., dict[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each change of the ``section`` of a style that signs. ``changed`` returns the entry with other keys in it.

    Each change comes with the kind that it is of.
    """
    kind = life.fixture.kind
    if (asserted := section.get("client_assertion")) is not None:
        yield from _of_a_proof(asserted, lambda **keys: changed(client_assertion={**asserted, **keys}))
    if kind == "sigv4":
        yield "signature", changed(region=f"{section['region']}x")
        yield "signature", changed(service=f"{section['service']}x")
    elif kind == "oauth1":
        other = "HMAC-SHA256" if section.get("signature_method", "HMAC-SHA1") == "HMAC-SHA1" else "HMAC-SHA1"
        yield "signature", changed(signature_method=other)
        for name in ("temporary_credentials_url", "authorization_url", "token_url"):
            yield "signature", changed(**{name: f"{section[name]}/another"})
        if life.fixture.realm:
            yield "signature", changed(realm="another")
    elif kind == "exchange":
        is_microsoft = section.get("form") == "on_behalf_of"
        yield "grant", changed(form="token_exchange" if is_microsoft else "on_behalf_of")
    elif kind in ("jwt", "assertion"):
        key = "token" if kind == "jwt" else "assertion"
        token = section[key]
        yield from _of_a_token(life, token, lambda **keys: changed(**{key: {**token, **keys}}))
        if "exchange" in section:
            exchange = section["exchange"]
            yield from _of_an_exchange(exchange, lambda **keys: changed(exchange={**exchange, **keys}))
        if "revoke" in section:
            yield "grant", changed(revoke={**section["revoke"], "url": f"{section['revoke']['url']}/another"})
    elif kind == "saml":
        assertion = section["assertion"]
        yield from _of_an_assertion(life, assertion, lambda **keys: changed(assertion={**assertion, **keys}))


def _of_a_proof(
    asserted: dict[str, Any], changed: Callable[..., dict[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "claims", changed(audience="https://another.example")
    yield "claims", changed(issuer="another")
    for name in asserted.get("claims", {}):
        yield "claims", changed(claims={other: value for other, value in asserted["claims"].items() if other != name})
    if "algorithm" in asserted:
        yield "signature", changed(algorithm="RS256")


def _of_a_token(
    life: Life, token: dict[str, Any], changed: Callable[..., dict[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    said = life.fixture.signed
    assert said is not None
    claims = token.get("claims", {})
    for name in claims.keys() & said.claims.keys():
        yield "claims", changed(claims={other: value for other, value in claims.items() if other != name})
        yield "claims", changed(claims={**claims, name: f"{claims[name]}x"})
    if "kid" in said.header:
        yield "claims", changed(kid="")
        yield "claims", changed(kid=f"{token['kid']}x")
    if said.written == "hex":
        yield "signature", changed(key_encoding="text")
    else:
        yield "signature", changed(algorithm="ES256" if said.algorithm == "RS256" else "RS256")
    longest = _LONGEST_SECONDS[life.fixture.kind]
    if said.longest and longest > said.longest - (_BACKDATED_SECONDS if said.since == "iat" else 0):
        yield "lifetime", changed(lifetime_seconds=longest)


def _of_an_exchange(
    exchange: dict[str, Any], changed: Callable[..., dict[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "grant", changed(url=f"{exchange['url']}/another")
    yield "grant", changed(headers=dict.fromkeys(exchange.get("headers", {}), "Bearer another"))
    yield "token path", changed(token=f"{exchange['token']}/x")
    yield "expiry form", changed(expiry={"field": "another"})
    yield "error rules", changed(errors=[])


def _of_an_assertion(
    life: Life, assertion: dict[str, Any], changed: Callable[..., dict[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    said = life.fixture.signed
    assert said is not None
    for name in said.claims.keys() & {"subject", "audience", "recipient", "issuer"}:
        yield "claims", changed(**{name: "another"})
    attributes = assertion.get("attributes", {})
    for name in said.claims.keys() & attributes.keys():
        yield "claims", changed(attributes={other: value for other, value in attributes.items() if other != name})
        yield "claims", changed(attributes={**attributes, name: "another"})
    yield "signature", changed(encoding="base64url" if assertion.get("encoding") == "base64" else "base64")
