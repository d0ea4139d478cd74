"""Audit rows go only by order of an audit row, and never those of the last 30 days.

Whoever can run a statement as Latchkey could otherwise name a moment and delete the trail up to it, unseen. Now the
order stays behind for 30 days at the least, whoever gives it.
"""

from django.db import migrations

IN_THE_OPEN = """
CREATE OR REPLACE FUNCTION connections_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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
    RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION connections_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
       AND OLD.at < NULLIF(current_setting('latchkey.audit_prune_before', true), '')::timestamptz THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("connections", "0020_tenant_deletion")]
    operations = [migrations.RunSQL(IN_THE_OPEN, BEFORE)]
