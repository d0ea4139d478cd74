"""A token that we sign, through a whole life: with a typed key, a shared secret, the app's key, and as a chain."""

import base64
from typing import ClassVar

import jwt

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.app_keys import make_key, withdraw_key
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import AppKey, Connection, CredentialVersion, Incident, ProviderApp, Trigger
from providers.catalog.signed_methods import SignedJwtMethod
from providers.sandbox.client import SandboxProcess
from providers.vocabulary import SigningAlgorithm
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import reload
from tests.factories import RETURN_URL
from tests.flows import EndUser, call, completion_code
from tests.styles.contract import ALICE, StyleContract, TypedStyleContract
from tests.styles.signers import SCOPES, make_signer
from tests.styles.test_private_key_jwt import HEAD, key_set_of

SECRET = "6b6579206f66206d6f7265207468616e2074686972747920747720627974657321"
WITH_A_SECRET = f"""{HEAD}
[[signed_jwt.fields]]
name = "signer"
label = "Key ID"
secret = false
[[signed_jwt.fields]]
name = "shared"
label = "Secret"
[signed_jwt.token]
algorithm = "HS256"
key_field = "shared"
key_encoding = "hex"
kid = "k1"
claims = {{ iss = "{{signer}}", sub = "{{signer}}", aud = "{{issuer}}" }}
lifetime_seconds = 300
"""
OF_THE_APP = f"""{HEAD}
[[params]]
name = "person"
label = "Person"
scope = "invitation"
[signed_jwt.token]
algorithm = "ES256"
key = "app"
claims = {{ iss = "{{client_id}}", sub = "{{person}}", aud = "{{issuer}}" }}
lifetime_seconds = 300
"""
INSTALLED = f"""{HEAD}
[[params]]
name = "installation"
label = "Installation"
scope = "invitation"
[signed_jwt.token]
algorithm = "RS256"
key = "app"
claims = {{ iss = "{{client_id}}" }}
lifetime_seconds = 540
[signed_jwt.exchange]
url = "{{issuer}}/installations/{{installation}}/access_tokens"
headers = {{ Authorization = "Bearer {{signed_token}}" }}
token = "/token"
expiry = {{ field = "expires_at", format = "timestamp" }}
errors = [{{ status = 403, means = "grant_rejected" }}, {{ status = 404, means = "grant_rejected" }}]
[signed_jwt.revoke]
method = "DELETE"
url = "{{issuer}}/installation/token"
headers = {{ Authorization = "Bearer {{access_token}}" }}
"""


