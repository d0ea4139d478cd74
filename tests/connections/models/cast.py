"""The cast of the tests of constraints: two tenants, and a maker of each kind of row."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from connections.models import (
    AccessGrant,
    ApiClient,
    AppKey,
    Approval,
    AuditSeal,
    BulkJob,
    BulkRow,
    BurntCode,
    Connection,
    ConnectSession,
    CredentialVersion,
    DataKey,
    ImportRow,
    ImportRun,
    Incident,
    KeptAnswer,
    ManagementSession,
    Offboarding,
    ProviderApp,
    RefreshAttempt,
    RegisteredClient,
    StaffIdentity,
    SubjectToken,
    Tenant,
)
from tests.connections.api.stored import make_connection
from tests.factories import make_caller


@dataclass
class Cast:
    """Two tenants with an app each, and a connection of the first one's."""

    acme: Tenant
    globex: Tenant
    connection: Connection

    @property
    def app(self) -> ProviderApp:
        return self.connection.provider_app

    def change(self, **values: Any) -> None:
        Connection.objects.filter(id=self.connection.id).update(**values)

    def like(self, **changes: Any) -> Connection:
        """Make another connection of the same account, but for ``changes``."""
        options = {"account": "person-1", "end_user": "alice", "tenant": self.acme, **changes}
        return make_connection(options.pop("tenant"), **options)

    def identity(self, **values: Any) -> StaffIdentity:
        user, _ = User.objects.get_or_create(username="olga")
        return StaffIdentity.objects.create(user=user, **{"issuer": "https://login.example", "subject": "1", **values})

    def registered(self, app: ProviderApp, **values: Any) -> RegisteredClient:
        fields = {"issuer": "https://login.example", "redirect_uri": "https://x", "looked_at": timezone.now(), **values}
        return RegisteredClient.objects.create(provider_app=app, **fields)

    def session(self, **values: Any) -> ConnectSession:
        fields: dict[str, Any] = {
            "tenant": self.acme,
            "api_client": make_caller(self.acme, uuid.uuid4().hex).client,
            "end_user": "alice",
            "providers": ["sandbox"],
            "token_hash": uuid.uuid4().bytes * 2,
            "expires_at": timezone.now(),
            **values,
        }
        return ConnectSession.objects.create(**fields)

    def visit(self, **values: Any) -> ManagementSession:
        fields: dict[str, Any] = {
            "tenant": self.acme,
            "api_client": make_caller(self.acme, uuid.uuid4().hex).client,
            "end_user": "alice",
            "token_hash": uuid.uuid4().bytes * 2,
            "expires_at": timezone.now(),
            **values,
        }
        return ManagementSession.objects.create(**fields)

    def version(self, stage: str, *, connection: Connection | None = None) -> CredentialVersion:
        row = CredentialVersion.objects.get(id=self.connection.current_version_id)
        row.id, row.stage, row.connection = uuid.uuid4(), stage, connection or self.connection
        row.save(force_insert=True)
        return row

    def attempt(self, state: str, *, connection: Connection | None = None) -> RefreshAttempt:
        now = timezone.now()
        return RefreshAttempt.objects.create(
            connection=connection or self.connection,
            parent_version_id=self.connection.current_version_id,
            state=state,
            claimed_at=now,
            deadline_at=now,
        )

    def key(self, tenant: Tenant | None, **values: Any) -> DataKey:
        return DataKey.objects.create(**{"id": uuid.uuid4(), "tenant": tenant, "kek_id": "k", "wrapped": b"", **values})

    def incident(self, **values: Any) -> Incident:
        now = timezone.now()
        fields = {"provider_app": self.app, "kind": "client_rejected", "opened_at": now, "last_seen_at": now, **values}
        return Incident.objects.create(**fields)

    def burnt(self, app: ProviderApp, **values: Any) -> BurntCode:
        return BurntCode.objects.create(
            **{"provider_app": app, "code_hash": b"1", "burnt_at": timezone.now(), **values}
        )

    def app_key(self, app: ProviderApp, kid: str = "k1") -> AppKey:
        return AppKey.objects.create(provider_app=app, kid=kid, algorithm="ES256", signs_from=timezone.now())

    def kept_answer(self, key: bytes = b"key", *, of: Tenant | None = None) -> KeptAnswer:
        now = timezone.now()
        client, _ = ApiClient.objects.get_or_create(name="backend", tenant=of or self.acme)
        return KeptAnswer.objects.create(
            client=client, key_hash=key, fingerprint=b"asked", claimed_until=now, kept_until=now
        )

    def subject_token(self, connection: Connection, asked: bytes = b"asked") -> SubjectToken:
        return SubjectToken.objects.create(connection=connection, asked=asked, kept_until=timezone.now())

    def bulk_job(self, number: int) -> BulkJob:
        job, _ = BulkJob.objects.get_or_create(
            id=uuid.UUID(int=number), defaults={"act": "pause", "ordered_at": timezone.now()}
        )
        return job

    def bulk_row(self, job: BulkJob) -> BulkRow:
        return BulkRow.objects.create(job=job, connection=self.connection)

    def seal(self, number: int, first_id: int, last_id: int, *, rows: int = 1) -> AuditSeal:
        now = timezone.now()
        columns = {"leaves": b"", "nonces": b"", "leaves_hash": b"", "signature": b"", "sealed_at": now}
        return AuditSeal.objects.create(
            number=number, first_id=first_id, last_id=last_id, rows=rows, newest_at=now, **columns
        )

    def offboarding(self, **values: Any) -> Offboarding:
        fields = {"tenant": self.acme, "end_user": "bob", "mode": "offboard", "ordered_at": timezone.now(), **values}
        return Offboarding.objects.create(**fields)

    def import_run(self, **values: Any) -> ImportRun:
        return ImportRun.objects.create(**{"tenant": self.acme, "created_at": timezone.now(), **values})

    def import_row(self, **values: Any) -> ImportRow:
        run = ImportRun.objects.first() or self.import_run()
        fields = {"id": uuid.uuid4(), "run": run, "line": 1, "state": "accepted", **values}
        return ImportRow.objects.create(**fields)

    def approval(self, **values: Any) -> Approval:
        now = timezone.now()
        fields: dict[str, Any] = {
            "tenant": self.acme,
            "grant": AccessGrant.objects.first() or self.access_grant(),
            "connection": self.connection,
            "api_client_id": uuid.uuid4(),
            "action": "vend",
            "asked": b"asked",
            "created_at": now,
            "expires_at": now,
            **values,
        }
        return Approval.objects.create(**fields)

    def access_grant(self, **values: Any) -> AccessGrant:
        fields = {"tenant": self.acme, "subject_kind": "end_user", "subject": "bob", "provider": "sandbox", **values}
        grant = AccessGrant(**{"created_at": timezone.now(), **fields})
        grant.seal_terms()
        grant.save(force_insert=True)
        return grant

    def app_of(self, tenant: Tenant | None, **values: Any) -> ProviderApp:
        return ProviderApp.objects.create(
            **{"tenant": tenant, "provider": "oidc", "auth_style": "api_key", "name": "App", **values}
        )
