"""Trusted issuers in the admin: what is believed is shown, and ended by whoever has the right to."""

from django.test import Client

from connections.models import AuditEvent, CallerRule, TrustedIssuer
from tests.connections.admin.conftest import World, list_url, operator_with, page_url, press_url


def test_a_page_says_whose_tokens_are_which_client(olga: Client, world: World) -> None:
    issuer = TrustedIssuer.objects.get()
    page = olga.get(page_url(issuer)).content.decode()
    for shown in ("https://ci.example", "Where its metadata says", "3600 s", "repo:acme/*", world.client.name):
        assert shown in page
    assert "https://ci.example" in olga.get(list_url(TrustedIssuer) + "?q=ci.example").content.decode()


def test_keys_that_were_given_are_counted_and_not_shown(olga: Client, world: World) -> None:
    TrustedIssuer.objects.update(keys=[{"kty": "OKP", "crv": "Ed25519", "x": "the-public-part"}])
    page = olga.get(page_url(TrustedIssuer.objects.get())).content.decode()
    assert "Given by the operator: 1" in page
    assert "the-public-part" not in page


def test_ending_the_trust_needs_a_right_of_its_own(world: World) -> None:
    issuer = TrustedIssuer.objects.get()
    rights = ("view_trustedissuer", "change_trustedissuer")
    assert operator_with("nina", *rights).post(press_url(issuer, "distrust"), {"confirmed": "1"}).status_code == 403
    trusted = operator_with("tom", *rights, "trust_issuer")
    assert trusted.post(press_url(issuer, "distrust"), {"confirmed": "1"}).status_code == 302
    assert not TrustedIssuer.objects.exists()
    assert not CallerRule.objects.exists()
    assert AuditEvent.objects.get(action="issuer.distrusted").operator == "tom"


def test_a_client_s_page_says_how_it_must_prove_itself(olga: Client, world: World) -> None:
    world.client.networks = ["10.1.0.0/16"]
    world.client.demands_verified = True
    world.client.save()
    page = olga.get(page_url(world.client)).content.decode()
    assert "10.1.0.0/16" in page
    assert "manage.py api_clients restrict" in page
