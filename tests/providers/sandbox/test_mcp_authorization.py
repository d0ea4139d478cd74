"""How clients make themselves known to the authorization servers before the MCP server."""

import time
from typing import Any

import pytest
import requests

from providers.sandbox.client import SandboxProcess
from tests.person import Person, parameters_of
from tests.providers.sandbox.conftest import REDIRECT_URI, challenge_of

VERIFIER = "v" * 43


@pytest.fixture
def server(sandbox: SandboxProcess) -> SandboxProcess:
    sandbox.control.settings(registration=["document", "dynamic"], mcp_server="one", mcp_stream=False)
    sandbox.control.settings(registration_lifetime=0, registration_managed=True)
    return sandbox


def register(server: SandboxProcess, name: str = "one", **document: Any) -> requests.Response:
    described = {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "client_secret_basic", **document}
    return requests.post(f"{server.url}/as/{name}/register", json=described, timeout=20)


def authorization(server: SandboxProcess, client_id: str, name: str = "one", **changes: str) -> str:
    parameters = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": REDIRECT_URI,
        "state": "s",
        "resource": f"{server.url}/mcp",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
        **changes,
    }
    return str(requests.Request("GET", f"{server.url}/as/{name}/authorize", params=parameters).prepare().url)


def tokens(server: SandboxProcess, known: dict[str, Any], code: str, name: str = "one") -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
        "resource": f"{server.url}/mcp",
    }
    basic = (known["client_id"], known["client_secret"])
    return requests.post(f"{server.url}/as/{name}/token", data=form, auth=basic, timeout=20)


def connect(server: SandboxProcess, alice: Person, known: dict[str, Any], name: str = "one") -> dict[str, Any]:
    answer = parameters_of(alice.authorize(authorization(server, known["client_id"], name)))
    assert answer["iss"] == f"{server.url}/as/{name}"
    issued: dict[str, Any] = tokens(server, known, answer["code"], name).json()
    return issued


def test_a_registered_client_gets_tokens_for_the_mcp_server_alone(server: SandboxProcess, alice: Person) -> None:
    known = register(server, client_name="Acme").json()
    assert connect(server, alice, known)["token_type"] == "Bearer"
    refused = parameters_of(alice.authorize(authorization(server, known["client_id"], resource="https://x.example")))
    assert refused["error"] == "invalid_target"


def test_one_server_s_client_is_not_another_s(server: SandboxProcess, alice: Person) -> None:
    known = register(server).json()
    assert alice.get(authorization(server, known["client_id"], "two")).status_code == 400
    assert alice.get(authorization(server, known["client_id"]).replace("/as/one", "")).status_code == 400
    code = parameters_of(alice.authorize(authorization(server, known["client_id"])))["code"]
    assert tokens(server, known, code, "two").json()["error"] == "invalid_client"


def test_a_secret_may_end(server: SandboxProcess, alice: Person) -> None:
    server.control.settings(registration_lifetime=1)
    known = register(server).json()
    assert 0 < known["client_secret_expires_at"] <= time.time() + 1
    code = parameters_of(alice.authorize(authorization(server, known["client_id"])))["code"]
    time.sleep(max(0.0, known["client_secret_expires_at"] - time.time()) + 0.01)
    assert tokens(server, known, code).json()["error"] == "invalid_client"


def test_a_registration_is_read_changed_and_deleted_with_its_own_token(server: SandboxProcess) -> None:
    known = register(server, client_name="Acme").json()
    place, token = known["registration_client_uri"], known["registration_access_token"]

    def manage(method: str, token: str, **options: Any) -> requests.Response:
        header = {"Authorization": f"Bearer {token}"}
        return requests.request(method, place, headers=header, timeout=20, **options)

    assert manage("GET", "another").status_code == 401
    assert manage("GET", token).json()["client_name"] == "Acme"
    changed = {"client_id": known["client_id"], "client_name": "Globex", "redirect_uris": [REDIRECT_URI]}
    assert manage("PUT", token, json=changed | {"client_id": "other"}).status_code == 400
    renewed = manage("PUT", token, json=changed).json()
    assert renewed["client_name"] == "Globex"
    assert renewed["client_secret"] != known["client_secret"]
    assert manage("GET", token).status_code == 401  # the update gave another
    assert manage("DELETE", renewed["registration_access_token"]).status_code == 204
    assert manage("GET", renewed["registration_access_token"]).status_code == 401


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
    ],
)
def test_a_bad_registration_is_refused(server: SandboxProcess, document: dict[str, Any], error: str) -> None:
    refused = register(server, **document)
    assert (refused.status_code, refused.json()["error"]) == (400, error)


def test_ways_can_be_switched_off(server: SandboxProcess) -> None:
    metadata = f"{server.url}/.well-known/oauth-authorization-server/as/one"
    said = requests.get(metadata, timeout=20).json()
    assert said["client_id_metadata_document_supported"] is True
    assert said["registration_endpoint"] == f"{server.url}/as/one/register"
    server.control.settings(registration=[], registration_managed=False)
    said = requests.get(metadata, timeout=20).json()
    assert not {"client_id_metadata_document_supported", "registration_endpoint"} & said.keys()
    assert register(server).status_code == 403


def test_metadata_can_be_silent_about_pkce(server: SandboxProcess) -> None:
    server.control.fault("silent_about_pkce", endpoint="metadata")
    metadata = f"{server.url}/.well-known/oauth-authorization-server/as/one"
    documents = [requests.get(metadata, timeout=20).json() for _ in range(2)]
    assert ["code_challenge_methods_supported" in document for document in documents] == [False, True]
