"""Operators with their rights, and rows of every table to look at."""

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from connections.access.secrets import credential_place, current_data_key
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.health.incidents import open_client_incident
from connections.lifecycle.policy.give import Terms, give
from connections.lifecycle.provision.app_keys import make_key
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.provision.push_secrets import add_push_secret
from connections.lifecycle.provision.trusted_issuers import Trust, add_caller_rule, trust_issuer
from connections.lifecycle.watch.findings import note
from connections.lifecycle.watch.settings import watch_settings
from connections.lifecycle.watch.use import Span
from connections.lifecycle.webhooks.endpoints import Terms as WebhookTerms
from connections.lifecycle.webhooks.endpoints import add_endpoint
from connections.models import (
    ApiClient,
    Approval,
    AuditEvent,
    AuditSeal,
    AuditVerification,
    BulkJob,
    BulkRow,
    Bundle,
    Connection,
    ConnectSession,
    CredentialVersion,
    HeldConnection,
    ImportRow,
    ImportRun,
    IssuerUse,
    ManagementSession,
    Notice,
    Offboarding,
    OutboxEvent,
    OwnerKind,
    ProviderApp,
    PushState,
    Reason,
    ReceivedPush,
    RefreshAttempt,
    RegisteredClient,
    RegistrationWay,
    Scope,
    SessionState,
    Stage,
    Status,
    SubjectKind,
    Tenant,
    TenantDomain,
    TokenVerdict,
    WatchRule,
    WebhookDelivery,
)
from connections.vault.sealing import seal
from providers.catalog.methods import AuthorizationCodeMethod
from providers.vocabulary import SigningAlgorithm
from tests.factories import make_caller, make_tenant

SECRET = "canary-client-secret"
TOKEN = "canary-access-token"
PASSWORD = "correct horse battery staple"
ISSUER = "http://127.0.0.1:8090"


@pytest.fixture
def olga(db: None) -> Client:
    """A browser in which an operator with every right is logged in."""
    return logged_in(User.objects.create_superuser("olga", password=PASSWORD))


