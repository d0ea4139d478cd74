"""A secret by its reference, from every kind of custodian over HTTP, and from a file."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from providers.custodians.asking import CustodianAway, CustodianRefuses
from providers.custodians.custody import Aws, Custody
from providers.custodians.reading import read_secret
from providers.custodians.references import parse_reference
from tests.providers.custodians.stand_ins import AzureCloud, Bao, GoogleCloud, given
from tests.providers.custodians.test_wrapping import Use

Put = Callable[[str], None]


@dataclass
class Store:
    """One kind of custodian: how it is reached, where the secret is, and how somebody writes it there."""

    custody: Custody
    reference: str
    put: Put
    place: str = ""

    def allowed(self) -> Custody:
        return replace(self.custody, secret_places=(self.place or self.reference.partition("#")[0],))


@pytest.fixture(params=["file", "vault", "aws-secrets-manager", "google-secret-manager", "azure-key-vault"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    made = {"file": _file, "vault": _vault, "aws-secrets-manager": _aws, "google-secret-manager": _google}
    return made.get(request.param, _azure)(request, tmp_path)


def _file(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    def put(text: str) -> None:
        (tmp_path / "hubspot").write_text(text)
        os.utime(tmp_path / "hubspot", (time.time() - 60,) * 2)

    return Store(Custody(), f"file:{tmp_path}/hubspot", put, f"file:{tmp_path}/")


def _vault(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    bao: Bao = request.getfixturevalue("bao")

    def put(text: str) -> None:
        bao.kept["secret/data/latchkey/hubspot"] = {"client_secret": text, "other": "x"}

    return Store(bao.custody(), "vault:secret/data/latchkey/hubspot#client_secret", put, "vault:secret/data/latchkey/")


def _aws(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    url = request.getfixturevalue("aws_url")
    client = boto3.client(
        "secretsmanager",
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="secret",
    )
    named: dict[str, str] = {}

    def put(text: str) -> None:
        if named:
            client.put_secret_value(SecretId=named["ARN"], SecretString=text)
        else:
            named.update(client.create_secret(Name=f"latchkey/{tmp_path.name}", SecretString=text))

    at = Aws("eu-central-1", "AKIAEXAMPLE", given("secret"), endpoints={"secretsmanager": url, "sts": url})
    return Store(Custody(aws=at), f"aws-secrets-manager:latchkey/{tmp_path.name}", put, "aws-secrets-manager:latchkey/")


def _google(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    cloud: GoogleCloud = request.getfixturevalue("google_cloud")

    def put(text: str) -> None:
        cloud.kept["projects/acme/secrets/hubspot/versions/latest"] = text.encode()

    return Store(cloud.custody(), "google-secret-manager:projects/acme/secrets/hubspot", put)


def _azure(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    cloud: AzureCloud = request.getfixturevalue("azure_cloud")

    def put(text: str) -> None:
        cloud.kept["hubspot"] = text

    return Store(cloud.custody(), f"azure-key-vault:{cloud.url}/secrets/hubspot", put, f"azure-key-vault:{cloud.url}/")


def read(reference: str) -> str:
    return read_secret(parse_reference(reference)).get_secret_value()


def test_a_secret_is_read_as_it_is_by_then(store: Store, use: Use) -> None:
    use(store.allowed())
    for text in ("first", "sécond with spaces "):
        store.put(text + "\r\n")
        assert read(store.reference) == text
    assert "first" not in repr(read_secret(parse_reference(store.reference)))


def test_a_place_that_the_settings_do_not_name_is_not_asked(store: Store, use: Use) -> None:
    store.put("first")
    for places in ((), ("file:/elsewhere/",), (f"{store.reference.partition('#')[0]}2",)):
        use(replace(store.custody, secret_places=places))
        with pytest.raises(CustodianRefuses, match="LATCHKEY_SECRET_SOURCES"):
            read(store.reference)


def test_a_secret_that_is_empty_or_missing_is_an_error_that_tells_nothing(store: Store, use: Use) -> None:
    use(store.allowed())
    with pytest.raises((CustodianRefuses, CustodianAway)):
        read(store.reference)
    if "aws" not in store.reference:  # it keeps no empty text
        store.put("\n")
        with pytest.raises((CustodianRefuses, CustodianAway)):
            read(store.reference)


@pytest.mark.parametrize("text", ['{"other": "s3cret"}', '["s3cret"]', "s3cret", '{"a": {"b": "s3cret"}}', '{"a": 1}'])
def test_only_a_text_that_is_a_member_is_taken(store: Store, use: Use, text: str) -> None:
    use(store.allowed())
    store.put(text)
    with pytest.raises(CustodianRefuses) as refusal:
        read(f"{store.reference.partition('#')[0]}#a")
    assert "s3cret" not in str(refusal.value)


def test_a_member_of_the_json_that_is_there_is_taken(store: Store, use: Use) -> None:
    use(store.allowed())
    whole = json.dumps({"client_secret": "inner", "id": "x"})
    store.put(whole)
    is_object = store.reference.startswith("vault:")  # what it keeps is an object itself
    assert read(f"{store.reference.partition('#')[0]}#client_secret") == (whole if is_object else "inner")


@pytest.mark.parametrize(
    ("path", "kept", "found"),
    [
        ("kv/hubspot", {"a": "of version 1"}, "of version 1"),
        ("kv/hubspot", {"a": "beside others", "data": "x", "metadata": "y"}, "beside others"),
        ("secret/data/hubspot", {"a": "of version 2", "data": "x"}, "of version 2"),
        ("secret/data/hubspot", None, None),
    ],
)
def test_both_versions_of_vaults_engine_are_read(
    bao: Bao, use: Use, path: str, kept: dict[str, Any] | None, found: str | None
) -> None:
    bao.kept[path] = kept
    use(replace(bao.custody(), secret_places=(f"vault:{path}",)))
    if found is not None:
        assert read(f"vault:{path}#a") == found
        return
    with pytest.raises(CustodianRefuses):
        read(f"vault:{path}#a")


def test_a_custodian_that_is_away_is_told_from_one_that_has_no_such_secret(bao: Bao, use: Use) -> None:
    bao.kept["kv/hubspot"] = {"a": "b"}
    use(replace(bao.custody(), secret_places=("vault:kv/",)))
    with pytest.raises(CustodianRefuses):
        read("vault:kv/other#a")
    bao.is_cut = True
    with pytest.raises(CustodianAway):
        read("vault:kv/hubspot#a")
