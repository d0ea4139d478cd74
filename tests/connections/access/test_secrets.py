"""What is sealed opens where it was sealed, for ever, and nowhere else."""

import base64
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from connections.access.secrets import (
    current_data_key,
    digest,
    open_client_secrets,
    open_credential,
    open_for_renewal,
    open_for_session,
    open_registration,
    seal_client_secrets,
    seal_for_session,
    unwrap,
)
from connections.access.targets import access_to, registrar_of
from connections.lifecycle.credentials import spool
from connections.models import Connection, ConnectSession, CredentialVersion, DataKey, ProviderApp, Tenant
from connections.models.data_key import SHREDDED
from connections.models.fields import StoredSecret, outer_fernet
from connections.vault.sealing import Unreadable, fingerprint
from providers.values import Credential
from tests.connections.access import golden
from tests.connections.api.stored import make_app, make_connection


@pytest.fixture
def acme(acme: Tenant) -> Tenant:
    """A tenant with a data key."""
    current_data_key(acme.id)
    return acme


# --- A data key is its owner's ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("owner", ["globex", None], ids=["another tenant", "the operator"])
def test_a_tenants_data_key_opens_for_no_other_owner(acme: Tenant, globex: Tenant, owner: str | None) -> None:
    row = DataKey.objects.get(tenant=acme)
    assert len(unwrap(row).material) == 32
    row.tenant = globex if owner else None
    with pytest.raises(Unreadable):
        unwrap(row)


def test_the_operators_data_key_opens_for_no_tenant(acme: Tenant) -> None:
    current_data_key(None)
    row = DataKey.objects.get(tenant=None)
    unwrap(row)
    row.tenant = acme
    with pytest.raises(Unreadable):
        unwrap(row)


def test_a_data_key_opens_under_its_own_id_alone(acme: Tenant) -> None:
    row = DataKey.objects.get(tenant=acme)
    row.id = uuid.uuid4()
    with pytest.raises(Unreadable):
        unwrap(row)


# --- A value is its place's -------------------------------------------------------------------------------------------
def test_a_credential_opens_as_its_own_version_alone(acme: Tenant) -> None:
    connection = make_connection(acme)
    version = CredentialVersion.objects.get(connection=connection)
    other = CredentialVersion.objects.get(connection=make_connection(acme, end_user="bob"))
    assert open_credential(connection, version).access_token
    other.secrets, other.connection = version.secrets, connection
    for opening in (open_credential, open_for_renewal):
        with pytest.raises(Unreadable):
            opening(connection, other)


@pytest.mark.parametrize("moved", ["connection", "tenant"])
def test_a_credential_opens_at_its_own_connection_and_tenant_alone(acme: Tenant, globex: Tenant, moved: str) -> None:
    connection = make_connection(acme)
    version = CredentialVersion.objects.get(connection=connection)
    elsewhere = Connection(
        id=uuid.uuid4() if moved == "connection" else connection.id,
        tenant_id=globex.id if moved == "tenant" else acme.id,
    )
    for opening in (open_credential, open_for_renewal):
        with pytest.raises(Unreadable):
            opening(elsewhere, version)


@pytest.mark.parametrize("field", ["held", "code_verifier"])
def test_what_a_session_keeps_opens_in_that_session_and_column_alone(acme: Tenant, globex: Tenant, field: str) -> None:
    session = ConnectSession(id=uuid.uuid4(), tenant=acme)
    key = current_data_key(acme.id)
    stored = StoredSecret(outer_fernet().encrypt(seal_for_session(session, field, b"kept", key=key)))
    setattr(session, field, stored)
    assert open_for_session(session, field) == b"kept"
    other_field = "held" if field == "code_verifier" else "code_verifier"
    for elsewhere, column in (
        (ConnectSession(id=uuid.uuid4(), tenant=acme), field),
        (ConnectSession(id=session.id, tenant=globex), field),
        (ConnectSession(id=session.id, tenant=acme), other_field),
    ):
        setattr(elsewhere, column, stored)
        with pytest.raises(Unreadable):
            open_for_session(elsewhere, column)


def test_client_secrets_open_at_their_own_app_and_owner_alone(acme: Tenant, globex: Tenant) -> None:
    app = make_app(acme)
    blob = seal_client_secrets(app, ["a", "b"], registrar="them")
    assert blob is not None
    stored = StoredSecret(outer_fernet().encrypt(blob))
    for app_id, tenant in ((app.id, acme), (uuid.uuid4(), acme), (app.id, globex), (app.id, None)):
        there = ProviderApp(id=app_id, tenant=tenant, secrets=stored)
        if (app_id, tenant) == (app.id, acme):
            assert [secret.get_secret_value() for secret in open_client_secrets(there)] == ["a", "b"]
            continue
        with pytest.raises(Unreadable):
            open_client_secrets(there)


def test_a_stored_value_needs_the_outer_key_and_the_inner_one(acme: Tenant, settings: Settings) -> None:
    connection = make_connection(acme)
    version = CredentialVersion.objects.get(connection=connection)
    DataKey.objects.filter(tenant=acme).update(wrapped=SHREDDED)
    with pytest.raises(Unreadable):
        open_credential(connection, version)
    settings.FERNET_KEYS = ["another-key-of-at-least-32-characters"]
    with pytest.raises(Unreadable):
        version.secrets.open_outer()


