"""The JWK Set of a provider app: public, cacheable, and silent about what is not there."""

import uuid
from typing import Any

from django.test import Client

from connections.access.app_keys import jwks_url
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.app_keys import make_key, withdraw_key
from connections.models import ProviderApp, Tenant
from providers.vocabulary import SigningAlgorithm
from tests.connections.lifecycle.provision.conftest import app

__all__ = ["app"]
ES256 = SigningAlgorithm.ES256
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}


def fetch(app_id: uuid.UUID, **options: Any) -> Any:
    """Ask as a provider does: with nothing but the address."""
    return Client().get(jwks_url(app_id).removeprefix("http://testserver"), **options)


def test_anybody_may_fetch_the_public_halves_and_keep_them_a_while(app: ProviderApp) -> None:
    made = [make_key(app, algorithm, actor=SYSTEM) for algorithm in (ES256, SigningAlgorithm.RS256)]
    answer = fetch(app.id)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/jwk-set+json")
    assert answer["Cache-Control"] == "public, max-age=300"
    assert not answer.cookies
    assert {key["kid"] for key in answer.json()["keys"]} == {row.kid for row in made}
    assert not any(PRIVATE & key.keys() for key in answer.json()["keys"])


def test_a_key_that_is_taken_back_is_not_shown(app: ProviderApp) -> None:
    kept, gone = (make_key(app, ES256, kid=kid, actor=SYSTEM) for kid in ("kept", "gone"))
    withdraw_key(gone, actor=SYSTEM)
    assert [key["kid"] for key in fetch(app.id).json()["keys"]] == [kept.kid]


def test_an_app_without_keys_answers_like_one_that_does_not_exist(app: ProviderApp) -> None:
    bare, unknown = fetch(app.id), fetch(uuid.uuid4())
    assert (bare.status_code, bare.content) == (unknown.status_code, unknown.content) == (404, bare.content)
    assert {**bare.headers} == {**unknown.headers}


def test_it_can_be_read_and_nothing_else(app: ProviderApp) -> None:
    make_key(app, ES256, actor=SYSTEM)
    address = jwks_url(app.id).removeprefix("http://testserver")
    assert Client().head(address).status_code == 200
    assert Client().post(address).status_code == 405


def test_one_app_s_keys_are_not_another_s(app: ProviderApp, globex: Tenant) -> None:
    make_key(app, ES256, actor=SYSTEM)
    other = ProviderApp.objects.create(
        tenant=globex, provider="sandbox", auth_style=app.auth_style, name="Other", client_id="c2"
    )
    theirs = make_key(other, ES256, actor=SYSTEM)
    assert [key["kid"] for key in fetch(other.id).json()["keys"]] == [theirs.kid]
