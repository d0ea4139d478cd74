"""``manage.py app_keys``."""

from pathlib import Path
from typing import Any

import pytest

from connections.models import AppKey, Tenant
from providers.signing.keys import KeyPair, make_key_pair
from providers.vocabulary import SigningAlgorithm
from tests.connections.management.conftest import Run
from tests.providers.signing.certified import certificate_of


@pytest.fixture(autouse=True)
def app(run: Run, acme: Tenant) -> Any:
    made = run(
        *("provider_apps", "add", "sandbox", "--tenant", "acme", "--client-id", "c1"),
        *("--param", "issuer=http://127.0.0.1:8090", "--json"),
    )
    return made.data


@pytest.fixture
def pair() -> KeyPair:
    return make_key_pair(SigningAlgorithm.ES256)


def test_a_key_is_made_and_told_by_what_a_provider_needs(run: Run, app: Any) -> None:
    ran = run("app_keys", "make", "sandbox", "--tenant", "acme", "--algorithm", "EdDSA")
    assert "-----BEGIN PUBLIC KEY-----" in ran.out
    assert f"http://testserver/apps/{app['id']}/jwks.json" in ran.out
    listed = run("app_keys", "list", "sandbox", "--tenant", "acme", "--json").data
    assert [(key["algorithm"], key["state"]) for key in listed["keys"]] == [("EdDSA", "signs")]
    assert "PRIVATE" not in ran.out + run("app_keys", "list", "sandbox", "--tenant", "acme").out


def test_a_second_one_waits_for_its_turn(run: Run) -> None:
    for kid in ("first", "second"):
        assert run("app_keys", "make", "sandbox", "--tenant", "acme", "--kid", kid, "--lead-hours", "2").code == 0
    keys = run("app_keys", "list", "sandbox", "--tenant", "acme", "--json").data["keys"]
    assert [(key["key_id"], key["state"]) for key in keys] == [("second", "waits"), ("first", "signs")]
    AppKey.objects.filter(kid="second").update(signs_from=AppKey.objects.get(kid="first").created_at)
    AppKey.objects.filter(kid="first").update(signs_from="2026-01-01T00:00:00Z")
    keys = run("app_keys", "list", "sandbox", "--tenant", "acme", "--json").data["keys"]
    assert [(key["key_id"], key["state"]) for key in keys] == [("second", "signs"), ("first", "replaced")]


def test_a_key_is_brought_and_certified_from_files(run: Run, pair: KeyPair, tmp_path: Path) -> None:
    pem = pair.private_key.get_secret_value()
    brought = run(
        *("app_keys", "bring", "sandbox", "--tenant", "acme", "--algorithm", "ES256", "--kid", "cert-7"),
        *("--key-file", "-", "--json"),
        stdin=pem,
    )
    assert brought.data["public_key"] == pair.public_key
    (tmp_path / "chain.pem").write_text(certificate_of(pair))
    certified = run(
        *("app_keys", "certify", "sandbox", "cert-7", "--tenant", "acme", "--certificate-file", tmp_path / "chain.pem"),
    )
    assert "-----BEGIN CERTIFICATE-----" in certified.out
    assert pem not in brought.out + certified.out


def test_what_is_wrong_is_told_without_the_key(run: Run, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("canary")
    ran = run("app_keys", "bring", "sandbox", "--tenant", "acme", "--key-file", tmp_path / "key.pem")
    assert ran.code == 1
    assert "no private key in PEM" in ran.err
    assert "canary" not in ran.err
    assert "no such app" in run("app_keys", "make", "sandbox").err
    assert "has no key" in run("app_keys", "withdraw", "sandbox", "nothing", "--tenant", "acme", "--yes").err


def test_taking_back_asks_first(run: Run) -> None:
    run("app_keys", "make", "sandbox", "--tenant", "acme", "--kid", "k1")
    assert "add --yes" in run("app_keys", "withdraw", "sandbox", "k1", "--tenant", "acme").out
    assert AppKey.objects.get().published_until is None
    assert run("app_keys", "withdraw", "sandbox", "k1", "--tenant", "acme", "--yes").code == 0
    assert AppKey.objects.get().private_key is None
    assert run("app_keys", "list", "sandbox", "--tenant", "acme", "--json").data["keys"] == []
