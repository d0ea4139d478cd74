"""An API client that signs for itself, once with each assertion."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from connections.journal.audit import SYSTEM
from connections.lifecycle.identify.assertions import prove_by_assertion
from connections.lifecycle.provision.api_clients import register_assertion_keys
from connections.lifecycle.provision.callers import known_by
from connections.models import AuditEvent, ProvenToken
from connections.refusals import Unauthorized
from tests.factories import Caller, make_caller, make_tenant
from tests.issuing import ODD_CLAIMS, public_jwk, sign, signed_with_the_public_key, unsigned

pytestmark = pytest.mark.django_db
HERE = ("https://latchkey.example", "https://latchkey.example/api/v1/oauth/token")


@pytest.fixture
def signer(db: None) -> Caller:
    """A client that has registered a key."""
    caller = make_caller(make_tenant("acme"))
    register_assertion_keys(caller.client, keys=[public_jwk("client")], actor=SYSTEM)
    return caller


def said(caller: Caller, **changes: Any) -> dict[str, Any]:
    now, name = int(time.time()), str(caller.client.id)
    made = {"iss": name, "sub": name, "aud": HERE[1], "jti": "1", "iat": now, "exp": now + 60, **changes}
    return {name: value for name, value in made.items() if value is not None}


def prove(assertion: str, client_id: str = "") -> bytes:
    return prove_by_assertion(assertion, audiences=HERE, client_id=client_id, address="127.0.0.1")


@pytest.mark.parametrize("audience", HERE)
def test_a_signer_is_known_for_a_while(signer: Caller, audience: str) -> None:
    passed = prove(sign(said(signer, aud=audience), "client"), client_id=str(signer.client.id))
    known = known_by(passed, address=None)
    assert known is not None
    assert (known.client, known.proof) == (
        signer.client,
        {"issuer": str(signer.client.id), "subject": str(signer.client.id)},
    )


def test_an_assertion_serves_once(signer: Caller) -> None:
    assertion = sign(said(signer), "client")
    prove(assertion)
    for again in (assertion, sign(said(signer), "client"), sign(said(signer, aud=HERE[0]), "client")):
        with pytest.raises(Unauthorized):
            prove(again)
    assert AuditEvent.objects.get(action="caller_token.refused").decision == "replayed"
    prove(sign(said(signer, jti="2"), "client"))


def test_an_assertion_that_was_refused_is_not_used_up(signer: Caller) -> None:
    with pytest.raises(Unauthorized):
        prove(sign(said(signer), "stranger", header={"kid": "client"}))
    assert prove(sign(said(signer), "client"))


FORGED: dict[str, Callable[[Caller], str]] = {
    "unsigned": lambda it: unsigned(said(it), {"alg": "none"}),
    "signed with the public key": lambda it: signed_with_the_public_key(said(it), "client"),
    "by a stranger": lambda it: sign(said(it), "stranger", header={"kid": "client"}),
    "for another server": lambda it: sign(said(it, aud="https://other.example"), "client"),
    "for two servers": lambda it: sign(said(it, aud=[HERE[0], "https://other.example"]), "client"),
    "by another issuer": lambda it: sign(said(it, iss="https://i.example"), "client"),
    "for another client": lambda it: sign(said(it, sub=str(make_caller(None).client.id)), "client"),
    "of a client in capitals": lambda it: sign(
        said(it, iss=str(it.client.id).upper(), sub=str(it.client.id).upper()), "client"
    ),
    "of nobody": lambda it: sign(said(it, iss="nobody", sub="nobody"), "client"),
    "without an id": lambda it: sign(said(it, jti=None), "client"),
    "with an odd id": lambda it: sign(said(it, jti=7), "client"),
    "with a long id": lambda it: sign(said(it, jti="x" * 256), "client"),
    "expired": lambda it: sign(said(it, iat=int(time.time()) - 200, exp=int(time.time()) - 100), "client"),
    "without an end": lambda it: sign(said(it, exp=None), "client"),
    "that lives for a day": lambda it: sign(said(it, exp=int(time.time()) + 86_400), "client"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_assertion_is_refused(signer: Caller, kind: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        prove(FORGED[kind](signer))
    assert caught.value.detail == "The token is not one of an API client's."
    assert not ProvenToken.objects.exists()


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "jti", "exp", "iat", "nbf"])
def test_whatever_a_claim_holds_an_assertion_is_believed_or_refused(signer: Caller, claim: str) -> None:
    for odd in ODD_CLAIMS:
        claims = {**said(signer, jti=repr(odd)[:200]), claim: odd}
        if claim in ("iss", "sub"):
            claims |= {"iss": odd, "sub": odd}
        try:
            assert prove(sign(claims, "client"))
        except Unauthorized:
            continue
        assert claim in ("iat", "nbf", "jti"), odd


def test_another_client_id_beside_the_assertion_is_refused(signer: Caller) -> None:
    with pytest.raises(Unauthorized):
        prove(sign(said(signer), "client"), client_id=str(make_caller(None).client.id))


def test_a_client_without_keys_signs_for_nobody(signer: Caller) -> None:
    register_assertion_keys(signer.client, keys=None, actor=SYSTEM)
    with pytest.raises(Unauthorized):
        prove(sign(said(signer), "client"))
