"""The document of a registered client: public, cacheable, stable, and silent about all else."""

import uuid
from typing import Any

import pytest
from django.test import Client

from connections.access.targets import redirect_uri
from connections.database.clock import database_now
from connections.lifecycle.registration.document import client_document, document_url
from connections.models import Brand, ProviderApp, RegisteredClient, RegistrationWay, Tenant
from providers.catalog.methods import AuthorizationCodeMethod
from tests.public_urls import at

LOGO = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


@pytest.fixture
def app(acme: Tenant) -> ProviderApp:
    Brand.objects.filter(tenant=acme).update(logo=LOGO, logo_media_type="image/svg+xml")
    return ProviderApp.objects.create(
        tenant=acme, provider="mcp", auth_style=AuthorizationCodeMethod.style, name="MCP server", registers_itself=True
    )


def registered(app: ProviderApp, way: RegistrationWay = RegistrationWay.METADATA_DOCUMENT) -> RegisteredClient:
    client = RegisteredClient(
        provider_app=app,
        issuer="https://login.acme.example",
        way=way,
        looked_at=database_now(),
        discovered={"client_authentication": "none"},
    )
    client.redirect_uri, client.client_id = redirect_uri(client.id), document_url(client)
    client.save()
    return client


def fetch(address: str) -> Any:
    return Client().get(address.removeprefix("http://testserver"))


def test_an_authorization_server_reads_whose_client_it_is(app: ProviderApp) -> None:
    client = registered(app)
    answer = fetch(client.client_id)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer["Cache-Control"] == "public, max-age=300"
    assert not answer.cookies
    assert answer.json() == {
        "client_id": client.client_id,
        "client_name": "Acme",
        "client_uri": "http://testserver",
        "logo_uri": f"{client.client_id.removesuffix('.json')}/logo",
        "redirect_uris": [client.redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "web",
    }
    logo = fetch(answer.json()["logo_uri"])
    assert (logo.content, logo["Content-Type"]) == (LOGO, "image/svg+xml")
    assert "sandbox" in logo["Content-Security-Policy"]


def test_no_address_stands_for_two_redirect_uris(app: ProviderApp) -> None:
    one = registered(app)
    one.replace(at=database_now())
    two = registered(app)
    assert one.client_id != two.client_id
    assert fetch(one.client_id).json()["redirect_uris"] == [one.redirect_uri]
    with at("https://moved.example"):
        # It would name neither itself nor its redirect URI.
        assert client_document(one.id, app_id=app.id) is None


def test_whatever_there_is_not_is_the_same_404(app: ProviderApp, globex: Tenant) -> None:
    client, other = registered(app), ProviderApp.objects.create(tenant=globex, provider="mcp", name="Other")
    client.replace(at=database_now())
    dynamic = registered(app, RegistrationWay.DYNAMIC)
    folder = f"/apps/{app.id}/clients"
    absent = [
        f"{folder}/{dynamic.id}.json",
        f"{folder}/{uuid.uuid4()}.json",
        f"{folder}/{uuid.uuid4()}/logo",
        f"/apps/{other.id}/clients/{client.id}.json",
        f"/apps/{other.id}/clients/{client.id}/logo",
    ]
    answers = [fetch(address) for address in absent]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}


def test_it_can_be_read_and_nothing_else(app: ProviderApp) -> None:
    address = registered(app).client_id.removeprefix("http://testserver")
    assert Client().head(address).status_code == 200
    assert Client().post(address).status_code == 405


def test_a_shared_client_goes_by_the_operator_s_name(app: ProviderApp) -> None:
    ProviderApp.objects.update(tenant=None)
    client = registered(app)
    assert fetch(client.client_id).json()["client_name"] == "testserver"
    ProviderApp.objects.update(name="Latchkey of Initech")
    assert fetch(client.client_id).json()["client_name"] == "Latchkey of Initech"
    assert "logo_uri" not in fetch(client.client_id).json()
