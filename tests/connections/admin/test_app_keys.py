"""The pages of key pairs: made, brought, certified, taken back; the public half shown, and never the other."""

from datetime import timedelta

import pytest
from django.test import Client

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.app_keys import bring_key, make_key
from connections.models import AppKey, AuditEvent
from providers.signing.keys import KeyPair, make_key_pair
from providers.vocabulary import SigningAlgorithm
from tests.connections.admin.conftest import World, list_url, page_url, press_url
from tests.providers.signing.certified import certificate_of

ES256 = SigningAlgorithm.ES256
TERMS = {"algorithm": "ES256", "kid": "k1", "lead_hours": "24", "overlap_hours": "24"}


@pytest.fixture(autouse=True)
def no_key_yet(world: World) -> None:
    AppKey.objects.all().delete()


@pytest.fixture
def pair() -> KeyPair:
    return make_key_pair(ES256)


def test_a_key_is_made_on_the_page_of_its_app(olga: Client, world: World) -> None:
    assert "Make a key" in olga.get(press_url(world.app, "make-key")).content.decode()
    olga.post(press_url(world.app, "make-key"), TERMS)
    row = AppKey.objects.get(kid="k1")
    assert (row.provider_app_id, row.algorithm, row.is_brought) == (world.app.id, "ES256", False)
    assert AuditEvent.objects.filter(action="app_key.made").latest("id").operator == "olga"


def test_a_key_is_brought_and_what_was_typed_is_not_shown_again(olga: Client, world: World, pair: KeyPair) -> None:
    pem = pair.private_key.get_secret_value()
    wrong = olga.post(press_url(world.app, "bring-key"), {**TERMS, "algorithm": "RS256", "private_key": pem})
    assert "needs an RSA key" in wrong.content.decode()
    assert "no-store" in wrong["Cache-Control"]
    assert pem.splitlines()[1] not in wrong.content.decode()
    olga.post(press_url(world.app, "bring-key"), {**TERMS, "private_key": pem, "certificates": certificate_of(pair)})
    row = AppKey.objects.get()
    page = olga.get(page_url(row)).content.decode()
    assert row.public_key.splitlines()[1] in page
    assert "BEGIN CERTIFICATE" in page
    assert f"/apps/{world.app.id}/jwks.json" in page
    assert pem.splitlines()[1] not in page


def test_the_end_of_a_certificate_is_shown_ahead(olga: Client, world: World, pair: KeyPair) -> None:
    row = bring_key(world.app, pair.private_key.get_secret_value(), ES256, kid="k1", actor=SYSTEM)
    olga.post(press_url(row, "certify"), {"certificates": certificate_of(pair, days=10)})
    listed = olga.get(list_url(AppKey)).content.decode()
    assert "chip-warn" in listed
    row.refresh_from_db()
    assert row.certificate_ends_at is not None
    assert f"{row.certificate_ends_at:%Y-%m-%d}" in listed
    assert "Certificates that end within 30 days" in olga.get("/admin/").content.decode()
    AppKey.objects.update(certificate_ends_at=row.certificate_ends_at + timedelta(days=60))
    assert "Certificates that end within 30 days" not in olga.get("/admin/").content.decode()


def test_wrong_certificates_are_told_on_the_same_page(olga: Client, world: World) -> None:
    row = make_key(world.app, ES256, actor=SYSTEM)
    answer = olga.post(press_url(row, "certify"), {"certificates": certificate_of(make_key_pair(ES256))})
    assert "of another key" in answer.content.decode()
    assert AppKey.objects.get().certificates == ""


def test_taking_back_asks_first_and_destroys_the_private_half(olga: Client, world: World) -> None:
    row = make_key(world.app, ES256, actor=SYSTEM)
    assert "destroyed" in olga.get(press_url(row, "withdraw")).content.decode()
    assert AppKey.objects.get().private_key is not None
    olga.post(press_url(row, "withdraw"))
    assert AppKey.objects.get().private_key is None
    assert "/press/" not in olga.get(page_url(row)).content.decode()
