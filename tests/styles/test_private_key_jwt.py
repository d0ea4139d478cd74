"""A client that proves itself by a key pair instead of a secret (RFC 7523 §2.2), through a whole life."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.test import Client

from connections.access.app_keys import jwks_url
from connections.access.targets import redirect_uri
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.provision.app_keys import make_key, withdraw_key
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import AppKey, Connection, Incident, ProviderApp, Trigger
from providers.sandbox.client import SandboxProcess
from providers.vocabulary import SigningAlgorithm
from tests.connections.lifecycle.clockwork import age
from tests.flows import EndUser, call
from tests.styles import test_authorization_code, test_device_authorization

HEAD = """
name = "Played"
base_url = "{issuer}"
[[params]]
name = "issuer"
label = "Issuer"
scope = "app"
pattern = "^http://.+$"
[probe]
url = "{issuer}/me"
account_id = "/sub"
"""
COMMON = """
issuer = "{issuer}"
client_authentication = "private_key_jwt"
token_url = "{issuer}/token"
revocation_url = "{issuer}/revoke"
introspection_url = "{issuer}/introspect"
"""


def key_set_of(app: ProviderApp) -> Mapping[str, Any]:
    """Return what the provider fetches from us."""
    found: Mapping[str, Any] = Client().get(jwks_url(app.id).removeprefix("http://testserver")).json()
    return found


def register(app: ProviderApp, sandbox: SandboxProcess) -> None:
    """Give the provider the app's keys of now; it has no secret of ours any more."""
    sandbox.control.register_client(
        app.client_id,
        jwks=key_set_of(app),
        redirect_uris=[redirect_uri(app.id)],
        scopes=["profile.read", "files.read", "files.write"],
    )


class TestAuthorizationCodeWithAKey(test_authorization_code.TestAuthorizationCode):
    entry = f'{HEAD}[authorization_code]\nauthorization_url = "{{issuer}}/authorize"{COMMON}'

    def prepare(self, app: ProviderApp, sandbox: SandboxProcess) -> None:
        make_key(app, SigningAlgorithm.ES256, kid="first", actor=SYSTEM)
        register(app, sandbox)

    def test_each_endpoint_is_shown_a_signature_of_the_key(
        self, connection: Connection, alice: EndUser, sandbox: SandboxProcess
    ) -> None:
        age(connection.id, hours=1)
        assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.REFRESHED
        call(alice.backend, "DELETE", f"/connections/{connection.id}")
        revoke(connection.id)
        asked = [entry for entry in sandbox.control.log() if entry.endpoint in ("token", "revoke", "introspect")]
        assert {entry.endpoint for entry in asked} >= {"token", "revoke"}
        assert {entry.kid for entry in asked} == {"first"}
        assert not sandbox.control.log(error="invalid_client")

    def test_a_rotation_is_no_outage_for_a_provider_that_keeps_the_set_for_a_while(
        self, connection: Connection, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        make_key(app, SigningAlgorithm.RS256, kid="second", actor=SYSTEM)
        signed = []
        for hours in (0, 25, 25):
            gone = timedelta(hours=hours)
            AppKey.objects.update(signs_from=F("signs_from") - gone, published_until=F("published_until") - gone)
            age(connection.id, hours=1)
            assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.REFRESHED
            signed.append(sandbox.control.log(endpoint="token")[-1].kid)
            register(app, sandbox)  # the provider looks only now: each time after the fact
        assert signed == ["first", "second", "second"]
        assert [key["kid"] for key in key_set_of(app)["keys"]] == ["second"]

    def test_without_a_key_nothing_is_sent_and_nothing_ends(
        self, connection: Connection, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        withdraw_key(AppKey.objects.get(), actor=SYSTEM)
        age(connection.id, hours=1)
        sandbox.control.clear_log()
        assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.CLIENT_REJECTED
        assert sandbox.control.log(endpoint="token") == []
        assert Connection.objects.get().status == "active"

    def test_a_key_that_the_provider_does_not_know_is_an_incident_and_mended_by_telling_it(
        self, connection: Connection, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        withdraw_key(AppKey.objects.get(), actor=SYSTEM)
        make_key(app, SigningAlgorithm.ES256, kid="unknown-to-it", actor=SYSTEM)
        age(connection.id, hours=1)
        assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.CLIENT_REJECTED
        assert sandbox.control.log(endpoint="token")[-1].outcome == "unknown_key"
        assert Incident.objects.get().kind == "client_rejected"
        assert Connection.objects.get().status == "active"
        register(app, sandbox)
        age(connection.id, hours=1)
        Incident.objects.update(last_seen_at=F("last_seen_at") - timedelta(hours=1))
        assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.REFRESHED
        assert Incident.objects.get().closed_at is not None


class TestDeviceWithAKey(test_device_authorization.TestDeviceAuthorization):
    entry = f'{HEAD}[device_authorization]\ndevice_authorization_url = "{{issuer}}/device_authorization"{COMMON}'
    prepare = TestAuthorizationCodeWithAKey.prepare
