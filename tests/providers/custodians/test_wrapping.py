"""Keys are wrapped and unwrapped by each service in the same way; what a failure means is the same, too."""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest

from connections.vault import keyring
from providers.custodians.asking import CustodianAway, CustodianRefuses
from providers.custodians.custody import Aws, Custody
from providers.custodians.wrapping import KEY_SERVICES, KeyService, Wrapped
from tests.providers.custodians.stand_ins import AzureCloud, Bao, GoogleCloud, StandIn, given

REGION = "eu-central-1"
Use = Callable[[Custody], None]


@dataclass
class Case:
    """A service with one key: its name there, and what becomes of it."""

    service: KeyService
    name: str
    disable: Callable[[], Any] | None
    rotate: Callable[[], Any] | None
    custody: Custody
    away: Custody


@pytest.fixture(params=list(KEY_SERVICES))
def case(request: pytest.FixtureRequest, use: Use) -> Case:
    made: Case = globals()[f"_{request.param.replace('-', '_')}"](request)
    use(made.custody)
    return made


def _aws_kms(request: pytest.FixtureRequest) -> Case:
    url = request.getfixturevalue("aws_url")
    kms = boto3.client(
        "kms", region_name=REGION, endpoint_url=url, aws_access_key_id="AKIA", aws_secret_access_key="secret"
    )
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    known = Aws(access_key_id="AKIA", secret_access_key=given("secret"), endpoints={"kms": url})
    away = Aws(access_key_id="AKIA", secret_access_key=given("secret"), endpoints={"kms": "http://127.0.0.1:9"})
    return Case(KEY_SERVICES["aws-kms"], arn, None, None, Custody(aws=known), Custody(aws=away))


def _vault_transit(request: pytest.FixtureRequest) -> Case:
    bao: Bao = request.getfixturevalue("bao")
    away = bao.custody(url="http://127.0.0.1:9")
    return Case(
        KEY_SERVICES["vault-transit"], bao.NAME, lambda: setattr(bao, "disabled", True), bao.rotate, bao.custody(), away
    )


def _google_kms(request: pytest.FixtureRequest) -> Case:
    cloud: GoogleCloud = request.getfixturevalue("google_cloud")
    away = cloud.custody(kms_url="http://127.0.0.1:9")
    disable = lambda: setattr(cloud, "disabled", True)  # noqa: E731
    return Case(KEY_SERVICES["google-kms"], cloud.NAME, disable, cloud.rotate, cloud.custody(), away)


def _azure_key_vault(request: pytest.FixtureRequest) -> Case:
    cloud: AzureCloud = request.getfixturevalue("azure_cloud")
    away = cloud.custody(machine_url="http://127.0.0.1:9")
    disable = lambda: setattr(cloud, "disabled", True)  # noqa: E731
    return Case(KEY_SERVICES["azure-key-vault"], cloud.name, disable, cloud.rotate, cloud.custody(), away)


def test_the_list_of_keys_knows_the_same_services() -> None:
    assert tuple(KEY_SERVICES) == keyring.KEY_SERVICES


def test_what_was_wrapped_is_unwrapped(case: Case) -> None:
    key = secrets.token_bytes(32)
    wrapped = case.service.wrap(case.name, key, binding="2026-11")
    assert key not in wrapped.ciphertext
    assert repr(wrapped) == f"Wrapped(name={wrapped.name!r})"
    assert case.service.unwrap(wrapped, binding="2026-11") == key
    assert case.service.wrap(case.name, key, binding="2026-11").ciphertext != wrapped.ciphertext


def test_what_was_wrapped_for_one_key_opens_for_no_other(case: Case, request: pytest.FixtureRequest) -> None:
    if "azure" in request.node.name:
        pytest.skip("RSA-OAEP has no such binding")
    wrapped = case.service.wrap(case.name, secrets.token_bytes(32), binding="2026-11")
    with pytest.raises(CustodianRefuses):
        case.service.unwrap(wrapped, binding="2026-12")


def test_what_was_changed_does_not_open(case: Case) -> None:
    wrapped = case.service.wrap(case.name, secrets.token_bytes(32), binding="x")
    at = len(wrapped.ciphertext) // 2
    other = b"A" if wrapped.ciphertext[at : at + 1] != b"A" else b"B"
    changed = Wrapped(wrapped.name, wrapped.ciphertext[:at] + other + wrapped.ciphertext[at + 1 :])
    with pytest.raises(CustodianRefuses):
        case.service.unwrap(changed, binding="x")


def test_an_earlier_version_of_the_service_s_key_still_opens(case: Case) -> None:
    if case.rotate is None:
        pytest.skip("AWS KMS keeps its versions to itself")
    key = secrets.token_bytes(32)
    first = case.service.wrap(case.name, key, binding="x")
    case.rotate()
    second = case.service.wrap(case.name, key, binding="x")
    assert case.service.version_of(first) != case.service.version_of(second) != ""
    assert [case.service.unwrap(each, binding="x") for each in (first, second)] == [key, key]


def test_a_key_that_is_disabled_is_a_decision(case: Case) -> None:
    if case.disable is None:
        pytest.skip("moto unwraps with a disabled key: see test_aws")
    wrapped = case.service.wrap(case.name, secrets.token_bytes(32), binding="x")
    case.disable()
    with pytest.raises(CustodianRefuses):
        case.service.unwrap(wrapped, binding="x")


def test_a_service_that_is_away_is_none(case: Case, use: Use) -> None:
    wrapped = case.service.wrap(case.name, secrets.token_bytes(32), binding="x")
    use(case.away)
    with pytest.raises(CustodianAway):
        case.service.unwrap(wrapped, binding="x")


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("document", ["<html>not found</html>", "", {}, {"message": "no route"}, {"errors": "none"}])
@pytest.mark.parametrize(
    ("service", "stand_in"),
    [("vault-transit", "bao"), ("google-kms", "google_cloud"), ("azure-key-vault", "azure_cloud"), ("aws-kms", "bao")],
)
def test_what_a_proxy_answers_while_a_service_is_away_decides_nothing(
    request: pytest.FixtureRequest, use: Use, service: str, stand_in: str, document: Any, status: int
) -> None:
    behind: StandIn = request.getfixturevalue(stand_in)
    made: Case = globals()[f"_{service.replace('-', '_')}"](request)
    use(made.custody)
    wrapped = made.service.wrap(made.name, secrets.token_bytes(32), binding="x")
    if service == "aws-kms":
        use(Custody(aws=replace(made.custody.aws, endpoints={"kms": behind.url})))
    behind.before = (status, document)
    with pytest.raises(CustodianAway):
        made.service.unwrap(wrapped, binding="x")


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("aws-kms", "alias/latchkey"),
        ("aws-kms", "arn:aws:kms:evil.example/x:1:key/2"),
        ("google-kms", "projects/p/locations/l/keyRings/r"),
        ("google-kms", "projects/p/locations/l/keyRings/r/cryptoKeys/../x/y"),
        ("azure-key-vault", "latchkey"),
        ("azure-key-vault", "https://name.vault.azure.net/secrets/latchkey"),
        ("vault-transit", "latchkey"),
        ("vault-transit", "transit/"),
    ],
)
def test_a_name_that_names_no_key_is_told(service: str, name: str) -> None:
    with pytest.raises(CustodianRefuses, match="It has to be"):
        KEY_SERVICES[service].wrap(name, os.urandom(32), binding="x")
