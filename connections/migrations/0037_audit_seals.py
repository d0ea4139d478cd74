"""Seals of the audit trail, and the database keeps them: of a seal, only what erasure and pruning end may go."""

import uuid
from django.db import migrations, models


_TABLES = ("connections_auditseal", "connections_auditredaction", "connections_auditpruning")
# A nonce may become zeros, and all leaves and nonces together may go; a redaction may be replaced by a later one.
_PROTECT = """
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
    for table in _TABLES
)
_UNPROTECT = "".join(
    f"DROP TRIGGER audit_no_truncate ON {table}; DROP TRIGGER audit_append_only ON {table};\n" for table in _TABLES
) + "DROP FUNCTION connections_audit_seal_refuse(); DROP FUNCTION connections_audit_proof_refuse();"


class Migration(migrations.Migration):

    dependencies = [
        ('connections', '0036_staff'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditPruning',
            fields=[
                ('order_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('before', models.DateTimeField()),
                ('key_id', models.CharField(max_length=32)),
                ('signature', models.BinaryField(max_length=64)),
            ],
            options={
                'ordering': ['order_id'],
            },
        ),
        migrations.CreateModel(
            name='AuditRedaction',
            fields=[
                ('event_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('order_id', models.BigIntegerField()),
                ('nonce', models.BinaryField(max_length=16)),
                ('digest', models.BinaryField(max_length=16)),
                ('key_id', models.CharField(max_length=32)),
                ('signature', models.BinaryField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name='AuditSeal',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('first_id', models.BigIntegerField()),
                ('last_id', models.BigIntegerField()),
                ('rows', models.PositiveIntegerField()),
                ('newest_at', models.DateTimeField()),
                ('leaves', models.BinaryField()),
                ('nonces', models.BinaryField()),
                ('leaves_hash', models.BinaryField(max_length=32)),
                ('previous', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64)),
                ('key_id', models.CharField(max_length=32)),
                ('signature', models.BinaryField(max_length=64)),
                ('sealed_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-number'],
                'constraints': [models.UniqueConstraint(fields=('last_id',), name='audit_seal_ends_once'), models.CheckConstraint(condition=models.Q(('last_id__gte', models.F('first_id')), ('number__gte', 1), ('rows__gte', 1)), name='audit_seal_covers_rows')],
            },
        ),
        migrations.CreateModel(
            name='AuditVerification',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('operator', models.CharField(blank=True, default='', max_length=150)),
                ('ordered_at', models.DateTimeField()),
                ('to_seal', models.BigIntegerField()),
                ('reached', models.BigIntegerField(default=0)),
                ('rows', models.BigIntegerField(default=0)),
                ('unsealed', models.BigIntegerField(default=0)),
                ('finding', models.JSONField(blank=True, default=dict)),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-ordered_at', 'id'],
                'indexes': [models.Index(condition=models.Q(('finished_at', None)), fields=['ordered_at'], name='verification_under_way')],
            },
        ),
        migrations.RunSQL(_PROTECT, _UNPROTECT),
    ]
