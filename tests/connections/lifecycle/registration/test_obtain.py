import json
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from connections.access.app_keys import jwks_url
from connections.access.secrets import open_registration
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.app_keys import make_key
from connections.lifecycle.registration.document import client_document
from connections.lifecycle.registration.obtain import obtain
from connections.lifecycle.registration.sealed import management_of
from connections.lifecycle.registration.ways import authentication_by, way_offered
from connections.models import AuditEvent, ProviderApp, RegisteredClient, RegistrationWay
from connections.refusals import AppMisconfigured, ProviderDown, Refusal
from providers.sandbox.client import SandboxProcess
from providers.sandbox.tokens import fingerprint
from providers.vocabulary import SigningAlgorithm
from tests.connections.lifecycle.registration.conftest import look
from tests.public_urls import at

DOCUMENT, DYNAMIC = RegistrationWay.METADATA_DOCUMENT, RegistrationWay.DYNAMIC


def registrations(sandbox: SandboxProcess) -> int:
    return len(sandbox.control.log(endpoint="register", outcome="registered"))


@pytest.mark.parametrize(
    ("public_url", "issuer", "offers", "way"),
    [
        ("https://latchkey.example", "https://as.example", ("document", "dynamic"), DOCUMENT),
        ("https://latchkey.example", "https://as.example", ("dynamic",), DYNAMIC),
        ("https://latchkey.example", "https://as.example", (), None),
        ("http://127.0.0.1:8000", "https://as.example", ("document", "dynamic"), DYNAMIC),
        ("http://127.0.0.1:8000", "https://as.example", ("document",), None),
        ("http://127.0.0.1:8000", "http://127.0.0.1:9400/as/one", ("document", "dynamic"), DOCUMENT),
    ],
)
def test_takes_a_document_then_registration_then_hands(
    public_url: str, issuer: str, offers: tuple[str, ...], way: RegistrationWay | None
) -> None:
    discovered = {
        "issuer": issuer,
        "client_id_metadata_document": "supported" if "document" in offers else "",
        "registration": f"{issuer}/register" if "dynamic" in offers else "",
    }
    with at(public_url):
        assert way_offered(discovered, has_key=False) is way


@pytest.mark.parametrize(
    ("methods", "has_key", "by_document", "by_registration"),
    [
        ("", False, "none", "client_secret_basic"),
        ("none", False, "none", "none"),
        ("client_secret_basic", False, "", "client_secret_basic"),
        ("client_secret_basic client_secret_post", True, "", "client_secret_post"),
        ("client_secret_basic private_key_jwt", False, "", "client_secret_basic"),
        ("client_secret_basic private_key_jwt", True, "private_key_jwt", "client_secret_basic"),
        ("private_key_jwt", True, "private_key_jwt", "private_key_jwt"),
        ("private_key_jwt", False, "", ""),
        ("private_key_jwt none", True, "none", "none"),
        ("tls_client_auth self_signed_tls_client_auth", True, "", ""),
    ],
)
def test_a_way_is_taken_only_with_a_proof_that_the_server_takes(
    methods: str, has_key: bool, by_document: str, by_registration: str
) -> None:
    said = {
        "issuer": "http://127.0.0.1:9400",
        "client_id_metadata_document": "supported",
        "registration": "http://127.0.0.1:9400/register",
        "client_authentications": methods,
    }
    assert authentication_by(DOCUMENT, said, has_key=has_key) == by_document
    assert authentication_by(DYNAMIC, said, has_key=has_key) == by_registration
    expected = DOCUMENT if by_document else DYNAMIC if by_registration else None
    assert way_offered(said, has_key=has_key) is expected


def test_a_server_that_takes_only_what_we_have_not_is_told(app: ProviderApp, discovered: dict[str, str]) -> None:
    with pytest.raises(AppMisconfigured, match=r"private_key_jwt.*make a key pair"):
        obtain(app, discovered | {"client_authentications": "private_key_jwt"}, actor=SYSTEM)
    assert not RegisteredClient.objects.exists()


def test_an_app_with_a_key_is_known_by_its_document_where_secrets_are_not_taken(
    app: ProviderApp, discovered: dict[str, str]
) -> None:
    make_key(app, SigningAlgorithm.ES256, actor=SYSTEM)
    said = discovered | {"client_id_metadata_document": "supported", "client_authentications": "private_key_jwt"}
    client = obtain(app, said, actor=SYSTEM)
    assert (client.way, client.discovered["client_authentication"]) == (DOCUMENT, "private_key_jwt")
    published = client_document(client.id, app_id=app.id)
    assert published is not None
    assert published["token_endpoint_auth_method"] == "private_key_jwt"
    assert published["jwks_uri"] == jwks_url(app.id)


