"""All tables, and what Django does not say of them: room beside a connection's row, and who keeps the audit trail.

A sweep's mark changes a column of a connection that no index has. Where the row's page has room, PostgreSQL then writes
no index; where it has none, it writes one entry in each of them, most at places that nothing else has just read. So
pages keep a fifth of their room.

The database keeps the audit trail: its rows are written once, and go by order of an audit row, after 30 days. TRUNCATE
passes by triggers that look at rows, so it has a trigger of its own. Whoever can run a statement as Latchkey could name
any moment and delete the trail up to it; so the order to delete stays behind for 30 days at the least. The trail also
forgets one end user by order of an audit row, and nothing else of a row changes: rows of the tenant that name the end
user may get the order's pseudonym in place of the id, and lose the address of their browser. That order stays behind
too, and is good for a day. Of a seal of the trail, only what erasure and pruning end may go.

A database that has all of the migrations which stood here before counts as having this one; one that has only some of
them is migrated by the code that had them.
"""

import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import connections.models.fields
import connections.models.refresh_attempt

_MEMBERS = "ARRAY['subject', 'granted_by', 'granted_by_before', 'end_user', 'decided_by']"
_DELETE = """
    IF TG_OP = 'DELETE'
       AND OLD.at < clock_timestamp() - interval '30 days'
       AND EXISTS (
           SELECT FROM connections_auditevent AS prune
           WHERE prune.id = NULLIF(current_setting('latchkey.audit_prune', true), '')::bigint
             AND prune.action = 'audit.prune'
             AND prune.at > clock_timestamp() - interval '1 day'
             AND OLD.at < (prune.detail ->> 'before')::timestamptz
       ) THEN
        RETURN OLD;
    END IF;
"""
_UPDATE = f"""
    IF TG_OP = 'UPDATE'
       AND EXISTS (
           SELECT FROM connections_auditevent AS erasure
           WHERE erasure.id = NULLIF(current_setting('latchkey.audit_erasure', true), '')::bigint
             AND erasure.action = 'end_user.erase'
             AND erasure.at > clock_timestamp() - interval '1 day'
             AND erasure.tenant_id = OLD.tenant_id
             AND (NEW.subject = OLD.subject
                  OR OLD.subject = current_setting('latchkey.audit_erased', true)
                 AND NEW.subject = erasure.detail ->> 'pseudonym')
             AND NOT EXISTS (
                 SELECT FROM jsonb_each(NEW.detail) AS new_member
                 WHERE new_member.key = ANY ({_MEMBERS})
                   AND new_member.value IS DISTINCT FROM OLD.detail -> new_member.key
                   AND (OLD.detail ->> new_member.key IS DISTINCT FROM current_setting('latchkey.audit_erased', true)
                        OR new_member.value IS DISTINCT FROM erasure.detail -> 'pseudonym'))
       )
       AND NEW.detail - {_MEMBERS} = OLD.detail - {_MEMBERS}
       AND ARRAY(SELECT jsonb_object_keys(NEW.detail) ORDER BY 1)
           = ARRAY(SELECT jsonb_object_keys(OLD.detail) ORDER BY 1)
       AND (NEW.address IS NOT DISTINCT FROM OLD.address
            OR NEW.address IS NULL AND OLD.subject = current_setting('latchkey.audit_erased', true)
           AND OLD.api_client_id IS NULL AND OLD.operator = '')
       AND to_jsonb(NEW) - ARRAY['subject', 'detail', 'address'] = to_jsonb(OLD) - ARRAY['subject', 'detail', 'address']
       THEN
        RETURN NEW;
    END IF;
"""
PROTECT = f"""
CREATE OR REPLACE FUNCTION connections_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
{_DELETE + _UPDATE}
    RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON connections_auditevent
    FOR EACH ROW EXECUTE FUNCTION connections_audit_refuse();
CREATE OR REPLACE TRIGGER audit_no_truncate BEFORE TRUNCATE ON connections_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION connections_audit_refuse();
"""
UNPROTECT = """
DROP TRIGGER audit_no_truncate ON connections_auditevent;
DROP TRIGGER audit_append_only ON connections_auditevent;
DROP FUNCTION connections_audit_refuse();
"""
_SEAL_TABLES = ("connections_auditseal", "connections_auditredaction", "connections_auditpruning")
# A nonce may become zeros, and all leaves and nonces together may go; a redaction may be replaced by a later one.
_PROTECT_SEALS = """
CREATE FUNCTION connections_audit_seal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       AND to_jsonb(NEW) - ARRAY['leaves', 'nonces'] = to_jsonb(OLD) - ARRAY['leaves', 'nonces']
       AND (NEW.leaves = OLD.leaves AND length(NEW.nonces) = length(OLD.nonces)
            OR NEW.leaves = '' AND NEW.nonces = '' AND OLD.newest_at < clock_timestamp() - interval '30 days') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON connections_auditseal
    FOR EACH ROW EXECUTE FUNCTION connections_audit_seal_refuse();
CREATE FUNCTION connections_audit_proof_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_append_only BEFORE DELETE ON connections_auditredaction
    FOR EACH ROW EXECUTE FUNCTION connections_audit_proof_refuse();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON connections_auditpruning
    FOR EACH ROW EXECUTE FUNCTION connections_audit_proof_refuse();
""" + "".join(
    f"CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION connections_audit_proof_refuse();\n"
    for table in _SEAL_TABLES
)
_UNPROTECT_SEALS = (
    "".join(
        f"DROP TRIGGER audit_no_truncate ON {table}; DROP TRIGGER audit_append_only ON {table};\n"
        for table in _SEAL_TABLES
    )
    + "DROP FUNCTION connections_audit_seal_refuse(); DROP FUNCTION connections_audit_proof_refuse();"
)


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("connections", "0001_initial"),
        ("connections", "0002_audit_trail"),
        ("connections", "0003_legacy_styles"),
        ("connections", "0004_lean_writes"),
        ("connections", "0005_shown_codes"),
        ("connections", "0006_lean_audit"),
        ("connections", "0007_keys_of_apps"),
        ("connections", "0008_subject_tokens"),
        ("connections", "0009_registered_clients"),
        ("connections", "0010_address_incidents"),
        ("connections", "0011_styles_of_sessions"),
        ("connections", "0012_describing_providers"),
        ("connections", "0013_parties"),
        ("connections", "0014_brands"),
        ("connections", "0015_tenants_without_brands"),
        ("connections", "0016_domains"),
        ("connections", "0017_labels"),
        ("connections", "0018_management_sessions"),
        ("connections", "0019_access_grants"),
        ("connections", "0020_proxy_rules"),
        ("connections", "0021_offboarding"),
        ("connections", "0022_audit_erasure"),
        ("connections", "0023_trusted_issuers"),
        ("connections", "0024_approvals"),
        ("connections", "0025_kept_answers"),
        ("connections", "0026_permissions_of_operators"),
        ("connections", "0027_imports"),
        ("connections", "0028_approvals_of_bodies"),
        ("connections", "0029_webhooks"),
        ("connections", "0030_connection_tags"),
        ("connections", "0031_permission_of_webhooks"),
        ("connections", "0032_exit_bundles"),
        ("connections", "0033_visits_of_keys"),
        ("connections", "0034_sessions_of_keys"),
        ("connections", "0035_figures_and_lists"),
        ("connections", "0036_staff"),
        ("connections", "0037_audit_seals"),
        ("connections", "0038_audit_filters"),
        ("connections", "0039_connect_steps"),
        ("connections", "0040_rare_rows"),
        ("connections", "0041_bulk_jobs"),
        ("connections", "0042_end_of_other_secrets"),
        ("connections", "0043_notices"),
        ("connections", "0044_scopes_apart"),
        ("connections", "0045_trials"),
        ("connections", "0046_watching"),
        ("connections", "0047_incidents_with_causes"),
        ("connections", "0048_revocations_ignored"),
        ("connections", "0049_received_pushes"),
        ("connections", "0050_forecast"),
        ("connections", "0051_exports"),
        ("connections", "0052_canaries"),
        ("connections", "0053_client_secret_expiry"),
        ("connections", "0054_trials_hidden"),
    ]
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Bundle",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("way", models.CharField(choices=[("out", "Exported"), ("in", "Imported")], max_length=3)),
                ("tenant_id", models.UUIDField(db_index=True)),
                ("slug", models.CharField(max_length=64)),
                ("signer", models.CharField(max_length=64)),
                ("is_move", models.BooleanField(default=False)),
                ("made_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("taken_back_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "exit bundle",
                "ordering": ["-made_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="InstallationKey",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("public_key", models.CharField(max_length=64, unique=True)),
                ("private_key", connections.models.fields.SealedField(editable=False)),
                ("only", models.BooleanField(default=True, editable=False, unique=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
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
                                ("vend_without_user", "Vend or proxy without naming an end user"),
                                ("proxy", "Have requests proxied, as its rules say"),
                                ("manage", "Change, refresh, probe and disconnect connections"),
                                ("grant", "Give and revoke access grants"),
                                ("import", "Import connections, for any end user"),
                                ("webhooks", "Manage webhook endpoints, and have events delivered again"),
                                ("tenants", "Create, change and delete tenants (operator-wide clients only)"),
                                ("apps", "Make and change provider apps, their secrets and keys, and close incidents"),
                                (
                                    "callers",
                                    "Make API clients no stronger than itself, issue their keys, and trust issuers",
                                ),
                                ("catalogue", "Describe providers of the operator's own (operator-wide clients only)"),
                                ("audit", "Read the audit trail"),
                            ],
                            max_length=20,
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                ("allows_unbound", models.BooleanField(default=False)),
                (
                    "proxy_rules",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=300), blank=True, default=list, size=None
                    ),
                ),
                (
                    "networks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=50), blank=True, default=list, size=None
                    ),
                ),
                ("demands_verified", models.BooleanField(default=False)),
                ("assertion_keys", models.JSONField(blank=True, null=True)),
                ("assertion_jwks_url", models.CharField(blank=True, default="", max_length=1000)),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_clients",
                        to="connections.tenant",
                    ),
                ),
                (
                    "restriction",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("throttled", "Slowed down"),
                            ("held", "Held until somebody vouches for it"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "verbose_name": "API client",
                "ordering": ["name"],
                "permissions": [
                    ("issue_apikey", "Can issue and rotate API keys"),
                    ("entrust_apiclient", "Can give an API client access beyond the named end users of one tenant"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "name"), name="api_client_name_once", nulls_distinct=False
                    )
                ],
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
                (
                    "tenant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="data_keys",
                        to="connections.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_current", True)),
                        fields=("tenant",),
                        name="one_current_data_key",
                        nulls_distinct=False,
                    )
                ],
            },
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
                ("allows_legacy", models.BooleanField(default=False)),
                ("registers_itself", models.BooleanField(default=False)),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="provider_apps",
                        to="connections.tenant",
                    ),
                ),
                ("other_secrets_end_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "allowed_scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), blank=True, null=True, size=None
                    ),
                ),
                (
                    "required_scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), blank=True, default=list, size=None
                    ),
                ),
                ("secrets_changed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("push_secrets", connections.models.fields.SealedField(blank=True, editable=False, null=True)),
                ("secret_expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "ordering": ["provider", "name"],
                "permissions": [("describe_provider", "Can add, change and remove providers of the operator's own")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "provider", "auth_style"),
                        name="one_app_a_provider_and_owner",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("other_secrets_end_at", None), ("secret_expires_at", None)),
                            ("secrets__isnull", False),
                            _connector="OR",
                        ),
                        name="only_secrets_come_to_an_end",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("other_secrets_end_at", None), _negated=True),
                        fields=["other_secrets_end_at"],
                        name="app_secrets_that_end",
                    ),
                    models.Index(
                        condition=models.Q(("secret_expires_at", None), _negated=True),
                        fields=["secret_expires_at"],
                        name="app_secret_expires",
                    ),
                ],
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
                    models.Index(fields=["tenant_id", "id"], name="audit_by_tenant"),
                    models.Index(
                        django.db.models.expressions.CombinedExpression(models.F("id"), ">>", models.Value(18)),
                        models.F("connection_id"),
                        name="audit_by_part_and_connection",
                    ),
                    django.contrib.postgres.indexes.BrinIndex(fields=["at"], name="audit_by_time"),
                    models.Index(
                        condition=models.Q(("operator", ""), _negated=True),
                        fields=["operator", "id"],
                        name="audit_by_operator",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("action__in", ("credential.vend", "connection.proxy", "connection.proxied")), _negated=True
                        ),
                        fields=["action", "id"],
                        name="audit_by_action",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ManagementSession",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("api_key_id", models.UUIDField(blank=True, editable=False, null=True)),
                ("end_user", models.CharField(max_length=255)),
                (
                    "providers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), blank=True, default=list, size=None
                    ),
                ),
                ("return_url", models.CharField(max_length=1000)),
                ("origin", models.CharField(blank=True, default="", max_length=255)),
                ("locale", models.CharField(blank=True, default="", max_length=20)),
                ("code_challenge", models.CharField(blank=True, default="", max_length=43)),
                ("token_hash", models.BinaryField(unique=True)),
                ("expires_at", models.DateTimeField()),
                ("browser_hash", models.BinaryField(blank=True, null=True)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "api_client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="connections.apiclient"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="management_sessions",
                        to="connections.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [models.Index(fields=["expires_at"], name="management_session_expiry")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("end_user", ""), _negated=True),
                        name="management_session_names_its_end_user",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("browser_hash__isnull", True), ("ends_at__isnull", True), ("seen_at__isnull", True)
                            ),
                            models.Q(
                                ("browser_hash__isnull", False), ("ends_at__isnull", False), ("seen_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="management_session_is_opened_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OutboxEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("event_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("type", models.CharField(max_length=60)),
                ("tenant_id", models.UUIDField(null=True)),
                ("connection_id", models.UUIDField(null=True)),
                ("payload", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["tenant_id", "id"], name="outbox_of_tenant")],
            },
        ),
        migrations.CreateModel(
            name="RegisteredClient",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("issuer", models.CharField(max_length=500)),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("metadata_document", "Client ID Metadata Document"),
                            ("dynamic", "Dynamic registration"),
                        ],
                        max_length=20,
                    ),
                ),
                ("client_id", models.CharField(blank=True, default="", max_length=1000)),
                ("redirect_uri", models.CharField(max_length=500)),
                ("secrets", connections.models.fields.SealedField(blank=True, editable=False, null=True)),
                ("management", connections.models.fields.SealedField(blank=True, editable=False, null=True)),
                ("discovered", models.JSONField(default=dict)),
                ("looked_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("registered_at", models.DateTimeField(blank=True, null=True)),
                ("secret_expires_at", models.DateTimeField(blank=True, null=True)),
                ("renew_at", models.DateTimeField(blank=True, null=True)),
                ("problem", models.CharField(blank=True, default="", max_length=500)),
                ("replaced_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "provider_app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="registered_clients",
                        to="connections.providerapp",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("renew_at__isnull", False)),
                        fields=["renew_at"],
                        name="registered_client_renewal",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("replaced_at", None)),
                        fields=("provider_app", "issuer"),
                        name="one_client_an_issuer_and_app",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Connection",
            fields=[
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=64)),
                (
                    "owner_kind",
                    models.CharField(choices=[("end_user", "End user"), ("tenant", "Whole tenant")], max_length=8),
                ),
                ("end_user", models.CharField(blank=True, default="", max_length=255)),
                ("granted_by", models.CharField(blank=True, default="", max_length=255)),
                ("grants_only", models.BooleanField(default=False)),
                (
                    "binding",
                    models.CharField(
                        choices=[
                            ("completion", "Confirmed by the operator's backend"),
                            ("none", "Not confirmed"),
                            ("imported", "Imported: the operator vouches for it"),
                        ],
                        default="completion",
                        max_length=10,
                    ),
                ),
                ("params", models.JSONField(blank=True, default=dict)),
                ("party", models.UUIDField(blank=True, editable=False, null=True)),
                ("metadata", models.JSONField(blank=True, default=dict)),
                ("label", models.CharField(blank=True, default="", max_length=64)),
                ("is_default", models.BooleanField(default=False)),
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
                            ("provider_notified", "The provider has told us that the grant is gone"),
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
                            ("ignored", "Answered with yes, but the credential still works"),
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
                (
                    "provider_app",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="connections",
                        to="connections.providerapp",
                    ),
                ),
                (
                    "registered_client",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="connections",
                        to="connections.registeredclient",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="connections",
                        to="connections.tenant",
                    ),
                ),
                ("is_canary", models.BooleanField(default=False, editable=False)),
                ("spared_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("spared_by", models.UUIDField(blank=True, editable=False, null=True)),
                ("crowded_at", models.DateTimeField(blank=True, null=True)),
                ("foretold", models.JSONField(blank=True, default=dict)),
                ("is_trial", models.BooleanField(default=False, editable=False)),
            ],
            options={
                "ordering": ["-created_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("registered_client__isnull", False)),
                        fields=["registered_client"],
                        name="connection_registered_client",
                    ),
                    models.Index(fields=["tenant", "provider", "end_user"], name="connection_lookup"),
                    models.Index(fields=["tenant", "-created_at", "id"], name="connection_page"),
                    django.contrib.postgres.indexes.GinIndex(
                        condition=models.Q(("metadata", {}), _negated=True),
                        fields=["metadata"],
                        name="connection_metadata",
                        opclasses=["jsonb_path_ops"],
                    ),
                    models.Index(
                        condition=models.Q(("granted_by", ""), _negated=True),
                        fields=["tenant", "granted_by"],
                        name="connection_granted_by",
                    ),
                    models.Index(
                        condition=models.Q(("refresh_due_at__isnull", False)),
                        fields=["refresh_due_at"],
                        name="connection_refresh_due",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("access_expires_at__isnull", False),
                            ("refresh_due_at", None),
                            ("status__in", ["active", "suspect"]),
                        ),
                        fields=["access_expires_at"],
                        name="connection_expiry",
                    ),
                    models.Index(
                        condition=models.Q(("probe_due_at__isnull", False)),
                        fields=["probe_due_at"],
                        name="connection_probe_due",
                    ),
                    models.Index(
                        condition=models.Q(("revocation_due_at__isnull", False)),
                        fields=["revocation_due_at"],
                        name="connection_revoke_due",
                    ),
                    models.Index(
                        condition=models.Q(("undecryptable_at__isnull", False)),
                        fields=["undecryptable_at"],
                        name="connection_undecryptable",
                    ),
                    models.Index(fields=["-created_at", "id"], name="connection_newest"),
                    models.Index(fields=["provider_app", "-created_at", "id"], name="connection_of_app"),
                    models.Index(
                        condition=models.Q(("status", "active"), _negated=True),
                        fields=["status", "-created_at", "id"],
                        name="connection_not_active",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["suspect", "needs_reauth"])),
                        fields=["-status_changed_at", "id"],
                        name="connection_unwell",
                    ),
                    models.Index(
                        condition=models.Q(("grant_expires_at__isnull", False), ("status__in", ["active", "suspect"])),
                        fields=["grant_expires_at"],
                        name="connection_grant_end",
                    ),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Upper("end_user"), name="text_pattern_ops"
                        ),
                        condition=models.Q(("end_user", ""), _negated=True),
                        name="connection_end_user",
                    ),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Upper("label"), name="text_pattern_ops"
                        ),
                        condition=models.Q(("label", ""), _negated=True),
                        name="connection_label",
                    ),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Upper("provider_account_id"), name="text_pattern_ops"
                        ),
                        condition=models.Q(("provider_account_id", ""), _negated=True),
                        name="connection_account",
                    ),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Upper("provider_account_name"), name="text_pattern_ops"
                        ),
                        condition=models.Q(("provider_account_name", ""), _negated=True),
                        name="connection_account_name",
                    ),
                    models.Index(
                        condition=models.Q(("binding", "completion"), _negated=True),
                        fields=["-created_at", "id"],
                        name="connection_not_confirmed",
                    ),
                    models.Index(
                        condition=models.Q(("owner_kind", "tenant")),
                        fields=["-created_at", "id"],
                        name="connection_of_whole_tenant",
                    ),
                    models.Index(
                        condition=models.Q(("failures__gt", 0)), fields=["-created_at", "id"], name="connection_failing"
                    ),
                    models.Index(
                        condition=models.Q(("refused_at__isnull", False)),
                        fields=["-created_at", "id"],
                        name="connection_refused",
                    ),
                    models.Index(
                        condition=models.Q(("paused_at__isnull", False)),
                        fields=["-created_at", "id"],
                        name="connection_paused",
                    ),
                    models.Index(
                        condition=models.Q(("suspended_at__isnull", False)),
                        fields=["-created_at", "id"],
                        name="connection_suspended",
                    ),
                    models.Index(
                        condition=models.Q(("lacks_refresh_token", True)),
                        fields=["-created_at", "id"],
                        name="connection_unrenewable",
                    ),
                    models.Index(
                        condition=models.Q(("verified_at__isnull", True)),
                        fields=["-created_at", "id"],
                        name="connection_unproven",
                    ),
                    models.Index(
                        condition=models.Q(("is_canary", True)), fields=["-created_at", "id"], name="connection_canary"
                    ),
                    models.Index(
                        condition=models.Q(
                            ("access_expires_at", None),
                            ("authorized_at__isnull", False),
                            ("refresh_due_at", None),
                            ("status__in", ["active", "suspect"]),
                        ),
                        fields=["authorized_at"],
                        name="connection_endless_since",
                    ),
                    models.Index(
                        condition=models.Q(("crowded_at__isnull", False)),
                        fields=["crowded_at"],
                        name="connection_crowded",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("owner_kind", "end_user"), models.Q(("end_user", ""), _negated=True)),
                            models.Q(("owner_kind", "tenant"), ("end_user", "")),
                            _connector="OR",
                        ),
                        name="connection_has_one_owner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("owner_kind", "tenant"), ("granted_by", ""), _connector="OR"),
                        name="connection_of_a_person_is_theirs",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("status__in", ["active", "suspect", "needs_reauth", "revoked"]),
                            models.Q(("provider_account_id", ""), _negated=True),
                        ),
                        fields=("tenant", "provider_app", "end_user", "provider_account_id"),
                        name="one_live_connection_an_account",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("status__in", ["active", "suspect", "needs_reauth", "revoked"]),
                            models.Q(("label", ""), _negated=True),
                        ),
                        fields=("tenant", "provider", "end_user", "label"),
                        name="one_live_connection_a_label",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("status__in", ["active", "suspect", "needs_reauth", "revoked"]), ("is_default", True)
                        ),
                        fields=("tenant", "provider", "end_user"),
                        name="one_default_connection",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reason__in", ["awaiting_confirmation"]), ("status", "pending")),
                            models.Q(("reason__in", ["connected", "reconnected", "recovered"]), ("status", "active")),
                            models.Q(
                                ("reason__in", ["refresh_refused", "refresh_failing", "probe_refused"]),
                                ("status", "suspect"),
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
                            models.Q(
                                ("reason__in", ["provider_notified", "revoked_by_operator"]), ("status", "revoked")
                            ),
                            models.Q(("reason__in", ["disconnected_by_request"]), ("status", "disconnected")),
                            _connector="OR",
                        ),
                        name="connection_status_and_reason_agree",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_canary", False), ("paused_at__isnull", False), _connector="OR"),
                        name="canary_is_never_refreshed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessGrant",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "subject_kind",
                    models.CharField(
                        choices=[
                            ("end_user", "End user"),
                            ("group", "Group of end users"),
                            ("agent", "Agent"),
                            ("api_client", "API client"),
                        ],
                        max_length=10,
                    ),
                ),
                ("subject", models.CharField(max_length=255)),
                ("provider", models.CharField(blank=True, default="", max_length=64)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), blank=True, null=True, size=None
                    ),
                ),
                (
                    "methods",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), blank=True, null=True, size=None
                    ),
                ),
                (
                    "paths",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=500), blank=True, null=True, size=None
                    ),
                ),
                ("allows_vend", models.BooleanField(default=False)),
                ("needs_approval", models.BooleanField(default=False)),
                ("granted_by", models.CharField(blank=True, default="", max_length=255)),
                ("note", models.CharField(blank=True, default="", max_length=255)),
                ("terms", models.BinaryField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access_grants",
                        to="connections.connection",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access_grants",
                        to="connections.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "id"],
                "indexes": [
                    models.Index(fields=["tenant", "-created_at", "id"], name="access_grant_page"),
                    models.Index(fields=["tenant", "subject_kind", "subject"], name="access_grant_subject"),
                    models.Index(
                        condition=models.Q(("connection__isnull", False), ("revoked_at", None)),
                        fields=["connection"],
                        name="access_grant_connection",
                    ),
                    models.Index(
                        condition=models.Q(("connection", None), ("revoked_at", None)),
                        fields=["tenant", "provider"],
                        name="access_grant_provider",
                    ),
                    models.Index(fields=["-created_at", "id"], name="access_grant_newest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("connection__isnull", False), ("provider", "")),
                            models.Q(("connection", None), models.Q(("provider", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="access_grant_has_one_target",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("subject", ""), _negated=True), name="access_grant_names_its_subject"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_at", None), ("expires_at__gt", models.F("created_at")), _connector="OR"
                        ),
                        name="access_grant_begins_first",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("revoked_at", None), ("revoked_at__gte", models.F("created_at")), _connector="OR"
                        ),
                        name="access_grant_is_revoked_after_it_is_given",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)),
                        fields=("tenant", "terms"),
                        name="one_access_grant_of_these_terms",
                    ),
                ],
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
                        db_index=False,
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
                "indexes": [models.Index(fields=["connection", "stage"], name="version_of_connection")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("stage", "current")), fields=("connection",), name="one_current_version"
                    )
                ],
            },
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
                        db_index=False,
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
                "ordering": ["-claimed_at", "id"],
                "indexes": [
                    models.Index(fields=["connection", "-claimed_at"], name="attempt_history"),
                    models.Index(
                        condition=models.Q(("state__in", ["sent", "received"])),
                        fields=["deadline_at"],
                        name="attempt_under_way",
                    ),
                    models.Index(
                        condition=models.Q(("state", "superseded")),
                        fields=["parent_version"],
                        name="attempt_superseded",
                    ),
                    models.Index(fields=["-claimed_at", "id"], name="attempt_newest"),
                    models.Index(
                        condition=models.Q(("state__in", ["rejected", "in_doubt", "superseded", "aborted"])),
                        fields=["state", "-claimed_at", "id"],
                        name="attempt_gone_wrong",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("trigger", connections.models.refresh_attempt.Trigger["SWEEP"]), _negated=True
                        ),
                        fields=["trigger", "-claimed_at", "id"],
                        name="attempt_asked_for",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["sent", "in_doubt"])),
                        fields=("connection",),
                        name="one_attempt_in_flight",
                    )
                ],
            },
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
                "constraints": [models.UniqueConstraint(fields=("connection", "name"), name="scope_once_a_connection")],
            },
        ),
        migrations.CreateModel(
            name="SubjectToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked", models.BinaryField()),
                ("claim_id", models.UUIDField(null=True)),
                ("claimed_until", models.DateTimeField(null=True)),
                ("version_id", models.UUIDField(null=True)),
                ("secrets", connections.models.fields.SealedField(null=True)),
                ("fingerprint", models.BinaryField(null=True)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), default=list, size=None
                    ),
                ),
                ("access_expires_at", models.DateTimeField(null=True)),
                ("obtained_at", models.DateTimeField(null=True)),
                ("failure", models.JSONField(default=dict)),
                ("failed_at", models.DateTimeField(null=True)),
                ("kept_until", models.DateTimeField(db_index=True)),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="subject_tokens",
                        to="connections.connection",
                    ),
                ),
                (
                    "data_key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="connections.datakey",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "asked"), name="one_subject_token_asked")
                ],
            },
        ),
        migrations.CreateModel(
            name="Offboarding",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("end_user", models.CharField(max_length=255)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("offboard", "Disconnected and revoked"),
                            ("erase", "Disconnected, revoked and forgotten"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "shared",
                    models.CharField(
                        blank=True,
                        choices=[("", "Not said"), ("hand_over", "Handed over"), ("end", "Ended")],
                        default="",
                        max_length=9,
                    ),
                ),
                ("hand_over_to", models.CharField(blank=True, default="", max_length=255)),
                ("pseudonym", models.CharField(blank=True, default="", max_length=40)),
                ("connections", models.JSONField(blank=True, default=dict)),
                ("grants", models.JSONField(blank=True, default=list)),
                ("counts", models.JSONField(blank=True, default=dict)),
                ("audit_seen_to", models.BigIntegerField(default=0, editable=False)),
                ("events_seen_to", models.BigIntegerField(default=0, editable=False)),
                ("order_id", models.BigIntegerField(blank=True, editable=False, null=True)),
                ("ordered_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="offboardings",
                        to="connections.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["-ordered_at", "id"],
                "indexes": [
                    models.Index(fields=["tenant", "end_user"], name="offboarding_of_end_user"),
                    models.Index(
                        condition=models.Q(("done_at", None)), fields=["ordered_at"], name="offboarding_under_way"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("end_user", ""), _negated=True), name="offboarding_names_its_end_user"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("mode", "erase"), _negated=True),
                            models.Q(("pseudonym", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="offboarding_erases_to_a_pseudonym",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("done_at", None)),
                        fields=("tenant", "end_user"),
                        name="one_offboarding_under_way",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key_hash", models.BinaryField()),
                ("fingerprint", models.BinaryField()),
                ("claim_id", models.UUIDField(null=True)),
                ("claimed_until", models.DateTimeField()),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("answer", connections.models.fields.SealedField(null=True)),
                ("kept_until", models.DateTimeField(db_index=True)),
                (
                    "client",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="kept_answers",
                        to="connections.apiclient",
                    ),
                ),
                (
                    "data_key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="connections.datakey",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="kept_answers",
                        to="connections.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("client", "key_hash"), name="one_answer_kept_a_key")],
            },
        ),
        migrations.CreateModel(
            name="ImportRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reading", "Being read"),
                            ("storing", "Being stored"),
                            ("proving", "Being refreshed and verified"),
                            ("done", "Done"),
                        ],
                        default="reading",
                        max_length=7,
                    ),
                ),
                ("options", models.JSONField(default=dict)),
                ("digest", models.BinaryField(null=True)),
                ("in_background", models.BooleanField(default=False)),
                ("api_client_id", models.UUIDField(blank=True, null=True)),
                ("operator", models.CharField(blank=True, default="", max_length=150)),
                ("parts", models.PositiveIntegerField(default=0)),
                ("lines", models.PositiveIntegerField(default=0)),
                (
                    "ignored_columns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                ("problem", models.CharField(blank=True, default="", max_length=500)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="imports",
                        to="connections.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "import",
                "ordering": ["-created_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("digest__isnull", False)), fields=["digest"], name="import_of_file"
                    ),
                    models.Index(
                        condition=models.Q(("finished_at", None)), fields=["created_at"], name="import_under_way"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at__isnull", False), ("state", "done")),
                            models.Q(models.Q(("state", "done"), _negated=True), ("finished_at", None)),
                            _connector="OR",
                        ),
                        name="import_ends_when_it_is_done",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportRow",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("line", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("refused", "Refused: nothing was stored"),
                            ("accepted", "Accepted: not stored yet"),
                            ("stored", "Stored: not refreshed or verified yet"),
                            ("settled", "Settled"),
                        ],
                        max_length=8,
                    ),
                ),
                ("code", models.CharField(blank=True, default="", max_length=40)),
                ("field", models.CharField(blank=True, default="", max_length=100)),
                ("detail", models.CharField(blank=True, default="", max_length=500)),
                ("provider", models.CharField(blank=True, default="", max_length=64)),
                ("end_user", models.CharField(blank=True, default="", max_length=255)),
                ("source_id", models.CharField(blank=True, default="", max_length=255)),
                ("rotates", models.BooleanField(default=False)),
                ("key", models.BinaryField(null=True)),
                ("content", connections.models.fields.SealedField(editable=False, null=True)),
                ("version_id", models.UUIDField(blank=True, null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="connections.connection",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="connections.importrun",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="connections.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["line"],
                "indexes": [
                    models.Index(fields=["run", "state", "line"], name="import_row_to_do"),
                    models.Index(
                        condition=models.Q(("key__isnull", False)),
                        fields=["tenant", "key"],
                        name="import_row_of_credential",
                    ),
                    models.Index(
                        condition=models.Q(("end_user", ""), _negated=True),
                        fields=["tenant", "end_user"],
                        name="import_row_of_end_user",
                    ),
                    models.Index(
                        condition=models.Q(("connection__isnull", False)),
                        fields=["connection"],
                        name="import_row_of_connection",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "line"), name="import_row_once_a_line"),
                    models.CheckConstraint(
                        condition=models.Q(("content__isnull", True), ("state", "accepted"), _connector="OR"),
                        name="import_row_keeps_content_until_stored",
                    ),
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
                ("auth_styles", models.JSONField(blank=True, default=dict)),
                (
                    "requested_scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), blank=True, null=True, size=None
                    ),
                ),
                ("params", models.JSONField(blank=True, default=dict)),
                ("typed_params", models.JSONField(blank=True, default=dict)),
                ("callback_params", models.JSONField(blank=True, default=dict)),
                ("found_params", models.JSONField(blank=True, default=dict)),
                (
                    "found_scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), blank=True, null=True, size=None
                    ),
                ),
                ("return_url", models.CharField(max_length=1000)),
                ("origin", models.CharField(blank=True, default="", max_length=255)),
                ("locale", models.CharField(blank=True, default="", max_length=20)),
                ("code_challenge", models.CharField(blank=True, default="", max_length=43)),
                (
                    "binding",
                    models.CharField(
                        choices=[
                            ("completion", "Confirmed by the operator's backend"),
                            ("none", "Not confirmed"),
                            ("imported", "Imported: the operator vouches for it"),
                        ],
                        default="completion",
                        max_length=10,
                    ),
                ),
                ("allows_account_change", models.BooleanField(default=False)),
                ("label", models.CharField(blank=True, default="", max_length=64)),
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
                ("poll_at", models.DateTimeField(blank=True, null=True)),
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
                    "management",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="connections.managementsession",
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
                    "registered_client",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="connections.registeredclient",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="connect_sessions",
                        to="connections.tenant",
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="connections.apikey",
                    ),
                ),
                ("adds_scopes", models.BooleanField(default=False)),
                ("tried_by", models.CharField(blank=True, default="", max_length=150)),
            ],
            options={
                "ordering": ["-created_at", "id"],
                "indexes": [
                    models.Index(fields=["expires_at"], name="connect_session_expiry"),
                    models.Index(
                        condition=models.Q(("state", "created")), fields=["expires_at"], name="connect_session_unopened"
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ["started", "authorizing", "held", "exchanging", "choosing"])),
                        fields=["updated_at"],
                        name="connect_session_unfinished",
                    ),
                    models.Index(
                        condition=models.Q(("management__isnull", False)),
                        fields=["management"],
                        name="connect_session_management",
                    ),
                    models.Index(fields=["-created_at", "id"], name="connect_session_newest"),
                    models.Index(fields=["tenant", "-created_at", "id"], name="connect_session_of_tenant"),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Upper("end_user"), name="text_pattern_ops"
                        ),
                        condition=models.Q(("end_user", ""), _negated=True),
                        name="connect_session_end_user",
                    ),
                    models.Index(fields=["state", "-created_at", "id"], name="connect_session_state"),
                    models.Index(
                        condition=models.Q(("tried_by", ""), _negated=True),
                        fields=["provider_app", "-created_at"],
                        name="connect_session_trials",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("end_user", ""), _negated=True), name="connect_session_names_its_end_user"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("held__isnull", True), ("state__in", ["held", "exchanging", "choosing"]), _connector="OR"
                        ),
                        name="connect_session_holds_only_while_held",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("poll_at__isnull", True), ("state", "authorizing"), _connector="OR"),
                        name="connect_session_polls_only_while_authorizing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tried_by", ""), ("provider_app__isnull", False), _connector="OR"),
                        name="connect_session_tries_an_app",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Brand",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(blank=True, default="", max_length=120)),
                (
                    "accent",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator("^#[0-9a-fA-F]{6}\\Z", "Give a colour as #rrggbb.")
                        ],
                    ),
                ),
                (
                    "background",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator("^#[0-9a-fA-F]{6}\\Z", "Give a colour as #rrggbb.")
                        ],
                    ),
                ),
                (
                    "surface",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator("^#[0-9a-fA-F]{6}\\Z", "Give a colour as #rrggbb.")
                        ],
                    ),
                ),
                (
                    "text",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator("^#[0-9a-fA-F]{6}\\Z", "Give a colour as #rrggbb.")
                        ],
                    ),
                ),
                (
                    "dark_accent",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator("^#[0-9a-fA-F]{6}\\Z", "Give a colour as #rrggbb.")
                        ],
                    ),
                ),
                (
                    "dark_background",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator("^#[0-9a-fA-F]{6}\\Z", "Give a colour as #rrggbb.")
                        ],
                    ),
                ),
                (
                    "dark_surface",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator("^#[0-9a-fA-F]{6}\\Z", "Give a colour as #rrggbb.")
                        ],
                    ),
                ),
                (
                    "dark_text",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator("^#[0-9a-fA-F]{6}\\Z", "Give a colour as #rrggbb.")
                        ],
                    ),
                ),
                (
                    "radius",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MaxValueValidator(24)]
                    ),
                ),
                ("font", models.CharField(blank=True, default="", max_length=20)),
                ("texts", models.JSONField(blank=True, default=dict)),
                ("support_url", models.CharField(blank=True, default="", max_length=1000)),
                ("privacy_url", models.CharField(blank=True, default="", max_length=1000)),
                ("locale", models.CharField(blank=True, default="", max_length=10)),
                ("logo", models.BinaryField(blank=True, default=bytes)),
                ("logo_media_type", models.CharField(blank=True, default="", max_length=40)),
                ("favicon", models.BinaryField(blank=True, default=bytes)),
                ("favicon_media_type", models.CharField(blank=True, default="", max_length=40)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "tenant",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="brand",
                        to="connections.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("id", uuid.UUID("00000000-0000-0000-0000-000000000000")), ("tenant__isnull", True)
                            ),
                            ("tenant__isnull", False),
                            _connector="OR",
                        ),
                        name="brand_of_the_operator_is_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tenant__isnull", True), ("name", ""), _connector="OR"),
                        name="brand_of_a_tenant_has_no_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("accent__regex", "^(#[0-9a-fA-F]{6})?$"),
                            ("background__regex", "^(#[0-9a-fA-F]{6})?$"),
                            ("surface__regex", "^(#[0-9a-fA-F]{6})?$"),
                            ("text__regex", "^(#[0-9a-fA-F]{6})?$"),
                            ("dark_accent__regex", "^(#[0-9a-fA-F]{6})?$"),
                            ("dark_background__regex", "^(#[0-9a-fA-F]{6})?$"),
                            ("dark_surface__regex", "^(#[0-9a-fA-F]{6})?$"),
                            ("dark_text__regex", "^(#[0-9a-fA-F]{6})?$"),
                        ),
                        name="brand_has_colors_as_rrggbb",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("api_client_id", models.UUIDField()),
                ("end_user", models.CharField(blank=True, default="", max_length=255)),
                ("agent", models.CharField(blank=True, default="", max_length=255)),
                ("purpose", models.CharField(blank=True, default="", max_length=255)),
                ("action", models.CharField(max_length=5)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), blank=True, default=list, size=None
                    ),
                ),
                ("method", models.CharField(blank=True, default="", max_length=16)),
                ("path", models.CharField(blank=True, default="", max_length=2000)),
                ("query", models.CharField(blank=True, default="", max_length=2000)),
                ("body_sha256", models.CharField(blank=True, default="", max_length=64)),
                ("asked", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decided_by", models.CharField(blank=True, default="", max_length=255)),
                ("is_approved", models.BooleanField(blank=True, null=True)),
                ("is_once", models.BooleanField(default=True)),
                ("good_until", models.DateTimeField(blank=True, null=True)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "grant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="approvals",
                        to="connections.accessgrant",
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="approvals",
                        to="connections.connection",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="approvals",
                        to="connections.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "id"],
                "indexes": [
                    models.Index(fields=["grant", "asked"], name="approval_of_question"),
                    models.Index(fields=["tenant", "-created_at", "id"], name="approval_page"),
                    models.Index(fields=["-created_at", "id"], name="approval_newest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("is_approved", None)),
                            models.Q(("decided_at__isnull", False), ("is_approved__isnull", False)),
                            _connector="OR",
                        ),
                        name="approval_is_decided_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("is_approved", True), _negated=True),
                            ("good_until__isnull", False),
                            _connector="OR",
                        ),
                        name="approval_is_good_for_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("used_at", None),
                            models.Q(("is_approved", True), ("is_approved__isnull", False)),
                            _connector="OR",
                        ),
                        name="approval_is_used_when_it_is_given",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("decided_at", None)),
                        fields=("grant", "asked"),
                        name="one_approval_awaited_a_question",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TenantDomain",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("host", models.CharField(max_length=255)),
                ("challenge", models.CharField(max_length=64)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("verified_until", models.DateTimeField(blank=True, null=True)),
                ("looked_at", models.DateTimeField(blank=True, null=True)),
                ("failure", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="domains", to="connections.tenant"
                    ),
                ),
            ],
            options={
                "verbose_name": "domain",
                "ordering": ["tenant", "host"],
                "constraints": [models.UniqueConstraint(fields=("tenant", "host"), name="domain_once_a_tenant")],
            },
        ),
        migrations.CreateModel(
            name="TrustedIssuer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "use",
                    models.CharField(
                        choices=[
                            ("caller", "Callers: a workload's token says which API client it is"),
                            ("end_user", "End users: the token says for whom an API client calls"),
                            ("agent", "Agents: the token says as which agent an API client calls"),
                        ],
                        max_length=10,
                    ),
                ),
                ("issuer", models.CharField(max_length=500)),
                ("audience", models.CharField(max_length=500)),
                ("keys", models.JSONField(blank=True, null=True)),
                ("jwks_url", models.CharField(blank=True, default="", max_length=1000)),
                (
                    "algorithms",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10), size=None),
                ),
                ("claim", models.CharField(default="sub", max_length=200)),
                ("groups_claim", models.CharField(blank=True, default="", max_length=200)),
                ("tenant_claim", models.CharField(blank=True, default="", max_length=200)),
                ("max_lifetime_seconds", models.PositiveIntegerField(default=3600)),
                ("leeway_seconds", models.PositiveIntegerField(default=30)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="trusted_issuers",
                        to="connections.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["issuer", "created_at"],
                "permissions": [("trust_issuer", "Can say whose tokens are believed")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "use", "issuer", "audience"), name="trusted_issuer_once", nulls_distinct=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("issuer", ""), _negated=True),
                            models.Q(("audience", ""), _negated=True),
                            models.Q(("claim", ""), _negated=True),
                        ),
                        name="trusted_issuer_is_named",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("keys", None), ("jwks_url", ""), _connector="OR"),
                        name="trusted_issuer_has_keys_or_says_where_they_are",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tenant", None), ("tenant_claim", ""), ("use", "end_user"), _negated=True),
                        name="trusted_issuer_names_the_tenant",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("leeway_seconds__lte", 300), ("max_lifetime_seconds__range", (60, 86400))),
                        name="trusted_issuer_has_bounds",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CallerRule",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("conditions", models.JSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="caller_rules",
                        to="connections.apiclient",
                    ),
                ),
                (
                    "issuer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="connections.trustedissuer",
                    ),
                ),
            ],
            options={
                "ordering": ["created_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("conditions", []), _negated=True), name="caller_rule_has_conditions"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProvenToken",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("token_hash", models.BinaryField(unique=True)),
                ("proof", models.JSONField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="proven_tokens",
                        to="connections.apiclient",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="proven_tokens",
                        to="connections.callerrule",
                    ),
                ),
            ],
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
                "indexes": [
                    models.Index(
                        condition=models.Q(("holds_back", True)), fields=["connection"], name="unread_answer_holds_back"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UsedAssertion",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("jti_hash", models.BinaryField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "client",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="used_assertions",
                        to="connections.apiclient",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("client", "jti_hash"), name="assertion_used_once")],
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("url", models.CharField(max_length=1000)),
                ("description", models.CharField(blank=True, default="", max_length=200)),
                (
                    "event_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, null=True, size=None
                    ),
                ),
                ("position", models.BigIntegerField()),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "disabled_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("operator", "Somebody disabled it"),
                            ("gone", "It answered 410 Gone"),
                            ("failing", "It took nothing for three days"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("failures", models.PositiveIntegerField(default=0)),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("held_until", models.DateTimeField(blank=True, null=True)),
                ("wake_at", models.DateTimeField(blank=True, null=True)),
                ("enqueued_until", models.DateTimeField(blank=True, null=True)),
                ("lease_id", models.UUIDField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("attended_at", models.DateTimeField(blank=True, null=True)),
                ("last_success_at", models.DateTimeField(blank=True, null=True)),
                ("missed_events", models.PositiveBigIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhook_endpoints",
                        to="connections.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("disabled_at", None), ("disabled_reason", "")),
                            models.Q(
                                ("disabled_at__isnull", False), ("disabled_reason__in", ["operator", "gone", "failing"])
                            ),
                            _connector="OR",
                        ),
                        name="webhook_endpoint_says_why_it_is_disabled",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("failing_since", None), ("failures", 0)),
                            models.Q(("failing_since__isnull", False), ("failures__gt", 0)),
                            _connector="OR",
                        ),
                        name="webhook_endpoint_fails_since_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("event_types", None), ("event_types__len__gt", 0), _connector="OR"),
                        name="webhook_endpoint_is_told_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("lane", models.UUIDField()),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("delivered", "Delivered"), ("failed", "Given up")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("answer_status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("error", models.CharField(blank=True, default="", max_length=200)),
                ("attempted_at", models.DateTimeField(blank=True, null=True)),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("next_attempt_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "event",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="connections.outboxevent",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="connections.webhookendpoint",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "webhook deliveries",
                "ordering": ["-created_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "pending")), fields=["endpoint", "event"], name="webhook_pending"
                    ),
                    models.Index(
                        condition=models.Q(("next_attempt_at__isnull", False), ("state", "pending")),
                        fields=["endpoint", "lane"],
                        name="webhook_held_lane",
                    ),
                    models.Index(fields=["endpoint", "-created_at"], name="webhook_of_endpoint"),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", False)), fields=["ended_at"], name="webhook_ended"
                    ),
                    models.Index(fields=["-created_at", "id"], name="webhook_newest"),
                    models.Index(
                        condition=models.Q(("state", "delivered"), _negated=True),
                        fields=["state", "-created_at", "id"],
                        name="webhook_not_delivered",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("event", "endpoint"), name="webhook_delivery_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state", "pending")),
                            models.Q(("ended_at__isnull", False), ("state__in", ("delivered", "failed"))),
                            _connector="OR",
                        ),
                        name="webhook_delivery_ends_at_a_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookSecret",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("secret", connections.models.fields.SealedField()),
                ("ends_at", models.DateTimeField(blank=True, db_index=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="secrets",
                        to="connections.webhookendpoint",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ends_at", None)),
                        fields=("endpoint",),
                        name="webhook_endpoint_has_one_current_secret",
                    )
                ],
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
                            ("unavailable", "The provider does not answer"),
                            ("address_refused", "The provider takes no calls from our addresses"),
                        ],
                        max_length=20,
                    ),
                ),
                ("party", models.UUIDField(blank=True, editable=False, null=True)),
                ("at", models.CharField(blank=True, default="", max_length=200)),
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
                (
                    "cause",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("wrong_secret", "Wrong client secret"),
                            ("client_ended", "The client or its secret ended at the provider"),
                            ("app_gone", "The app was deleted or disabled at the provider"),
                            ("grants_ended", "Many grants ended at the provider"),
                            ("requests_refused", "The provider refuses our requests"),
                            ("outage", "The provider is down"),
                            ("unreachable", "The provider's host is not reached"),
                            ("our_egress", "Our calls do not get out"),
                            ("rate_limited", "The provider limits our rate"),
                            ("address_not_listed", "Our address is not listed at the provider"),
                        ],
                        default="",
                        max_length=20,
                    ),
                ),
                ("facts", models.JSONField(blank=True, default=dict)),
                ("spared", models.PositiveIntegerField(default=0)),
                ("timeline", models.JSONField(blank=True, default=list)),
            ],
            options={
                "ordering": ["-opened_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)),
                        fields=("provider_app", "kind", "party"),
                        name="one_open_incident_a_kind_and_party",
                        nulls_distinct=False,
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
        migrations.CreateModel(
            name="AppKey",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kid", models.CharField(max_length=200, verbose_name="key id")),
                (
                    "algorithm",
                    models.CharField(
                        choices=[("RS256", "RS256"), ("PS256", "PS256"), ("ES256", "ES256"), ("EdDSA", "EdDSA")],
                        max_length=10,
                    ),
                ),
                ("public_key", models.TextField()),
                ("private_key", connections.models.fields.SealedField(editable=False, null=True)),
                ("certificates", models.TextField(blank=True, default="")),
                ("certificate_ends_at", models.DateTimeField(blank=True, null=True)),
                ("is_brought", models.BooleanField(default=False)),
                ("signs_from", models.DateTimeField()),
                ("published_until", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "provider_app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="keys", to="connections.providerapp"
                    ),
                ),
            ],
            options={
                "ordering": ["-signs_from"],
                "constraints": [models.UniqueConstraint(fields=("provider_app", "kid"), name="one_key_a_kid_and_app")],
            },
        ),
        migrations.CreateModel(
            name="ActivityFigures",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("width_seconds", models.PositiveSmallIntegerField()),
                ("tenant_id", models.UUIDField()),
                ("vended", models.PositiveIntegerField(default=0)),
                ("vend_refused", models.PositiveIntegerField(default=0)),
                ("refreshed", models.PositiveIntegerField(default=0)),
                ("refresh_failed", models.PositiveIntegerField(default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["width_seconds", "at"], name="activity_oldest")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "width_seconds", "at"), name="activity_once_a_tenant_and_moment"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ConnectionFigures",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tenant_id", models.UUIDField()),
                ("provider_app_id", models.UUIDField()),
                ("pending", models.PositiveIntegerField(default=0)),
                ("active", models.PositiveIntegerField(default=0)),
                ("suspect", models.PositiveIntegerField(default=0)),
                ("needs_reauth", models.PositiveIntegerField(default=0)),
                ("revoked", models.PositiveIntegerField(default=0)),
                ("disconnected", models.PositiveIntegerField(default=0)),
                ("failing", models.PositiveIntegerField(default=0)),
                ("overdue", models.PositiveIntegerField(default=0)),
                ("due_soon", models.PositiveIntegerField(default=0)),
                ("refused", models.PositiveIntegerField(default=0)),
                ("undecryptable", models.PositiveIntegerField(default=0)),
                ("revoking", models.PositiveIntegerField(default=0)),
                ("ending", models.PositiveIntegerField(default=0)),
                ("noticed_minutes", models.PositiveIntegerField(default=0)),
                ("noticed_hour", models.PositiveIntegerField(default=0)),
                ("noticed_six_hours", models.PositiveIntegerField(default=0)),
                ("noticed_day", models.PositiveIntegerField(default=0)),
                ("noticed_later", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "provider_app_id"), name="figures_once_a_tenant_and_app"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FiguresTaken",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("taken_at", models.DateTimeField()),
                ("took_seconds", models.FloatField(default=0.0)),
                ("audit_seen_to", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="figures_are_taken_once")],
            },
        ),
        migrations.CreateModel(
            name="GuessCount",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("level", models.FloatField()),
                ("counted_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="StaffLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tenants", models.ManyToManyField(blank=True, related_name="+", to="connections.tenant")),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="staff_limit",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("oversee_staff", "Can limit staff to tenants, end their sessions and take second factors back")
                ],
            },
        ),
        migrations.CreateModel(
            name="StaffIdentity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("issuer", models.CharField(max_length=500)),
                ("subject", models.CharField(max_length=255)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="staff_identities",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("issuer", "subject"), name="staff_identity_once")],
            },
        ),
        migrations.CreateModel(
            name="AuditPruning",
            fields=[
                ("order_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("before", models.DateTimeField()),
                ("key_id", models.CharField(max_length=32)),
                ("signature", models.BinaryField(max_length=64)),
            ],
            options={
                "ordering": ["order_id"],
            },
        ),
        migrations.CreateModel(
            name="AuditRedaction",
            fields=[
                ("event_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("order_id", models.BigIntegerField()),
                ("nonce", models.BinaryField(max_length=16)),
                ("digest", models.BinaryField(max_length=16)),
                ("key_id", models.CharField(max_length=32)),
                ("signature", models.BinaryField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("first_id", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("rows", models.PositiveIntegerField()),
                ("newest_at", models.DateTimeField()),
                ("leaves", models.BinaryField()),
                ("nonces", models.BinaryField()),
                ("leaves_hash", models.BinaryField(max_length=32)),
                ("previous", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64)),
                ("key_id", models.CharField(max_length=32)),
                ("signature", models.BinaryField(max_length=64)),
                ("sealed_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("last_id",), name="audit_seal_ends_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("last_id__gte", models.F("first_id")), ("number__gte", 1), ("rows__gte", 1)
                        ),
                        name="audit_seal_covers_rows",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditVerification",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("operator", models.CharField(blank=True, default="", max_length=150)),
                ("ordered_at", models.DateTimeField()),
                ("to_seal", models.BigIntegerField()),
                ("reached", models.BigIntegerField(default=0)),
                ("rows", models.BigIntegerField(default=0)),
                ("unsealed", models.BigIntegerField(default=0)),
                ("finding", models.JSONField(blank=True, default=dict)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-ordered_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at", None)), fields=["ordered_at"], name="verification_under_way"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ConnectStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("step", models.CharField(max_length=20)),
                ("outcome", models.CharField(max_length=60)),
                ("milliseconds", models.PositiveIntegerField(default=0)),
                ("exchanges", models.JSONField(default=list)),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="connections.connectsession",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="BulkJob",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("refresh", "Refresh"),
                            ("probe", "Probe"),
                            ("pause", "Pause"),
                            ("unpause", "Unpause"),
                            ("suspend", "Suspend"),
                            ("resume", "Resume"),
                            ("revoke", "Revoke"),
                            ("disconnect", "Disconnect"),
                            ("export", "Export"),
                        ],
                        max_length=10,
                    ),
                ),
                ("operator", models.CharField(blank=True, default="", max_length=150)),
                ("address", models.GenericIPAddressField(blank=True, null=True)),
                ("total", models.PositiveIntegerField(default=0)),
                ("ordered_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="connections.tenant",
                    ),
                ),
                ("api_client_id", models.UUIDField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "background job",
                "ordering": ["-ordered_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at", None)), fields=["ordered_at"], name="bulk_job_under_way"
                    ),
                    models.Index(fields=["tenant", "-ordered_at", "id"], name="bulk_job_of_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="BulkRow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("is_success", models.BooleanField(blank=True, null=True)),
                ("code", models.CharField(blank=True, default="", max_length=40)),
                ("detail", models.CharField(blank=True, default="", max_length=300)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="connections.connection"
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="connections.bulkjob",
                    ),
                ),
                ("facts", models.JSONField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "row of a background job",
                "verbose_name_plural": "rows of background jobs",
                "ordering": ["id"],
                "indexes": [
                    models.Index(condition=models.Q(("code", "")), fields=["job", "id"], name="bulk_row_to_do"),
                    models.Index(fields=["job", "id"], name="bulk_row_of_job"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("job", "connection"), name="bulk_row_once_a_connection")
                ],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("cause", models.CharField(max_length=200, unique=True)),
                ("subject", models.CharField(max_length=200)),
                ("body", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("handing", "Being handed to the mail server"),
                            ("sent", "Sent"),
                            ("unknown", "Perhaps sent"),
                            ("failed", "Not sent"),
                            ("off", "Not sent: mail is off"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("claim_id", models.UUIDField(blank=True, editable=False, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, default="", max_length=100)),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-created_at", "id"],
                "indexes": [
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="notice_due"),
                    models.Index(fields=["-created_at", "id"], name="notice_newest"),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", False)), fields=["ended_at"], name="notice_ended"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("due_at__isnull", False), ("ended_at", None), ("state__in", ("waiting", "handing"))
                            ),
                            models.Q(
                                ("due_at", None),
                                ("ended_at__isnull", False),
                                ("state__in", ("sent", "unknown", "failed", "off")),
                            ),
                            _connector="OR",
                        ),
                        name="notice_is_due_or_has_ended",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ClientUse",
            fields=[
                (
                    "client",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="use",
                        serialize=False,
                        to="connections.apiclient",
                    ),
                ),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("day", models.DateField()),
                ("today", models.PositiveIntegerField(default=0)),
                ("highest", models.PositiveIntegerField(default=0)),
                ("forgiven", models.PositiveIntegerField(default=0)),
                ("denied_today", models.PositiveIntegerField(default=0)),
                ("highest_denied", models.PositiveIntegerField(default=0)),
                ("forgiven_denied", models.PositiveIntegerField(default=0)),
                ("woke_at", models.DateTimeField(null=True)),
                ("slept_days", models.PositiveIntegerField(default=0)),
                ("usual_sleep_days", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "rule",
                    models.CharField(
                        choices=[
                            ("new_network", "Used from a network that is new"),
                            ("wide_use", "Touches far more connections than ever"),
                            ("many_denials", "Denied on many different ids"),
                            ("awakened", "Long unused, then many connections"),
                            ("canary_used", "A canary was touched"),
                        ],
                        max_length=20,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("evidence", models.JSONField(default=dict)),
                (
                    "step",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "Told"),
                            (1, "Slowed down"),
                            (2, "Held until somebody vouches for it"),
                            (3, "Suspended"),
                        ],
                        default=0,
                    ),
                ),
                ("stepped_at", models.DateTimeField(null=True)),
                ("resolved_at", models.DateTimeField(null=True)),
                ("resolved_by", models.CharField(default="", max_length=150)),
                (
                    "verdict",
                    models.CharField(
                        choices=[("expected", "It was us: expect it from now on"), ("harmful", "It was not us")],
                        default="",
                        max_length=10,
                    ),
                ),
                ("note", models.CharField(default="", max_length=1000)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="findings", to="connections.apiclient"
                    ),
                ),
            ],
            options={
                "ordering": ["-opened_at"],
                "indexes": [models.Index(fields=["-opened_at", "id"], name="finding_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resolved_at", None)),
                        fields=("client", "rule"),
                        name="one_open_finding_a_client_and_rule",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("resolved_at", None), ("verdict", "")),
                            models.Q(("resolved_at__isnull", False), models.Q(("verdict", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="finding_is_settled_with_a_verdict",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="KnownNetwork",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("network", models.CharField(max_length=50)),
                ("first_at", models.DateTimeField()),
                (
                    "client",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="known_networks",
                        to="connections.apiclient",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("client", "network"), name="network_known_once_a_client")
                ],
            },
        ),
        migrations.CreateModel(
            name="WatchPosition",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("began_at", models.DateTimeField()),
                ("audit_id", models.BigIntegerField()),
                ("canary_id", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="there_is_one_watch_position")
                ],
            },
        ),
        migrations.CreateModel(
            name="WatchSetting",
            fields=[
                (
                    "rule",
                    models.CharField(
                        choices=[
                            ("new_network", "Used from a network that is new"),
                            ("wide_use", "Touches far more connections than ever"),
                            ("many_denials", "Denied on many different ids"),
                            ("awakened", "Long unused, then many connections"),
                            ("canary_used", "A canary was touched"),
                        ],
                        max_length=20,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("is_on", models.BooleanField(default=True, verbose_name="on")),
                (
                    "least",
                    models.PositiveIntegerField(
                        default=1,
                        help_text="It never fires below this number. Only numbers of connections or ids.",
                        verbose_name="least number",
                    ),
                ),
                (
                    "throttle_after",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Minutes for which it has lasted. 0: at once; empty: never.",
                        null=True,
                        verbose_name="slow down after",
                    ),
                ),
                (
                    "hold_after",
                    models.PositiveIntegerField(
                        blank=True, help_text="Likewise.", null=True, verbose_name="hold after"
                    ),
                ),
                (
                    "kill_after",
                    models.PositiveIntegerField(
                        blank=True, help_text="Likewise.", null=True, verbose_name="suspend after"
                    ),
                ),
            ],
            options={
                "verbose_name": "watch rule",
                "ordering": ["rule"],
            },
        ),
        migrations.CreateModel(
            name="PushContent",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="push_content",
                        serialize=False,
                        to="connections.outboxevent",
                    ),
                ),
                ("content", connections.models.fields.SealedField()),
                ("created_at", models.DateTimeField(db_index=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="push_contents",
                        to="connections.tenant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReceivedPush",
            fields=[
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Being acted on"), ("done", "Acted on"), ("refused", "Refused")],
                        max_length=8,
                    ),
                ),
                ("why", models.CharField(blank=True, default="", max_length=20)),
                (
                    "event_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120), blank=True, default=list, size=None
                    ),
                ),
                ("delivery", models.BinaryField(null=True)),
                ("proof", models.BinaryField(null=True)),
                ("is_echo", models.BooleanField(default=False)),
                ("is_dated", models.BooleanField(default=True)),
                ("orders", models.JSONField(blank=True, default=list)),
                ("connections", models.PositiveIntegerField(default=0)),
                ("ended", models.PositiveIntegerField(default=0)),
                ("forwarded", models.PositiveIntegerField(default=0)),
                ("count", models.PositiveIntegerField(default=1)),
                ("repeats", models.PositiveIntegerField(default=0)),
                ("received_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "provider_app",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pushes",
                        to="connections.providerapp",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "received pushes",
                "ordering": ["-received_at", "id"],
                "indexes": [
                    models.Index(fields=["provider_app", "-received_at"], name="push_of_app"),
                    models.Index(fields=["-received_at", "id"], name="push_newest"),
                    models.Index(
                        condition=models.Q(("proof__isnull", False)),
                        fields=["provider_app", "proof"],
                        name="push_proof",
                    ),
                    models.Index(condition=models.Q(("state", "waiting")), fields=["received_at"], name="push_waiting"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("delivery__isnull", False)),
                        fields=("provider_app", "delivery"),
                        name="push_once_a_delivery",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "refused"), models.Q(("why", ""), _negated=True)),
                            models.Q(models.Q(("state", "refused"), _negated=True), ("why", "")),
                            _connector="OR",
                        ),
                        name="push_refused_for_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "waiting"), ("orders", []), _connector="OR"),
                        name="push_orders_only_while_it_waits",
                    ),
                ],
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
        migrations.RunSQL(
            "ALTER TABLE connections_connection SET (fillfactor = 80)",
            "ALTER TABLE connections_connection RESET (fillfactor)",
        ),
        migrations.RunSQL(PROTECT, UNPROTECT),
        migrations.RunSQL(_PROTECT_SEALS, _UNPROTECT_SEALS),
    ]