@pytest.fixture
def viktor(db: None) -> Client:
    """A browser in which an operator who may only look is logged in."""
    user = User.objects.create_user("viktor", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return logged_in(user)


def operator_with(name: str, *permissions: str) -> Client:
    """A browser in which an operator with just these rights is logged in."""
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return logged_in(user)


def logged_in(user: User) -> Client:
    """A browser in which ``user`` is logged in, and has just proven who that is."""
    browser = Client()
    browser.force_login(user)
    prove(browser, user)
    return browser


def prove(browser: Client, user: User, *, ago: float = 0, address: str = "127.0.0.1") -> None:
    """Leave in the session of ``browser`` what a proof leaves there."""
    session = browser.session
    shown = {"method": "password", "at": time.time() - ago, "reauthenticated": True}
    session["account_authentication_methods"] = [shown]
    session["account_authentication_methods_user"] = str(user.pk)
    session["latchkey_proof_address"] = address
    session.save()


@dataclass
class World:
    """One row of everything, and the secrets that no page may show."""

    tenant: Tenant
    app: ProviderApp
    client: ApiClient
    connections: list[Connection]
    secrets: list[str]

    @property
    def connection(self) -> Connection:
        return self.connections[0]


@pytest.fixture
def world(db: None) -> World:
    """acme with an app, a client, one connection and a history."""
    return make_world("acme")


def make_world(slug: str, *, end_user: str = "alice", leaver: str = "zoe") -> World:
    """Make a tenant with one row of every table that has pages."""
    acme = make_tenant(slug)
    app = make_app(acme)
    caller = make_caller(acme)
    connection = make_connection(app, acme, end_user)
    make_key(app, SigningAlgorithm.ES256, actor=SYSTEM)
    RegisteredClient.objects.create(
        provider_app=app,
        issuer="https://login.example",
        way=RegistrationWay.DYNAMIC,
        client_id="c-1",
        redirect_uri="https://latchkey.example/cb",
        looked_at=database_now(),
    )
    TenantDomain.objects.create(tenant=acme, host=f"app.{slug}.example", challenge="challenge-1")
    open_client_incident(app, evidence={"detail": "Refused.", "sent": True, "status": 401}, now=database_now())
    ManagementSession.objects.create(
        tenant=acme,
        api_client=caller.client,
        end_user=end_user,
        providers=["sandbox"],
        return_url=f"https://app.{slug}.example/back",
        token_hash=uuid.uuid4().bytes * 2,
        expires_at=database_now() + timedelta(minutes=5),
    )
    answered = {"expires_at": database_now() + timedelta(hours=1), "created_at": database_now()}
    terms = Terms(SubjectKind.END_USER, "bob", connection_id=connection.id, methods=["GET"], paths=["/contacts/**"])
    grant, _ = give(terms, tenant=acme, now=database_now(), actor=SYSTEM)
    Approval.objects.create(
        tenant=acme,
        grant=grant,
        connection=connection,
        api_client_id=caller.client.id,
        end_user="bob",
        purpose="report",
        action="proxy",
        method="GET",
        path="/contacts/7",
        asked=b"asked",
        **answered,
    )
    Offboarding.objects.create(
        tenant=acme,
        end_user=leaver,
        mode="offboard",
        connections={str(uuid.uuid4()): {"provider": "sandbox", "act": "disconnected"}},
        ordered_at=database_now(),
    )
    run = ImportRun.objects.create(tenant=acme, created_at=database_now(), lines=1, options={"dry_run": False})
    ImportRow.objects.create(
        id=uuid.uuid4(), run=run, line=1, tenant=acme, state="settled", code="refused", connection=connection
    )
    Bundle.objects.create(
        id=uuid.uuid4(), way="out", tenant_id=acme.id, slug=slug, signer="key", is_move=True, made_at=database_now()
    )
    job = BulkJob.objects.create(act="pause", tenant=acme, operator="olga", total=1, ordered_at=database_now())
    BulkRow.objects.create(job=job, connection=connection)
    HeldConnection.objects.create(connection=connection, verdict=TokenVerdict.UNKNOWN, held_at=database_now())
    sealed = {"sealed_at": database_now(), "newest_at": database_now(), "key_id": "k1", "hash": "5ea1"}
    digests = dict.fromkeys(("leaves", "nonces", "leaves_hash", "signature"), b"digest")
    number = AuditSeal.objects.count() + 1  # they are of all tenants at once
    AuditSeal.objects.create(number=number, first_id=number, last_id=number, rows=1, **sealed, **digests)
    AuditVerification.objects.create(ordered_at=database_now(), to_seal=1)
    trust = Trust(IssuerUse.CALLER, "https://ci.example", "https://latchkey.example", keys=None)
    note(
        caller.client,
        WatchRule.NEW_NETWORK,
        span=Span(database_now(), database_now(), 1),
        facts={"networks": ["203.0.113.0/24"], "connections": [str(connection.id)]},
        now=database_now(),
    )
    watch_settings()
    issuer = trust_issuer(trust, tenant=acme, actor=SYSTEM)
    add_caller_rule(issuer, caller.client, [{"claim": "sub", "matches": f"repo:{slug}/*"}], actor=SYSTEM)
    issued = add_endpoint(
        WebhookTerms(f"https://hooks.{slug}.example/in"), tenant=acme, now=database_now(), actor=SYSTEM
    )
    WebhookDelivery.objects.create(endpoint=issued.endpoint, event=OutboxEvent.objects.latest("id"), lane=connection.id)
    Notice.objects.create(cause=f"test:{uuid.uuid4()}", subject="Test", state="off", **_ended())
    ReceivedPush.objects.create(
        provider_app=app, state=PushState.DONE, event_types=["grant.revoked"], received_at=database_now()
    )
    add_push_secret(app, SECRET, actor=SYSTEM)
    hook = issued.secret.get_secret_value()
    secrets = [
        SECRET,
        TOKEN,
        caller.key,
        hook,
        *_stored(CredentialVersion.objects.all(), app),
    ]
    return World(acme, app, caller.client, [connection], secrets)


def _ended() -> dict[str, Any]:
    return {"created_at": database_now(), "ended_at": database_now()}


def _stored(versions: Iterable[CredentialVersion], app: ProviderApp) -> list[str]:
    app.refresh_from_db()
    ciphertexts = [version.secrets.stored for version in versions] + [app.secrets.stored if app.secrets else b""]
    return [ciphertext.decode()[:40] for ciphertext in ciphertexts if ciphertext]


def make_app(tenant: Tenant | None, *, style: str = AuthorizationCodeMethod.style) -> ProviderApp:
    """Make a provider app at a sandbox that does not run."""
    return save_provider_app(
        Registration("sandbox", style, client_id="client-1", client_secrets=[SECRET], params={"issuer": ISSUER}),
        tenant=tenant,
        actor=SYSTEM,
    )


@transaction.atomic
def make_connection(
    app: ProviderApp,
    tenant: Tenant,
    end_user: str,
    *,
    status: Status = Status.ACTIVE,
    reason: Reason = Reason.CONNECTED,
) -> Connection:
    """Make a connection with a sealed version and one row of each table that hangs on it."""
    now, version_id, grant_id = database_now(), uuid.uuid4(), uuid.uuid4()
    connection = Connection.objects.create(
        tenant=tenant,
        provider_app=app,
        provider=app.provider,
        owner_kind=OwnerKind.END_USER,
        end_user=end_user,
        status=status,
        reason=reason,
        grant_id=grant_id,
        current_version_id=version_id,
        access_expires_at=now + timedelta(hours=1),
        refresh_due_at=now + timedelta(minutes=40),
        probe_due_at=now + timedelta(minutes=5),
        provider_account_id=f"account-{end_user}",
    )
    key = current_data_key(tenant.id)
    place = credential_place(tenant_id=tenant.id, connection_id=connection.id, version_id=version_id)
    CredentialVersion.objects.create(
        id=version_id,
        connection=connection,
        grant_id=grant_id,
        stage=Stage.CURRENT,
        secrets=seal(b'{"access_token": "%s", "token_type": "Bearer"}' % TOKEN.encode(), key=key, place=place),
        data_key_id=key.id,
        fingerprint=b"fingerprint",
        scopes=["profile.read"],
        is_refreshable=True,
        access_expires_at=now + timedelta(hours=1),
        received_at=now,
    )
    RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=version_id,
        state="rejected",
        claimed_at=now,
        deadline_at=now,
        ended_at=now,
        error="grant_rejected",
        evidence={"detail": "Refused.", "sent": True},
    )
    Scope.objects.create(connection=connection, name="profile.read", is_requested=True, is_granted=True)
    Scope.objects.create(connection=connection, name="files.read", is_requested=True)
    AuditEvent.objects.create(
        action="connection.connected", decision="allowed", tenant_id=tenant.id, connection_id=connection.id
    )
    OutboxEvent.objects.create(
        type="connection.connected", tenant_id=tenant.id, connection_id=connection.id, payload={"a": 1}
    )
    ConnectSession.objects.create(
        tenant=tenant,
        api_client=ApiClient.objects.filter(tenant=tenant).first() or make_caller(tenant).client,
        owner_kind=OwnerKind.END_USER,
        end_user=end_user,
        providers=[app.provider],
        return_url="https://app.acme.example/back",
        state=SessionState.COMPLETED,
        connection=connection,
        provider_app=app,
        token_hash=uuid.uuid4().bytes * 2,
        expires_at=now,
    )
    return connection