# --- What was stored long ago -----------------------------------------------------------------------------------------
@pytest.fixture
def long_ago(transactional_db: None, settings: Settings) -> None:
    """The keys of then, beside those of today, and the rows that hold the wrapped ones."""
    settings.FERNET_KEYS = [*settings.FERNET_KEYS, golden.FERNET_KEY]
    settings.KEK_KEYS = [*settings.KEK_KEYS, golden.KEK]
    Tenant.objects.create(id=golden.TENANT_ID, slug="golden", name="Golden")
    for key_id, tenant_id, wrapped in (
        (golden.TENANT_KEY_ID, golden.TENANT_ID, golden.TENANT_KEY),
        (golden.OPERATOR_KEY_ID, None, golden.OPERATOR_KEY),
    ):
        DataKey.objects.create(
            id=key_id, tenant_id=tenant_id, kek_id="golden", wrapped=base64.b64decode(wrapped), is_current=False
        )


def stored(value: str) -> StoredSecret:
    return StoredSecret(value.encode())


def plain(credential: Credential) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(credential.to_bytes())
    return document


@pytest.mark.usefixtures("long_ago")
def test_a_credential_of_long_ago_opens() -> None:
    connection = Connection(id=golden.CONNECTION_ID, tenant_id=golden.TENANT_ID)
    version = CredentialVersion(id=golden.VERSION_ID, secrets=stored(golden.CREDENTIAL))
    assert plain(open_credential(connection, version)) == {
        "token_type": "Bearer",
        "access_token": "at-golden",
        "refresh_token": "rt-golden",
        "fields": {"api_key": "k"},
        "extra": {"instance_url": "https://é.example"},
        "granted_by": "https://as.example https://as.example/token",
    }


@pytest.mark.usefixtures("long_ago")
def test_a_session_of_long_ago_opens() -> None:
    session = ConnectSession(
        id=golden.SESSION_ID,
        tenant_id=golden.TENANT_ID,
        held=stored(golden.HELD),
        code_verifier=stored(golden.CODE_VERIFIER),
    )
    assert open_for_session(session, "held") == b'{"code":"c"}'
    assert open_for_session(session, "code_verifier") == b"verifier"


@pytest.mark.usefixtures("long_ago")
def test_client_secrets_of_long_ago_open() -> None:
    own = ProviderApp(id=golden.APP_ID, tenant_id=golden.TENANT_ID, secrets=stored(golden.CLIENT_SECRETS))
    shared = ProviderApp(id=golden.SHARED_APP_ID, secrets=stored(golden.SHARED_CLIENT_SECRETS))
    assert [secret.get_secret_value() for secret in open_client_secrets(own)] == ["newer", "older"]
    assert open_registration(own).registrar == "https://as.example/token"
    assert [secret.get_secret_value() for secret in open_client_secrets(shared)] == ["shared"]


@pytest.mark.usefixtures("long_ago")
def test_a_version_that_was_spooled_long_ago_is_stored_and_opens(settings: Settings, tmp_path: Path) -> None:
    settings.SPOOL_DIR = tmp_path
    app = make_app(Tenant.objects.get(id=golden.TENANT_ID))
    connection = Connection.objects.create(
        id=golden.CONNECTION_ID, tenant_id=golden.TENANT_ID, provider_app=app, provider="sandbox", owner_kind="tenant"
    )
    (tmp_path / f"{golden.VERSION_ID}.version").write_text(golden.SPOOLED)
    assert spool.replay() == [connection.id]
    version = CredentialVersion.objects.get()
    assert (version.id, version.grant_id, version.parent_id, version.attempt_id, version.data_key_id) == (
        golden.VERSION_ID,
        golden.GRANT_ID,
        golden.PARENT_ID,
        golden.ATTEMPT_ID,
        golden.TENANT_KEY_ID,
    )
    assert (version.stage, version.scopes, version.is_refreshable) == ("received", ["a", "b"], True)
    assert (version.lifetime_seconds, version.refresh_lifetime_seconds) == (3600, 86_400)
    assert version.received_at == datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert bytes(version.fingerprint) == base64.b64decode(golden.FINGERPRINT)
    assert plain(open_credential(connection, version))["refresh_token"] == "rt-golden"


@pytest.mark.usefixtures("long_ago")
def test_a_fingerprint_of_long_ago_is_found_again() -> None:
    key = unwrap(DataKey.objects.get(id=golden.TENANT_KEY_ID))
    assert fingerprint("at-golden", key=key) == base64.b64decode(golden.FINGERPRINT)


def test_a_hash_of_long_ago_is_found_again() -> None:
    """Of API keys, and of connect tokens, states and completion codes: whoever holds one goes on after an upgrade."""
    then = "29c069f9be32421c9da64123d113d30c1525db07d47f5b854ae71a55677baa1a"
    assert digest("lk_golden").hex() == then


def test_who_gave_a_credential_is_named_as_ever(acme: Tenant) -> None:
    """It is sealed with each credential and compared before each use: another spelling would make all useless."""
    app = ProviderApp.objects.get(id=make_app(acme).id)
    assert access_to(app, {}).target.grantor == golden.GRANTOR
    assert registrar_of(app) == golden.REGISTRAR
