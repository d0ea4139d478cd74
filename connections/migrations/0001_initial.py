"""All tables, as they are in the first release; the trigger that keeps the audit trail follows."""

import connections.models.fields
import connections.models.refresh_attempt
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ApiClient",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120)),
                (
                    "permissions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("connect", "Create and complete connect sessions"),
                                ("read", "Read connections, providers and events"),
                                ("vend", "Vend credentials, on behalf of an end user"),
                                ("vend_without_user", "Vend without naming an end user"),
                                ("manage", "Change, refresh, probe and disconnect connections"),
                                ("tenants", "Create, change and delete tenants (operator-wide clients only)"),
                            ],
                            max_length=20,
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                ("allows_unbound", models.BooleanField(default=False)),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "API client",
                "ordering": ["name"],
                "permissions": [
                    ("issue_apikey", "Can issue and rotate API keys"),
                    ("entrust_apiclient", "Can give an API client access beyond the named end users of one tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Connection",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=64)),
                (
                    "owner_kind",
                    models.CharField(choices=[("end_user", "End user"), ("tenant", "Whole tenant")], max_length=8),
                ),
                ("end_user", models.CharField(blank=True, default="", max_length=255)),
                (
                    "binding",
                    models.CharField(
                        choices=[("completion", "Confirmed by the operator's backend"), ("none", "Not confirmed")],
                        default="completion",
                        max_length=10,
                    ),
                ),
                ("params", models.JSONField(blank=True, default=dict)),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("active", "Active"),
                            ("suspect", "Suspect"),
                            ("needs_reauth", "Needs re-authorization"),
                            ("revoked", "Revoked"),
                            ("disconnected", "Disconnected"),
                        ],
                        default="pending",
                        max_length=14,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("awaiting_confirmation", "Waiting for the confirmation of the end user's session"),
                            ("connected", "Connected"),
                            ("reconnected", "Connected anew"),
                            ("recovered", "Proved to work again"),
                            ("refresh_refused", "One refresh was refused; a second one decides"),
                            ("probe_refused", "One probe was refused; a second proof decides"),
                            (
                                "refresh_failing",
                                "The provider keeps refusing the refresh, and the access token has run out",
                            ),
                            ("grant_rejected", "The provider refused the grant twice"),
                            (
                                "refresh_given_up",
                                "The provider refused every refresh for long, though not the grant by name",
                            ),
                            ("lost_in_flight", "A rotated token was lost between the provider and the store"),
                            ("answer_unread", "Refused, after an answer that could not be read"),
                            ("credential_dead", "The provider refused the credential twice"),
                            ("expired", "The credential expired and cannot be refreshed"),
                            ("revoked_by_operator", "Revoked by the operator"),
                            ("disconnected_by_request", "Disconnected on request"),
                        ],
                        default="awaiting_confirmation",
                        max_length=32,
                    ),
                ),
                ("evidence", models.JSONField(blank=True, default=dict)),
                ("status_changed_at", models.DateTimeField(auto_now_add=True)),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("undecryptable_at", models.DateTimeField(blank=True, null=True)),
                ("answer_unread_at", models.DateTimeField(blank=True, null=True)),
                ("grant_id", models.UUIDField(blank=True, null=True)),
                ("authorized_at", models.DateTimeField(blank=True, null=True)),
                ("access_expires_at", models.DateTimeField(blank=True, null=True)),
                ("refresh_expires_at", models.DateTimeField(blank=True, null=True)),
                ("grant_expires_at", models.DateTimeField(blank=True, null=True)),
                ("refresh_due_at", models.DateTimeField(blank=True, null=True)),
                ("lacks_refresh_token", models.BooleanField(default=False)),
                ("refresh_enqueued_until", models.DateTimeField(blank=True, null=True)),
                ("next_attempt_at", models.DateTimeField(blank=True, null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("refused_at", models.DateTimeField(blank=True, null=True)),
                ("refresh_failing_at", models.DateTimeField(blank=True, null=True)),
                ("probe_due_at", models.DateTimeField(blank=True, null=True)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("verified_by", models.CharField(blank=True, default="", max_length=20)),
                ("last_vended_at", models.DateTimeField(blank=True, null=True)),
                ("provider_account_id", models.CharField(blank=True, default="", max_length=255)),
                ("provider_account_name", models.CharField(blank=True, default="", max_length=255)),
                (
                    "revocation",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not asked for"),
                            ("pending", "Under way"),
                            ("confirmed", "Confirmed by a refused call"),
                            ("unconfirmed", "Asked for, but never confirmed"),
                            ("unsupported", "The provider cannot revoke"),
                            ("withheld", "Left out: another connection lives on the same grant"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                ("revocation_due_at", models.DateTimeField(blank=True, null=True)),
                ("revocation_deadline_at", models.DateTimeField(blank=True, null=True)),
                ("revocation_failures", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="DataKey",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("kek_id", models.CharField(max_length=32)),
                ("wrapped", models.BinaryField()),
                ("is_current", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="ProviderApp",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=64)),
                ("auth_style", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=120)),
                ("client_id", models.CharField(blank=True, default="", max_length=500)),
                ("secrets", connections.models.fields.SealedField(blank=True, editable=False, null=True)),
                ("params", models.JSONField(blank=True, default=dict)),
                ("discovered", models.JSONField(blank=True, default=dict)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), blank=True, default=list, size=None
                    ),
                ),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["provider", "name"],
            },
        ),
        migrations.CreateModel(
            name="Tenant",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "slug",
                    models.SlugField(
                        max_length=64,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9]+(-[a-z0-9]+)*\\Z", "Use lower-case letters, digits and single hyphens."
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "brand_color",
                    models.CharField(
                        default="#2f5bea",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator("^#[0-9a-fA-F]{6}\\Z", "Give a colour as #rrggbb.")
                        ],
                    ),
                ),
                ("logo", models.BinaryField(blank=True, default=bytes)),
                ("logo_media_type", models.CharField(blank=True, default="", max_length=40)),
                (
                    "allowed_origins",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), blank=True, default=list, size=None
                    ),
                ),
                (
                    "return_urls",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=1000), blank=True, default=list, size=None
                    ),
                ),
                ("reconnect_url", models.CharField(blank=True, default="", max_length=1000)),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("shred_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("events_gone_to", models.BigIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["slug"],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("prefix", models.CharField(max_length=12)),
                ("key_hash", models.BinaryField(unique=True)),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="keys", to="connections.apiclient"
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("action", models.CharField(max_length=40)),
                ("decision", models.CharField(max_length=40)),
                ("tenant_id", models.UUIDField(null=True)),
                ("connection_id", models.UUIDField(null=True)),
                ("credential_version_id", models.UUIDField(null=True)),
                ("api_client_id", models.UUIDField(null=True)),
                ("operator", models.CharField(db_default="", max_length=150)),
                ("subject", models.CharField(db_default="", max_length=255)),
                ("agent", models.CharField(db_default="", max_length=255)),
                ("purpose", models.CharField(db_default="", max_length=255)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), db_default=[], size=None
                    ),
                ),
                ("address", models.GenericIPAddressField(null=True)),
                ("fingerprint", models.BinaryField(null=True)),
                ("detail", models.JSONField(db_default={})),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["tenant_id", "-id"], name="audit_of_tenant"),
                    models.Index(fields=["connection_id", "-id"], name="audit_of_connection"),
                    django.contrib.postgres.indexes.BrinIndex(fields=["at"], name="audit_by_time"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConnectSession",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "owner_kind",
                    models.CharField(choices=[("end_user", "End user"), ("tenant", "Whole tenant")], max_length=8),
                ),
                ("end_user", models.CharField(max_length=255)),
                (
                    "providers",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), size=None),
                ),
                (
                    "requested_scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), blank=True, null=True, size=None
                    ),
                ),
                ("params", models.JSONField(blank=True, default=dict)),
                ("typed_params", models.JSONField(blank=True, default=dict)),
                ("callback_params", models.JSONField(blank=True, default=dict)),
                ("return_url", models.CharField(max_length=1000)),
                ("origin", models.CharField(blank=True, default="", max_length=255)),
                ("locale", models.CharField(blank=True, default="", max_length=20)),
                ("code_challenge", models.CharField(blank=True, default="", max_length=43)),
                (
                    "binding",
                    models.CharField(
                        choices=[("completion", "Confirmed by the operator's backend"), ("none", "Not confirmed")],
                        default="completion",
                        max_length=10,
                    ),
                ),
                ("allows_account_change", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("created", "Created"),
                            ("started", "Started: the link was used, in one browser"),
                            ("authorizing", "At the provider"),
                            ("held", "Held: waiting for the operator's confirmation"),
                            ("exchanging", "Confirmed: being exchanged"),
                            ("choosing", "Confirmed: the end user chooses a workspace"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                        ],
                        default="created",
                        max_length=12,
                    ),
                ),
                ("failure", models.CharField(blank=True, default="", max_length=40)),
                ("token_hash", models.BinaryField(unique=True)),
                ("expires_at", models.DateTimeField()),
                ("browser_hash", models.BinaryField(blank=True, null=True)),
                ("browser_expires_at", models.DateTimeField(blank=True, null=True)),
                ("state_hash", models.BinaryField(blank=True, null=True, unique=True)),
                ("code_verifier", connections.models.fields.SealedField(blank=True, editable=False, null=True)),
                ("held", connections.models.fields.SealedField(blank=True, editable=False, null=True)),
                ("completion_hash", models.BinaryField(blank=True, null=True, unique=True)),
                ("completion_expires_at", models.DateTimeField(blank=True, null=True)),
                ("exchange_started_at", models.DateTimeField(blank=True, null=True)),
                ("kept_until", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "api_client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="connections.apiclient"
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="connect_sessions",
                        to="connections.connection",
                    ),
                ),
                (
                    "reconnects",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reconnect_sessions",
                        to="connections.connection",
                    ),
                ),
                (
                    "provider_app",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="connect_sessions",
                        to="connections.providerapp",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="connect_sessions",
                        to="connections.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="CredentialVersion",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("grant_id", models.UUIDField()),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("current", "Current"),
                            ("previous", "Previous"),
                            ("orphan", "Orphan"),
                        ],
                        default="received",
                        max_length=8,
                    ),
                ),
                ("secrets", connections.models.fields.SealedField()),
                ("fingerprint", models.BinaryField()),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), blank=True, default=list, size=None
                    ),
                ),
                ("is_refreshable", models.BooleanField(default=False)),
                ("access_expires_at", models.DateTimeField(blank=True, null=True)),
                ("lifetime_seconds", models.PositiveIntegerField(blank=True, null=True)),
                ("refresh_lifetime_seconds", models.PositiveIntegerField(blank=True, null=True)),
                ("refresh_expires_at", models.DateTimeField(blank=True, null=True)),
                ("grant_expires_at", models.DateTimeField(blank=True, null=True)),
                ("received_at", models.DateTimeField()),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="connections.connection",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="connections.credentialversion",
                    ),
                ),
                (
                    "data_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="connections.datakey"
                    ),
                ),
            ],
            options={
                "ordering": ["-received_at"],
            },
        ),
        migrations.AddField(
            model_name="connection",
            name="current_version",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="connections.credentialversion",
            ),
        ),
        migrations.CreateModel(
            name="OutboxEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("event_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("type", models.CharField(max_length=60)),
                ("tenant_id", models.UUIDField()),
                ("connection_id", models.UUIDField(null=True)),
                ("payload", models.JSONField(default=dict)),
                (
                    "transaction_id",
                    models.BigIntegerField(db_default=models.Func(function="txid_current"), editable=False),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["tenant_id", "id"], name="outbox_of_tenant")],
            },
        ),
        migrations.AddField(
            model_name="connection",
            name="provider_app",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="connections", to="connections.providerapp"
            ),
        ),
        migrations.CreateModel(
            name="RefreshAttempt",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("sent", "Sent"),
                            ("received", "Received"),
                            ("promoted", "Promoted"),
                            ("rejected", "Rejected"),
                            ("in_doubt", "In doubt"),
                            ("superseded", "Superseded"),
                            ("aborted", "Aborted"),
                        ],
                        default="sent",
                        max_length=10,
                    ),
                ),
                (
                    "trigger",
                    models.CharField(default=connections.models.refresh_attempt.Trigger["SWEEP"], max_length=12),
                ),
                ("claimed_by", models.CharField(default="", max_length=120)),
                ("claimant_key", models.BigIntegerField(blank=True, null=True)),
                ("claimed_at", models.DateTimeField()),
                ("deadline_at", models.DateTimeField()),
                ("absent_since", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("follows_doubt", models.BooleanField(default=False)),
                ("error", models.CharField(blank=True, default="", max_length=40)),
                ("evidence", models.JSONField(blank=True, default=dict)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refresh_attempts",
                        to="connections.connection",
                    ),
                ),
                (
                    "parent_version",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="connections.credentialversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-claimed_at"],
            },
        ),
        migrations.AddField(
            model_name="credentialversion",
            name="attempt",
            field=models.OneToOneField(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="connections.refreshattempt",
            ),
        ),
        migrations.CreateModel(
            name="Scope",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=255)),
                ("is_requested", models.BooleanField(default=False)),
                ("is_granted", models.BooleanField(default=False)),
                ("is_observed", models.BooleanField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="scopes", to="connections.connection"
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="providerapp",
            name="tenant",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="provider_apps",
                to="connections.tenant",
            ),
        ),
        migrations.AddField(
            model_name="datakey",
            name="tenant",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="data_keys",
                to="connections.tenant",
            ),
        ),
        migrations.AddField(
            model_name="connection",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="connections", to="connections.tenant"
            ),
        ),
        migrations.AddField(
            model_name="apiclient",
            name="tenant",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="api_clients",
                to="connections.tenant",
            ),
        ),
        migrations.CreateModel(
            name="UnreadAnswer",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("grant_id", models.UUIDField()),
                ("answer", connections.models.fields.SealedField()),
                ("status", models.PositiveSmallIntegerField()),
                ("size", models.PositiveIntegerField()),
                ("holds_back", models.BooleanField(default=False)),
                ("tried_with", models.CharField(blank=True, default="", max_length=64)),
                ("received_at", models.DateTimeField()),
                (
                    "attempt",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="connections.refreshattempt",
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="unread_answers",
                        to="connections.connection",
                    ),
                ),
                (
                    "data_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="connections.datakey"
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="connections.credentialversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-received_at"],
            },
        ),
        migrations.CreateModel(
            name="Incident",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("client_rejected", "The provider refuses our client registration"),
                            ("many_failures", "Many connections fail at once"),
                        ],
                        max_length=20,
                    ),
                ),
                ("evidence", models.JSONField(blank=True, default=dict)),
                ("opened_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "provider_app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="incidents",
                        to="connections.providerapp",
                    ),
                ),
            ],
            options={
                "ordering": ["-opened_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)),
                        fields=("provider_app", "kind"),
                        name="one_open_incident_a_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BurntCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code_hash", models.BinaryField()),
                ("burnt_at", models.DateTimeField(db_index=True)),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="connections.connectsession",
                    ),
                ),
                (
                    "provider_app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="connections.providerapp"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("provider_app", "code_hash"), name="a_code_is_burnt_once")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="refreshattempt",
            index=models.Index(fields=["connection", "-claimed_at"], name="attempt_history"),
        ),
        migrations.AddIndex(
            model_name="refreshattempt",
            index=models.Index(fields=["-claimed_at"], name="attempt_newest"),
        ),
        migrations.AddIndex(
            model_name="refreshattempt",
            index=models.Index(
                condition=models.Q(("state__in", ["sent", "received"])),
                fields=["deadline_at"],
                name="attempt_under_way",
            ),
        ),
        migrations.AddIndex(
            model_name="refreshattempt",
            index=models.Index(
                condition=models.Q(("state", "superseded")), fields=["parent_version"], name="attempt_superseded"
            ),
        ),
        migrations.AddConstraint(
            model_name="refreshattempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["sent", "in_doubt"])),
                fields=("connection",),
                name="one_attempt_in_flight",
            ),
        ),
        migrations.AddIndex(
            model_name="credentialversion",
            index=models.Index(fields=["connection", "stage"], name="version_of_connection"),
        ),
        migrations.AddConstraint(
            model_name="credentialversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stage", "current")), fields=("connection",), name="one_current_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="scope",
            constraint=models.UniqueConstraint(fields=("connection", "name"), name="scope_once_a_connection"),
        ),
        migrations.AddConstraint(
            model_name="providerapp",
            constraint=models.UniqueConstraint(
                fields=("tenant", "provider", "auth_style"), name="one_app_a_provider_and_owner", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="datakey",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_current", True)),
                fields=("tenant",),
                name="one_current_data_key",
                nulls_distinct=False,
            ),
        ),
        migrations.AddIndex(
            model_name="connectsession",
            index=models.Index(fields=["expires_at"], name="connect_session_expiry"),
        ),
        migrations.AddIndex(
            model_name="connectsession",
            index=models.Index(
                condition=models.Q(("state", "created")), fields=["expires_at"], name="connect_session_unopened"
            ),
        ),
        migrations.AddIndex(
            model_name="connectsession",
            index=models.Index(
                condition=models.Q(("state__in", ["started", "authorizing", "held", "exchanging", "choosing"])),
                fields=["updated_at"],
                name="connect_session_unfinished",
            ),
        ),
        migrations.AddConstraint(
            model_name="connectsession",
            constraint=models.CheckConstraint(
                condition=models.Q(("end_user", ""), _negated=True), name="connect_session_names_its_end_user"
            ),
        ),
        migrations.AddConstraint(
            model_name="connectsession",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("held__isnull", True), ("state__in", ["held", "exchanging", "choosing"]), _connector="OR"
                ),
                name="connect_session_holds_only_while_held",
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(fields=["tenant", "provider", "end_user"], name="connection_lookup"),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(fields=["tenant", "-created_at", "id"], name="connection_page"),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("refresh_due_at__isnull", False)),
                fields=["refresh_due_at"],
                name="connection_refresh_due",
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(
                    ("access_expires_at__isnull", False),
                    ("refresh_due_at", None),
                    ("status__in", ["active", "suspect"]),
                ),
                fields=["access_expires_at"],
                name="connection_expiry",
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("probe_due_at__isnull", False)),
                fields=["probe_due_at"],
                name="connection_probe_due",
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("revocation_due_at__isnull", False)),
                fields=["revocation_due_at"],
                name="connection_revoke_due",
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("undecryptable_at__isnull", False)),
                fields=["undecryptable_at"],
                name="connection_undecryptable",
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("owner_kind", "end_user"), models.Q(("end_user", ""), _negated=True)),
                    models.Q(("owner_kind", "tenant"), ("end_user", "")),
                    _connector="OR",
                ),
                name="connection_has_one_owner",
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reason__in", ["awaiting_confirmation"]), ("status", "pending")),
                    models.Q(("reason__in", ["connected", "reconnected", "recovered"]), ("status", "active")),
                    models.Q(
                        ("reason__in", ["refresh_refused", "refresh_failing", "probe_refused"]), ("status", "suspect")
                    ),
                    models.Q(
                        (
                            "reason__in",
                            [
                                "grant_rejected",
                                "refresh_given_up",
                                "lost_in_flight",
                                "answer_unread",
                                "credential_dead",
                                "expired",
                            ],
                        ),
                        ("status", "needs_reauth"),
                    ),
                    models.Q(("reason__in", ["revoked_by_operator"]), ("status", "revoked")),
                    models.Q(("reason__in", ["disconnected_by_request"]), ("status", "disconnected")),
                    _connector="OR",
                ),
                name="connection_status_and_reason_agree",
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["active", "suspect"]), _negated=True),
                    ("current_version__isnull", False),
                    _connector="OR",
                ),
                name="connection_that_vends_has_a_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("status__in", ["active", "suspect", "needs_reauth", "revoked"]),
                    models.Q(("provider_account_id", ""), _negated=True),
                ),
                fields=("tenant", "provider_app", "end_user", "provider_account_id"),
                name="one_live_connection_an_account",
            ),
        ),
        migrations.AddConstraint(
            model_name="apiclient",
            constraint=models.UniqueConstraint(
                fields=("tenant", "name"), name="api_client_name_once", nulls_distinct=False
            ),
        ),
        migrations.AddIndex(
            model_name="unreadanswer",
            index=models.Index(
                condition=models.Q(("holds_back", True)), fields=["connection"], name="unread_answer_holds_back"
            ),
        ),
    ]
