"""Key pairs of provider apps: published before they sign, and after; brought, certified, taken back."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.db.models import F

from connections.access.app_keys import open_signing_key
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM, Actor
from connections.lifecycle.housekeeping import sweep_old
from connections.lifecycle.provision.app_keys import (
    DEFAULT_LEAD,
    KEY_PAIRS,
    Rotation,
    bring_key,
    certify_key,
    make_key,
    withdraw_key,
)
from connections.models import AppKey, AuditEvent, ProviderApp
from connections.refusals import InvalidRequest
from providers.signing.keys import make_key_pair
from providers.values import ClientKey
from providers.vocabulary import SigningAlgorithm
from tests.providers.signing.certified import authority, certificate_of

ES256, RS256 = SigningAlgorithm.ES256, SigningAlgorithm.RS256
ANN = Actor(operator="ann")


def signing(app: ProviderApp) -> ClientKey:
    """Return the key that signs now."""
    found = open_signing_key(app)
    assert found is not None
    return found


def published(app: ProviderApp) -> list[str]:
    """Return the key ids that the provider may see."""
    return [row.kid for row in AppKey.objects.published().filter(provider_app=app)]


def let_pass(hours: float) -> None:
    """Let time pass for every key."""
    gone = timedelta(hours=hours)
    AppKey.objects.update(signs_from=F("signs_from") - gone, published_until=F("published_until") - gone)


@pytest.mark.parametrize("algorithm", KEY_PAIRS)
def test_a_first_key_signs_at_once_and_its_public_half_verifies(app: ProviderApp, algorithm: SigningAlgorithm) -> None:
    row = make_key(app, algorithm, actor=ANN)
    key = signing(app)
    assert (key.kid, key.algorithm) == (row.kid, algorithm)
    token = jwt.encode({"sub": "x"}, key.private_key.get_secret_value(), algorithm=algorithm)
    assert jwt.decode(token, row.public_key, algorithms=[algorithm]) == {"sub": "x"}


def test_a_new_key_is_published_before_it_signs_and_the_old_one_after_it_signed(app: ProviderApp) -> None:
    old = make_key(app, ES256, kid="old", actor=SYSTEM)
    new = make_key(app, ES256, kid="new", rotation=Rotation(lead=timedelta(hours=2)), actor=SYSTEM)
    assert (published(app), signing(app).kid) == (["new", "old"], old.kid)
    let_pass(hours=2.01)
    assert (published(app), signing(app).kid) == (["new", "old"], new.kid)
    let_pass(hours=24)
    assert (published(app), signing(app).kid) == (["new"], new.kid)
    assert sweep_old(now=database_now())["keys of apps"] == 1
    assert [row.kid for row in AppKey.objects.all()] == ["new"]


def test_a_second_rotation_before_the_first_is_over_leaves_no_gap(app: ProviderApp) -> None:
    for kid in ("first", "second", "third"):
        make_key(app, ES256, kid=kid, actor=SYSTEM)
        let_pass(hours=1)
    seen = []
    for _ in range(80):
        seen.append(signing(app).kid)
        assert seen[-1] in published(app)
        let_pass(hours=1)
    assert list(dict.fromkeys(seen)) == ["first", "second", "third"]


def test_a_successor_that_is_taken_back_lets_the_old_key_go_on(app: ProviderApp) -> None:
    make_key(app, ES256, kid="old", actor=SYSTEM)
    new = make_key(app, ES256, kid="new", actor=SYSTEM)
    assert withdraw_key(new, actor=SYSTEM)
    let_pass(hours=1000)
    assert (published(app), signing(app).kid) == (["old"], "old")


def test_the_next_key_signs_at_once_where_the_one_that_signed_is_taken_back(app: ProviderApp) -> None:
    old = make_key(app, ES256, kid="old", actor=SYSTEM)
    for kid, hours in (("next", 48), ("last", 96)):
        make_key(app, ES256, kid=kid, rotation=Rotation(lead=timedelta(hours=hours)), actor=SYSTEM)
    assert withdraw_key(old, actor=SYSTEM)
    assert (published(app), signing(app).kid) == (["last", "next"], "next")
    let_pass(hours=97)
    assert signing(app).kid == "last"


def test_a_key_that_is_taken_back_is_gone_at_once_and_so_is_its_private_half(app: ProviderApp) -> None:
    row = make_key(app, ES256, actor=SYSTEM)
    assert withdraw_key(row, actor=ANN)
    assert open_signing_key(app) is None
    assert published(app) == []
    assert AppKey.objects.get().private_key is None
    assert not withdraw_key(AppKey.objects.get(), actor=ANN)


def test_the_private_half_opens_in_its_place_alone(app: ProviderApp) -> None:
    from connections.vault.sealing import Unreadable

    first, second = (make_key(app, ES256, kid=kid, actor=SYSTEM) for kid in ("first", "second"))
    AppKey.objects.filter(id=first.id).update(private_key=AppKey.objects.get(id=second.id).private_key)
    with pytest.raises(Unreadable):
        open_signing_key(app)


def test_a_key_is_brought_with_its_certificates_and_the_providers_own_id(app: ProviderApp) -> None:
    pair, issuer = make_key_pair(RS256), authority()
    chain = certificate_of(pair, issuer=issuer, days=30) + certificate_of(issuer)
    pem = pair.private_key.get_secret_value()
    row = bring_key(app, pem, RS256, certificates=chain, kid="cert-7", actor=ANN)
    assert (row.kid, row.is_brought, row.public_key, row.certificates) == ("cert-7", True, pair.public_key, chain)
    assert row.certificate_ends_at is not None
    key = signing(app)
    assert (key.private_key.get_secret_value(), key.certificates) == (pem, chain)


def test_a_certificate_can_follow_its_key(app: ProviderApp) -> None:
    row = make_key(app, ES256, actor=SYSTEM)
    pair = make_key_pair(ES256)
    with pytest.raises(InvalidRequest, match="another key"):
        certify_key(row, certificate_of(pair), actor=ANN)
    brought = bring_key(app, pair.private_key.get_secret_value(), ES256, actor=SYSTEM)
    with pytest.raises(InvalidRequest, match="has ended"):
        certify_key(brought, certificate_of(pair, days=-1), actor=ANN)
    certify_key(brought, certificate_of(pair), actor=ANN)
    assert AppKey.objects.get(id=brought.id).certificate_ends_at is not None


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"pem": "canary"}, "private_key"),
        ({"certificates": "canary"}, "certificates"),
        ({"kid": "line\nbreak"}, "kid"),
        ({"kid": "k" * 201}, "kid"),
        ({"kid": "taken"}, "kid"),
        ({"rotation": Rotation(lead=timedelta(hours=-1))}, "lead"),
    ],
)
def test_what_is_wrong_is_told_by_its_name_and_leaves_nothing(
    app: ProviderApp, terms: dict[str, Any], field: str
) -> None:
    make_key(app, ES256, kid="taken", actor=SYSTEM)
    given = {"pem": make_key_pair(ES256).private_key.get_secret_value(), **terms}
    with pytest.raises(InvalidRequest) as caught:
        bring_key(app, given.pop("pem"), ES256, **given, actor=SYSTEM)
    assert caught.value.extra["field"] == field
    assert "canary" not in caught.value.detail
    assert published(app) == ["taken"]
    assert AppKey.objects.get().published_until is None


def test_each_act_leaves_an_audit_row_without_the_key(app: ProviderApp) -> None:
    pair = make_key_pair(ES256)
    pem = pair.private_key.get_secret_value()
    row = bring_key(app, pem, ES256, actor=ANN)
    certify_key(row, certificate_of(pair), actor=ANN)
    withdraw_key(row, actor=ANN)
    make_key(app, ES256, rotation=Rotation(DEFAULT_LEAD), actor=ANN)
    told = AuditEvent.objects.filter(action__startswith="app_key.").order_by("id")
    assert [event.action for event in told] == [
        "app_key.brought",
        "app_key.certified",
        "app_key.withdrawn",
        "app_key.made",
    ]
    assert {event.operator for event in told} == {"ann"}
    assert {event.detail["provider_app"] for event in told} == {str(app.id)}
    assert not any("PRIVATE" in str(event.detail) for event in told)