def test_a_document_is_given_up_when_the_server_takes_no_public_client_any_more(
    app: ProviderApp, discovered: dict[str, str], sandbox: SandboxProcess
) -> None:
    said = discovered | {"client_id_metadata_document": "supported"}
    before = obtain(app, said | {"client_authentications": "none client_secret_post"}, actor=SYSTEM)
    assert before.way == DOCUMENT
    after = obtain(app, said | {"client_authentications": "client_secret_post"}, actor=SYSTEM)
    assert (after.way, registrations(sandbox)) == (DYNAMIC, 1)
    assert after.id != before.id


@pytest.mark.parametrize("change", ["document", "public_url"])
def test_a_registration_that_failed_is_tried_as_the_server_and_our_address_are_now(
    app: ProviderApp, discovered: dict[str, str], sandbox: SandboxProcess, change: str
) -> None:
    sandbox.control.fault("error", endpoint="register", error="invalid_redirect_uri")
    with pytest.raises(AppMisconfigured):
        obtain(app, discovered, actor=SYSTEM)
    said = discovered | ({"client_id_metadata_document": "supported"} if change == "document" else {})
    public_url = "https://moved.example" if change == "public_url" else "http://testserver"
    with at(public_url):
        client = obtain(app, said, actor=SYSTEM)
        assert client.redirect_uri == f"{public_url}/connect/callback/{client.id}"
        assert obtain(app, said, actor=SYSTEM).id == client.id
        assert (client_document(client.id, app_id=app.id) is not None) == (change == "document")
    assert client.way == (DOCUMENT if change == "document" else DYNAMIC)
    told = AuditEvent.objects.filter(action="provider_app.registered", decision="allowed").get()
    assert told.detail["way"] == client.way


def test_registers_once_and_finds_it_again(
    app: ProviderApp, discovered: dict[str, str], sandbox: SandboxProcess
) -> None:
    first = obtain(app, discovered, actor=SYSTEM)
    assert obtain(app, discovered, actor=SYSTEM).id == first.id
    assert registrations(sandbox) == 1
    [known] = [client for client in sandbox.control.clients() if client["client_id"] == first.client_id]
    assert (known["name"], known["redirect_uris"]) == ("Acme", [first.redirect_uri])
    assert first.redirect_uri == f"http://testserver/connect/callback/{first.id}"
    told = AuditEvent.objects.get(action="provider_app.registered")
    assert told.detail == {"provider_app": str(app.id), "issuer": discovered["issuer"], "way": "dynamic"}


def test_secret_and_management_token_are_sealed_to_their_row(
    app: ProviderApp, discovered: dict[str, str], sandbox: SandboxProcess
) -> None:
    client = obtain(app, discovered, actor=SYSTEM)
    [secret] = open_registration(app, client=client).secrets
    management = management_of(client)
    assert management is not None and management.uri == f"{discovered['issuer']}/register/{client.client_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM connections_registeredclient")
        stored = repr(cursor.fetchall())
    for value in (secret, management.token):
        assert value.get_secret_value() not in stored
        assert value.get_secret_value() not in repr(client)
    assert fingerprint(secret.get_secret_value())  # a real one
    other = RegisteredClient(provider_app=app, client_id=client.client_id, discovered=client.discovered)
    other.secrets = client.secrets
    with pytest.raises(Exception, match="belongs to another place"):
        open_registration(app, client=other)


def test_many_at_once_make_one_registration(
    app: ProviderApp, discovered: dict[str, str], sandbox: SandboxProcess
) -> None:
    sandbox.control.settings(delay_seconds={"register": 0.4})
    found: list[object] = []

    def connect() -> None:
        try:
            found.append(obtain(app, discovered, actor=SYSTEM).id)
        except Refusal as refusal:
            found.append(refusal)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=connect) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registrations(sandbox) == 1
    assert found == [RegisteredClient.objects.get().id] * 4