class TestSignedJwt(TypedStyleContract):
    style = SignedJwtMethod.style
    auth_method = "bearer"
    renews = True

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        pair = make_signer(sandbox)
        return {"signer": "machine", "key_id": "k1", "private_key": pair.private_key.get_secret_value()}

    def account_of(self, app: ProviderApp) -> str:
        return "machine"

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        make_signer(sandbox)  # the key that alice typed is not the client's any more

    def test_nobody_is_asked_for_the_next_one(self, connection: Connection, sandbox: SandboxProcess) -> None:
        age(connection.id, hours=1)
        sandbox.control.clear_log()
        assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.REFRESHED
        assert sandbox.control.log() == []

    def test_a_vend_that_comes_late_signs_a_fresh_one(self, connection: Connection, alice: EndUser) -> None:
        before = self.vended(alice, connection)["value"]
        age(connection.id, hours=1)
        after = self.vended(alice, connection)
        assert after["value"] != before
        assert self.use(after).status_code == 200

    def test_the_token_lives_as_the_entry_says_and_a_slow_clock_believes_it(
        self, connection: Connection, alice: EndUser
    ) -> None:
        vended = self.vended(alice, connection)
        claims = jwt.decode(vended["value"], options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == 330
        version = CredentialVersion.objects.get(id=reload(connection).current_version_id)
        assert version.lifetime_seconds == 300
        assert abs(claims["exp"] - version.received_at.timestamp() - 300) < 10

    def test_the_key_may_come_with_the_line_breaks_of_windows(
        self, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        typed = self.typed(sandbox)
        typed["private_key"] = typed["private_key"].replace("\n", "\r\n")
        invitation = alice.invite(provider=app.provider)
        alice.start(invitation)
        assert completion_code(self.submit(alice, invitation, app, typed))

    def test_the_page_asks_for_the_key_in_several_lines_and_for_its_id_if_there_is_one(
        self, alice: EndUser, app: ProviderApp
    ) -> None:
        invitation = alice.invite(provider=app.provider)
        alice.start(invitation)
        page = alice.open(f"/connect/{invitation.id}/method/{app.id}").content.decode()
        assert '<textarea id="field-private_key"' in page
        field = page[page.index('id="field-key_id"') :]
        assert "required" not in field[: field.index(">")]


class TestASharedSecret(TestSignedJwt):
    entry = WITH_A_SECRET

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        self.register(sandbox, bytes.fromhex(SECRET))
        return {"signer": "machine", "shared": SECRET}

    def mistyped(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {"signer": "machine", "shared": "no-hex-at-all"}

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        self.register(sandbox, b"another secret of more than thirty-two bytes")

    def register(self, sandbox: SandboxProcess, secret: bytes) -> None:
        packed = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
        key = {"kty": "oct", "k": packed, "kid": "k1", "alg": "HS256"}
        sandbox.control.register_client("machine", jwks={"keys": [key]}, scopes=SCOPES)

    test_the_key_may_come_with_the_line_breaks_of_windows = None
    test_the_page_asks_for_the_key_in_several_lines_and_for_its_id_if_there_is_one = None


class TestTheKeyOfTheApp(StyleContract):
    style = SignedJwtMethod.style
    entry = OF_THE_APP
    algorithm: ClassVar[SigningAlgorithm] = SigningAlgorithm.ES256
    auth_method = "bearer"
    renews = True
    terms: ClassVar[dict[str, object]] = {"params": {"person": "alice"}}

    def prepare(self, app: ProviderApp, sandbox: SandboxProcess) -> None:
        make_key(app, self.algorithm, actor=SYSTEM)
        sandbox.control.register_client(app.client_id, jwks=key_set_of(app), scopes=SCOPES)

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.settings(locked=["alice"])

    def test_an_end_user_cannot_choose_whose_account_it_is(self, alice: EndUser, app: ProviderApp) -> None:
        name = next(iter(self.terms["params"]))  # type: ignore[call-overload]
        asked = {"provider": app.provider, "end_user": "alice", "return_url": RETURN_URL.format(slug="acme")}
        refused = call(alice.backend, "POST", "/connect-sessions", asked)
        assert (refused.status_code, refused.json()["field"]) == (422, f"params.{name}")
        invitation = alice.invite(provider=app.provider, **self.terms)
        alice.start(invitation)
        page = alice.open(f"/connect/{invitation.id}/method/{app.id}").content.decode()
        assert name not in page
        code = completion_code(self.submit(alice, invitation, app, {name: "bob"}))
        alice.complete(invitation, code)
        assert Connection.objects.get().provider_account_id == ALICE

    def test_without_a_key_nothing_is_signed_and_nothing_ends(self, connection: Connection) -> None:
        withdraw_key(AppKey.objects.get(), actor=SYSTEM)
        age(connection.id, hours=1)
        assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.CLIENT_REJECTED
        assert reload(connection).status == "active"


class TestAnInstalledApp(TestTheKeyOfTheApp):
    entry = INSTALLED
    algorithm = SigningAlgorithm.RS256
    revokes = True
    reason = "grant_rejected"
    terms: ClassVar[dict[str, object]] = {"params": {"installation": "person-1001"}}

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.settings(locked=["alice"])
        sandbox.control.revoke(username="alice")

    def test_a_key_that_the_provider_does_not_know_is_an_incident_of_the_app(
        self, connection: Connection, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        withdraw_key(AppKey.objects.get(), actor=SYSTEM)
        make_key(app, self.algorithm, actor=SYSTEM)
        age(connection.id, hours=1)
        assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.CLIENT_REJECTED
        assert Incident.objects.get().kind == "client_rejected"
        assert reload(connection).status == "active"

    def test_the_token_that_was_signed_is_not_what_callers_get(
        self, connection: Connection, alice: EndUser, sandbox: SandboxProcess
    ) -> None:
        assert self.vended(alice, connection)["value"].startswith("sba_")
        (bought,) = sandbox.control.log(endpoint="installations")[-1:]
        assert bought.kid == AppKey.objects.get().kid
