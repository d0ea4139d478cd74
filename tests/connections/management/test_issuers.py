"""``manage.py issuers``, and what ``manage.py api_clients`` says of proofs."""

import json
from pathlib import Path

import pytest

from connections.models import ApiClient, CallerRule, Tenant, TrustedIssuer
from tests.connections.management.conftest import Run
from tests.factories import Caller
from tests.flows import call
from tests.issuing import AUDIENCE, Issuer, public_jwk


@pytest.fixture
def keys(tmp_path: Path) -> str:
    """A file with the cluster's keys."""
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": Issuer().keys}))
    return str(file)


def test_a_workload_calls_once_its_issuer_is_trusted(run: Run, backend: Caller, keys: str) -> None:
    cluster = Issuer()
    named = (cluster.url, "--audience", AUDIENCE)
    assert run("issuers", "trust", *named, "--jwks", keys).code == 0
    rule = ("--client", "backend", "--client-tenant", "acme", "--matches", "sub=system:serviceaccount:prod:*")
    assert run("issuers", "rule", *named, *rule).code == 0
    who = Caller(backend.client, cluster.token())
    assert call(who, "GET", "/connections").status_code == 200
    listed = run("issuers", "list", "--json").data
    assert listed[0]["issuer"] == cluster.url
    assert "backend" in listed[0]["rules"][0]
    assert run("issuers", "rule", *named, *rule, "--remove").code == 0
    assert call(who, "GET", "/connections").status_code == 401
    assert run("issuers", "distrust", *named).code == 0
    assert not TrustedIssuer.objects.exists()


def test_what_cannot_be_trusted_is_said(run: Run, acme: Tenant, keys: str) -> None:
    refused = run("issuers", "trust", "https://i.example", "--audience", "us", "--use", "end_user", "--jwks", keys)
    assert refused.code == 1
    assert "tenant" in refused.err
    assert run("issuers", "distrust", "https://i.example", "--audience", "us").code == 1
    assert run("issuers", "rule", "https://i.example", "--audience", "us", "--client", "x").code == 1
    assert not CallerRule.objects.exists()


def test_a_client_is_restricted_and_stays_so(run: Run, backend: Caller, tmp_path: Path) -> None:
    named = ("backend", "--tenant", "acme")
    ran = run("api_clients", "restrict", *named, "--network", "10.0.0.0/8", "--verified", "--json")
    assert (ran.data["networks"], ran.data["demands_verified"]) == (["10.0.0.0/8"], True)
    assert call(backend, "GET", "/connections").status_code == 401
    run("api_clients", "rules", *named, "--rule", "sandbox GET /a")
    client = ApiClient.objects.get(id=backend.client.id)
    assert (client.networks, client.demands_verified) == (["10.0.0.0/8"], True)
    run("api_clients", "restrict", *named, "--anywhere", "--no-verified")
    client.refresh_from_db()
    assert (client.networks, client.demands_verified, client.proxy_rules) == ([], False, ["sandbox GET /a"])
    assert run("api_clients", "restrict", *named, "--network", "everywhere").code == 1


def test_a_client_registers_its_public_keys(run: Run, backend: Caller, tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [public_jwk("client")]}))
    named = ("backend", "--tenant", "acme")
    assert run("api_clients", "keys", *named, "--jwks", str(file)).code == 0
    assert ApiClient.objects.get(id=backend.client.id).assertion_keys == [public_jwk("client")]
    file.write_text("no JSON")
    assert run("api_clients", "keys", *named, "--jwks", str(file)).code == 1
    assert run("api_clients", "keys", *named).code == 0
    assert ApiClient.objects.get(id=backend.client.id).assertion_keys is None