def unproven(browser: Client) -> Client:
    """The same browser, after its proof has lapsed."""
    prove(browser, User.objects.get(pk=browser.session["_auth_user_id"]), ago=301)
    return browser


MODELS = tuple(model for model in admin.site._registry if model._meta.app_label == "connections")


def kinds_of_fields(model: type[Model]) -> list[str]:
    """Return the name of each relation of ``model``, and of one field of each other kind that it has."""
    others = {type(field): field.name for field in model._meta.get_fields() if not field.is_relation}
    return [*(field.name for field in model._meta.get_fields() if field.is_relation), *others.values()]


def list_url(model: type) -> str:
    return reverse(f"admin:connections_{model.__name__.lower()}_changelist")


def page_url(row: Model) -> str:
    return reverse(f"admin:connections_{type(row).__name__.lower()}_change", args=[row.pk])


def press_url(row: Model, verb: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_press", args=[row.pk, verb])


def confirm(browser: Client, question: Any) -> Any:
    """Confirm the question about many connections that is on the page, as its form does."""
    asked = question.context
    form = {name: asked[name] for name in ("action", "select_across", "asked_at", "asked", "key")}
    chosen = {"_selected_action": asked["selected"], "confirmed": "1"}
    address = f"{question.request['PATH_INFO']}?{question.request['QUERY_STRING']}"
    return browser.post(address, {**form, **chosen}, follow=True)


def messages_of(response: Any) -> list[str]:
    """Return what the admin says on the page that the response leads to."""
    return [str(message) for message in response.context["messages"]]


def one_of(model: type[Model]) -> Model:
    """Return a row of ``model``."""
    row = model._default_manager.first()
    assert row is not None, model
    return row