def test_no_transaction_and_no_connection_is_held_meanwhile(
    app: ProviderApp, discovered: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from connections.lifecycle.registration import obtain as module

    seen = []
    real = module.registration.register

    def watched(endpoint: str, metadata: object) -> object:
        seen.append((connection.in_atomic_block, connection.connection))
        return real(endpoint, metadata)  # type: ignore[arg-type]  # the very same

    monkeypatch.setattr(module.registration, "register", watched)
    obtain(app, discovered, actor=SYSTEM)
    assert seen == [(False, None)]


def test_two_issuers_get_a_client_each(app: ProviderApp, discovered: dict[str, str], sandbox: SandboxProcess) -> None:
    one = obtain(app, discovered, actor=SYSTEM)
    sandbox.control.settings(mcp_server="two")
    two = obtain(app, look(sandbox), actor=SYSTEM)
    assert (one.client_id != two.client_id, one.redirect_uri != two.redirect_uri) == (True, True)
    assert obtain(app, discovered, actor=SYSTEM).id == one.id


@pytest.mark.parametrize("change", ["token", "public_url", "secret"])
def test_one_that_does_not_fit_any_more_is_made_anew_and_kept_for_its_connections(
    app: ProviderApp, discovered: dict[str, str], sandbox: SandboxProcess, change: str
) -> None:
    before = obtain(app, discovered, actor=SYSTEM)
    moved = discovered | ({"token": f"{discovered['issuer']}/token/new"} if change == "token" else {})
    if change == "secret":
        RegisteredClient.objects.update(secret_expires_at=timezone.now() - timedelta(seconds=1))
    with at("https://moved.example" if change == "public_url" else "http://testserver"):
        after = obtain(app, moved, actor=SYSTEM)
    assert (after.id != before.id, registrations(sandbox)) == (True, 2)
    kept = RegisteredClient.objects.get(id=before.id)
    assert kept.replaced_at is not None
    assert (kept.client_id, kept.discovered["token"]) == (before.client_id, discovered["token"])


@pytest.mark.parametrize("ends_at", [1, -5, "2027-01-01T00:00:00Z", True])
def test_a_secret_that_is_said_to_have_ended_is_not_made_anew_at_each_connect(
    app: ProviderApp, discovered: dict[str, str], sandbox: SandboxProcess, ends_at: object
) -> None:
    answer = {"client_id": "odd", "client_secret": "works-all-the-same", "client_secret_expires_at": ends_at}
    sandbox.control.fault("status", endpoint="register", status=201, body=json.dumps(answer), times=0)
    made = {obtain(app, discovered, actor=SYSTEM).id for _ in range(3)}
    assert (len(made), RegisteredClient.objects.count()) == (1, 1)
    assert len(sandbox.control.log(endpoint="register")) == 1


def test_a_refusal_is_told_and_not_asked_for_again_at_once(
    app: ProviderApp, discovered: dict[str, str], sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("error", endpoint="register", error="invalid_redirect_uri", times=0)
    for _ in range(2):
        with pytest.raises(AppMisconfigured, match="invalid_redirect_uri"):
            obtain(app, discovered, actor=SYSTEM)
    assert len(sandbox.control.log(endpoint="register")) == 1
    sandbox.control.clear_faults()
    RegisteredClient.objects.update(renew_at=timezone.now())
    assert obtain(app, discovered, actor=SYSTEM).is_registered
    assert RegisteredClient.objects.get().problem == ""


def test_an_outage_is_asked_again_at_once(
    app: ProviderApp, discovered: dict[str, str], sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("status", endpoint="register", status=503)
    with pytest.raises(ProviderDown):
        obtain(app, discovered, actor=SYSTEM)
    assert obtain(app, discovered, actor=SYSTEM).is_registered


def test_a_claim_whose_process_died_is_taken_over(
    app: ProviderApp, discovered: dict[str, str], sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connections.lifecycle.registration.obtain.WAIT_SECONDS", 0.0)
    died = RegisteredClient.objects.create(
        provider_app=app,
        issuer=discovered["issuer"],
        way=DYNAMIC,
        redirect_uri="",
        looked_at=timezone.now(),
        claimed_until=timezone.now() + timedelta(seconds=30),
    )
    with pytest.raises(ProviderDown):
        obtain(app, discovered, actor=SYSTEM)
    assert registrations(sandbox) == 0
    RegisteredClient.objects.update(claimed_until=timezone.now())
    assert obtain(app, discovered, actor=SYSTEM).id == died.id


def test_a_server_that_registers_nobody_is_told(
    app: ProviderApp, discovered: dict[str, str], sandbox: SandboxProcess
) -> None:
    with pytest.raises(AppMisconfigured, match="by hand"):
        obtain(app, discovered | {"registration": ""}, actor=SYSTEM)
    assert not RegisteredClient.objects.exists()
