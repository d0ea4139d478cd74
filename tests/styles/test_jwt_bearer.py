"""An assertion that we sign buys a token (RFC 7523 §2.1), through a whole life: of a key file, and of the app's key."""

import json
from typing import ClassVar

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.app_keys import make_key, withdraw_key
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import AppKey, Connection, ProviderApp, Trigger
from providers.catalog.signed_methods import JwtBearerMethod, SamlBearerMethod
from providers.sandbox.client import SandboxProcess
from providers.vocabulary import SigningAlgorithm
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import reload
from tests.flows import EndUser
from tests.styles.contract import StyleContract, TypedStyleContract
from tests.styles.signers import SCOPES, make_signer
from tests.styles.test_password import held_by
from tests.styles.test_private_key_jwt import HEAD, key_set_of

OF_THE_APP = f"""{HEAD}
[[params]]
name = "person"
label = "Person"
scope = "invitation"
[[scopes]]
name = "profile.read"
description = "See your name"
default = true
[jwt_bearer]
token_url = "{{issuer}}/token"
revocation_url = "{{issuer}}/revoke"
client_authentication = "private_key_jwt"
issuer = "{{issuer}}"
[jwt_bearer.assertion]
key = "app"
algorithm = "PS256"
claims = {{ iss = "{{client_id}}", sub = "{{person}}", aud = "{{issuer}}" }}
"""


class TestJwtBearer(TypedStyleContract):
    style = JwtBearerMethod.style
    auth_method = "bearer"
    renews = True
    reason = "grant_rejected"

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {"key_file": self.file(sandbox), "subject": ""}

    def file(self, sandbox: SandboxProcess) -> str:
        """Return the file in which the provider hands out the key, as people paste it."""
        pem = make_signer(sandbox).private_key.get_secret_value()
        document = {"type": "service_account", "client_id": "machine", "private_key_id": "k1", "private_key": pem}
        return json.dumps(document, indent=2)

    def mistyped(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {"key_file": self.file(sandbox)[:-40], "subject": ""}

    def account_of(self, app: ProviderApp) -> str:
        return "machine"

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        make_signer(sandbox)
        sandbox.control.revoke(client_id="machine")

    def test_of_the_file_only_what_is_needed_again_is_stored(self, connection: Connection) -> None:
        held = held_by(connection)
        assert held.keys() == {"signer", "key_id", "private_key"}
        assert held["private_key"].startswith("-----BEGIN PRIVATE KEY-----")

    def test_each_token_is_bought_with_an_assertion_of_its_own(
        self, connection: Connection, sandbox: SandboxProcess
    ) -> None:
        for _ in "12":
            age(connection.id, hours=1)
            assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.REFRESHED
        bought = sandbox.control.log(endpoint="token")
        assert {entry.outcome for entry in bought} == {"issued"}
        assert {entry.grant_type for entry in bought} == {"urn:ietf:params:oauth:grant-type:jwt-bearer"}

    def test_a_file_that_lacks_something_is_told_by_what(
        self, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        whole = json.loads(self.file(sandbox))
        invitation = alice.invite(provider=app.provider)
        alice.start(invitation)
        for changes, told in (
            ({"private_key": None}, "it holds no private_key"),
            ({"private_key": "canary"}, "no private key in PEM"),
        ):
            page = self.submit(alice, invitation, app, {"key_file": json.dumps(whole | changes)})
            assert page.status_code == 422
            assert told in page.content.decode()
            assert "canary" not in page.content.decode()


class TestActingForAPerson(TestJwtBearer):
    """As a service account does that may act for the members of a domain."""

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {"key_file": self.file(sandbox), "subject": "alice"}

    def account_of(self, app: ProviderApp) -> str:
        return "person-1001"

    def test_of_the_file_only_what_is_needed_again_is_stored(self, connection: Connection) -> None:
        assert held_by(connection)["subject"] == "alice"


class TestSamlBearer(TypedStyleContract):
    style = SamlBearerMethod.style
    auth_method = "bearer"
    renews = True
    reason = "grant_rejected"

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        pair = make_signer(sandbox, algorithm=SigningAlgorithm.RS256)
        return {"signer": "machine", "subject": "alice", "private_key": pair.private_key.get_secret_value()}

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        make_signer(sandbox, algorithm=SigningAlgorithm.RS256)
        sandbox.control.revoke(client_id="machine")

    def test_each_token_is_bought_with_an_assertion_of_its_own(
        self, connection: Connection, sandbox: SandboxProcess
    ) -> None:
        for _ in "12":
            age(connection.id, hours=1)
            assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.REFRESHED
        bought = sandbox.control.log(endpoint="token")
        assert {(entry.outcome, entry.kid) for entry in bought} == {("issued", "k1")}


class TestTheKeyOfTheApp(StyleContract):
    style = JwtBearerMethod.style
    entry = OF_THE_APP
    auth_method = "bearer"
    renews = True
    revokes = True
    reason = "grant_rejected"
    terms: ClassVar[dict[str, object]] = {"params": {"person": "alice"}}

    def prepare(self, app: ProviderApp, sandbox: SandboxProcess) -> None:
        make_key(app, SigningAlgorithm.PS256, actor=SYSTEM)
        sandbox.control.register_client(app.client_id, jwks=key_set_of(app), scopes=SCOPES)

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.settings(locked=["alice"])
        sandbox.control.revoke(username="alice")

    def test_a_key_that_the_provider_does_not_know_ends_no_connection(
        self, connection: Connection, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        withdraw_key(AppKey.objects.get(), actor=SYSTEM)
        make_key(app, SigningAlgorithm.PS256, actor=SYSTEM)
        age(connection.id, hours=1)
        refresh(connection.id, trigger=Trigger.SWEEP)
        assert sandbox.control.log(endpoint="token")[-1].outcome == "unknown_key"
        assert reload(connection).status in ("active", "suspect")
