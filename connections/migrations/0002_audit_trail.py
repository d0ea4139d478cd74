"""The database keeps the audit trail: its rows are written once, and go by order of an audit row, after 30 days.

TRUNCATE passes by triggers that look at rows, so it has a trigger of its own. Whoever can run a statement as Latchkey
could name any moment and delete the trail up to it; so the order to delete stays behind for 30 days at the least. A
database that an earlier checkout made has it already (`OR REPLACE`).
"""

from django.db import migrations

PROTECT = """
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


class Migration(migrations.Migration):
    dependencies = [("connections", "0001_initial")]
    operations = [migrations.RunSQL(PROTECT, UNPROTECT)]
